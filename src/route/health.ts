/**
 * A breaker per backend. After `failureLimit` failures in a row the backend is left alone for `openMs`; then one call at a time may
 * try it, and the first success closes the breaker.
 */

const failureLimit = 5
const openMs = 10_000

type Breaker = { failures: number; openUntilMs: number; isProbing: boolean }

export type Health = {
  /** Whether a call may go there now. Answering yes to a half-open breaker takes its one trial. */
  tryEnter(backendId: string): boolean
  noteSuccess(backendId: string): void
  noteFailure(backendId: string): void
  /** A call that ended without saying anything about the backend gives its trial back. */
  noteNothing(backendId: string): void
  /** For those who look on: `half-open` lets one call try. */
  stateOf(backendId: string): 'closed' | 'open' | 'half-open'
  /** Milliseconds until the backend is tried again; 0 when it is not open. */
  retryAfterMs(backendId: string): number
}

export function createHealth(nowMs: () => number): Health {
  const breakers = new Map<string, Breaker>()
  return {
    tryEnter(id) {
      const breaker = breakers.get(id)
      if (!breaker || breaker.failures < failureLimit) return true
      if (breaker.isProbing || nowMs() < breaker.openUntilMs) return false
      breaker.isProbing = true
      return true
    },
    noteSuccess(id) {
      if (breakers.size > 0) breakers.delete(id)
    },
    noteFailure(id) {
      const breaker = breakers.get(id) ?? { failures: 0, openUntilMs: 0, isProbing: false }
      breaker.failures++
      breaker.isProbing = false
      if (breaker.failures >= failureLimit) breaker.openUntilMs = nowMs() + openMs
      breakers.set(id, breaker)
    },
    noteNothing(id) {
      const breaker = breakers.get(id)
      if (breaker) breaker.isProbing = false
    },
    stateOf(id) {
      const breaker = breakers.get(id)
      if (!breaker || breaker.failures < failureLimit) return 'closed'
      return nowMs() < breaker.openUntilMs ? 'open' : 'half-open'
    },
    retryAfterMs(id) {
      const breaker = breakers.get(id)
      if (!breaker || breaker.failures < failureLimit) return 0
      return Math.max(1, breaker.openUntilMs - nowMs())
    },
  }
}
