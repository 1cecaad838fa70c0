import type { RequestRecord, SentHead } from '../../core/usage/request-record.ts'

const secretName = /auth|key|token|secret|cookie|credential|password|signature/i
const mask = '[masked]'

/** What many requests have alike. */
const names = [
  'status',
  'code',
  'resource',
  'caller',
  'callerKind',
  'method',
  'path',
  'surface',
  'operation',
  'asked',
  'deployment',
  'spilledFrom',
  'model',
  'modelVersion',
  'tier',
  'isBatch',
  'isStream',
  'isLimited',
  'isFiltered',
  'hasFilterError',
] as const

type Shared = Pick<RequestRecord, (typeof names)[number]> & {
  readonly outcome: Exclude<RequestRecord['outcome'], 'open'>
  readonly backend: string
  readonly isCaptured: boolean
  readonly sent: SentHead | undefined
  readonly sentFields: readonly string[] | undefined
}

/** By deployment, those that came last. */
const known = new Map<string, { readonly shared: Shared; readonly text: string }[]>()
const maxDeployments = 1_000
const maxAlike = 8

/** Those that every document has, whatever they hold. */
const always: ReadonlySet<string> = new Set(['outcome', 'status', 'method', 'path'])

/**
 * The end of the line of a record, from `,"outcome"` on: written once for all that are alike in it, so that a request pays for a comparison.
 * What is empty or does not hold is left out.
 */
export function writeSharedPart(record: RequestRecord): string {
  let last = known.get(record.deployment)
  if (!last) {
    if (known.size >= maxDeployments) known.clear()
    last = []
    known.set(record.deployment, last)
  }
  const backend = record.attempts.at(-1)?.backend ?? ''
  for (const { shared, text } of last) if (isAlike(shared, record, backend)) return text
  const shared = pickShared(record, backend)
  const text = writeText(shared)
  if (last.length >= maxAlike) last.shift()
  last.push({ shared, text })
  return text
}

/** Those that differ most often first. By hand: a loop over names takes five times as long. */
function isAlike(shared: Shared, record: RequestRecord, backend: string): boolean {
  return (
    shared.path === record.path &&
    shared.caller === record.caller &&
    shared.status === record.status &&
    shared.asked === record.asked &&
    shared.isStream === record.isStream &&
    shared.outcome === outcomeOf(record) &&
    shared.code === record.code &&
    shared.backend === backend &&
    shared.resource === record.resource &&
    shared.callerKind === record.callerKind &&
    shared.method === record.method &&
    shared.surface === record.surface &&
    shared.operation === record.operation &&
    shared.deployment === record.deployment &&
    shared.spilledFrom === record.spilledFrom &&
    shared.model === record.model &&
    shared.modelVersion === record.modelVersion &&
    shared.tier === record.tier &&
    shared.isBatch === record.isBatch &&
    shared.isLimited === record.isLimited &&
    shared.isFiltered === record.isFiltered &&
    shared.hasFilterError === record.hasFilterError &&
    shared.isCaptured === (record.captured !== undefined) &&
    areAlike(shared.sent, record.sent) &&
    areSame(shared.sentFields, record.sentFields)
  )
}

/** Headers are those of the backend, the same object each time, or a request's own. */
function areAlike(a: SentHead | undefined, b: SentHead | undefined): boolean {
  if (a === undefined || b === undefined) return a === b
  return a.headers === b.headers && a.url === b.url && a.method === b.method
}

function areSame(a: readonly string[] | undefined, b: readonly string[] | undefined): boolean {
  if (a === undefined || b === undefined || a.length !== b.length) return a === b
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false
  return true
}

function pickShared(record: RequestRecord, backend: string): Shared {
  const picked = Object.fromEntries(names.map((name) => [name, record[name]])) as Pick<Shared, (typeof names)[number]>
  const { captured, sent, sentFields } = record
  return { outcome: outcomeOf(record), ...picked, backend, isCaptured: captured !== undefined, sent, sentFields }
}

function outcomeOf({ outcome }: RequestRecord): Shared['outcome'] {
  return outcome === 'open' ? 'failed' : outcome
}

function writeText({ sent, sentFields, ...shared }: Shared): string {
  const told = Object.entries(shared).filter(
    ([name, value]) => always.has(name) || (value !== '' && value !== false && value !== 'none'),
  )
  const document = { ...Object.fromEntries(told), ...(sent && { sent: describeSent(sent, sentFields) }) }
  return `,${JSON.stringify(document).slice(1)}`
}

/** Without secrets. */
function describeSent({ method, url, headers }: SentHead, fields: readonly string[] | undefined) {
  return { method, url: maskUrl(url), headers: maskHeaders(headers), ...(fields && { fields }) }
}

function maskHeaders(headers: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [name, secretName.test(name) ? mask : value]),
  )
}

/** Some servers take their key in the query. */
function maskUrl(url: string): string {
  if (!url.includes('?') && !url.includes('@')) return url
  const parsed = URL.parse(url)
  if (!parsed) return mask
  parsed.username = ''
  parsed.password = ''
  for (const name of parsed.searchParams.keys()) if (secretName.test(name)) parsed.searchParams.set(name, mask)
  return parsed.href
}
