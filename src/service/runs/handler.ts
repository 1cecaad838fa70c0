import type { Job, JobContext, JobHandler } from '../../port/jobs/port.ts'
import type { ItemFilter, ItemRow, RunRow } from '../../port/tables/runs/port.ts'
import { compareItems } from './item-order.ts'
import type { LiveRuns } from './live/live-runs.ts'
import { patiently } from './live/patience.ts'
import { mostUnwritten, openRecorder } from './live/recorder.ts'
import { Halt } from './loop/halt.ts'
import { runToRest } from './loop/run-loop.ts'
import type { RunWorld } from './parts.ts'
import { hasEnded, isResting, stateOf } from './state.ts'

export const runJobKind = 'run'

const done = { kind: 'done' } as const
const pageSize = 200

/** Goes on with runs, each until it rests. One that was given up on the way is gone on with by whoever takes its job next. */
export function createRunHandler(world: RunWorld, live: LiveRuns): JobHandler {
  const { table, settings, now, startTimer, log } = world

  async function run(job: Job, { signal }: JobContext): Promise<typeof done> {
    const ask = <T>(question: () => Promise<T>): Promise<T> => patiently(world, signal, question)
    const found = await ask(() => table.findRun(job.id))
    if (!found || isResting(found)) {
      live.end(job.id)
      return done
    }
    await goOn(found, job, signal, ask)
    return done
  }

  async function goOn(
    found: RunRow,
    job: Job,
    lost: AbortSignal,
    ask: <T>(question: () => Promise<T>) => Promise<T>,
  ): Promise<void> {
    const face = world.faces[found.kind]
    if (!face) throw new TypeError(`nobody tells of runs of kind ${found.kind}`)
    const { engine } = stateOf(found)
    const isNew = found.status === 'queued' && engine.turns === 0
    const isTakenOver = found.status !== 'queued' || job.attempt > 1
    const halt = new AbortController()
    const stop = (reason: Halt): void => halt.abort(reason)
    const lose = (): void => stop(new Halt('lost'))
    lost.addEventListener('abort', lose, { once: true })
    const channel = live.begin(found.id, stop)
    const stopTimers: (() => void)[] = []
    try {
      lost.throwIfAborted()
      const own = isNew ? [] : await ask(() => readOwn(found))
      const made = own.filter(({ isInput }) => !isInput)
      const outputs = own.filter(({ isInput, type }) => isInput && type === 'function_call_output')
      // What a dead server has told beyond what it wrote has numbers, too.
      const next = isTakenOver
        ? (await ask(() => readLast(found.id, engine.next - 1))) + 1 + mostUnwritten
        : engine.next
      if (isTakenOver) channel.writtenTo = Math.max(channel.writtenTo, next - 1)
      const recorder = openRecorder({
        world,
        job,
        runId: found.id,
        writer: face.open(found, next, made),
        next,
        channel,
        countRuns: () => live.count,
        halt: stop,
        lost,
      })
      try {
        if (found.status === 'cancelling') stop(new Halt('cancelled'))
        watchTime(found, stop, stopTimers)
        if (settings.lookMs > 0) watchCancel(found.id, () => recorder.surePer, stop, halt.signal, stopTimers)
        const isOrphan = found.status === 'in_progress' && !engine.isDurable
        const start = { run: found, made, outputs, given: [], sink: recorder, signal: halt.signal }
        if (isOrphan) stop(new Halt('orphaned'))
        const ended = await runToRest(start, world)
        if (hasEnded(ended)) world.onEnd?.(ended)
      } finally {
        recorder.close()
      }
    } catch (error) {
      if (!(error instanceof Halt)) throw error
      log.debug({ run: found.id, reason: error.reason }, 'a run is gone on with no more here')
      // The job is held no more, or the server stops: the worker knows what that means.
      if (error.reason === 'lost') throw error
    } finally {
      for (const stopTimer of stopTimers) stopTimer()
      lost.removeEventListener('abort', lose)
      live.end(found.id)
    }
  }

  /** Ends a run whose time is over. */
  function watchTime(found: RunRow, stop: (reason: Halt) => void, stopTimers: (() => void)[]): void {
    const endAt = found.expiresAt ?? found.createdAt + settings.longestMs
    const reason = new Halt(found.expiresAt === undefined ? 'too-long' : 'expired')
    stopTimers.push(startTimer(() => stop(reason), Math.max(0, endAt - now())))
  }

  /** Somebody may cancel it through another server; what is written tells us, and where nothing is, the table is asked. */
  function watchCancel(
    runId: string,
    surePer: () => number,
    stop: (reason: Halt) => void,
    over: AbortSignal,
    stopTimers: (() => void)[],
  ): void {
    let stopTimer = startTimer(look, settings.lookMs)
    stopTimers.push(() => stopTimer())
    async function look(): Promise<void> {
      if (over.aborted) return
      const waitMs = Math.max(settings.lookMs, live.count * 5)
      try {
        if (now() - surePer() >= waitMs) {
          const current = await table.findRun(runId)
          if (!current) stop(new Halt('gone'))
          else if (current.status === 'cancelling') stop(new Halt('cancelled'))
        }
      } catch {
        // A table that is away says nothing; it is asked again.
      }
      if (!over.aborted) stopTimer = startTimer(look, waitMs)
    }
  }

  async function readOwn({ owner, id }: RunRow): Promise<ItemRow[]> {
    return (await readAll(owner, { runId: id })).toSorted(compareItems)
  }

  async function readAll(owner: string, filter: ItemFilter): Promise<ItemRow[]> {
    const rows: ItemRow[] = []
    for (;;) {
      const page = await table.listItems(owner, filter, { limit: pageSize, order: 'asc', after: rows.at(-1)?.id })
      rows.push(...page.slice(0, pageSize))
      if (page.length <= pageSize) return rows
    }
  }

  /** The number of the last event that is written. */
  async function readLast(runId: string, after: number): Promise<number> {
    let last = after
    for (;;) {
      const page = await table.listEvents(runId, last, 1_000)
      last = page.at(-1)?.seq ?? last
      if (page.length < 1_000) return last
    }
  }

  return { leaseMs: settings.leaseMs, atOnce: settings.atOnce, run }
}
