import { isJsonObject, type Json, type JsonObject } from '../../../core/json.ts'
import { putDocument } from '../../arm/deployments/to-document.ts'
import { evaluate, NoValue, type Scope } from './arm-expressions.ts'
import type { ImportItem, Reading } from './reading.ts'

/** The words that the types of what is read end with, in lower case. */
const readers: Readonly<Record<string, (resource: ArmResource, notes: string[]) => ImportItem>> = {
  'accounts/deployments': readDeployment,
  'accounts/raipolicies': (resource) => readPolicy(resource),
  'accounts/raiblocklists': ({ name, properties }) => ({
    kind: 'blocklist',
    name,
    document: pick(properties, ['description']),
  }),
}
const itemType = 'accounts/raiblocklists/raiblocklistitems'
const provider = 'microsoft.cognitiveservices/'
/** The newest version: what a list has is what the newest one shows. */
const newest = '2026-07-01'

const unsaid = ['backends', 'rateLimits', 'tokenAccounting', 'concurrency', 'price']

type ArmResource = {
  readonly type: string
  /** The last part of the whole name. */
  readonly name: string
  readonly parent: string
  readonly body: JsonObject
  readonly properties: JsonObject
}

/** Whether a document is a template of Azure Resource Manager, compiled Bicep included. */
export function isArmTemplate(document: unknown): document is JsonObject {
  return isJsonObject(document) && 'resources' in document && typeof document.$schema === 'string'
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
  const resources = listOf(document).map((item) => describe(item as JsonObject, ''))
  return { format: 'a list of Azure resources', items: readResources(resources, notes), unsaid, notes }
}

/** `parameters`: values beside the template's own defaults, as a parameter file has them or plain. */
export function readArmTemplate(template: JsonObject, parameters: JsonObject = {}): Reading {
  const notes: string[] = []
  const scope: Scope = {
    parameters: { ...defaultsOf(template.parameters), ...valuesOf(parameters) },
    variables: isJsonObject(template.variables) ? template.variables : {},
  }
  const resources = [...listTemplateResources(template.resources, '', '')].flatMap((resource) => {
    try {
      const body = evaluate(resource.body, scope) as JsonObject
      return body.condition === false ? [] : [describe({ ...body, type: resource.type }, resource.parent, scope)]
    } catch (error) {
      if (!(error instanceof NoValue)) throw error
      notes.push(`${resource.type} ${JSON.stringify(resource.body.name)} is left out: ${error.message}`)
      return []
    }
  })
  return { format: 'an ARM template', items: readResources(resources, notes, ownFieldsOf(template)), unsaid, notes }
}

/** What Ponto has beyond ARM, which an exported template carries in its metadata. */
function ownFieldsOf({ metadata }: JsonObject): JsonObject {
  const ponto = isJsonObject(metadata) ? metadata.ponto : undefined
  return isJsonObject(ponto) && isJsonObject(ponto.deployments) ? ponto.deployments : {}
}

function readResources(resources: readonly ArmResource[], notes: string[], own: JsonObject = {}): ImportItem[] {
  const items = new Map<string, ImportItem>()
  const terms = new Map<string, Json[]>()
  for (const resource of resources) {
    const { type, name, properties, parent } = resource
    if (type === itemType) {
      terms.set(parent, [...(terms.get(parent) ?? []), { ...properties, name }])
      continue
    }
    const read = readers[type]
    if (!read) {
      notes.push(`${name}: resources of the type ${type} are not taken over`)
      continue
    }
    const ponto = type === 'accounts/deployments' ? own[name] : undefined
    const item = read(ponto === undefined ? resource : withOwnFields(resource, ponto), notes)
    // Those that come with Ponto are there already.
    if (item.kind === 'rai-policy' && /^microsoft\./i.test(name)) continue
    if (isJsonObject(ponto) && ponto.sku === null) delete item.document.sku
    items.set(`${item.kind}/${name.toLowerCase()}`, item)
  }
  for (const [list, found] of terms) {
    const item = items.get(`blocklist/${list.toLowerCase()}`)
    if (!item)
      notes.push(`the ${found.length} items of the blocklist ${list} are left out: the list itself is not in the file`)
    else items.set(`blocklist/${list.toLowerCase()}`, { ...item, document: { ...item.document, items: found } })
  }
  return [...items.values()]
}

function withOwnFields(resource: ArmResource, own: Json): ArmResource {
  const { sku, ...ponto } = isJsonObject(own) ? own : {}
  const properties = { ...resource.properties, ponto }
  return { ...resource, properties, body: { ...resource.body, properties } }
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

function readDeployment({ name, body, properties }: ArmResource, notes: string[]): ImportItem {
  const model = isJsonObject(properties.model) ? properties.model : {}
  const lost = [
    ...listOthers(properties, [...kept, ...computed], 'properties'),
    ...listOthers(model, ['format', 'name', 'version', 'publisher', 'callRateLimit'], 'properties.model'),
  ]
  if (lost.length > 0) notes.push(`${name}: ${lost.join(', ')}: not taken over, nothing here acts on it`)
  const known = { ...pick(properties, kept), model: pick(model, ['format', 'name', 'version']) }
  const document = putDocument({ ...pick(body, ['sku', 'tags']), properties: known }, undefined, {
    apiVersion: newest,
    defaultPolicy: '',
  })
  return { kind: 'deployment', name, document }
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

function readPolicy({ name, properties }: ArmResource): ImportItem {
  const { type, ...document } = properties
  return { kind: 'rai-policy', name, document }
}

function listOf(document: unknown): readonly unknown[] {
  if (Array.isArray(document)) return document
  if (isJsonObject(document) && Array.isArray(document.value)) return document.value
  return isJsonObject(document) ? [document] : []
}

function describe(body: JsonObject, parent: string, scope?: Scope): ArmResource {
  const names = String(body.name ?? '').split('/')
  const type = String(body.type).toLowerCase().replace(provider, '')
  const parentName = scope && parent ? String(evaluate(parent, scope)).split('/').at(-1) : names.at(-2)
  return {
    type,
    name: names.at(-1) ?? '',
    // A list of items says in its ids what they are items of.
    parent:
      parentName ??
      String(body.id ?? '')
        .split('/')
        .at(-3) ??
      '',
    body,
    properties: isJsonObject(body.properties) ? body.properties : {},
  }
}

/** Resources, and those that stand within them, with the whole type of each. */
function* listTemplateResources(
  resources: Json | undefined,
  typeBefore: string,
  parent: string,
): Generator<{ readonly type: string; readonly parent: string; readonly body: JsonObject }> {
  // Since languageVersion 2.0 they have symbolic names instead of places in a list.
  const list = isJsonObject(resources) ? Object.values(resources) : Array.isArray(resources) ? resources : []
  for (const item of list) {
    if (!isJsonObject(item) || typeof item.type !== 'string') continue
    const type = typeBefore === '' ? item.type : `${typeBefore}/${item.type}`
    const { resources: inner, ...body } = item
    yield { type, parent, body }
    yield* listTemplateResources(inner, type, String(item.name))
  }
}

function defaultsOf(parameters: Json | undefined): JsonObject {
  if (!isJsonObject(parameters)) return {}
  return Object.fromEntries(
    Object.entries(parameters).flatMap(([name, rule]) =>
      isJsonObject(rule) && rule.defaultValue !== undefined ? [[name, rule.defaultValue]] : [],
    ),
  )
}

/** A parameter file wraps each value. */
function valuesOf(given: JsonObject): JsonObject {
  const list = isJsonObject(given.parameters) ? given.parameters : given
  return Object.fromEntries(
    Object.entries(list).map(([name, value]) => [
      name,
      isJsonObject(value) && 'value' in value ? (value.value as Json) : value,
    ]),
  )
}
