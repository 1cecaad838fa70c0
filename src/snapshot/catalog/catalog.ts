import type { Lifecycle, ModelType, SkuName } from '../../core/deployment.ts'

/** What one unit of capacity is worth under a SKU. */
export type UnitValue =
  | {
      readonly kind: 'rate'
      readonly tokensPerMinute: number | undefined
      readonly requestsPerMinute: number | undefined
    }
  | { readonly kind: 'provisioned'; readonly inputTokensPerMinute: number; readonly outputWeight: number }
  | { readonly kind: 'enqueued'; readonly tokens: number }

export type CatalogSku = {
  readonly name: SkuName
  readonly capacity: {
    readonly minimum: number
    readonly maximum: number
    readonly step: number
    readonly default: number
  }
  readonly perUnit: UnitValue
}

/** One version of a model. */
export type CatalogModel = {
  readonly format: string
  readonly name: string
  readonly version: string
  readonly isDefaultVersion: boolean
  readonly publisher: string | undefined
  readonly description: string | undefined
  readonly type: ModelType | undefined
  /** Azure's string map: `{"chatCompletion":"true"}`. */
  readonly capabilities: Readonly<Record<string, string>>
  readonly maxContextTokens: number | undefined
  readonly maxOutputTokens: number | undefined
  readonly lifecycle: Lifecycle
  readonly skus: readonly CatalogSku[]
  /** Where it can run: the built-in engine, or backends that speak one of these protocols. */
  readonly runsOn: readonly string[]
  readonly source: 'shipped' | 'operator'
}

/** Known models: those that come with Ponto, and the operator's own, which win. Names are found without regard to case. */
export type Catalog = {
  /** By name, and of each the default version first. */
  list(): readonly CatalogModel[]
  /** All versions of a model, the default one first. `format` may be left out where the name says enough. */
  versionsOf(name: string, format?: string): readonly CatalogModel[]
  find(name: string, version: string, format?: string): CatalogModel | undefined
}
