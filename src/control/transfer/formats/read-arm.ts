import { isJsonObject, type Json, type JsonObject } from '../../../core/json.ts'
import type { PolicySpec } from '../../../snapshot/filter/policy-spec.ts'
import { putDocument } from '../../arm/deployments/to-document.ts'
import { readPolicyDocument } from '../../arm/filters/policy-document.ts'
import type { ImportItem, Reading } from './reading.ts'

export type ArmResource = {
  /** In lower case, those of the provider without its name: `accounts/deployments`. */
  readonly type: string
  /** The last part of the whole name. */
  readonly name: string
  readonly parent: string
  readonly body: JsonObject
  readonly properties: JsonObject
}

type Reader = {
  /** What it is called in the metadata of an exported template. */
  readonly section: string
  /** `own`: what only Ponto has of it, where the file says that. */
  read(resource: ArmResource, own: JsonObject | undefined, notes: string[]): ImportItem
}

const itemType = 'accounts/raiblocklists/raiblocklistitems'
const listType = 'accounts/raiblocklists'
const readers: ReadonlyMap<string, Reader> = new Map([
  ['accounts/deployments', { section: 'deployments', read: readDeployment }],
  ['accounts/raipolicies', { section: 'raiPolicies', read: readPolicy }],
])
const provider = 'microsoft.cognitiveservices/'
/** The newest version: what a list has is what the newest one shows. */
const newest = '2026-07-01'

export function typeOf(type: string): string {
  return type.toLowerCase().replace(provider, '')
}

export function isTakenOver(type: string): boolean {
  const known = typeOf(type)
  return readers.has(known) || known === listType || known === itemType
}

/** Whether it is what the management REST or `az ... -o json` gives: one resource, a list of them, or a page. */
export function isArmList(document: unknown): boolean {
  const list = listOf(document)
  return (
    list.length > 0 && list.every((item) => isJsonObject(item) && typeof item.type === 'string' && 'properties' in item)
  )
}

export function readArmList(document: unknown): Reading {
  const notes: string[] = []
  if (isJsonObject(document) && Array.isArray(document.value) && typeof document.nextLink === 'string') {
    notes.push('this is one page of several: what nextLink leads to is not in it')
  }
  const list = listOf(document).map((item) => describeResource(item as JsonObject, undefined))
  const others = list.filter(({ type }) => !isTakenOver(type))
  const resources = list.filter(({ type }) => isTakenOver(type))
  return { format: 'a list of Azure resources', items: readResources(resources, others, notes), notes }
}

/** `parent`: where the name does not say it. */
export function describeResource(body: JsonObject, parent: string | undefined): ArmResource {
  const names = String(body.name ?? '').split('/')
  // A list of items says in its ids what they are items of.
  const ids = String(body.id ?? '').split('/')
  return {
    type: typeOf(String(body.type)),
    name: names.at(-1) ?? '',
    parent: parent ?? names.at(-2) ?? ids.at(-3) ?? '',
    body,
    properties: isJsonObject(body.properties) ? body.properties : {},
  }
}

/** `own`: what only Ponto has, by section and name; a file that has it says all of it. */
export function readResources(
  resources: readonly ArmResource[],
  others: readonly { readonly type: string; readonly name: string }[],
  notes: string[],
  own?: JsonObject,
): ImportItem[] {
  const items = new Map<string, ImportItem>()
  const add = (item: ImportItem) => {
    const key = `${item.kind}/${item.name.toLowerCase()}`
    if (items.has(key)) notes.push(`${item.kind} ${item.name} is there more than once: the last one counts`)
    items.set(key, item)
  }
  for (const resource of resources) {
    const reader = readers.get(resource.type)
    // Policies that come with Ponto are there already.
    if (!reader || (resource.type === 'accounts/raipolicies' && /^microsoft\./i.test(resource.name))) continue
    add(reader.read(resource, own && pickOwn(own, reader.section, resource.name), notes))
  }
  for (const item of readBlocklists(resources)) add(item)
  for (const [type, names] of groupBy(others)) {
    notes.push(
      `resources of the type ${type} are not taken over: ${names.slice(0, 5).join(', ')}${names.length > 5 ? `, and ${names.length - 5} more` : ''}`,
    )
  }
  return [...items.values()]
}

function groupBy(others: readonly { readonly type: string; readonly name: string }[]): Map<string, string[]> {
  const groups = new Map<string, string[]>()
  for (const { type, name } of others) {
    if (!groups.has(type)) groups.set(type, [])
    groups.get(type)?.push(name)
  }
  return groups
}

function pickOwn(own: JsonObject, section: string, name: string): JsonObject {
  const parts = own[section]
  const part = isJsonObject(parts) && Object.hasOwn(parts, name) ? parts[name] : undefined
  return isJsonObject(part) ? part : {}
}

const kept = [
  'model',
  'raiPolicyName',
  'versionUpgradeOption',
  'dynamicThrottlingEnabled',
  'spilloverDeploymentName',
  'serviceTier',
  'deploymentState',
  'scaleSettings',
  'ponto',
]
/** What the vendor works out itself. */
const computed = ['provisioningState', 'capabilities', 'callRateLimit', 'rateLimits', 'currentCapacity']

function readDeployment(
  { name, body, properties }: ArmResource,
  own: JsonObject | undefined,
  notes: string[],
): ImportItem {
  const model = isJsonObject(properties.model) ? properties.model : {}
  tellLost(name, notes, [
    ...listOthers(properties, [...kept, ...computed], 'properties'),
    ...listOthers(model, ['format', 'name', 'version', 'publisher', 'callRateLimit'], 'properties.model'),
  ])
  const { sku: noSku, ...ponto } = own ?? {}
  const known = { ...pick(properties, kept), model: pick(model, ['format', 'name', 'version']), ...(own && { ponto }) }
  return {
    kind: 'deployment',
    name,
    makeDocument(before) {
      const shown = String(before?.effectiveRaiPolicyName ?? '')
      const context = { apiVersion: newest, defaultPolicy: shown }
      const document = putDocument({ ...pick(body, ['sku', 'tags']), properties: known }, before, context)
      if (noSku === null) delete document.sku
      return document
    },
  }
}

const keptOfPolicies = [
  'mode',
  'basePolicyName',
  'contentFilters',
  'customBlocklists',
  'promptBlocklists',
  'completionBlocklists',
  'ponto',
]

function readPolicy({ name, body, properties }: ArmResource, own: JsonObject | undefined, notes: string[]): ImportItem {
  const others = Object.fromEntries(Object.entries(properties).filter(([, value]) => !isEmptyList(value)))
  tellLost(name, notes, listOthers(others, [...keptOfPolicies, 'type', 'policyType'], 'properties'))
  const known = { ...pick(body, ['tags']), properties: pick(properties, keptOfPolicies) }
  return {
    kind: 'rai-policy',
    name,
    makeDocument: (before) => readPolicyDocument(known)((own ?? before) as PolicySpec | undefined),
  }
}

/** Lists with their items; of items that come without their list, the list stays as it is otherwise. */
function readBlocklists(resources: readonly ArmResource[]): ImportItem[] {
  const lists = new Map(
    resources.filter(({ type }) => type === listType).map((list) => [list.name.toLowerCase(), list]),
  )
  const items = new Map<string, Json[]>()
  const names = new Map([...lists].map(([key, { name }]) => [key, name]))
  for (const { type, name, parent, properties } of resources) {
    if (type !== itemType) continue
    const key = parent.toLowerCase()
    if (!names.has(key)) names.set(key, parent)
    if (!items.has(key)) items.set(key, [])
    items.get(key)?.push({ ...pick(properties, ['pattern', 'isRegex']), name })
  }
  return [...names].map(([key, name]): ImportItem => {
    const list = lists.get(key)
    const [found, terms] = [
      list && { ...pick(list.properties, ['description']), ...pick(list.body, ['tags']) },
      items.get(key),
    ]
    return {
      kind: 'blocklist',
      name,
      makeDocument: (before = {}) => ({
        ...(found ?? pick(before, ['description', 'tags'])),
        ...(terms && { items: terms }),
      }),
    }
  })
}

function tellLost(name: string, notes: string[], lost: readonly string[]): void {
  if (lost.length > 0) notes.push(`${name}: ${lost.join(', ')}: not taken over, nothing here acts on it`)
}

/** Fields with a value, other than these. */
function listOthers(fields: JsonObject, known: readonly string[], path: string): string[] {
  return Object.entries(fields).flatMap(([name, value]) =>
    value === null || known.includes(name) ? [] : [`${path}.${name}`],
  )
}

/** Those of the fields that are there and not null. */
function pick(fields: JsonObject, names: readonly string[]): JsonObject {
  return Object.fromEntries(Object.entries(fields).filter(([name, value]) => names.includes(name) && value !== null))
}

function isEmptyList(value: Json): boolean {
  return Array.isArray(value) && value.length === 0
}

function listOf(document: unknown): readonly unknown[] {
  if (Array.isArray(document)) return document
  if (isJsonObject(document) && Array.isArray(document.value)) return document.value
  return isJsonObject(document) ? [document] : []
}
