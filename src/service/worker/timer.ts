/** Runs something later; the result calls it off. */
export type StartTimer = (run: () => void, afterMs: number) => () => void

export const startRealTimer: StartTimer = (run, afterMs) => {
  const timer = setTimeout(run, afterMs)
  return () => clearTimeout(timer)
}

/** Resolves after so long, or as soon as the signal is aborted. */
export function pause(startTimer: StartTimer, afterMs: number, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve()
  return new Promise((resolve) => {
    const end = () => {
      stopTimer()
      signal.removeEventListener('abort', end)
      resolve()
    }
    const stopTimer = startTimer(end, afterMs)
    signal.addEventListener('abort', end, { once: true })
  })
}

/** Doubles with every time, up to `mostMs`, and is spread over its upper half: servers that failed together do not come back together. */
export function backOff(times: number, firstMs: number, mostMs: number, random: () => number): number {
  const fullMs = Math.min(mostMs, firstMs * 2 ** Math.min(times, 40))
  return Math.round(fullMs * (0.5 + random() / 2))
}
