import type { Caller, Exchange, Outcome } from '../../core/exchange.ts'
import type { Fault } from '../../core/fault.ts'
import { type FaultCode, faultCodes } from '../../core/fault-codes.ts'
import { listFields } from '../../core/text/list-fields.ts'
import type { RequestRecord, SentRequest } from '../../core/usage/request-record.ts'
import { consumptionOf, wasRefused } from '../meter/cost.ts'

/** What messages of these say may be a part of the prompt or of the answer: it is kept only where those are captured. */
const quoting: ReadonlySet<FaultCode> = new Set<FaultCode>([
  'invalid-json',
  'invalid-request',
  'extra-parameters',
  'unsupported-value',
  'upstream-rejected',
  'upstream-failed',
])

const maxMessageChars = 500
/** Whatever a caller names is bounded before it is kept. */
const maxNameChars = 128

/** Fills in what is known when a call has ended. `nowMs` is of `performance.now()`. */
export function closeRecord(exchange: Exchange, outcome: Outcome, fault: Fault | undefined, nowMs: number): void {
  const { record, call, deployment, tally } = exchange
  noteCaller(record, exchange.caller)
  record.operation = call.kind
  record.isBatch = exchange.isBatch
  record.isStream = call.stream
  record.asked = bound(call.deployment)
  record.deployment = deployment.name
  record.spilledFrom = exchange.spilledFrom?.name ?? ''
  record.model = deployment.model.name
  record.modelVersion = deployment.model.version
  record.tier = exchange.servedTier ?? ''
  const used = consumptionOf(exchange, outcome)
  record.promptTokens = used.promptTokens
  record.cachedTokens = used.cachedTokens
  record.completionTokens = used.completionTokens
  record.reasoningTokens = used.reasoningTokens
  record.isEstimated = used.isEstimated
  if (tally.sent) noteSent(record, tally.sent)
  const isRefused = outcome === 'failed' && record.attempts.length === 0
  record.outcome = isRefused ? 'refused' : outcome
  if (fault) {
    record.isLimited = wasRefused(exchange, fault)
    noteFault(record, fault)
    // What broke off in mid-answer had begun well.
    record.status = record.responseBytes > 0 ? 200 : fault.status
  } else record.status = outcome === 'aborted' && record.responseBytes === 0 ? faultCodes['client-gone'].status : 200
  record.totalMs = nowMs - record.startedMs
}

/** The same for a request that was refused before it was known which deployment it is for. */
export function closeRefusal(record: RequestRecord, fault: Fault, nowMs: number): void {
  record.outcome = fault.code === 'client-gone' ? 'aborted' : 'refused'
  record.status = fault.status
  record.asked = bound(record.asked)
  noteFault(record, fault)
  record.totalMs = nowMs - record.startedMs
}

/** The body itself is kept only where prompts are. */
function noteSent(record: RequestRecord, { method, url, headers, text }: SentRequest): void {
  record.sent = { method, url, headers }
  if (text === undefined) return
  record.sentBytes = Buffer.byteLength(text)
  record.sentFields = listFields(text)
  if (record.captured?.hasPrompt) record.captured.sent = text
}

export function noteCaller(record: RequestRecord, { keyName, principal }: Caller): void {
  record.caller = keyName
  record.callerKind = principal ? 'token' : 'key'
}

function noteFault(record: RequestRecord, { code, message, detail }: Fault): void {
  record.code = code
  record.param = bound(detail.param ?? '')
  record.retryAfterMs = detail.retryAfterMs ?? 0
  if (code === 'content-filtered') record.isFiltered = true
  if (!quoting.has(code) || record.captured?.hasPrompt) record.message = message.slice(0, maxMessageChars)
}

function bound(text: string): string {
  return text.length > maxNameChars ? `${text.slice(0, maxNameChars)}...` : text
}
