import type { Call } from '../../core/call.ts'
import type { Exchange } from '../../core/exchange.ts'
import type { Attempt, RequestRecord, TraceContext } from '../../core/usage/request-record.ts'
import { addressOf, attributes, genAi, operationOf, provider } from '../genai-attributes.ts'
import { makeSpanId } from './trace-context.ts'

export type AttributeValue = string | number | boolean

/** A span that has ended. It says how long something took and how it went, never what was asked or answered. */
export type Span = {
  readonly name: string
  readonly kind: 'server' | 'client' | 'internal'
  readonly context: TraceContext
  /** Empty for the first one of a trace. */
  readonly parentSpanId: string
  /** Whether the parent is another server's. */
  readonly isParentRemote: boolean
  /** Unix milliseconds, with fractions. */
  readonly startMs: number
  readonly endMs: number
  readonly attributes: Readonly<Record<string, AttributeValue>>
  /** Why it failed, where that is an error on this side. */
  readonly error: string | undefined
}

/** What is told of a call that has ended: one span for it, and one for each of what it waited for. */
export function writeCallSpans(exchange: Exchange): Span[] {
  const { record } = exchange
  const { trace } = record
  if (!trace) return []
  const child = (name: string, kind: Span['kind'], fromMs: number, toMs: number, more: Partial<Span>): Span => ({
    name,
    kind,
    context: { ...trace, spanId: makeSpanId() },
    parentSpanId: trace.spanId,
    isParentRemote: false,
    startMs: record.startedAt + fromMs,
    endMs: record.startedAt + Math.max(fromMs, toMs),
    attributes: {},
    error: undefined,
    ...more,
  })
  const { queuedMs, queueMs, filterFromMs, filterMs, totalMs } = record
  const spans: Span[] = [
    {
      ...child(`${operationOf(record.operation)} ${record.deployment}`, 'server', 0, totalMs, {}),
      context: trace,
      parentSpanId: record.parentSpanId,
      isParentRemote: record.parentSpanId !== '',
      attributes: describeRequest(record, exchange.call),
      // What a caller did wrong is no error of the server.
      error: record.status >= 500 || (record.code !== '' && record.status === 200) ? record.code : undefined,
    },
  ]
  if (queuedMs >= 0) spans.push(child('queue', 'internal', queuedMs, queuedMs + queueMs, {}))
  if (filterFromMs >= 0 && filterMs >= 0) {
    const findings = record.findings.length
    const told = { 'ponto.filter.policy': record.filterPolicy, 'ponto.filter.findings': findings }
    spans.push(child('filter prompt', 'internal', filterFromMs, filterFromMs + filterMs, { attributes: told }))
  }
  record.attempts.forEach((attempt, i) => {
    const isAnswering = i === record.attempts.length - 1 && attempt.code === ''
    const endMs = isAnswering ? totalMs : attempt.startedMs + Math.max(0, attempt.ms)
    spans.push(
      child(`${operationOf(record.operation)} ${record.model}`, 'client', attempt.startedMs, endMs, {
        context: { ...trace, spanId: attempt.spanId || makeSpanId() },
        attributes: describeAttempt(record, attempt),
        error: attempt.code || undefined,
      }),
    )
  })
  return spans
}

function describeRequest(record: RequestRecord, call: Call): Record<string, AttributeValue> {
  const told: Record<string, AttributeValue> = {
    [genAi.operationName]: operationOf(record.operation),
    [genAi.providerName]: provider,
    [genAi.requestModel]: record.deployment,
    [genAi.responseModel]: `${record.model}-${record.modelVersion}`,
    [genAi.inputTokens]: record.promptTokens,
    [genAi.outputTokens]: record.completionTokens,
    [genAi.requestStream]: record.isStream,
    'http.response.status_code': record.status,
    'ponto.request.id': record.id,
    'ponto.caller': record.caller,
    'ponto.surface': record.surface,
  }
  if (record.method !== '') told['http.request.method'] = record.method
  if (record.path !== '') told['url.path'] = record.path
  if (record.cachedTokens > 0) told[genAi.cachedTokens] = record.cachedTokens
  if (record.reasoningTokens > 0) told[genAi.reasoningTokens] = record.reasoningTokens
  if (record.firstTokenMs >= 0) told[genAi.timeToFirstChunk] = record.firstTokenMs / 1000
  if (record.tier !== '') told['ponto.service_tier'] = record.tier
  if (record.spilledFrom !== '') told['ponto.spilled_from'] = record.spilledFrom
  if (record.isBatch) told['ponto.batch'] = true
  if (record.code !== '') told[attributes.errorType] = record.code
  if (call.kind === 'chat' || call.kind === 'completion') {
    if (call.maxTokens !== undefined) told[genAi.requestMaxTokens] = call.maxTokens
    if (call.temperature !== undefined) told[genAi.requestTemperature] = call.temperature
    if (call.topP !== undefined) told[genAi.requestTopP] = call.topP
    if (call.n !== 1) told[genAi.requestChoiceCount] = call.n
  }
  return told
}

function describeAttempt(record: RequestRecord, { backend, status, code }: Attempt): Record<string, AttributeValue> {
  const told: Record<string, AttributeValue> = {
    [genAi.operationName]: operationOf(record.operation),
    [genAi.requestModel]: record.model,
    'ponto.backend': backend,
  }
  const server = addressOf(backend)
  if (server) {
    told[attributes.serverAddress] = server.address
    told[attributes.serverPort] = server.port
  }
  if (status > 0) told['http.response.status_code'] = status
  if (code !== '') told[attributes.errorType] = code
  return told
}
