import type { ModelRef } from '../../core/deployment.ts'
import type { Catalog, CatalogModel, CatalogSku } from './catalog.ts'
import { batchSkus, rates, standardSkus } from './shipped/define.ts'
import { shippedModels } from './shipped/shipped.ts'

/** What the built-in engine can run, as an entry. */
export type BuiltinEntry = ModelRef & {
  readonly description?: string | undefined
  /** Tokens of prompt and answer together. */
  readonly contextLength?: number | undefined
}

/**
 * What a unit is worth of a model that no entry knows: 1,000 tokens and 6 requests per minute, as with the older chat models. What
 * provisioned units are worth only an entry can say.
 */
export const genericSkus: readonly CatalogSku[] = [
  ...standardSkus(rates.classic, ['GlobalStandard', 'DataZoneStandard', 'Standard', 'DeveloperTier']),
  ...batchSkus(),
]

/** The shipped models, those of the built-in engine and the operator's own: of entries for one version of a model, the last wins. */
export function createCatalog(builtins: readonly BuiltinEntry[], operator: readonly CatalogModel[] = []): Catalog {
  const entries = new Map<string, CatalogModel>()
  // A default of the operator's takes the place of the shipped one.
  const defaults = new Map<string, CatalogModel>()
  for (const model of [...shippedModels, ...builtins.map(describeBuiltin), ...operator]) {
    entries.set(keyOf(model.format, model.name, model.version), model)
    if (model.isDefaultVersion) defaults.set(keyOf(model.format, model.name), model)
  }
  const models = [...entries.values()]
    .map((model) => {
      const isDefaultVersion = defaults.get(keyOf(model.format, model.name)) === model
      return isDefaultVersion === model.isDefaultVersion ? model : { ...model, isDefaultVersion }
    })
    .sort(compareModels)
  const byName = Map.groupBy(models, ({ name }) => name.toLowerCase())
  const versionsOf: Catalog['versionsOf'] = (name, format) => {
    const known = byName.get(name.toLowerCase()) ?? []
    if (format === undefined) return known
    return known.filter((model) => model.format.toLowerCase() === format.toLowerCase())
  }
  return {
    list: () => models,
    versionsOf,
    find: (name, version, format) => versionsOf(name, format).find((model) => model.version === version),
  }
}

/** By name, the default version first; the rest as it was written, which is from new to old. */
function compareModels(a: CatalogModel, b: CatalogModel): number {
  const [first, second] = [a.name.toLowerCase(), b.name.toLowerCase()]
  if (first !== second) return first < second ? -1 : 1
  return Number(b.isDefaultVersion) - Number(a.isDefaultVersion)
}

function keyOf(...parts: readonly string[]): string {
  return parts.join('\n').toLowerCase()
}

function describeBuiltin({ format, name, version, description, contextLength }: BuiltinEntry): CatalogModel {
  return {
    format,
    name,
    version,
    description,
    maxContextTokens: contextLength,
    isDefaultVersion: true,
    publisher: 'Ponto',
    type: 'chat',
    capabilities: { chatCompletion: 'true', embeddings: 'true' },
    maxOutputTokens: undefined,
    lifecycle: { status: 'GenerallyAvailable', retiresAt: undefined, replacement: undefined },
    skus: genericSkus,
    runsOn: ['builtin'],
    source: 'shipped',
  }
}
