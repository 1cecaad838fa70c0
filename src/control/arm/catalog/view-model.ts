import type { CatalogModel, CatalogSku } from '../../../snapshot/catalog/catalog.ts'

/** A version of a model as the vendor's lists have it. */
export function viewArmModel(model: CatalogModel): object {
  const { format, name, version, publisher, isDefaultVersion, capabilities, lifecycle, skus } = model
  const { status, retiresAt, replacement } = lifecycle
  return {
    format,
    name,
    version,
    ...(publisher && { publisher }),
    isDefaultVersion,
    lifecycleStatus: status,
    maxCapacity: Math.max(0, ...skus.map(({ capacity }) => capacity.maximum)),
    capabilities: { ...capabilities, ...tokenCapabilities(model) },
    ...(retiresAt !== undefined && {
      deprecation: { inference: new Date(retiresAt).toISOString(), deprecationStatus: 'Planned' },
    }),
    ...(replacement && {
      replacementConfig: { targetModelName: replacement.name, targetModelVersion: replacement.version },
    }),
    skus: skus.map((sku) => viewSku(model, sku)),
  }
}

function tokenCapabilities({ maxContextTokens, maxOutputTokens }: CatalogModel): Record<string, string> {
  return {
    ...(maxContextTokens !== undefined && { maxContextToken: String(maxContextTokens) }),
    ...(maxOutputTokens !== undefined && { maxOutputToken: String(maxOutputTokens) }),
  }
}

function viewSku({ format, name: model, lifecycle }: CatalogModel, { name, capacity, perUnit }: CatalogSku): object {
  const { retiresAt } = lifecycle
  const rateLimits =
    perUnit.kind !== 'rate'
      ? []
      : [...viewRate('request', perUnit.requestsPerMinute), ...viewRate('token', perUnit.tokensPerMinute)]
  return {
    name,
    usageName: `${format}.${name}.${model}`,
    ...(retiresAt !== undefined && { deprecationDate: new Date(retiresAt).toISOString() }),
    capacity: viewCapacity(capacity),
    ...(rateLimits.length > 0 && { rateLimits }),
  }
}

/** Of one unit, a minute. */
function viewRate(key: string, count: number | undefined): readonly object[] {
  return count === undefined ? [] : [{ key, renewalPeriod: 60, count }]
}

export function viewCapacity({ minimum, maximum, step, default: usual }: CatalogSku['capacity']): object {
  return { minimum, maximum, step, default: usual }
}
