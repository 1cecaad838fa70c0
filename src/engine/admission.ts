import { Fault } from '../core/fault.ts'

/** Lets a few calls in at once and keeps the rest in a bounded line, first come, first served. */
export type Admission = {
  /**
   * Waits for a place and returns what gives it back. Rejects with Fault `engine-busy` at once when the line is full, and with
   * `client-gone` when the signal aborts while waiting.
   */
  enter(signal: AbortSignal): Promise<() => void>
  counts(): { readonly running: number; readonly waiting: number }
}

/** Share of the newest call in the mean duration that `retryAfterMs` is estimated from. */
const newestShare = 0.2
const shortestRetryMs = 1_000
const longestRetryMs = 60_000

export function createAdmission(places: number, queueLimit: number): Admission {
  let running = 0
  let meanMs = shortestRetryMs
  const waiting: (() => void)[] = []

  const take = (): (() => void) => {
    running++
    const since = performance.now()
    let isBack = false
    return () => {
      if (isBack) return
      isBack = true
      running--
      meanMs += newestShare * (performance.now() - since - meanMs)
      waiting.shift()?.()
    }
  }

  return {
    counts: () => ({ running, waiting: waiting.length }),
    async enter(signal) {
      throwIfGone(signal)
      if (running < places && waiting.length === 0) return take()
      if (waiting.length >= queueLimit) {
        const retryAfterMs = Math.round((meanMs * (waiting.length + 1)) / places)
        throw new Fault('engine-busy', 'The built-in engine has as many requests as it can hold. Please retry later.', {
          retryAfterMs: Math.min(Math.max(retryAfterMs, shortestRetryMs), longestRetryMs),
        })
      }
      return await new Promise((resolve, reject) => {
        const grant = () => {
          signal.removeEventListener('abort', leave)
          resolve(take())
        }
        const leave = () => {
          waiting.splice(waiting.indexOf(grant), 1)
          reject(new Fault('client-gone', 'The caller left while waiting for the engine.'))
        }
        signal.addEventListener('abort', leave, { once: true })
        waiting.push(grant)
      })
    },
  }
}

function throwIfGone(signal: AbortSignal): void {
  if (signal.aborted) throw new Fault('client-gone', 'The caller left before the engine began.')
}
