import { Fault } from '../../../core/fault.ts'
import type { NativeBatches } from '../../../core/reply.ts'
import { backOff, pause } from '../persist.ts'
import { ask, isRefusal } from './ask.ts'
import { type Course, discardFiles, orderOf } from './course.ts'
import { gatherLines } from './gather-lines.ts'
import { type Chunk, nextRange, passRange } from './state.ts'

const firstLaterMs = 30_000
export const lastLaterMs = 10 * 60_000
/** Asked so often in a row, an upstream that would take the order later is left alone, and the lines are run here. */
const mostRefusals = 20
/** Lines that limits or a pause hold up are looked at again after that. */
const heldUpMs = 60_000
const stageTries = 5
const longestStagingMs = 5 * 60_000

/**
 * Gathers the next lines and orders them. The order is noted before it is sent: where its answer is never seen, it stays among the chunks
 * without an id, and is looked for.
 */
export async function orderChunk(course: Course): Promise<void> {
  const { world, batch, job, kind, signal, state, save, drop, isWanted } = course
  const { settings, now, log } = world
  const batches = course.findBatches()
  // Switched off meanwhile; or too late for an upstream that takes a day.
  if (!batches || now() >= batch.expiresAt) return save({ isGivenUp: true })
  const range = nextRange(state())
  const tag = `${batch.id}-${state().made}`
  const { lines, last, isDry, isHeldUp } = await gatherLines(world, {
    batch,
    job,
    batches,
    tag,
    range,
    signal,
    isWanted,
  })
  if (!(await isWanted())) return
  const part = { after: range.after, last, isLastOfRange: isDry }
  // Others have their turn before more is gathered.
  if (isHeldUp) await save({ nextAt: now() + heldUpMs })
  if (lines.length === 0) return save(passRange(state(), part))

  const staged = await stageLines(course, batches, tag, lines)
  if (staged instanceof Fault) return takeRefusal(course, staged, 'the lines of a batch could not be uploaded')
  const chunk: Chunk = {
    ...part,
    tag,
    staged,
    home: batches.home,
    count: lines.length,
    orderedAt: now(),
    id: undefined,
    looks: 0,
    passes: 0,
    nextAt: now() + settings.upstreamPollMs,
    cancelledAt: undefined,
  }
  await save({ chunks: [...state().chunks, chunk], made: state().made + 1 })
  const said = await ask(signal, () => batches.submitBatch(orderOf(chunk, kind), lines, signal))
  if (!(said instanceof Fault)) return settleOrder(course, chunk, said.id)
  if (isRefusal(said) || said.code === 'rate-limited') {
    if (staged !== undefined) await discardFiles(course, batches, [staged])
    await drop(chunk)
    return takeRefusal(course, said, 'the order of a batch was refused')
  }
  log.warn(
    { batch: batch.id, tag, reason: said.message },
    'whether an upstream has a batch is not known: it is looked for',
  )
}

/** It is known where the chunk is. */
export function settleOrder({ world, batch, state, replace }: Course, chunk: Chunk, id: string): Promise<void> {
  const { tag, count } = chunk
  world.log.info({ batch: batch.id, tag, upstream: id, lines: count }, 'a batch was ordered upstream')
  const nextAt = world.now() + world.settings.upstreamPollMs
  return replace(chunk, { id, nextAt }, { ...passRange(state(), chunk), refusals: 0 })
}

/** Whether and when more is ordered from an upstream that would not take an order, or took it and would not run it. */
export async function takeRefusal(course: Course, fault: Fault, what: string): Promise<void> {
  const { world, batch, state, save } = course
  const { now, random, log } = world
  const refusals = state().refusals + 1
  const about = { batch: batch.id, reason: fault.message }
  if (isRefusal(fault) || refusals > mostRefusals) {
    log.warn(about, `${what}: what is not ordered yet is run here`)
    return save({ isGivenUp: true })
  }
  const waitMs = Math.max(backOff(refusals - 1, firstLaterMs, lastLaterMs, random), fault.detail.retryAfterMs ?? 0)
  const nextAt = now() + Math.min(waitMs, lastLaterMs)
  log.warn({ ...about, retryInMs: nextAt - now() }, `${what} and is tried again`)
  return save({ refusals, nextAt })
}

/** The name of what was staged, ready to be ordered; undefined where lines go with the order. */
async function stageLines(
  course: Course,
  batches: NativeBatches,
  tag: string,
  lines: readonly string[],
): Promise<string | undefined | Fault> {
  const { world, signal } = course
  for (let tries = 0; ; tries++) {
    const staged = await ask(signal, () => batches.stage(tag, lines, signal))
    if (staged === undefined) return undefined
    if (!(staged instanceof Fault)) return waitForStaged(course, batches, staged)
    if (isRefusal(staged) || tries >= stageTries) return staged
    const waitMs = Math.max(backOff(tries, 1_000, 30_000, world.random), staged.detail.retryAfterMs ?? 0)
    await pause(world, Math.min(waitMs, 60_000), signal)
  }
}

async function waitForStaged(course: Course, batches: NativeBatches, staged: string): Promise<string | Fault> {
  const { world, signal } = course
  const endAt = world.now() + longestStagingMs
  for (let tries = 0; ; tries++) {
    const isReady = await ask(signal, () => batches.isStaged(staged, signal))
    if (isReady === true) return staged
    const isHopeless = isReady instanceof Fault && isRefusal(isReady)
    if (isHopeless || world.now() >= endAt) {
      await discardFiles(course, batches, [staged])
      return isReady || new Fault('upstream-timeout', 'The backend has not processed the file of a batch in time.')
    }
    await pause(world, backOff(tries, 500, 10_000, world.random), signal)
  }
}
