import { isJsonObject, type Json, type JsonObject } from '../../../core/json.ts'
import type { ResourceSpec } from '../../../core/resource.ts'
import type { DocumentProblem } from '../../../core/text/parse-document.ts'
import { refuseDocument } from '../../http/errors.ts'

/** Properties that both APIs have by the same name, and that are in force. */
const enforced = [
  'customSubDomainName',
  'disableLocalAuth',
  'publicNetworkAccess',
  'networkAcls',
  'restrictOutboundNetworkAccess',
  'allowedFqdnList',
] as const

/** Properties that clients write and want to read again, and that mean nothing here, with what they may be. */
const carried: Readonly<Record<string, readonly [rule: string, fits: (value: Json) => boolean]>> = {
  allowProjectManagement: ['true or false', (value) => typeof value === 'boolean'],
  defaultProject: ['a string', (value) => typeof value === 'string'],
  associatedProjects: [
    'a list of strings',
    (value) => Array.isArray(value) && value.every((one) => typeof one === 'string'),
  ],
}

/** What an answer shows and a request need not leave away. */
const shown: readonly string[] = [
  'provisioningState',
  'endpoint',
  'endpoints',
  'internalId',
  'capabilities',
  'isMigrated',
  'skuChangeInfo',
  'privateEndpointConnections',
  'dateCreated',
  'callRateLimit',
  'quotaLimit',
  'deletionDate',
  'scheduledPurgeDate',
  'commitmentPlanAssociations',
  'abusePenalty',
]

/** What the vendor's API has and nothing here would act on: refused when something is asked of it. */
const unsupported: Readonly<Record<string, string>> = {
  apiProperties: 'it is for services that are not here',
  migrationToken: 'there is nothing to migrate from',
  encryption: 'secrets are sealed with the key of this server; put the data folder on an encrypted disk',
  userOwnedStorage: 'where files are kept is a setting of the server (--blobs)',
  amlWorkspace: 'there are no workspaces here',
  raiMonitorConfig: 'nothing is copied to a monitoring store of yours; see the request log',
  networkInjections: 'a server has no virtual networks',
  locations: 'an account is on one server',
  dynamicThrottlingEnabled: 'it is a setting of deployments',
  storedCompletionsDisabled: 'chats are kept only where a request says so (store: true)',
  foundryAutoUpgrade: 'this server is upgraded by its operator',
}

export type AccountInput = {
  /** The document of our own API. */
  readonly document: JsonObject
  readonly isRestore: boolean
}

/**
 * The document of our own API for an account that is PUT, or with `isPatch` PATCHed, in the vendor's, in the place of `current`. Throws
 * Fault `invalid-request` for fields that it has not or that mean nothing here; values are judged with the document.
 */
export function accountDocument(
  body: JsonObject,
  place: Readonly<Record<'name' | 'subscriptionId' | 'resourceGroup', string>>,
  current: ResourceSpec | undefined,
  { isPatch = false } = {},
): AccountInput {
  const problems: DocumentProblem[] = []
  const { kind, location, sku, tags, identity, properties = {}, ...rest } = body
  for (const name of ['id', 'name', 'type', 'etag', 'systemData']) delete rest[name]
  const envelope = ['kind', 'location', 'sku', 'tags', 'identity', 'properties']
  for (const name of Object.keys(rest)) problems.push(unknownField([], name, envelope))
  const given = isJsonObject(properties) ? properties : {}
  if (!isJsonObject(properties)) problems.push({ path: ['properties'], text: 'expected an object' })
  const { restore, ...written } = given
  const before: JsonObject = isPatch && current ? { ...(current.properties as JsonObject) } : {}
  const kept: JsonObject = { ...(before.carried as JsonObject | undefined) }
  delete before.carried
  const own = readProperties(written, before, kept, problems)
  // Once it is there it stays; clients leave it away.
  const subdomain = current?.properties.customSubDomainName
  if (own.customSubDomainName === undefined && subdomain !== undefined) own.customSubDomainName = subdomain
  readIdentity(identity, kept, problems)
  if (problems.length > 0) throw refuseDocument(problems)
  if (Object.keys(kept).length > 0) own.carried = kept
  const keep = (name: 'kind' | 'location' | 'tags'): JsonObject =>
    current && (isPatch || name !== 'tags') ? { [name]: current[name] as Json } : {}
  const document: JsonObject = {
    ...place,
    ...(isSaid(kind) ? { kind } : keep('kind')),
    ...(isSaid(location) ? { location } : keep('location')),
    ...(isSaid(tags) ? { tags } : keep('tags')),
    ...(isSaid(sku) && { sku: readSku(sku) }),
    properties: own,
  }
  return { document, isRestore: restore === true }
}

function isSaid(value: Json | undefined): value is Json {
  return value !== undefined && value !== null
}

function readProperties(
  given: JsonObject,
  before: JsonObject,
  kept: JsonObject,
  problems: DocumentProblem[],
): JsonObject {
  const own = before
  for (const [name, value] of Object.entries(given)) {
    const path = ['properties', name]
    const why = Object.hasOwn(unsupported, name) ? unsupported[name] : undefined
    if (shown.includes(name)) continue
    if (why !== undefined) {
      if (!isNothing(name, value)) problems.push({ path, text: `cannot be set: ${why}; leave it away` })
    } else if ((enforced as readonly string[]).includes(name)) {
      if (value === null) delete own[name]
      else own[name] = name === 'networkAcls' ? readAcls(value) : value
    } else if (Object.hasOwn(carried, name)) {
      const [rule, fits] = carried[name] as (typeof carried)[string]
      if (value === null) delete kept[name]
      else if (fits(value)) kept[name] = value
      else problems.push({ path, text: `expected ${rule}` })
    } else {
      problems.push(unknownField(['properties'], name, [...enforced, ...Object.keys(carried), 'restore', ...shown]))
    }
  }
  return own
}

/** Clients write empty things where they have nothing to say, and the defaults. */
function isNothing(name: string, value: Json): boolean {
  if (isEmpty(value)) return true
  if (!isJsonObject(value)) return false
  const isDefault = name === 'encryption' && value.keySource === 'Microsoft.CognitiveServices'
  return isDefault || Object.values(value).every(isEmpty)
}

function isEmpty(value: Json): boolean {
  return value === null || value === false || value === '' || (Array.isArray(value) && value.length === 0)
}

/** Lists that are null are empty. */
function readAcls(value: Json): Json {
  if (!isJsonObject(value)) return value
  return Object.fromEntries(Object.entries(value).filter(([, field]) => field !== null))
}

/** Tier, size and family say the same as the name, in other words. */
function readSku(sku: Json): Json {
  if (!isJsonObject(sku)) return sku
  const { tier, size, family, capacity, ...rest } = sku
  return rest
}

const identityTypes = ['None', 'SystemAssigned', 'UserAssigned', 'SystemAssigned, UserAssigned'] as const

/** Nothing here calls others in the name of an account: what is written is only shown again. */
function readIdentity(identity: Json | undefined, kept: JsonObject, problems: DocumentProblem[]): void {
  if (identity === undefined) return
  if (identity === null) {
    delete kept.identity
    return
  }
  const type = isJsonObject(identity) ? identity.type : undefined
  const known = identityTypes.find((one) => one.replace(' ', '') === String(type).replace(' ', ''))
  if (known === undefined) {
    const text = `expected one of ${identityTypes.map((one) => `"${one}"`).join(', ')}`
    problems.push({ path: ['identity', 'type'], text })
  } else if (known === 'None') delete kept.identity
  else {
    const ids = isJsonObject(identity) ? identity.userAssignedIdentities : undefined
    const names = isJsonObject(ids) ? Object.keys(ids) : []
    kept.identity = {
      type: known,
      ...(names.length > 0 && { userAssignedIdentities: Object.fromEntries(names.map((name) => [name, {}])) }),
    }
  }
}

function unknownField(path: readonly string[], name: string, allowed: readonly string[]): DocumentProblem {
  const list = `allowed are ${allowed.join(', ')}`
  // A name of any other shape may be a text that slipped out of its quotes.
  if (/^[\w.-]{1,40}$/.test(name)) return { path: [...path, name], text: `unknown field, ${list}` }
  return { path, text: `unknown field with a name of ${name.length} characters, ${list}` }
}
