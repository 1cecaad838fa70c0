import type { NewLine } from '../../../port/tables/batches/port.ts'

/** What is known of the earlier attempts at a line. */
export type Tries = {
  readonly count: number
  /** How many lines of the batch had been answered when this one first failed. */
  readonly answeredBefore: number
}

export type Retry = { readonly line: NewLine; readonly tries: Tries; readonly at: number }

export type RetryQueue = {
  add(retry: Retry): void
  /** One whose time has come. */
  takeDue(now: number): Retry | undefined
  nextAt(): number
  size(): number
}

/** Lines that are to be run again, the earliest first: few, since no new ones begin while there are many. */
export function createRetryQueue(): RetryQueue {
  const queue: Retry[] = []
  return {
    add(retry) {
      const behind = queue.findIndex(({ at }) => at > retry.at)
      queue.splice(behind === -1 ? queue.length : behind, 0, retry)
    },
    takeDue: (now) => (queue.length > 0 && (queue[0] as Retry).at <= now ? queue.shift() : undefined),
    nextAt: () => queue[0]?.at ?? Number.POSITIVE_INFINITY,
    size: () => queue.length,
  }
}
