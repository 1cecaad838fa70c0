import { Fault } from '../../core/fault.ts'
import type { JsonObject } from '../../core/json.ts'
import type { Job, JobHandler, Jobs } from '../../port/jobs/port.ts'
import type { Logger } from '../../telemetry/logger.ts'
import { describeFailure, isStoreAway } from './failure.ts'
import { backOff, pause, type StartTimer } from './timer.ts'

export type RunWorld = {
  readonly jobs: Jobs
  readonly now: () => number
  readonly log: Logger
  readonly startTimer: StartTimer
  /** From 0 to below 1. */
  readonly random: () => number
}

export type JobRun = {
  /** Resolves when the handler has ended and the store knows; never rejects. */
  readonly ended: Promise<void>
  /** Gives the job back although its handler still runs: whatever that does from here on counts for nothing. Never rejects. */
  abandon(): Promise<void>
}

const firstRetryMs = 1_000
const lastRetryMs = 60_000
/** A store that is away is asked again after this, then less often. */
const firstAskMs = 100
const lastAskMs = 2_000

/** Beside what the handler noted: how many runs in a row have failed. */
const failuresField = 'ponto:failures'

/**
 * Runs the handler on a job that was taken at `takenAt`, keeps the job for as long as that lasts, and notes how it ended. The handler is
 * told to end when the job is lost or `stopping` is aborted.
 */
export function runJob(
  taken: Job,
  handler: JobHandler,
  takenAt: number,
  stopping: AbortSignal,
  world: RunWorld,
): JobRun {
  const { jobs, now, log, startTimer, random } = world
  const about = { kind: taken.kind, id: taken.id }
  const { [failuresField]: counted, ...before } = taken.state
  const failures = typeof counted === 'number' ? counted : 0
  let noted: JsonObject = before

  const lost = new AbortController()
  const hasEnded = new AbortController()
  /** For the handler: lost, or the worker stops. */
  const halt = new AbortController()
  const halted = (): void => halt.abort(stopping.reason)
  if (stopping.aborted) halted()
  else stopping.addEventListener('abort', halted, { once: true })
  function lose(): void {
    const reason = new Fault('conflict', `The job "${taken.id}" of kind "${taken.kind}" is held no more.`)
    lost.abort(reason)
    halt.abort(reason)
  }

  /** By our own clock, from before each renewal was sent: never later than what the store holds. */
  let stopLeaseTimer = startTimer(lose, takenAt + handler.leaseMs - now())
  function extendLease(from: number): void {
    stopLeaseTimer()
    stopLeaseTimer = startTimer(lose, from + handler.leaseMs - now())
  }

  async function keepLease(): Promise<void> {
    const over = AbortSignal.any([lost.signal, hasEnded.signal])
    let missed = 0
    while (true) {
      const waitMs = missed === 0 ? handler.leaseMs / 3 : Math.min(handler.leaseMs / 10, lastAskMs)
      await pause(startTimer, waitMs, over)
      if (over.aborted) return
      const from = now()
      try {
        const isHeld = await jobs.renew(taken, handler.leaseMs)
        if (over.aborted) return
        if (!isHeld) return lose()
        extendLease(from)
        missed = 0
      } catch (error) {
        if (over.aborted) return
        // The lease has some time left: the store may be back by then.
        if (missed++ === 0)
          log.warn({ ...about, ...describeFailure(error) }, 'a job could not be kept and is tried again')
      }
    }
  }

  /** Writes something under the fence, waiting for a store that is away for as long as the job is held. Whether it was. */
  async function write(change: () => Promise<boolean>): Promise<boolean> {
    for (let times = 0; !lost.signal.aborted; times++) {
      try {
        return await change()
      } catch (error) {
        if (!isStoreAway(error)) throw error
        await pause(startTimer, backOff(times, firstAskMs, lastAskMs, random), lost.signal)
      }
    }
    return false
  }

  const release = (state: JsonObject, failed: number, at: number) =>
    write(() => jobs.release(taken, failed === 0 ? state : { ...state, [failuresField]: failed }, at))

  async function note(state: JsonObject): Promise<void> {
    const isHeld = await write(() => jobs.note(taken, failures === 0 ? state : { ...state, [failuresField]: failures }))
    if (!isHeld) lose()
    lost.signal.throwIfAborted()
    noted = state
  }

  /** Ends the run in the store. Whether the job was still held. */
  async function work(): Promise<boolean> {
    try {
      // It was taken while the worker stopped.
      if (stopping.aborted) return await release(noted, failures, now())
      const outcome = await handler.run({ ...taken, state: before }, { signal: halt.signal, failures, note })
      if (lost.signal.aborted) return false
      if (outcome.kind === 'again') return await release(outcome.state, 0, outcome.at)
      if (handler.everyMs !== undefined) return await release({}, 0, now() + handler.everyMs)
      return await write(() => jobs.finish(taken))
    } catch (error) {
      if (lost.signal.aborted) return false
      if (stopping.aborted) return await release(noted, failures, now())
      return await retryLater(error)
    }
  }

  function retryLater(error: unknown): Promise<boolean> {
    if (error instanceof Fault && error.code === 'storage-unavailable') {
      const waitMs = backOff(1, firstRetryMs, lastRetryMs, random)
      log.warn({ ...about, retryInMs: waitMs, ...describeFailure(error) }, 'a job waits for the store')
      return release(noted, failures, now() + waitMs)
    }
    const waitMs = backOff(failures, firstRetryMs, lastRetryMs, random)
    const fields = { ...about, failures: failures + 1, retryInMs: waitMs, ...describeFailure(error) }
    log.error(fields, 'a job failed and is tried again')
    return release(noted, failures + 1, now() + waitMs)
  }

  function end(): void {
    hasEnded.abort()
    stopLeaseTimer()
    stopping.removeEventListener('abort', halted)
  }

  async function run(): Promise<void> {
    void keepLease()
    try {
      const wasHeld = await work()
      if (!wasHeld && !hasEnded.signal.aborted)
        log.warn(about, 'a job is held no more: whoever takes it next goes on with it')
    } catch (error) {
      log.error(
        { ...about, ...describeFailure(error) },
        'how a job ended could not be noted: it is done again when its lease has run out',
      )
    }
    end()
  }

  return {
    ended: run(),
    async abandon() {
      if (hasEnded.signal.aborted) return
      end()
      lose()
      try {
        await jobs.release(taken, failures === 0 ? noted : { ...noted, [failuresField]: failures }, now())
      } catch (error) {
        log.warn(
          { ...about, ...describeFailure(error) },
          'a job could not be given back: another worker waits for its lease',
        )
      }
    },
  }
}
