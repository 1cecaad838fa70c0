import type { Attempt, LimitCounter, LimitDecision, RequestRecord } from '../../core/usage/request-record.ts'

/**
 * What is kept of a request that has ended, as JSON of a `RequestDocument`, but for what it has in common with others (`writeSharedPart`), which
 * comes behind it. `at` is when, as lists have it. The order is fixed: `port/requests/row.ts` reads the beginning.
 */
export function writeOwnPart(record: RequestRecord, at: number): string {
  const { attempts, limits, findings } = record
  let line = `{"id":"${record.id}","time":"${writeTime(record.startedAt)}","at":${at},"timings":${writeTimings(record)},"requestBytes":${record.requestBytes},"responseBytes":${record.responseBytes}`
  if (record.address !== '') line += `,"address":${JSON.stringify(record.address)}`
  if (record.param !== '') line += `,"param":${JSON.stringify(record.param)}`
  if (record.message !== '') line += `,"message":${JSON.stringify(record.message)}`
  if (record.retryAfterMs > 0) line += `,"retryAfterMs":${record.retryAfterMs}`
  if (record.clientRequestId !== '') line += `,"clientRequestId":${JSON.stringify(record.clientRequestId)}`
  if (record.traceId !== '') line += `,"traceId":${JSON.stringify(record.traceId)}`
  if (record.promptTokens + record.completionTokens > 0) line += `,"tokens":${writeTokens(record)}`
  if (attempts.length > 0) line += `,"attempts":[${attempts.map(writeAttempt).join()}]`
  if (record.sentBytes > 0) line += `,"sentBytes":${record.sentBytes}`
  if (limits.length > 0) line += `,"limits":${JSON.stringify(limits.map(roundDecision))}`
  if (findings.length > 0) line += `,"findings":${JSON.stringify(findings)}`
  return line
}

/** ISO 8601. Most of it is the same for a second. */
function writeTime(timeMs: number): string {
  const second = Math.floor(timeMs / 1000)
  if (second !== writtenSecond.number) {
    writtenSecond = { number: second, text: new Date(second * 1000).toISOString().slice(0, -4) }
  }
  return `${writtenSecond.text}${String(timeMs - second * 1000).padStart(3, '0')}Z`
}

let writtenSecond = { number: -1, text: '' }

function writeTokens(record: RequestRecord): string {
  const { promptTokens, cachedTokens, completionTokens, reasoningTokens, isEstimated } = record
  const counts = `"prompt":${promptTokens},"cached":${cachedTokens},"completion":${completionTokens},"reasoning":${reasoningTokens}`
  return isEstimated ? `{${counts},"isEstimated":true}` : `{${counts}}`
}

function writeTimings({ queueMs, upstreamMs, firstTokenMs, totalMs }: RequestRecord): string {
  let timings = `{"totalMs":${round(totalMs)}`
  if (queueMs > 0) timings += `,"queueMs":${round(queueMs)}`
  if (upstreamMs >= 0) timings += `,"upstreamMs":${round(upstreamMs)}`
  if (firstTokenMs >= 0) timings += `,"firstTokenMs":${round(firstTokenMs)}`
  return `${timings}}`
}

function writeAttempt({ backend, startedMs, ms, status, code }: Attempt): string {
  const attempt = `{"backend":${JSON.stringify(backend)},"startedMs":${round(startedMs)},"ms":${round(ms)},"status":${status}`
  return code === '' ? `${attempt}}` : `${attempt},"code":"${code}"}`
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
