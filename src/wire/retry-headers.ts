import type { Fault } from '../core/fault.ts'

const none: Readonly<Record<string, string>> = {}

/**
 * When to come back, in the three spellings that clients read. Only on 429 and 503: azure-core retries any other status that
 * carries `Retry-After` too, so nothing else may have it.
 */
export function retryHeaders(fault: Fault): Readonly<Record<string, string>> {
  const { retryAfterMs } = fault.detail
  if (fault.status !== 429 && (fault.status !== 503 || retryAfterMs === undefined)) return none
  const ms = Math.max(1, Math.ceil(retryAfterMs ?? 1000))
  return {
    'retry-after': String(Math.ceil(ms / 1000)),
    'retry-after-ms': String(ms),
    'x-ms-retry-after-ms': String(ms),
  }
}
