import { setImmediate as turn } from 'node:timers/promises'
import { toFault } from '../../core/fault.ts'
import type { NewStoredCompletion, StoredCompletionsTable } from '../../port/tables/stored-completions/port.ts'
import type { Logger } from '../../telemetry/logger.ts'

/** What is held of one answer while it passes, until it is written. */
export type Holding = {
  /** Takes room for so many more bytes. Once it says no, nothing is held any more and the answer is not stored. */
  take(bytes: number): boolean
  /** The answer has ended: `make` is called, and its row written, when there is time. */
  keep(make: () => Promise<NewStoredCompletion>): void
  /** The answer is not to be stored. Does nothing once it is kept. */
  drop(): void
}

export type WriteQueue = {
  hold(requestId: string): Holding
  /** Resolves when everything that was kept before is written, or could not be. */
  settle(): Promise<void>
}

export type WriteQueueOptions = {
  readonly table: Pick<StoredCompletionsTable, 'add'>
  readonly log: Logger
  /** Of one answer with its request. */
  readonly maxAnswerBytes?: number
  /** Of all answers together, those that still pass and those that wait to be written. */
  readonly maxHeldBytes?: number
}

type Entry = {
  readonly requestId: string
  readonly bytes: number
  readonly make: () => Promise<NewStoredCompletion>
  readonly written: PromiseWithResolvers<void>
}

const mib = 1024 * 1024
/** So many are written in one transaction. */
const maxBatch = 32

/** Answers on their way into the table. What does not fit or cannot be written is told in the log; the caller's answer never waits. */
export function createWriteQueue(options: WriteQueueOptions): WriteQueue {
  const { table, log, maxAnswerBytes = 4 * mib, maxHeldBytes = 64 * mib } = options
  const waiting: Entry[] = []
  let last: Promise<void> = Promise.resolve()
  let heldBytes = 0
  let isWriting = false

  const giveUp = (requestId: string, why: string): void =>
    log.warn({ requestId }, `a completion was not stored: ${why}`)

  async function makeRow({ make, requestId }: Entry): Promise<NewStoredCompletion | undefined> {
    try {
      return await make()
    } catch (error) {
      giveUp(requestId, toFault(error).message)
      return undefined
    }
  }

  async function writeBatch(batch: readonly Entry[]): Promise<void> {
    const made = await Promise.all(batch.map(async (entry) => ({ entry, row: await makeRow(entry) })))
    const rows = made.flatMap(({ row }) => row ?? [])
    if (rows.length > 0 && (await tryAdd(rows)) === undefined) return
    // One of them may be what the database refuses; the others are for keeping.
    for (const { entry, row } of made) {
      const why = row && (await tryAdd([row]))
      if (why !== undefined) giveUp(entry.requestId, why)
    }
  }

  async function tryAdd(rows: readonly NewStoredCompletion[]): Promise<string | undefined> {
    try {
      await table.add(rows)
      return undefined
    } catch (error) {
      return toFault(error).message
    }
  }

  async function writeAll(): Promise<void> {
    isWriting = true
    while (waiting.length > 0) {
      // The answers themselves go out first.
      await turn()
      const batch = waiting.splice(0, maxBatch)
      await writeBatch(batch)
      for (const { bytes, written } of batch) {
        heldBytes -= bytes
        written.resolve()
      }
    }
    isWriting = false
  }

  return {
    hold(requestId) {
      let own = 0
      let isOpen = true
      const close = (): void => {
        heldBytes -= own
        own = 0
        isOpen = false
      }
      return {
        take(bytes) {
          if (!isOpen) return false
          if (own + bytes > maxAnswerBytes)
            giveUp(requestId, `with its request it is larger than ${maxAnswerBytes} bytes`)
          else if (heldBytes + bytes > maxHeldBytes) giveUp(requestId, 'too many wait to be written')
          else {
            own += bytes
            heldBytes += bytes
            return true
          }
          close()
          return false
        },
        keep(make) {
          if (!isOpen) return
          isOpen = false
          const entry = { requestId, bytes: own, make, written: Promise.withResolvers<void>() }
          waiting.push(entry)
          last = entry.written.promise
          if (!isWriting) void writeAll()
        },
        drop() {
          if (isOpen) close()
        },
      }
    },
    settle: () => last,
  }
}
