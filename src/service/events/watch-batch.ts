import type { StartTimer } from '../../policy/limit/wait-queue.ts'
import type { BatchRow, BatchStatus } from '../../port/tables/batches/port.ts'
import { pause, persist } from '../batches/persist.ts'

export type WatchWorld = {
  readonly read: (id: string) => Promise<BatchRow | undefined>
  /** Unix milliseconds. */
  readonly now: () => number
  readonly startTimer: StartTimer
  /** From 0 to below 1. */
  readonly random: () => number
}

/** Between two looks: at first, and where nothing changes. Two events are never closer to each other. */
const shortestMs = 500
const longestMs = 2_000
/** What changes nothing is told again, so that nobody on the way takes the connection for a dead one. */
const repeatMs = 15_000
/** Whoever wants to know more asks again then, and is judged by his key again. */
const longestWatchMs = 60 * 60_000

const ended: ReadonlySet<BatchStatus> = new Set(['completed', 'failed', 'expired', 'cancelled'])

/**
 * The batch as it is, and whenever its status or its counts have changed, until it has ended. Looks into the table, since any server may be
 * working on it; one that is away is waited for.
 */
export async function* watchBatch(
  id: string,
  world: WatchWorld,
  signal: AbortSignal,
): AsyncGenerator<BatchRow, undefined> {
  const { now, startTimer } = world
  const endAt = now() + longestWatchMs
  let told = ''
  let toldAt = 0
  let waitMs = shortestMs
  while (!signal.aborted && now() < endAt) {
    const batch = await readPatiently(id, world, signal)
    if (batch === undefined || signal.aborted) return
    const current = `${batch.status} ${batch.total} ${batch.completed} ${batch.failed}`
    const isNew = current !== told
    if (isNew || now() - toldAt >= repeatMs) {
      told = current
      toldAt = now()
      yield batch
    }
    if (ended.has(batch.status)) return
    waitMs = isNew ? shortestMs : Math.min(2 * waitMs, longestMs)
    await pause({ startTimer }, waitMs, signal)
  }
}

async function readPatiently(
  id: string,
  { read, startTimer, random }: WatchWorld,
  signal: AbortSignal,
): Promise<BatchRow | undefined> {
  try {
    return await persist({ startTimer, random }, signal, () => read(id))
  } catch (error) {
    if (signal.aborted) return undefined
    throw error
  }
}

/** The same with one question for all who ask within `freshMs`. */
export function shareReads(
  read: (id: string) => Promise<BatchRow | undefined>,
  startTimer: StartTimer,
  freshMs: number,
): WatchWorld['read'] {
  const answers = new Map<string, Promise<BatchRow | undefined>>()
  return (id) => {
    const known = answers.get(id)
    if (known) return known
    const answer = read(id)
    answers.set(id, answer)
    startTimer(() => answers.delete(id), freshMs)
    return answer
  }
}
