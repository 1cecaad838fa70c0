import type { Fault } from '../../core/fault.ts'
import { faultCodes } from '../../core/fault-codes.ts'
import type { Json } from '../../core/json.ts'

/** Clients of OpenAI do not wait longer than this or two minutes: told more, they come back at once. */
const longestWaitMs = 60_000

/** An upstream may say anything. Timers take no more than this, 24 days: given more, they go off at once. */
const mostMs = 2 ** 31 - 1

const never: Readonly<Record<string, string>> = { 'x-should-retry': 'false' }
const unsaid: Readonly<Record<string, string>> = {}

/**
 * Whether and when to come back. When, in the three spellings that clients read, only on 429 and 503: azure-core retries any other
 * status that carries `Retry-After` too, so nothing else may have it. `x-should-retry: false` keeps OpenAI's clients, which repeat
 * every 408, 409, 429 and 5xx, from sending again what would end the same way.
 */
export function retryHeaders(fault: Fault): Readonly<Record<string, string>> {
  if (!faultCodes[fault.code].repeatable) return never
  const { retryAfterMs } = fault.detail
  if (fault.status !== 429 && (fault.status !== 503 || retryAfterMs === undefined)) return unsaid
  const ms = Math.min(mostMs, Math.max(1, Math.ceil(retryAfterMs ?? 1000)))
  return {
    'retry-after': String(Math.ceil(ms / 1000)),
    'retry-after-ms': String(ms),
    'x-ms-retry-after-ms': String(ms),
    ...(ms > longestWaitMs && never),
  }
}

/** Whether it may stand in a header: an error code may be an upstream's own. */
export function isHeaderValue(code: Json | undefined): code is string {
  return typeof code === 'string' && /^[\x21-\x7e]{1,128}$/.test(code)
}
