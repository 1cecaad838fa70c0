import { isJsonObject, type Json, type JsonObject } from '../../../core/json.ts'
import type { PolicySpec } from '../../../snapshot/filter/policy-spec.ts'
import { pontoFields, settingsSince } from '../../arm/deployments/to-document.ts'
import { pontoFilterFields, viewPolicyProperties } from '../../arm/filters/policy-document.ts'

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
  readonly quota: readonly Exported[]
}

export type Written = {
  readonly text: string
  /** What the format cannot say, each with its place. */
  readonly notes: readonly string[]
}

/** Of the vendor's API. */
export const exportApiVersion = '2025-12-01'
export const armProvider = 'Microsoft.CognitiveServices'

/** Something in the shape of ARM, and what only Ponto has of it. */
export type Parts = { readonly body: JsonObject; readonly own: JsonObject }

/** What only Ponto has is named as in `properties.ponto` of its ARM API; `sku: null`: it has none, where Azure would give it one. */
export function splitDeployment(deployment: Exported): Parts {
  const { model, sku, tags } = deployment
  const { format, name, version } = model as JsonObject
  const settings = Object.keys(settingsSince).flatMap((field) => pair(field, deployment[field]))
  const own = Object.entries(pontoFields).flatMap(([field, [outer, inner]]) => {
    const value = deployment[outer]
    return pair(field, inner === undefined ? value : isJsonObject(value) ? value[inner] : undefined)
  })
  return {
    body: {
      ...(sku !== undefined && { sku }),
      ...(tags !== undefined && { tags }),
      properties: { model: { format, name, version } as JsonObject, ...Object.fromEntries(settings) },
    },
    own: { ...Object.fromEntries(own), ...(sku === undefined && { sku: null }) },
  }
}

/** Of filters that have something only Ponto has, that stands under `contentFilters` again, with name and side. */
export function splitPolicy(policy: Exported): Parts {
  const spec = policy as unknown as PolicySpec
  const { type, ponto, ...properties } = viewPolicyProperties(spec, false, exportApiVersion) as JsonObject
  const filters = properties.contentFilters as JsonObject[]
  const isOwn = (field: string) => (pontoFilterFields as readonly string[]).includes(field)
  const ownFilters = filters.filter((filter) => Object.keys(filter).some(isOwn))
  return {
    body: {
      ...(policy.tags !== undefined && { tags: policy.tags }),
      properties: {
        ...properties,
        contentFilters: filters.map((filter) => filterFields(filter, (field) => !isOwn(field))),
      },
    },
    own: {
      ...(isJsonObject(ponto) && ponto),
      ...(ownFilters.length > 0 && {
        contentFilters: ownFilters.map((filter) =>
          filterFields(filter, (field) => isOwn(field) || field === 'name' || field === 'source'),
        ),
      }),
    },
  }
}

function pair(name: string, value: Json | undefined): [string, Json][] {
  return value === undefined ? [] : [[name, value]]
}

function filterFields(fields: JsonObject, keep: (field: string) => boolean): JsonObject {
  return Object.fromEntries(Object.entries(fields).filter(([field, value]) => keep(field) && value !== undefined))
}

/** What ARM has nothing like, as sections of a configuration file of Ponto. */
export function listOtherSections(resource: ExportedResource): Readonly<Record<string, readonly Exported[]>> {
  const { raiTopics, filterEngines, deploymentPolicies, quota } = resource
  const lists = Object.entries({ raiTopics, filterEngines, deploymentPolicies, quota })
  return Object.fromEntries(lists.filter(([, list]) => list.length > 0))
}

/** That a format has no place for those. */
export function noteOthers(resource: ExportedResource): string[] {
  return Object.entries(listOtherSections(resource)).map(
    ([name, list]) => `${name} are left out: only YAML and ARM have them (${list.map((one) => one.name).join(', ')})`,
  )
}

/** What a format that has only what the vendor has leaves out of one thing. */
export function noteOwn(name: string, { sku, ...own }: JsonObject): string[] {
  const fields = Object.keys(own)
  return [
    ...(sku === null ? [`${name} has no SKU: Azure gives it Standard with a capacity of 1`] : []),
    ...(fields.length > 0 ? [`${name}: ${fields.join(', ')}: only YAML and ARM have them`] : []),
  ]
}

/** In the order in which they can be made: each after the one that its field names. */
export function inOrder(
  list: readonly Exported[],
  field: 'basePolicyName' | 'spilloverDeploymentName',
): readonly Exported[] {
  const left = [...list]
  const ordered: Exported[] = []
  while (left.length > 0) {
    const isWaiting = (one: Exported) => one[field] !== undefined && left.some(({ name }) => isSame(name, one[field]))
    const next = left.findIndex((one) => !isWaiting(one))
    ordered.push(...left.splice(Math.max(0, next), 1))
  }
  return ordered
}

export function isSame(name: string, other: unknown): boolean {
  return typeof other === 'string' && name.toLowerCase() === other.toLowerCase()
}
