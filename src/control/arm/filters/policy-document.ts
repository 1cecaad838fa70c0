import { isJsonObject, type Json, type JsonObject } from '../../../core/json.ts'
import type { DocumentProblem } from '../../../core/text/parse-document.ts'
import { type PolicySpec, spotlightingTitle } from '../../../snapshot/filter/policy-spec.ts'
import { refuseDocument } from '../../http/errors.ts'
import { isSince } from '../http/api-versions.ts'

/** What only Ponto has of a policy, under `properties.ponto`. */
export const pontoPolicyFields = [
  'description',
  'customTopics',
  'scope',
  'promptCheck',
  'strictAzureChunks',
  'selectable',
  'protectedTexts',
  'protectedCode',
] as const satisfies readonly (keyof PolicySpec)[]

/** What only Ponto has of a filter of a policy: it stands beside the others, and stays when it is not spoken of. */
export const pontoFilterFields = ['engines', 'combine', 'onError', 'piiTypes', 'restoresRedacted'] as const

const shown = ['type', 'policyType'] as const
const passed = ['mode', 'basePolicyName', 'customBlocklists', 'promptBlocklists', 'completionBlocklists'] as const

/** What the vendor's API has and nothing here acts on. */
const unsupported: Readonly<Record<string, string>> = {
  safetyProviders: 'name engines in contentFilters, or in properties.ponto of what they judge',
  egressPolicy: 'allowedFqdnList and restrictOutboundNetworkAccess of the resource say where its backends may be',
}

/**
 * What makes the document of our own API for a policy that is PUT in the vendor's, in the place of `current`. What the vendor's cannot say stays as
 * it is. Throws Fault `invalid-request` for fields that it has not or that mean nothing here.
 */
export function readPolicyDocument(body: JsonObject): (current: PolicySpec | undefined) => JsonObject {
  const { properties = {}, tags, ...rest } = body
  const problems: DocumentProblem[] = []
  for (const name of ['id', 'name', 'type', 'etag', 'systemData']) delete rest[name]
  for (const name of Object.keys(rest)) problems.push(unknownField([], name, ['properties', 'tags']))
  const document: JsonObject = tags === undefined || tags === null ? {} : { tags }
  let ponto: JsonObject | null | undefined
  let filters: Json | undefined
  if (!isJsonObject(properties)) problems.push({ path: ['properties'], text: 'expected an object' })
  else {
    for (const [name, value] of Object.entries(properties)) {
      if ((shown as readonly string[]).includes(name) || (value === null && name !== 'ponto')) continue
      const why = Object.hasOwn(unsupported, name) ? unsupported[name] : undefined
      if (why !== undefined) {
        if (!isEmpty(value)) problems.push({ path: ['properties', name], text: `cannot be set: ${why}` })
      } else if (name === 'contentFilters') filters = value
      else if (name === 'ponto') ponto = readPonto(value, problems)
      else if ((passed as readonly string[]).includes(name)) document[name] = value
      else problems.push(unknownField(['properties'], name, [...passed, 'contentFilters', 'ponto']))
    }
  }
  if (problems.length > 0) throw refuseDocument(problems)
  return (current) => {
    const whole = { ...document, ...ponto }
    if (filters !== undefined) whole.contentFilters = readFilters(filters, current)
    if (ponto === undefined) keepFields(whole, current)
    return whole
  }
}

function keepFields(document: JsonObject, current: PolicySpec | undefined): void {
  for (const name of pontoPolicyFields) {
    const value = current?.[name]
    if (value !== undefined) document[name] = value as Json
  }
}

function readPonto(given: Json, problems: DocumentProblem[]): JsonObject | null {
  if (given === null) return null
  if (!isJsonObject(given)) {
    problems.push({ path: ['properties', 'ponto'], text: 'expected an object, or null' })
    return null
  }
  for (const name of Object.keys(given)) {
    if (!(pontoPolicyFields as readonly string[]).includes(name))
      problems.push(unknownField(['properties', 'ponto'], name, pontoPolicyFields))
  }
  return given
}

/** Filters with the names of older versions in the words of today, and with what the one of that name and side had besides. */
function readFilters(given: Json, current: PolicySpec | undefined): Json {
  if (!Array.isArray(given)) return given
  const known = new Map((current?.contentFilters ?? []).map((filter) => [keyOf(filter.name, filter.source), filter]))
  return given.map((entry) => {
    if (!isJsonObject(entry)) return entry
    const { allowedContentLevel, ...filter } = entry
    for (const [name, value] of Object.entries(filter)) if (value === null) delete filter[name]
    if (allowedContentLevel !== undefined && allowedContentLevel !== null) {
      filter.severityThreshold ??= allowedContentLevel
    }
    const before = known.get(keyOf(String(filter.name), String(filter.source)))
    for (const name of pontoFilterFields) {
      if (filter[name] === undefined && before?.[name] !== undefined) filter[name] = before[name] as Json
    }
    return filter
  })
}

/** Letters alone count, as in the names of filters. */
function keyOf(name: string, source: string): string {
  return `${name.toLowerCase().replace(/[ _-]/g, '')}/${source}`
}

function isEmpty(value: Json): boolean {
  return value === null || (Array.isArray(value) && value.length === 0)
}

function unknownField(path: readonly string[], name: string, allowed: readonly string[]): DocumentProblem {
  const list = `allowed are ${allowed.join(', ')}`
  // A name of any other shape may be a text that slipped out of its quotes.
  if (/^[\w.-]{1,40}$/.test(name)) return { path: [...path, name], text: `unknown field, ${list}` }
  return { path, text: `unknown field with a name of ${name.length} characters, ${list}` }
}

/** The properties of a policy as that version of the vendor's API has them. */
export function viewPolicyProperties(spec: PolicySpec, isSystem: boolean, apiVersion: string): object {
  const isOld = !isSince(apiVersion, '2024-06-01')
  const type = isSystem ? 'SystemManaged' : 'UserManaged'
  const contentFilters = [
    ...spec.contentFilters.map((filter) => viewFilter(filter, isOld)),
    ...(spec.spotlighting ? [{ name: spotlightingTitle, enabled: true, source: 'Prompt' }] : []),
  ]
  const ponto = viewPonto(spec)
  return {
    ...(isOld ? { policyType: type } : { type }),
    mode: modeIn(spec.mode, apiVersion),
    basePolicyName: spec.basePolicyName,
    contentFilters,
    ...(isOld ? viewListsBySide(spec) : { customBlocklists: spec.customBlocklists }),
    ...(ponto && { ponto }),
  }
}

/** One mode with two names. */
function modeIn(mode: PolicySpec['mode'], apiVersion: string): string {
  if (mode !== 'Deferred' && mode !== 'Asynchronous_filter') return mode
  return isSince(apiVersion, '2025-06-01') ? 'Asynchronous_filter' : 'Deferred'
}

function viewFilter({ severityThreshold, ...filter }: PolicySpec['contentFilters'][number], isOld: boolean): object {
  if (severityThreshold === undefined) return filter
  return isOld ? { ...filter, allowedContentLevel: severityThreshold } : { ...filter, severityThreshold }
}

function viewListsBySide({ customBlocklists }: PolicySpec): object {
  const of = (side: string) =>
    customBlocklists
      .filter(({ source }) => source === side)
      .map(({ blocklistName, blocking }) => ({ blocklistName, blocking }))
  return { promptBlocklists: of('Prompt'), completionBlocklists: of('Completion') }
}

/** Only where something is other than usual: to most clients it means nothing. */
function viewPonto(spec: PolicySpec): object | undefined {
  const fields = pontoPolicyFields.filter((name) => !isUsual(name, spec[name]))
  return fields.length > 0 ? Object.fromEntries(fields.map((name) => [name, spec[name]])) : undefined
}

const usual: Readonly<Partial<Record<(typeof pontoPolicyFields)[number], string>>> = {
  scope: JSON.stringify({ messages: 'last-user', toolResults: false, exemptSystem: true }),
  promptCheck: '"concurrent"',
  strictAzureChunks: 'false',
  selectable: 'true',
}

function isUsual(name: (typeof pontoPolicyFields)[number], value: unknown): boolean {
  if (value === undefined || (Array.isArray(value) && value.length === 0)) return true
  return JSON.stringify(value) === usual[name]
}

/** A field of our own document, as the vendor's calls it. */
export function nameOfPolicyField(field: string): string {
  const first = field.split(/[.[]/, 1)[0] ?? ''
  if (['tags', 'name', 'properties', 'If-None-Match', 'dryRun'].includes(first)) return field
  return (pontoPolicyFields as readonly string[]).includes(first) ? `properties.ponto.${field}` : `properties.${field}`
}
