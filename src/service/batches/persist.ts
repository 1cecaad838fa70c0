import { Fault } from '../../core/fault.ts'
import type { BatchWorld } from './parts.ts'

const firstWaitMs = 100
const lastWaitMs = 2_000
/** What is over in a moment is not worth telling. */
const timesUntold = 3

/**
 * Asks a store until it answers: one that is away may be back while the job is still held. Rejects with what it says when the signal is
 * aborted, and at once with anything else than that it cannot be used. A log, where there is one, tells that something waits, and for what.
 */
export async function persist<T>(
  world: Pick<BatchWorld, 'startTimer' | 'random'> & Partial<Pick<BatchWorld, 'log'>>,
  signal: AbortSignal,
  ask: () => Promise<T>,
): Promise<T> {
  for (let times = 0; ; times++) {
    try {
      return await ask()
    } catch (error) {
      if (!isStoreAway(error) || signal.aborted) throw error
      if (times === timesUntold) world.log?.warn({ reason: error.message }, 'a batch waits for its store')
      await pause(world, backOff(times, firstWaitMs, lastWaitMs, world.random), signal)
    }
  }
}

/** A database or a store of files that may be back later. */
function isStoreAway(error: unknown): error is Fault {
  return error instanceof Fault && (error.code === 'storage-unavailable' || error.code === 'state-unusable')
}

/** Resolves after so long, or as soon as the signal is aborted. */
export function pause(
  { startTimer }: Pick<BatchWorld, 'startTimer'>,
  afterMs: number,
  signal: AbortSignal,
): Promise<void> {
  if (signal.aborted) return Promise.resolve()
  return new Promise((resolve) => {
    const end = (): void => {
      stop()
      signal.removeEventListener('abort', end)
      resolve()
    }
    const stop = startTimer(end, afterMs)
    signal.addEventListener('abort', end, { once: true })
  })
}

/** Doubles with every time and is spread over its upper half. */
export function backOff(times: number, firstMs: number, mostMs: number, random: () => number): number {
  return Math.round(Math.min(mostMs, firstMs * 2 ** Math.min(times, 40)) * (0.5 + random() / 2))
}
