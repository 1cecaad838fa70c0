import type { BatchSettings } from '../settings.ts'

export type ThrottleOptions = Pick<BatchSettings, 'maxConcurrency' | 'minConcurrency' | 'busySpacingMs'> & {
  /** How many live calls the deployment answers now. */
  load(): number
  /** How many other batches have lines that run in this process. */
  countOthers(): number
  readonly now: () => number
}

export type Throttle = {
  /** How many lines may run at once at the moment. */
  limit(): number
  /** Milliseconds until the next line may begin. */
  delayMs(): number
  began(): void
  succeeded(): void
  /** The deployment said that it is too much. Nothing begins before `retryAfterMs` are over. */
  refused(retryAfterMs: number): void
}

/** A live call that was seen a moment ago is likely to be followed by another one. */
const busyForMs = 1_000
const firstConcurrency = 8
const longestPauseMs = 5 * 60_000

/**
 * How fast lines go: more and more at once until the deployment refuses some, then fewer; and few, with pauses, while somebody calls it
 * live. At least one: a batch comes to an end.
 */
export function createThrottle(options: ThrottleOptions): Throttle {
  const { maxConcurrency, minConcurrency, busySpacingMs, load, countOthers, now } = options
  let reached = Math.min(firstConcurrency, maxConcurrency)
  /** Until the first refusal the limit grows quickly. */
  let hasBeenRefused = false
  let pausedUntil = 0
  let lastBegan = 0
  let busyUntil = 0
  let busiest = 0

  function isBusy(): boolean {
    const live = load()
    const time = now()
    if (time >= busyUntil) busiest = 0
    if (live > 0) {
      busiest = Math.max(busiest, live)
      busyUntil = time + busyForMs
    }
    return time < busyUntil
  }

  return {
    limit() {
      const left = isBusy() ? Math.max(minConcurrency, maxConcurrency / (2 * (busiest + 1))) : maxConcurrency
      return Math.max(1, Math.floor(Math.min(left / (1 + countOthers()), reached)))
    },
    delayMs() {
      const paused = pausedUntil - now()
      const spaced = isBusy() ? lastBegan + busySpacingMs - now() : 0
      return Math.max(0, paused, spaced)
    },
    began() {
      lastBegan = now()
    },
    succeeded() {
      reached = Math.min(maxConcurrency, reached + (hasBeenRefused ? 1 / reached : 1))
    },
    refused(retryAfterMs) {
      // Those that ran side by side are refused side by side, which is one refusal.
      if (now() >= pausedUntil) reached = Math.max(1, reached / 2)
      hasBeenRefused = true
      pausedUntil = Math.max(pausedUntil, now() + Math.min(retryAfterMs, longestPauseMs))
    },
  }
}
