import type { JobHandler } from '../../port/jobs/port.ts'
import { startRealTimer } from '../worker/timer.ts'
import { createRunEngine, type WaitingEnds } from './engine.ts'
import { createRunHandler, runJobKind } from './handler.ts'
import { createLiveRuns } from './live/live-runs.ts'
import type { RunParts, RunWorld } from './parts.ts'
import type { RunEngine } from './port.ts'
import { defaultSettings } from './settings.ts'

export type Runs = {
  readonly engine: RunEngine
  /** For the worker, by kind. */
  readonly handlers: Readonly<Record<string, JobHandler>>
  /** Ends all that follow and wait: a server that stops does not keep them. The worker lets go of the runs themselves. */
  close(): void
}

/** The engine of runs: those of assistants, and responses. */
export function openRuns(parts: RunParts): Runs {
  const world: RunWorld = {
    ...parts,
    settings: { ...defaultSettings, ...parts.settings },
    startTimer: parts.startTimer ?? startRealTimer,
    random: parts.random ?? Math.random,
  }
  const live = createLiveRuns()
  const engine = createRunEngine(world, live)
  return {
    engine,
    handlers: { [runJobKind]: createRunHandler(world, live), 'run-expiry': createExpiry(world, engine) },
    close: live.close,
  }
}

const expiryMs = 5_000
const portion = 100

/** Ends runs that wait for a caller who does not come back. Those that are gone on with see to their time themselves. */
function createExpiry(world: RunWorld, { endWaiting }: WaitingEnds): JobHandler {
  const { table, now, onEnd } = world
  return {
    leaseMs: 30_000,
    everyMs: expiryMs,
    async run(_, { signal }) {
      for (;;) {
        const expired = await table.listExpired(now(), portion)
        let count = 0
        for (const { id } of expired) {
          signal.throwIfAborted()
          const run = await table.findRun(id)
          if (run?.status !== 'requires_action') continue
          const ended = await endWaiting(run, 'expired')
          if (!ended) continue
          onEnd?.(ended)
          count++
        }
        if (expired.length < portion || count === 0) return { kind: 'done' }
      }
    },
  }
}
