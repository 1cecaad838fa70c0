import type { ModelType, SkuName } from '../../../core/deployment.ts'
import type { CatalogModel, CatalogSku, UnitValue } from '../catalog.ts'

/** Short ways to write entries of the shipped catalog. */

/** What one unit of the standard family is worth, by class of model. */
export const rates = {
  /** The older chat models, and embeddings. */
  classic: { tokensPerMinute: 1_000, requestsPerMinute: 6 },
  /** Newer models: as many requests as thousands of tokens. */
  even: { tokensPerMinute: 1_000, requestsPerMinute: 1 },
  o1: { tokensPerMinute: 6_000, requestsPerMinute: 1 },
  /** Reasoning models that take long: o3-mini, o1-mini, o3-pro. */
  slow: { tokensPerMinute: 10_000, requestsPerMinute: 1 },
  /** Images, speech and reranking are counted by the request. */
  byRequest: { tokensPerMinute: undefined, requestsPerMinute: 1 },
} as const

export type Rate = (typeof rates)[keyof typeof rates]

/** Provisioned units: what one is worth, and how many there have to be, globally and in one region. */
export type Provisioned = {
  readonly inputTokensPerMinute: number
  readonly outputWeight: number
  /** Least and step. */
  readonly wide: readonly [number, number]
  readonly regional: readonly [number, number] | undefined
}

const most = 1_000_000
const mostProvisioned = 100_000
/** Waiting tokens that a unit of a batch SKU holds; the service does not say. */
const enqueuedPerUnit = 1_000

export function standardSkus(rate: Rate, names: readonly SkuName[]): CatalogSku[] {
  return names.map((name) => sku(name, [1, 1], most, { kind: 'rate', ...rate }))
}

export function batchSkus(): CatalogSku[] {
  return (['GlobalBatch', 'DataZoneBatch'] as const).map((name) =>
    sku(name, [1, 1], most, { kind: 'enqueued', tokens: enqueuedPerUnit }),
  )
}

export function provisionedSkus({ wide, regional, ...unit }: Provisioned): CatalogSku[] {
  const perUnit: UnitValue = { kind: 'provisioned', ...unit }
  return [
    sku('GlobalProvisionedManaged', wide, mostProvisioned, perUnit),
    sku('DataZoneProvisionedManaged', wide, mostProvisioned, perUnit),
    ...(regional ? [sku('ProvisionedManaged', regional, mostProvisioned, perUnit)] : []),
  ]
}

function sku(
  name: SkuName,
  [minimum, step]: readonly [number, number],
  maximum: number,
  perUnit: UnitValue,
): CatalogSku {
  return { name, capacity: { minimum, maximum, step, default: minimum }, perUnit }
}

export type ShippedModel = {
  readonly name: string
  /** The default one first. */
  readonly versions: readonly (string | (Partial<Tokens> & { readonly version: string }))[]
  readonly type: ModelType
  readonly skus: readonly CatalogSku[]
  /** Of those that do not do all that is usual for their type. */
  readonly capabilities?: Readonly<Record<string, string>>
  readonly isPreview?: boolean
} & Partial<Tokens>

type Tokens = { readonly maxContextTokens: number; readonly maxOutputTokens: number }

/** Names of the service's own. */
const usualCapabilities: Readonly<Record<ModelType, Readonly<Record<string, string>>>> = {
  chat: { chatCompletion: 'true' },
  embeddings: { embeddings: 'true' },
  'image-embeddings': { embeddings: 'true' },
  images: { imageGenerations: 'true' },
  audio: { audio: 'true' },
  moderation: { moderation: 'true' },
  rerank: { rerank: 'true' },
}

/** One entry for each version. All of them live: when the service retires one says nothing about where it runs here. */
export function defineModels(
  format: string,
  runsOn: readonly string[],
  models: readonly ShippedModel[],
): CatalogModel[] {
  return models.flatMap(({ versions, isPreview, ...model }) =>
    versions.map((given, index): CatalogModel => {
      const own = typeof given === 'string' ? { version: given } : given
      return {
        format,
        name: model.name,
        version: own.version,
        isDefaultVersion: index === 0,
        publisher: format,
        description: undefined,
        type: model.type,
        capabilities: model.capabilities ?? usualCapabilities[model.type],
        maxContextTokens: own.maxContextTokens ?? model.maxContextTokens,
        maxOutputTokens: own.maxOutputTokens ?? model.maxOutputTokens,
        lifecycle: {
          status: isPreview ? 'Preview' : 'GenerallyAvailable',
          retiresAt: undefined,
          replacement: undefined,
        },
        skus: model.skus,
        runsOn,
        source: 'shipped',
      }
    }),
  )
}
