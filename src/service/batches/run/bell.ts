import type { StartTimer } from '../../../policy/limit/wait-queue.ts'

export type Bell = {
  ring(): void
  /** Resolves at the next ring, one that nobody waited for included, or after so long. */
  wait(longestMs: number): Promise<void>
}

/** For one who waits for several things at once. */
export function createBell(startTimer: StartTimer): Bell {
  let hasRung = false
  let wake: (() => void) | undefined
  return {
    ring() {
      if (wake) wake()
      else hasRung = true
    },
    wait(longestMs) {
      if (hasRung) {
        hasRung = false
        return Promise.resolve()
      }
      return new Promise((resolve) => {
        const end = (): void => {
          stop()
          wake = undefined
          resolve()
        }
        wake = end
        const stop = startTimer(end, longestMs)
      })
    },
  }
}
