import type { Job, JobHandler, Jobs } from '../../port/jobs/port.ts'
import type { Logger } from '../../telemetry/logger.ts'
import { describeFailure } from './failure.ts'
import { type JobRun, runJob } from './run-job.ts'
import { backOff, pause, type StartTimer, startRealTimer } from './timer.ts'

export type WorkerOptions = {
  readonly jobs: Jobs
  /** By the kind of job. */
  readonly handlers: Readonly<Record<string, JobHandler>>
  /** The name of this process, for whoever looks into the store. */
  readonly owner: string
  /** How the names of processes begin that were here before and are dead: what they hold is gone on with at once. None when absent. */
  readonly formerOwners?: string | undefined
  /** Unix milliseconds. */
  readonly now: () => number
  readonly log: Logger
  /** How many jobs of one kind at a time, where the handler does not say. 4 when absent. */
  readonly concurrency?: number | undefined
  /** `setTimeout` when absent. */
  readonly startTimer?: StartTimer | undefined
  /** `Math.random` when absent. */
  readonly random?: (() => number) | undefined
}

export type Worker = {
  /** There is something to do: a job was added or woken in this process. */
  nudge(): void
  /**
   * Takes no more jobs, tells the handlers to end, waits for them, and gives back the jobs of those that go on longer than `graceMs`
   * (10,000 when absent). Never rejects. The store may be closed then.
   */
  stop(graceMs?: number): Promise<void>
}

/** What other processes added is seen after this at the latest. */
const longestIdleMs = 3_000
/** After others were quicker. */
const shortestIdleMs = 20
const firstAskMs = 250
const lastAskMs = 5_000
const defaultGraceMs = 10_000
/** How long giving back may take, with a store that does not answer. */
const longestAbandonMs = 2_000
/** A chore is the one job of its kind. */
const choreId = 'chore'

/**
 * Does the jobs of these kinds, those of all servers on the store in common, until it is stopped. A store that is away is waited for. A
 * kind has places of its own, so that long jobs of one do not keep those of another waiting.
 */
export function startWorker(options: WorkerOptions): Worker {
  const {
    jobs,
    handlers,
    owner,
    now,
    log,
    concurrency = 4,
    startTimer = startRealTimer,
    random = Math.random,
  } = options
  const world = { jobs, now, log, startTimer, random }
  const stopping = new AbortController()
  const kinds = Object.keys(handlers)
  const runs = new Map(kinds.map((kind) => [kind, new Set<JobRun>()]))
  let { formerOwners } = options
  const choresToAdd = new Set(kinds.filter((kind) => handlers[kind]?.everyMs !== undefined))
  let bell = new AbortController()

  const handlerOf = (kind: string) => handlers[kind] as JobHandler
  const runsOf = (kind: string) => runs.get(kind) as Set<JobRun>
  const hasRoom = (kind: string) => runsOf(kind).size < (handlerOf(kind).atOnce ?? concurrency)

  /** Before anything is taken, since our own name begins like theirs. */
  async function takeOver(): Promise<void> {
    if (formerOwners === undefined) return
    const count = await jobs.releaseOf(formerOwners)
    formerOwners = undefined
    if (count > 0) log.info({ jobs: count }, 'jobs that a former process held are gone on with')
  }

  async function addChores(): Promise<void> {
    for (const kind of choresToAdd) {
      await jobs.add({ kind, id: choreId, state: {}, runAt: now() })
      choresToAdd.delete(kind)
    }
  }

  function start(job: Job, takenAt: number): void {
    const run = runJob(job, handlerOf(job.kind), takenAt, stopping.signal, world)
    const own = runsOf(job.kind)
    own.add(run)
    void run.ended.then(() => {
      own.delete(run)
      bell.abort()
    })
  }

  /** Takes what is due and there is room for. For how long there is nothing to do then. */
  async function takeDue(): Promise<number> {
    await takeOver()
    await addChores()
    const open = kinds.filter(hasRoom)
    // Looking first costs less than trying to take: that is a write, and most looks find nothing.
    const dueAt = await jobs.nextDueAt(open)
    const waitMs = dueAt === undefined ? longestIdleMs : dueAt - now()
    if (waitMs > 0) return Math.min(waitMs, longestIdleMs)
    let count = 0
    for (const kind of open) {
      while (hasRoom(kind) && !stopping.signal.aborted) {
        const takenAt = now()
        const job = await jobs.claim([kind], owner, handlerOf(kind).leaseMs)
        if (job === undefined) break
        start(job, takenAt)
        count++
      }
    }
    return count === 0 ? shortestIdleMs : 0
  }

  async function work(): Promise<void> {
    let failed = 0
    while (!stopping.signal.aborted) {
      try {
        // What rings from here on is not missed, even while we look.
        bell = new AbortController()
        const idleMs = await takeDue()
        if (failed > 0) log.info({}, 'the store of jobs is back')
        failed = 0
        if (idleMs > 0) await pause(startTimer, idleMs, bell.signal)
      } catch (error) {
        if (failed === 0) log.warn(describeFailure(error), 'the store of jobs is away and is tried again')
        await pause(startTimer, backOff(failed++, firstAskMs, lastAskMs, random), stopping.signal)
      }
    }
  }

  async function stop(graceMs: number): Promise<void> {
    stopping.abort()
    bell.abort()
    const current = () => [...runs.values()].flatMap((own) => [...own])
    // In turn: the loop may have been about to take one more.
    const ended = working.then(() => Promise.all(current().map((run) => run.ended)))
    if (await isWithin(ended, graceMs)) return
    const left = current()
    log.warn({ jobs: left.length }, 'jobs did not end in time and are given back')
    await isWithin(Promise.all(left.map((run) => run.abandon())), longestAbandonMs)
  }

  async function isWithin(wanted: Promise<unknown>, ms: number): Promise<boolean> {
    const isOver = new AbortController()
    const late = pause(startTimer, ms, isOver.signal).then(() => false)
    const isDone = await Promise.race([wanted.then(() => true), late])
    isOver.abort()
    return isDone
  }

  const working = work()
  let stopped: Promise<void> | undefined
  return {
    nudge: () => bell.abort(),
    stop(graceMs = defaultGraceMs) {
      stopped ??= stop(graceMs)
      return stopped
    },
  }
}
