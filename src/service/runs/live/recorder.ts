import type { Job } from '../../../port/jobs/port.ts'
import type { ItemRow, RunChange, RunEventRow, RunStatus } from '../../../port/tables/runs/port.ts'
import type { FaceWriter } from '../face.ts'
import { Halt } from '../loop/halt.ts'
import type { Sink } from '../loop/sink.ts'
import type { RunWorld } from '../parts.ts'
import type { Channel } from './channel.ts'
import { patiently } from './patience.ts'

export type RecorderParts = {
  readonly world: Pick<RunWorld, 'table' | 'startTimer' | 'random' | 'settings' | 'now'>
  readonly job: Job
  readonly runId: string
  readonly writer: FaceWriter
  readonly next: number
  readonly channel: Channel
  /** How many runs are gone on with in this process: the more, the further apart are their writes. */
  readonly countRuns: () => number
  /** The run is held no more, was deleted, or cancelled. */
  readonly halt: (reason: Halt) => void
  /** Aborted when the job is lost. */
  readonly lost: AbortSignal
}

export type Recorder = Sink & {
  /** When it was last sure that the run is still ours, in unix milliseconds. */
  readonly surePer: number
  close(): void
}

/** Events that are told and not written: a table that is away must not fill memory, and numbers of a new holder begin beyond them. */
export const mostUnwritten = 500

/**
 * Writes what a run does into its table: soon, in portions, one after the other, under the fence of its job. Callers in this process hear
 * it through the channel at once.
 */
export function openRecorder(parts: RecorderParts): Recorder {
  const { world, job, runId, writer, channel, countRuns, halt, lost } = parts
  const { table, settings, startTimer, now } = world
  let events: RunEventRow[] = []
  let items = new Map<string, ItemRow>()
  let pending: RunChange | undefined
  let next = parts.next
  let from: readonly RunStatus[] = ['queued', 'in_progress']
  let stopTimer: (() => void) | undefined
  let writing: Promise<void> = Promise.resolve()
  let surePer = now()
  let isClosed = false

  function schedule(): void {
    if (stopTimer || isClosed) return
    const spacingMs = (1_000 * countRuns()) / settings.flushesPerSecond
    const waitMs = Math.min(Math.max(settings.flushMs, spacingMs), settings.longestFlushMs)
    stopTimer = startTimer(() => {
      stopTimer = undefined
      // Whoever commits next is told what went wrong.
      flush().catch(() => {})
    }, waitMs)
  }

  function flush(change?: RunChange, last: readonly RunEventRow[] = []): Promise<void> {
    stopTimer?.()
    stopTimer = undefined
    const written = writing.then(() => write(change, last))
    writing = written.catch(() => {})
    return written
  }

  async function write(change: RunChange | undefined, last: readonly RunEventRow[]): Promise<void> {
    if (isClosed) throw new Halt('lost')
    const portion = { events, items, change: pending && change ? { ...pending, ...change } : (change ?? pending) }
    if (events.length === 0 && items.size === 0 && !portion.change) return
    events = []
    items = new Map()
    pending = undefined
    let wasHeld = false
    try {
      wasHeld = await patiently(world, lost, () =>
        table.writeRun(job, runId, {
          change: portion.change,
          items: [...portion.items.values()],
          events: [...portion.events, ...last],
          from,
        }),
      )
    } finally {
      // What was not written may be with the next write, should there be one.
      if (!wasHeld) {
        events = [...portion.events, ...events]
        items = new Map([...portion.items, ...items])
        pending ??= portion.change
      }
    }
    if (!wasHeld) throw await findOut()
    surePer = now()
    channel.writtenTo = Math.max(channel.writtenTo, last.at(-1)?.seq ?? -1, portion.events.at(-1)?.seq ?? -1)
    if (last.length > 0) channel.push(last)
  }

  /** Why nothing could be written. */
  async function findOut(): Promise<Halt> {
    const run = await patiently(world, lost, () => table.findRun(runId))
    const reason = new Halt(
      run === undefined ? 'gone' : run.status === 'cancelling' && !lost.aborted ? 'cancelled' : 'lost',
    )
    halt(reason)
    return reason
  }

  return {
    get next() {
      return next
    },
    get surePer() {
      return surePer
    },
    tell(event) {
      const rows = writer.write(event)
      if (event.type === 'item-added' || event.type === 'item-done') items.set(event.item.id, event.item)
      if (event.type === 'run-changed') {
        const { status, startedAt } = event.run
        pending = { status, startedAt }
      }
      if (rows.length > 0) {
        next = (rows.at(-1) as RunEventRow).seq + 1
        events.push(...rows)
        channel.push(rows)
      }
      schedule()
    },
    keep(kept) {
      for (const item of kept) items.set(item.id, item)
      schedule()
    },
    commit(change, last) {
      const rows = last ? writer.write(last) : []
      if (rows.length > 0) next = (rows.at(-1) as RunEventRow).seq + 1
      return flush(change, rows)
    },
    room() {
      return events.length < mostUnwritten / 2 ? undefined : flush()
    },
    mayBe(status) {
      from = [...from, status]
    },
    close() {
      isClosed = true
      stopTimer?.()
      stopTimer = undefined
    },
  }
}
