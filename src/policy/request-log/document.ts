import type { Attempt, LimitCounter, LimitDecision, RequestRecord, SentHead } from '../../core/usage/request-record.ts'
import type { AttemptDocument, RequestDocument } from '../../port/requests/port.ts'

const secretName = /auth|key|token|secret|cookie|credential|password|signature/i
const mask = '[masked]'

type Writable = { -readonly [Name in keyof RequestDocument]: RequestDocument[Name] }

/** What is kept of a request that has ended, as JSON of a `RequestDocument`. `at` is when, as lists have it. */
export function writeLine(record: RequestRecord, at: number): string {
  const { sent, sentBytes, sentFields } = record
  const line = JSON.stringify(writeDocument(record, at))
  if (!sent) return line
  const bytes = sentBytes > 0 ? `,"bytes":${sentBytes}` : ''
  const fields = sentFields ? `,"fields":${JSON.stringify(sentFields)}` : ''
  return `${line.slice(0, -1)},"sent":{${writeHead(sent)}${bytes}${fields}}}`
}

function writeDocument(record: RequestRecord, at: number): Omit<RequestDocument, 'sent'> {
  const { outcome, code, attempts, findings, limits } = record
  // Filled in piece by piece: this is done for every request, and spreading costs three times as much.
  const document: Writable = {
    id: record.id,
    time: new Date(record.startedAt).toISOString(),
    at,
    outcome: outcome === 'open' ? 'failed' : outcome,
    status: record.status,
    method: record.method,
    path: record.path,
    timings: writeTimings(record),
    requestBytes: record.requestBytes,
    responseBytes: record.responseBytes,
  }
  if (code !== '') document.code = code
  if (record.param !== '') document.param = record.param
  if (record.message !== '') document.message = record.message
  if (record.retryAfterMs > 0) document.retryAfterMs = record.retryAfterMs
  if (record.resource !== '') document.resource = record.resource
  if (record.caller !== '') document.caller = record.caller
  if (record.callerKind !== 'none') document.callerKind = record.callerKind
  if (record.address !== '') document.address = record.address
  if (record.surface !== '') document.surface = record.surface
  if (record.operation !== '') document.operation = record.operation
  if (record.isBatch) document.isBatch = true
  if (record.isStream) document.isStream = true
  if (record.clientRequestId !== '') document.clientRequestId = record.clientRequestId
  if (record.traceId !== '') document.traceId = record.traceId
  if (record.asked !== '') document.asked = record.asked
  if (record.deployment !== '') document.deployment = record.deployment
  if (record.spilledFrom !== '') document.spilledFrom = record.spilledFrom
  if (record.model !== '') document.model = record.model
  if (record.modelVersion !== '') document.modelVersion = record.modelVersion
  if (record.tier !== '') document.tier = record.tier
  const last = attempts.at(-1)
  if (last) {
    document.backend = last.backend
    document.attempts = attempts.map(writeAttempt)
  }
  if (record.promptTokens + record.completionTokens > 0) document.tokens = writeTokens(record)
  if (record.isLimited) document.isLimited = true
  if (limits.length > 0) document.limits = limits.map(roundDecision)
  if (record.isFiltered) document.isFiltered = true
  if (record.hasFilterError) document.hasFilterError = true
  if (findings.length > 0) document.findings = findings
  if (record.captured) document.isCaptured = true
  return document
}

function writeTokens(record: RequestRecord): NonNullable<RequestDocument['tokens']> {
  const { promptTokens, cachedTokens, completionTokens, reasoningTokens, isEstimated } = record
  const counts = {
    prompt: promptTokens,
    cached: cachedTokens,
    completion: completionTokens,
    reasoning: reasoningTokens,
  }
  return isEstimated ? { ...counts, isEstimated } : counts
}

function writeTimings({ queueMs, upstreamMs, firstTokenMs, totalMs }: RequestRecord): RequestDocument['timings'] {
  const timings: { -readonly [Name in keyof RequestDocument['timings']]: RequestDocument['timings'][Name] } = {
    totalMs: round(totalMs),
  }
  if (queueMs > 0) timings.queueMs = round(queueMs)
  if (upstreamMs >= 0) timings.upstreamMs = round(upstreamMs)
  if (firstTokenMs >= 0) timings.firstTokenMs = round(firstTokenMs)
  return timings
}

function writeAttempt({ backend, startedMs, ms, status, code }: Attempt): AttemptDocument {
  const attempt = { backend, startedMs: round(startedMs), ms: round(ms), status }
  return code === '' ? attempt : { ...attempt, code }
}

/** Levels that drain have fractions. */
function roundDecision(decision: LimitDecision): LimitDecision {
  for (const counter of decision.counters) {
    if (!Number.isInteger(counter.used) || !Number.isInteger(counter.resetMs)) {
      return { ...decision, counters: decision.counters.map(roundCounter) }
    }
  }
  return decision
}

function roundCounter(counter: LimitCounter): LimitCounter {
  return { ...counter, used: round(counter.used), resetMs: Math.ceil(counter.resetMs) }
}

function round(value: number): number {
  return Math.round(value * 10) / 10
}

/** Most requests to a backend share address and headers, which are half of a line: they are masked and written once. */
const heads = new WeakMap<object, { readonly url: string; readonly text: string }>()

/** Method, address and headers as they stand in an object. */
function writeHead({ method, url, headers }: SentHead): string {
  const known = heads.get(headers)
  if (known?.url === url) return known.text
  const text = JSON.stringify({ method, url: maskUrl(url), headers: maskHeaders(headers) }).slice(1, -1)
  heads.set(headers, { url, text })
  return text
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
