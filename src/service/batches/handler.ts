import { setImmediate as turn } from 'node:timers/promises'
import type { Deployment } from '../../core/deployment.ts'
import type { Json, JsonObject } from '../../core/json.ts'
import type { Job, JobContext, JobHandler, JobOutcome } from '../../port/jobs/port.ts'
import type { BatchChange, BatchRow } from '../../port/tables/batches/port.ts'
import { enqueuedLimit } from './enqueued-limit.ts'
import { finalizeBatch } from './finalize.ts'
import type { Problem } from './input/check-line.ts'
import { type Verdict, validateInput } from './input/validate-input.ts'
import type { BatchWorld } from './parts.ts'
import { persist } from './persist.ts'
import { runLines } from './run/run-lines.ts'
import { runUpstream } from './upstream/run-upstream.ts'

const leaseMs = 60_000
/** Of one process. They share how many lines run at once; those that wait for a deployment that is away do not keep others from running. */
const batchesAtOnce = 16

/** What a run knows of its batch. */
type Run = {
  readonly job: Job
  readonly signal: AbortSignal
  /** As it was noted last. */
  state: JsonObject
  note(state: JsonObject): Promise<void>
}

/**
 * Takes a batch from the state in which it is to the next one until it has ended: validating, in_progress, finalizing. Where it is stands
 * in the table, and what a step has done so far in the table and in the job, so that every step can be begun again.
 */
export function createBatchHandler(world: BatchWorld): JobHandler {
  const { table, now, onEnd, log } = world

  async function run(job: Job, context: JobContext): Promise<JobOutcome> {
    const { signal } = context
    const work: Run = {
      job,
      signal,
      state: job.state,
      async note(state) {
        await context.note(state)
        work.state = state
      },
    }
    for (;;) {
      signal.throwIfAborted()
      const batch = await persist(world, signal, () => table.get(job.id))
      if (!batch) return { kind: 'done' }
      const outcome = await advance(batch, work)
      if (outcome) return outcome
      await turn()
    }
  }

  /** One step. How the run ends, if it does. */
  async function advance(batch: BatchRow, work: Run): Promise<JobOutcome | undefined> {
    switch (batch.status) {
      case 'validating':
        await judge(batch, await validateInput(world, { ...work, batch }), work.signal)
        return undefined
      case 'in_progress':
        return (await waitForUpstream(batch, work)) ?? execute(batch, work)
      case 'cancelling':
        return (await waitForUpstream(batch, work)) ?? finalizeCancelled(batch, work)
      case 'finalizing':
        return finalize(batch, work)
      default:
        await conclude(batch, work)
        return { kind: 'done' }
    }
  }

  /** While something of the batch is upstream, it is looked at from time to time, and nobody waits meanwhile. */
  async function waitForUpstream(batch: BatchRow, work: Run): Promise<JobOutcome | undefined> {
    const at = await runUpstream(world, batch, work)
    return at === undefined ? undefined : { kind: 'again', at, state: work.state }
  }

  /** What has come from upstream by now counts too. */
  async function finalizeCancelled({ id }: BatchRow, work: Run): Promise<undefined> {
    const batch = await persist(world, work.signal, () => table.get(id))
    if (batch?.status === 'cancelling') await finalize(batch, work)
  }

  async function finalize(batch: BatchRow, work: Run): Promise<undefined> {
    await finalizeBatch(world, { ...work, batch })
  }

  const change = (batch: BatchRow, signal: AbortSignal, what: BatchChange) =>
    persist(world, signal, () => table.update(batch.id, [batch.status], what))

  async function judge(batch: BatchRow, verdict: Verdict, signal: AbortSignal): Promise<void> {
    if (verdict.kind === 'unwanted') return
    if (verdict.kind === 'invalid') return fail(batch, verdict.problems, signal)
    const { deployment, total, tokens } = verdict
    const limit = enqueuedLimit(world, deployment)
    const isHeld = await persist(world, signal, () => table.enqueue(batch.id, deployment, tokens, limit))
    // The other reason is that it was cancelled; then it is not failed either.
    if (!isHeld) return fail(batch, [await refuseTokens(deployment, tokens, limit)], signal)
    await change(batch, signal, { status: 'in_progress', total, inProgressAt: now() })
  }

  async function refuseTokens(deployment: Deployment, tokens: number, limit: number): Promise<Problem> {
    const others = await table.sumEnqueued(deployment)
    const message = `The deployment ${JSON.stringify(deployment.name)} takes ${limit} enqueued tokens. Other batches hold ${others} of them, and this one is estimated at ${tokens}. Wait until others have ended, or make the batch smaller.`
    return { code: 'token_limit_exceeded', message, param: null, line: null }
  }

  async function fail(batch: BatchRow, problems: readonly Problem[], signal: AbortSignal): Promise<void> {
    const errors = problems as unknown as Json[]
    await change(batch, signal, { status: 'failed', failedAt: now(), errors, enqueuedTokens: 0 })
  }

  async function execute(batch: BatchRow, { job, signal }: Run): Promise<undefined> {
    const end = await runLines(world, batch, job, signal)
    if (end === 'unwanted') return
    const time = now()
    const expiredAt = end === 'expired' ? time : undefined
    await change(batch, signal, { status: 'finalizing', finalizingAt: time, expiredAt, enqueuedTokens: 0 })
  }

  /** Begun again where the last run died on the way. */
  async function conclude(batch: BatchRow, work: Run): Promise<void> {
    if (work.state.isTold !== true) {
      await onEnd(batch)
      await work.note({ isTold: true })
      const { id, status, total, completed, failed } = batch
      log.info({ batch: id, status, total, completed, failed }, 'a batch has ended')
    }
    await persist(world, work.signal, () => table.deleteLines(batch.id))
  }

  return { leaseMs, atOnce: batchesAtOnce, run }
}
