/**
 * Why a run is stopped from outside. `lost`: somebody else goes on with it, or will; nothing more is written. `gone`: it was deleted.
 * `expired` and `too-long`: its time is over. `orphaned`: its server has died, and it was to end with it.
 */
export type HaltReason = 'cancelled' | 'expired' | 'too-long' | 'orphaned' | 'lost' | 'gone'

export class Halt extends Error {
  readonly reason: HaltReason

  constructor(reason: HaltReason) {
    super(`the run was stopped: ${reason}`)
    this.name = 'Halt'
    this.reason = reason
  }
}

/** The result, or a rejection with the Halt as soon as the signal is aborted, whatever the work does with it. */
export function unlessHalted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  if (signal.aborted) {
    work.catch(() => {})
    return Promise.reject(signal.reason)
  }
  return new Promise((resolve, reject) => {
    const stop = (): void => reject(signal.reason)
    signal.addEventListener('abort', stop, { once: true })
    const rest = (): void => signal.removeEventListener('abort', stop)
    work.then(
      (value) => {
        rest()
        resolve(value)
      },
      (error) => {
        rest()
        reject(signal.aborted ? signal.reason : error)
      },
    )
  })
}
