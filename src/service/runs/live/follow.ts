import type { RunEventRow, RunRow } from '../../../port/tables/runs/port.ts'
import { pause } from '../../worker/timer.ts'
import type { RunWorld } from '../parts.ts'
import { isResting } from '../state.ts'
import { heldAfter } from './channel.ts'
import type { LiveRuns } from './live-runs.ts'
import { patiently } from './patience.ts'

type FollowWorld = Pick<RunWorld, 'table' | 'settings' | 'startTimer' | 'random'>

const pageSize = 200

/**
 * What a run tells after event `after`, until it rests: from memory where this process goes on with it, else from the table, in which
 * followers that are slow find what is held no more, too.
 */
export async function* followRun(
  runId: string,
  after: number,
  live: LiveRuns,
  world: FollowWorld,
  signal: AbortSignal,
): AsyncGenerator<RunEventRow, undefined> {
  const { table, settings } = world
  let seen = after
  let waitMs = settings.firstPollMs
  while (!signal.aborted && !live.isClosed) {
    const channel = live.channelOf(runId)
    const held = channel && heldAfter(channel, seen)
    if (held && held.length > 0) {
      for (const event of held) {
        yield event
        if (signal.aborted || live.isClosed) return
        seen = event.seq
      }
      continue
    }
    if (channel?.isRunning && held) {
      await channel.heard(signal)
      continue
    }
    const first = channel?.held[0]?.seq
    // First how it stands, then what it has told: what it told before it rested is there then.
    const run = channel?.isRunning ? undefined : await patiently(world, signal, () => table.findRun(runId))
    const page = await patiently(world, signal, () => table.listEvents(runId, seen, pageSize))
    let count = 0
    for (const event of page) {
      if (first !== undefined && channel?.isRunning && event.seq >= first) break
      yield event
      if (signal.aborted || live.isClosed) return
      seen = event.seq
      count++
    }
    if (count > 0) {
      waitMs = settings.firstPollMs
      continue
    }
    if (channel?.isRunning) {
      // Nothing between what was seen and what is held: numbers were passed over there.
      if (first !== undefined && first > seen + 1) seen = first - 1
      else await Promise.race([channel.heard(signal), pause(world.startTimer, settings.lastPollMs, signal)])
      continue
    }
    if (!run || isResting(run)) return
    await waitFor(runId, live, world, waitMs, signal)
    waitMs = Math.min(2 * waitMs, settings.lastPollMs)
  }
}

/** The run, when it rests; undefined where there is none. Ends early, with the run as it is, when the signal is aborted. */
export async function waitForRest(
  runId: string,
  live: LiveRuns,
  world: FollowWorld,
  signal: AbortSignal,
): Promise<RunRow | undefined> {
  const { table, settings } = world
  let waitMs = settings.firstPollMs
  for (;;) {
    const channel = live.channelOf(runId)
    if (channel?.isRunning && !signal.aborted && !live.isClosed) {
      await channel.heard(signal)
      continue
    }
    const run = await patiently(world, signal, () => table.findRun(runId))
    if (!run || isResting(run) || signal.aborted || live.isClosed) return run
    await waitFor(runId, live, world, waitMs, signal)
    waitMs = Math.min(2 * waitMs, settings.lastPollMs)
  }
}

/** Until this process begins with the run, or for so long. */
async function waitFor(
  runId: string,
  live: LiveRuns,
  { startTimer }: FollowWorld,
  waitMs: number,
  signal: AbortSignal,
): Promise<void> {
  const over = new AbortController()
  const end = (): void => over.abort()
  signal.addEventListener('abort', end, { once: true })
  const channel = live.channelOf(runId)
  const rung = channel ? channel.heard(over.signal) : live.opened(runId, over.signal)
  await Promise.race([rung, pause(startTimer, waitMs, over.signal)])
  over.abort()
  signal.removeEventListener('abort', end)
}
