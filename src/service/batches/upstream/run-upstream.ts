import type { JsonObject } from '../../../core/json.ts'
import type { Job } from '../../../port/jobs/port.ts'
import type { BatchRow } from '../../../port/tables/batches/port.ts'
import { readEndpoint } from '../endpoints.ts'
import type { BatchWorld } from '../parts.ts'
import { type Course, openCourse } from './course.ts'
import { cancelLost, followChunk } from './follow-chunk.ts'
import { orderChunk } from './order-chunk.ts'
import { freshState, isOrderable, readState } from './state.ts'

export type UpstreamRun = {
  readonly job: Job
  readonly signal: AbortSignal
  /** As it was noted last, and how more is. */
  readonly state: JsonObject
  note(state: JsonObject): Promise<void>
}

/** Orders of one batch that are under way at once. */
const mostChunks = 16
/** While another batch is on its way. */
const turnMs = 1_000

/**
 * Takes what a batch has upstream one step further: orders what is not ordered yet, asks how the orders are, takes their results, and
 * cancels them where the batch ends early. Resolves to when it is to be looked at again, in unix milliseconds; undefined when nothing is
 * upstream any more: what has no answer then is run here, as if no upstream took batches.
 */
export async function runUpstream(world: BatchWorld, batch: BatchRow, run: UpstreamRun): Promise<number | undefined> {
  const { kind } = readEndpoint(batch.endpoint).end
  const noted = readState(run.state)
  const course = openCourse(world, batch, run, kind, noted ?? freshState)
  if (!noted && (batch.status !== 'in_progress' || !course.findBatches())) return undefined
  world.running.set(batch.id, { look: course.look, isActive: () => false })
  try {
    for (const chunk of course.state().chunks) await followChunk(course, chunk)
    while (await mayOrder(course)) await orderAlone(course)
    return await conclude(course)
  } finally {
    world.running.delete(batch.id)
  }
}

async function mayOrder({ world, state, isWanted }: Course): Promise<boolean> {
  const { chunks, nextAt } = state()
  const isDue = canOrder(state()) && chunks.length < mostChunks && world.now() >= nextAt
  return isDue && (await isWanted()) && world.ordering.size === 0
}

async function orderAlone(course: Course): Promise<void> {
  const { world, batch } = course
  world.ordering.add(batch.id)
  try {
    await orderChunk(course)
  } finally {
    world.ordering.delete(batch.id)
  }
}

/** While it is not known whether an order was made, nothing else is ordered: its lines are not to go twice. */
function canOrder(state: ReturnType<Course['state']>): boolean {
  return isOrderable(state) && state.chunks.every(({ id }) => id !== undefined)
}

async function conclude(course: Course): Promise<number | undefined> {
  const { world, batch, state, save, isWanted } = course
  const { now, settings } = world
  const { chunks, nextAt } = state()
  const isOver = !(await isWanted())
  if (chunks.length === 0 && (isOver || !isOrderable(state()))) {
    await cancelLost(course)
    // Noted, so that nothing goes there again after a crash among the lines that are run here.
    if (!state().isGivenUp) await save({ isGivenUp: true })
    return undefined
  }
  const times = chunks.map((chunk) => (isOver && isCancellable(chunk) ? now() : chunk.nextAt))
  if (!isOver && canOrder(state()) && chunks.length < mostChunks) {
    times.push(world.ordering.size > 0 ? Math.max(nextAt, now() + turnMs) : nextAt)
  }
  if (!isOver && settings.behaviour === 'openai') times.push(batch.expiresAt)
  return Math.min(...times)
}

function isCancellable({
  id,
  cancelledAt,
}: {
  readonly id: string | undefined
  readonly cancelledAt: number | undefined
}) {
  return id !== undefined && cancelledAt === undefined
}
