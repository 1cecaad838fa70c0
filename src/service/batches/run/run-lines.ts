import { setImmediate as turn } from 'node:timers/promises'
import type { Job } from '../../../port/jobs/port.ts'
import type { BatchRow } from '../../../port/tables/batches/port.ts'
import { readEndpoint } from '../endpoints.ts'
import type { BatchWorld } from '../parts.ts'
import { backOff, persist } from '../persist.ts'
import { type Attempt, createLineRunner } from './attempt-line.ts'
import { createBell } from './bell.ts'
import { expiredError, recordError } from './line-record.ts'
import { createLineSource, type ReadLine } from './line-source.ts'
import { createResultWriter } from './result-writer.ts'
import { createRetryQueue, type Tries } from './retry-queue.ts'
import { createThrottle } from './throttle.ts'

/** `unwanted`: the batch is in another state than that of running. */
export type RunEnd = 'finished' | 'expired' | 'unwanted'

const firstRetryMs = 1_000
const lastRetryMs = 60_000
/** While so many wait to be run again, no new ones begin: the deployment has enough to do. */
const mostRetries = 500
/**
 * A line that failed so often while others were answered is one that the deployment cannot answer. While none are, it is the deployment
 * that cannot, and every line is worth keeping.
 */
const mostTries = 12
/** How often it is looked whether the batch was cancelled by way of another server. */
const lookEveryMs = 2_000
const expiredPerWrite = 1_000

/**
 * Runs the lines of a batch that have no result, until all have one or the batch ends early. Results are written under the fence of the
 * job. Rejects when the job is lost or a store stays away; what was answered by then is written, if it can be.
 */
export async function runLines(world: BatchWorld, batch: BatchRow, job: Job, signal: AbortSignal): Promise<RunEnd> {
  const { table, settings, now, load, running, startTimer, random } = world
  const deployment = batch.deployment ?? ''
  const wait = <T>(ask: () => Promise<T>) => persist(world, signal, ask)
  const bell = createBell(startTimer)
  const runner = createLineRunner(world, batch, readEndpoint(batch.endpoint), deployment)
  const source = createLineSource(world, batch, wait)
  const retries = createRetryQueue()
  const throttle = createThrottle({
    ...settings,
    load: () => load(deployment),
    countOthers: () => [...running].filter(([id, other]) => id !== batch.id && other.isActive()).length,
    now,
  })
  const writer = createResultWriter({
    startTimer,
    write: (results, sums) => wait(() => table.addResults(job, batch.id, results, sums)),
    onWritten: bell.ring,
  })
  const expiresAt = settings.behaviour === 'openai' ? batch.expiresAt : Number.POSITIVE_INFINITY
  let inFlight = 0
  let answered = 0
  let nextLookAt = now() + lookEveryMs
  let isSourceDry = false

  function start(read: ReadLine, tries: Tries): void {
    inFlight++
    throttle.began()
    void runner.attempt(read).then((attempt) => {
      inFlight--
      if (attempt) settle(read, tries, attempt)
      bell.ring()
    })
  }

  function settle({ line }: ReadLine, tries: Tries, attempt: Attempt): void {
    const { retry } = attempt
    if (retry?.isRefusal) throttle.refused(retry.afterMs ?? firstRetryMs)
    if (!retry) {
      answered++
      throttle.succeeded()
    }
    const count = tries.count + (retry?.isRefusal ? 0 : 1)
    const answeredBefore = tries.count === 0 ? answered : tries.answeredBefore
    const isHopeless = count >= mostTries && answered > answeredBefore
    if (!retry || isHopeless || now() >= batch.expiresAt) writer.add(attempt)
    else {
      const waitMs = Math.max(backOff(count, firstRetryMs, lastRetryMs, random), retry.afterMs ?? 0)
      retries.add({ line, tries: { count, answeredBefore }, at: now() + waitMs })
    }
  }

  const canTakeNew = (): boolean => !isSourceDry && retries.size() < mostRetries

  /** The next line to run, with what is known of it. */
  async function takeNext(): Promise<{ readonly read: ReadLine; readonly tries: Tries } | undefined> {
    const retry = retries.takeDue(now())
    if (retry) return { read: await source.read(retry.line), tries: retry.tries }
    if (!canTakeNew()) return undefined
    const read = await source.next()
    if (!read) isSourceDry = true
    return read && { read, tries: { count: 0, answeredBefore: 0 } }
  }

  async function isWanted(): Promise<boolean> {
    if (now() < nextLookAt) return true
    nextLookAt = now() + lookEveryMs
    return (await wait(() => table.get(batch.id)))?.status === 'in_progress'
  }

  async function work(): Promise<RunEnd> {
    for (;;) {
      signal.throwIfAborted()
      if (writer.failure() !== undefined) throw writer.failure()
      if (now() >= expiresAt) return 'expired'
      if (!(await isWanted())) return 'unwanted'
      const hasRoom = inFlight < throttle.limit() && writer.hasRoom()
      const delayMs = throttle.delayMs()
      if (hasRoom && delayMs === 0) {
        const next = await takeNext()
        if (next) {
          start(next.read, next.tries)
          // Live calls are not kept waiting by a batch whose lines are all there.
          await turn()
          continue
        }
        if (isSourceDry && inFlight === 0 && retries.size() === 0) return 'finished'
      }
      const nextAt = canTakeNew() ? now() : retries.nextAt()
      // Where there is no room, some line ends and rings.
      const beginMs = hasRoom ? Math.max(delayMs, nextAt - now()) : Number.POSITIVE_INFINITY
      await bell.wait(Math.max(1, Math.min(beginMs, expiresAt - now(), nextLookAt - now())))
    }
  }

  /** Lines that run come to their end, if that is soon. */
  async function drain(): Promise<void> {
    const until = now() + settings.graceMs
    while (inFlight > 0 && now() < until && !signal.aborted) await bell.wait(Math.max(1, until - now()))
    runner.drop()
    while (inFlight > 0) await bell.wait(settings.graceMs)
    await writer.flush()
  }

  async function expireRest(): Promise<void> {
    for (;;) {
      signal.throwIfAborted()
      const lines = await wait(() => table.listWaiting(batch.id, 0, expiredPerWrite))
      if (lines.length === 0) return
      for (const line of lines) {
        writer.add({ result: recordError(batch.id, line, expiredError), usage: undefined, heldTokens: 0 })
      }
      await writer.flush()
      await turn()
    }
  }

  const onAbort = (): void => bell.ring()
  signal.addEventListener('abort', onAbort)
  running.set(batch.id, {
    look() {
      nextLookAt = 0
      bell.ring()
    },
    isActive: () => inFlight > 0,
  })
  try {
    const end = await work()
    if (end === 'expired') {
      runner.drop()
      await drain()
      await expireRest()
    } else await drain()
    return end
  } catch (error) {
    runner.drop()
    await writer.flush().catch(() => {})
    throw error
  } finally {
    signal.removeEventListener('abort', onAbort)
    running.delete(batch.id)
  }
}
