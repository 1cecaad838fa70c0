import { Fault } from '../../../core/fault.ts'
import type { NativeBatches, UpstreamBatch } from '../../../core/reply.ts'
import { backOff } from '../persist.ts'
import { ask, isRefusal } from './ask.ts'
import { type Course, discardFiles, orderOf } from './course.ts'
import { lastLaterMs, settleOrder, takeRefusal } from './order-chunk.ts'
import type { Chunk } from './state.ts'
import { takeResults } from './take-results.ts'

/** An upstream promises a day; what has no end long after that is given up. */
const longestRunMs = 36 * 60 * 60_000
/** Cancelling takes its time, and what was answered by then is taken. */
const longestCancelMs = 15 * 60_000
const firstPassMs = 30_000
/** Results that cannot be judged for so many passes, each later than the one before, are not waited for any more. */
const mostPasses = 12
const looksPerWarning = 10
/** Orders that may have been made although nobody finds them: each may cost as much as the one before. */
const mostLost = 3

/** Asks how a chunk is where it is time to, takes its results, and cancels it where nobody wants them any more. */
export async function followChunk(course: Course, chunk: Chunk): Promise<void> {
  const { world, batch, state, drop } = course
  const { now, log } = world
  const endsAt = Math.min(course.wantedUntil, chunk.orderedAt + longestRunMs)
  const isEnding = !(await course.isWanted()) || now() >= endsAt
  const isToCancel = isEnding && chunk.cancelledAt === undefined
  if (now() < chunk.nextAt && !(isToCancel && chunk.id !== undefined)) return
  const batches = course.findBatches(chunk.home)
  if (!batches) {
    log.warn({ batch: batch.id, tag: chunk.tag }, 'the backend of a batch is gone: its lines are run here')
    // Whether lines that are not known to be ordered are there, nobody will learn any more.
    return drop(chunk, chunk.id === undefined ? { isGivenUp: true } : {})
  }
  const id = chunk.id ?? (await findOrder(course, chunk, batches, endsAt + longestCancelMs))
  if (id === undefined) return
  if (isToCancel) await cancel(course, chunk, id, batches)
  return poll(course, state().chunks.find(({ tag }) => tag === chunk.tag) ?? chunk, id, batches)
}

/**
 * The upstream's id of an order whose answer was not seen; undefined where it is not known yet, or there is none. Nobody waits for what is
 * not known by `giveUpAt`.
 */
async function findOrder(
  course: Course,
  chunk: Chunk,
  batches: NativeBatches,
  giveUpAt: number,
): Promise<string | undefined> {
  const { world, batch, kind, signal, state, replace, drop } = course
  const { settings, now, log } = world
  const about = { batch: batch.id, tag: chunk.tag }
  const found = await ask(signal, () => batches.findBatches(orderOf(chunk, kind), signal))
  if (found instanceof Fault && isRefusal(found)) {
    log.error(
      { ...about, reason: found.message },
      'an upstream does not tell its batches: lines are run here that it may run too',
    )
    await drop(chunk, { isGivenUp: true })
    return undefined
  }
  const lost = [...state().lost, chunk]
  if (found instanceof Fault || found === 'unsure') {
    if (now() >= giveUpAt) {
      log.warn(about, 'whether an upstream has a batch that is over could not be found out: it may run there in vain')
      await drop(chunk, { lost })
    } else await lookLater(course, chunk, found instanceof Fault ? found : undefined)
    return undefined
  }
  const [first, ...others] = found
  if (first) {
    for (const other of others) await cancelExtra(course, chunk, other, batches)
    await settleOrder(course, chunk, first.id)
    return first.id
  }
  const doubtEndsAt = chunk.orderedAt + settings.upstreamDoubtMs
  if (now() < doubtEndsAt) {
    await replace(chunk, { nextAt: Math.min(now() + settings.upstreamPollMs, doubtEndsAt) })
    return undefined
  }
  const isGivenUp = lost.length >= mostLost
  if (isGivenUp) log.error(about, 'orders do not come to their upstream, or it does not show them: lines are run here')
  else log.info(about, 'an order has not come to its upstream and is made again')
  if (chunk.staged !== undefined) await discardFiles(course, batches, [chunk.staged])
  await drop(chunk, isGivenUp ? { lost, isGivenUp } : { lost })
  return undefined
}

async function cancelExtra(
  { world, batch, signal }: Course,
  { tag }: Chunk,
  extra: UpstreamBatch,
  batches: NativeBatches,
): Promise<void> {
  world.log.warn(
    { batch: batch.id, tag, upstream: extra.id },
    'an upstream has a batch twice: the second one is cancelled',
  )
  await ask(signal, () => batches.cancelBatch(extra.id, signal))
}

/** Ends orders that came to the upstream after they had been given up, if there are any. */
export async function cancelLost(course: Course): Promise<void> {
  const { kind, signal, state, save } = course
  if (state().lost.length === 0) return
  for (const chunk of state().lost) {
    const batches = course.findBatches(chunk.home)
    const found = batches && (await ask(signal, () => batches.findBatches(orderOf(chunk, kind), signal)))
    if (!batches || !found || found instanceof Fault || found === 'unsure') continue
    for (const extra of found) await cancelExtra(course, chunk, extra, batches)
  }
  await save({ lost: [] })
}

async function cancel(course: Course, chunk: Chunk, id: string, batches: NativeBatches): Promise<void> {
  const { world, batch, signal } = course
  const said = await ask(signal, () => batches.cancelBatch(id, signal))
  if (said instanceof Fault) {
    const reason = said.message
    world.log.warn({ batch: batch.id, upstream: id, reason }, 'a batch could not be cancelled upstream')
    // A moment's trouble; a refusal stays one.
    if (!isRefusal(said)) await ask(signal, () => batches.cancelBatch(id, signal))
  }
  await course.replace(chunk, { id, cancelledAt: world.now(), looks: 0 })
}

async function poll(course: Course, chunk: Chunk, id: string, batches: NativeBatches): Promise<void> {
  const { world, batch, job, signal, replace, drop } = course
  const { now, random, log } = world
  const about = { batch: batch.id, tag: chunk.tag, upstream: id }
  const isGivenUp = chunk.cancelledAt !== undefined && now() >= chunk.cancelledAt + longestCancelMs
  const said = await ask(signal, () => batches.pollBatch(id, signal))
  if (said instanceof Fault || said?.state === 'running') {
    if (!isGivenUp) return lookLater(course, chunk, said instanceof Fault ? said : undefined)
    log.warn(about, 'a batch did not end upstream after it was cancelled, and is given up')
    return drop(chunk)
  }
  if (!said) {
    log.warn(about, 'a batch is not there any more upstream: its lines are run here')
    return drop(chunk)
  }
  if (said.state === 'failed') return takeFailure(course, chunk, said, batches)
  const taken = await takeResults(world, { batch, job, batches, tag: chunk.tag, upstream: said, signal })
  if (taken instanceof Fault) return isGivenUp ? drop(chunk) : lookLater(course, chunk, taken)
  if (taken.undecided > 0 && chunk.passes < mostPasses && !isGivenUp) {
    log.warn({ ...about, ...taken }, 'answers of a batch could not be judged and are looked at again')
    const nextAt = now() + backOff(chunk.passes, firstPassMs, lastLaterMs, random)
    return replace(chunk, { passes: chunk.passes + 1, nextAt })
  }
  log.info({ ...about, lines: chunk.count, ...taken }, 'a batch has ended upstream')
  await drop(chunk)
  await discardFiles(course, batches, said.files)
}

async function takeFailure(course: Course, chunk: Chunk, failed: UpstreamBatch, batches: NativeBatches): Promise<void> {
  const { state, drop } = course
  await discardFiles(course, batches, failed.files)
  const { after, last } = chunk
  // What is told to come later is ordered again, if anything is.
  await drop(chunk, failed.isLater ? { gaps: [...state().gaps, { after, last }] } : {})
  const fault = new Fault(failed.isLater ? 'rate-limited' : 'upstream-rejected', failed.reason ?? '')
  await takeRefusal(course, fault, 'a batch failed upstream')
}

/** Less and less often, and not before the upstream wants it. */
function lookLater({ world, batch, replace }: Course, chunk: Chunk, fault: Fault | undefined): Promise<void> {
  const { settings, now, random, log } = world
  if (fault && chunk.looks % looksPerWarning === 0) {
    const about = { batch: batch.id, tag: chunk.tag, upstream: chunk.id, reason: fault.message }
    log.warn(about, 'an upstream could not be asked for a batch and is asked again')
  }
  const waitMs = Math.max(
    backOff(chunk.looks, settings.upstreamPollMs, settings.upstreamLongestPollMs, random),
    Math.min(fault?.detail.retryAfterMs ?? 0, lastLaterMs),
  )
  return replace(chunk, { looks: chunk.looks + 1, nextAt: now() + waitMs })
}
