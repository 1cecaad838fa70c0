import { isJsonObject, type Json, type JsonObject } from '../../../core/json.ts'
import type { DocumentProblem } from '../../../core/text/parse-document.ts'
import { refuseDocument } from '../../http/errors.ts'
import { isSince } from '../http/api-versions.ts'

/** Settings that both APIs have by the same name, and since when the vendor's has them. */
export const settingsSince: Readonly<Record<string, string>> = {
  raiPolicyName: '2021-04-30',
  versionUpgradeOption: '2023-05-01',
  dynamicThrottlingEnabled: '2023-10-01',
  spilloverDeploymentName: '2025-06-01',
  serviceTier: '2025-10-01',
  deploymentState: '2025-12-01',
}

/** What only Ponto has of a deployment, under `properties.ponto`, and what it is called in our own documents. */
export const pontoFields: Readonly<Record<string, readonly [string, string?]>> = {
  backends: ['backends'],
  rateLimits: ['rateLimits'],
  tokenAccounting: ['tokenAccounting'],
  concurrency: ['concurrency'],
  price: ['price'],
  capture: ['capture'],
  modelType: ['model', 'type'],
}

/** What an answer shows and a request need not leave away. */
const shown = ['provisioningState', 'capabilities', 'callRateLimit', 'rateLimits', 'currentCapacity'] as const

/** What the vendor's API has and nothing here acts on: refused, so that nobody believes it is in force. */
const unsupported: Readonly<Record<string, string>> = {
  capacitySettings: 'the order in which capacity is given out cannot be set',
  parentDeploymentName: 'a deployment has no parent here',
  routing: 'there is no model router; give the deployment several backends',
  speculativeDecoding: 'how a model is run is a setting of its backend',
}
const unsupportedOfModel: Readonly<Record<string, string>> = {
  source: 'models come from the catalog and from backends, not from other resources',
  sourceAccount: 'models come from the catalog and from backends, not from other resources',
}

const envelope = ['id', 'name', 'type', 'etag', 'systemData'] as const

type Parts = {
  readonly model: JsonObject | undefined
  readonly sku: JsonObject | undefined
  readonly tags: Json | undefined
  readonly settings: ReadonlyMap<string, Json>
  /** undefined: not spoken of. */
  readonly ponto: JsonObject | null | undefined
}

export type Context = {
  readonly apiVersion: string
  /** The content filter policy of deployments that name none: what answers then show. */
  readonly defaultPolicy: string
}

/**
 * The document of our own API for a deployment that is PUT in the vendor's, in the place of `current` (as our own API shows it). What the
 * vendor's cannot say, or could not in that version, stays as it is; what it can and does not say is gone. Throws Fault `invalid-request`
 * for fields that it has not or that mean nothing here; their values are judged with the document.
 */
export function putDocument(body: JsonObject, current: JsonObject | undefined, context: Context): JsonObject {
  const { model, sku, tags, settings, ponto } = readParts(body)
  const document: JsonObject = { model: completeModel(model ?? {}, current), ...ownFields(ponto, current) }
  if (ponto === undefined) keepModelType(document, current)
  else applyModelType(document, ponto)
  document.sku = sku ?? (current ? (current.sku as Json) : { name: 'Standard', capacity: 1 })
  if (document.sku === undefined) delete document.sku
  if (tags !== undefined) document.tags = tags
  for (const name of Object.keys(settingsSince)) {
    const given = settings.get(name)
    if (given !== undefined) document[name] = given
    else if (current?.[name] !== undefined && isKept(name, context.apiVersion)) document[name] = current[name]
  }
  keepDefaultPolicy(document, current, context)
  return document
}

/**
 * The merge patch of our own API for one of the vendor's, which has tags and SKU and, beyond what it is said to have, properties. Throws
 * as `putDocument`.
 */
export function patchDocument(body: JsonObject, current: JsonObject): JsonObject {
  const { model, sku, tags, settings, ponto } = readParts(body, { isPatch: true })
  const patch: JsonObject = { ...Object.fromEntries(settings) }
  if (model) patch.model = model
  if (sku) patch.sku = sku
  // Tags are replaced as a whole: null takes those away that are not given.
  if (tags === null) patch.tags = null
  else if (tags !== undefined) {
    const gone = Object.keys(isJsonObject(current.tags) ? current.tags : {}).map((name) => [name, null] as const)
    patch.tags = isJsonObject(tags) ? { ...Object.fromEntries(gone), ...tags } : tags
  }
  if (ponto) {
    for (const [name, [outer, inner]] of Object.entries(pontoFields)) {
      if (ponto[name] === undefined) continue
      patch[outer] = inner === undefined ? ponto[name] : { ...(patch[outer] as JsonObject), [inner]: ponto[name] }
    }
  }
  return patch
}

/** A version that does not know a setting must not take it away; and nobody resumes a deployment by not speaking of it. */
function isKept(name: string, apiVersion: string): boolean {
  return name === 'deploymentState' || !isSince(apiVersion, settingsSince[name] as string)
}

/** What was read and comes back must not pin the default. */
function keepDefaultPolicy(document: JsonObject, current: JsonObject | undefined, { defaultPolicy }: Context): void {
  const given = document.raiPolicyName
  if (!current || current.raiPolicyName !== undefined || typeof given !== 'string') return
  if (given.toLowerCase() === defaultPolicy.toLowerCase()) delete document.raiPolicyName
}

/** Without a version the one that is served stays, as long as the model does. */
function completeModel(model: JsonObject, current: JsonObject | undefined): JsonObject {
  const known = current?.model
  if (model.version !== undefined || !isJsonObject(known)) return model
  const isSame = String(model.name).toLowerCase() === String(known.name).toLowerCase()
  const isOther = model.format !== undefined && model.format !== known.format
  return isSame && !isOther ? { ...model, version: known.version as Json } : model
}

/** null takes all of them away; an object says all of them. */
function ownFields(ponto: Parts['ponto'], current: JsonObject | undefined): JsonObject {
  const fields: JsonObject = {}
  for (const [name, [outer, inner]] of Object.entries(pontoFields)) {
    const value = ponto === undefined ? current?.[outer] : ponto?.[name]
    if (inner === undefined && value !== undefined && value !== null) fields[outer] = value
  }
  return fields
}

function keepModelType(document: JsonObject, current: JsonObject | undefined): void {
  const [known, model] = [current?.model, document.model as JsonObject]
  if (!isJsonObject(known) || known.type === undefined) return
  if (String(known.name).toLowerCase() === String(model.name).toLowerCase()) model.type = known.type
}

function applyModelType(document: JsonObject, ponto: JsonObject | null): void {
  const type = ponto?.modelType
  if (type !== undefined && type !== null) document.model = { ...(document.model as JsonObject), type }
}

function readParts(body: JsonObject, { isPatch = false } = {}): Parts {
  const problems: DocumentProblem[] = []
  const { properties = {}, sku, tags, ...rest } = body
  for (const name of envelope) delete rest[name]
  problems.push(...describeUnknown(rest, [], [...envelope, 'properties', 'sku', 'tags']))
  const fields = readProperties(properties, problems, isPatch)
  const model = fields.get('model')
  const ponto = fields.get('ponto')
  const scale = fields.get('scaleSettings')
  const parts: Parts = {
    model: model === undefined ? undefined : readModel(model, problems),
    sku: readSku(sku, problems) ?? readScale(scale, problems),
    tags: isPatch || tags !== null ? tags : undefined,
    settings: new Map([...fields].filter(([name]) => Object.hasOwn(settingsSince, name))),
    ponto: ponto === undefined ? undefined : readPonto(ponto, problems),
  }
  if (problems.length > 0) throw refuseDocument(problems)
  return parts
}

function readProperties(given: Json, problems: DocumentProblem[], isPatch: boolean): Map<string, Json> {
  const fields = new Map<string, Json>()
  if (!isJsonObject(given)) {
    problems.push({ path: ['properties'], text: 'expected an object' })
    return fields
  }
  const known = [...Object.keys(settingsSince), 'model', 'ponto', 'scaleSettings']
  const unknown: JsonObject = {}
  for (const [name, value] of Object.entries(given)) {
    if ((shown as readonly string[]).includes(name)) continue
    // Clients that write every field there is write null where they have nothing to say.
    if (value === null && !isPatch && name !== 'ponto') continue
    const why = Object.hasOwn(unsupported, name) ? unsupported[name] : undefined
    if (why !== undefined) {
      if (value !== null) problems.push({ path: ['properties', name], text: `cannot be set: ${why}; leave it away` })
    } else if (known.includes(name)) fields.set(name, value)
    else unknown[name] = value
  }
  problems.push(...describeUnknown(unknown, ['properties'], [...known, ...shown]))
  return fields
}

function readModel(given: Json, problems: DocumentProblem[]): JsonObject | undefined {
  if (!isJsonObject(given)) {
    problems.push({ path: ['model'], text: 'expected an object with format, name and version' })
    return undefined
  }
  const model: JsonObject = {}
  for (const [name, value] of Object.entries(given)) {
    if (value === null || name === 'callRateLimit' || name === 'publisher') continue
    const why = Object.hasOwn(unsupportedOfModel, name) ? unsupportedOfModel[name] : undefined
    if (why !== undefined) problems.push({ path: ['model', name], text: `cannot be set: ${why}; leave it away` })
    else if (name === 'format' || name === 'name' || name === 'version') model[name] = value
    else problems.push(...describeUnknown({ [name]: value }, ['model'], ['format', 'name', 'version', 'publisher']))
  }
  return model
}

/** Tier, size and family say the same as the name, in other words. */
function readSku(given: Json | undefined, problems: DocumentProblem[]): JsonObject | undefined {
  if (given === undefined || given === null) return undefined
  if (!isJsonObject(given)) {
    problems.push({ path: ['sku'], text: 'expected an object with name and capacity' })
    return undefined
  }
  const { tier, size, family, ...sku } = given
  return Object.fromEntries(
    Object.entries(sku).flatMap(([name, value]) =>
      value === null ? [] : [[name, name === 'capacity' ? readNumber(value) : value]],
    ),
  )
}

/** Some tools write numbers as text. */
function readNumber(value: Json): Json {
  return typeof value === 'string' && /^\d{1,9}$/.test(value) ? Number(value) : value
}

/** As it was before there were SKUs. */
function readScale(given: Json | undefined, problems: DocumentProblem[]): JsonObject | undefined {
  if (given === undefined || given === null) return undefined
  const { scaleType, capacity } = isJsonObject(given) ? given : {}
  if (scaleType === 'Standard' || scaleType === 'Manual') {
    return { name: 'Standard', ...(capacity !== undefined && capacity !== null && { capacity: readNumber(capacity) }) }
  }
  const text = 'expected an object with scaleType "Standard"; or give sku: {name, capacity} instead'
  problems.push({ path: ['properties', 'scaleSettings'], text })
  return undefined
}

function readPonto(given: Json, problems: DocumentProblem[]): JsonObject | null {
  if (given === null) return null
  if (!isJsonObject(given)) {
    problems.push({ path: ['properties', 'ponto'], text: 'expected an object, or null' })
    return null
  }
  const { servedVersion, ...rest } = given
  const known = Object.keys(pontoFields)
  const unknown = Object.fromEntries(Object.entries(rest).filter(([name]) => !known.includes(name)))
  problems.push(...describeUnknown(unknown, ['properties', 'ponto'], known))
  return rest
}

/** What may be a field's name; other texts are not repeated. */
const fieldPattern = /^[\w.-]{1,40}$/

function describeUnknown(fields: JsonObject, path: readonly string[], allowed: readonly string[]): DocumentProblem[] {
  return Object.keys(fields).map((name) =>
    fieldPattern.test(name)
      ? { path: [...path, name], text: `unknown field, allowed are ${allowed.join(', ')}` }
      : { path, text: `unknown field with a name of ${name.length} characters, allowed are ${allowed.join(', ')}` },
  )
}

/** A field of our own document, as the vendor's calls it. */
export function nameInArm(field: string): string {
  const [first = '', ...rest] = field.split(/(?=[.[])/)
  if (['sku', 'tags', 'name', 'properties', 'location', 'If-None-Match', 'dryRun'].includes(first)) return field
  if (first === 'model' && rest[0] === '.type') return 'properties.ponto.modelType'
  return first in pontoFields ? `properties.ponto.${field}` : `properties.${field}`
}
