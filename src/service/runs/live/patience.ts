import { isStoreAway } from '../../worker/failure.ts'
import { backOff, pause } from '../../worker/timer.ts'
import type { RunWorld } from '../parts.ts'

const firstWaitMs = 50
const lastWaitMs = 2_000

/** Asks a store until it answers, or the signal is aborted: one that is away may be back. Rejects at once with anything else. */
export async function patiently<T>(
  { startTimer, random }: Pick<RunWorld, 'startTimer' | 'random'>,
  signal: AbortSignal,
  ask: () => Promise<T>,
): Promise<T> {
  for (let times = 0; ; times++) {
    try {
      return await ask()
    } catch (error) {
      if (!isStoreAway(error) || signal.aborted) throw error
      await pause(startTimer, backOff(times, firstWaitMs, lastWaitMs, random), signal)
    }
  }
}
