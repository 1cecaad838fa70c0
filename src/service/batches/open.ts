import type { ServiceRoute } from '../../core/service-route.ts'
import { startRealTimer } from '../../policy/limit/wait-queue.ts'
import type { JobHandler } from '../../port/jobs/port.ts'
import { createBatchHandler } from './handler.ts'
import type { BatchParts, BatchWorld, NativeLines } from './parts.ts'
import { createBatchRoutes, jobKind } from './routes.ts'
import { defaultSettings } from './settings.ts'

export type Batches = {
  readonly routes: readonly ServiceRoute[]
  /** For the worker, by kind. */
  readonly handlers: Readonly<Record<string, JobHandler>>
}

const refuse = (): Promise<never> => Promise.reject(new TypeError('there are no batches upstream'))
const noNative: NativeLines = { find: () => undefined, prepare: refuse, answer: refuse }

/** Files of requests that are answered within a day, by whatever capacity others leave. */
export function openBatches(parts: BatchParts): Batches {
  const world: BatchWorld = {
    ...parts,
    native: parts.native ?? noNative,
    load: parts.load ?? (() => 0),
    onEnd: parts.onEnd ?? (() => {}),
    nudge: parts.nudge ?? (() => {}),
    startTimer: parts.startTimer ?? startRealTimer,
    random: parts.random ?? Math.random,
    settings: { ...defaultSettings, ...parts.settings },
    running: new Map(),
    ordering: new Set(),
  }
  return { routes: createBatchRoutes(world), handlers: { [jobKind]: createBatchHandler(world) } }
}
