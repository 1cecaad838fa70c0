import type { JsonObject } from '../../../core/json.ts'

/** Something that is written out: a document of our own API without what only an answer has, and without secrets. */
export type Exported = { readonly name: string } & JsonObject

/** Everything of a resource that can be written out. */
export type ExportedResource = {
  readonly name: string
  readonly deployments: readonly Exported[]
  readonly raiPolicies: readonly Exported[]
  /** With `items`. */
  readonly raiBlocklists: readonly Exported[]
  readonly raiTopics: readonly Exported[]
  readonly filterEngines: readonly Exported[]
  readonly deploymentPolicies: readonly Exported[]
}

export type Written = {
  readonly text: string
  /** What the format cannot say, each with its place. */
  readonly notes: readonly string[]
}

/** Of the vendor's API. */
export const exportApiVersion = '2025-12-01'
export const armProvider = 'Microsoft.CognitiveServices'

/** What ARM has of a deployment, in its shape. */
export function armBodyOf({ name, model, sku, tags, ...rest }: Exported): JsonObject {
  const { format, name: modelName, version } = model as JsonObject
  const settings = [
    'raiPolicyName',
    'versionUpgradeOption',
    'spilloverDeploymentName',
    'serviceTier',
    'deploymentState',
    'dynamicThrottlingEnabled',
  ]
  const known = Object.fromEntries(Object.entries(rest).filter(([field]) => settings.includes(field)))
  return {
    ...(sku !== undefined && { sku }),
    ...(tags !== undefined && { tags }),
    properties: { model: { format, name: modelName, version } as JsonObject, ...known },
  }
}

/** What only Ponto has of a deployment, as `properties.ponto` of its ARM API has it, and that it has no SKU, where it has none. */
export function ownFieldsOf({
  backends,
  rateLimits,
  tokenAccounting,
  concurrency,
  price,
  model,
  sku,
}: Exported): JsonObject {
  const { type } = model as JsonObject
  const fields = { backends, rateLimits, tokenAccounting, concurrency, price, modelType: type }
  const given = Object.entries(fields).filter(([, value]) => value !== undefined)
  return { ...(Object.fromEntries(given) as JsonObject), ...(sku === undefined && { sku: null }) }
}

/** What ARM has no place for. */
export function noteOthers(resource: ExportedResource): string[] {
  const lists = {
    raiTopics: resource.raiTopics,
    filterEngines: resource.filterEngines,
    deploymentPolicies: resource.deploymentPolicies,
  }
  return Object.entries(lists).flatMap(([name, list]) =>
    list.length === 0 ? [] : [`${name} are left out: only YAML has them (${list.map((one) => one.name).join(', ')})`],
  )
}

/** Policies in the order in which they can be made: each after the one that it builds on. */
export function inOrder(policies: readonly Exported[]): readonly Exported[] {
  const left = [...policies]
  const ordered: Exported[] = []
  while (left.length > 0) {
    const isWaiting = ({ basePolicyName }: Exported) => left.some(({ name }) => isSame(name, basePolicyName))
    const next = left.findIndex((policy) => !isWaiting(policy))
    ordered.push(...left.splice(Math.max(0, next), 1))
  }
  return ordered
}

export function isSame(name: string, other: unknown): boolean {
  return typeof other === 'string' && name.toLowerCase() === other.toLowerCase()
}
