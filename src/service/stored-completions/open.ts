import type { ServiceRoute } from '../../core/service-route.ts'
import type { Policy } from '../../policy/pipeline.ts'
import type { StoredCompletionsTable } from '../../port/tables/stored-completions/port.ts'
import type { Logger } from '../../telemetry/logger.ts'
import { createRecordPolicy } from './record.ts'
import { createStoredCompletionRoutes } from './routes.ts'
import { startSweep } from './sweep.ts'
import { createWriteQueue } from './write-queue.ts'

export type StoredCompletionsOptions = {
  readonly table: StoredCompletionsTable
  readonly keepMs: number
  /** Unix milliseconds. */
  readonly now: () => number
  readonly log: Logger
}

export type StoredCompletions = {
  /** Comes before all policies that may change an answer. */
  readonly policy: Policy
  readonly routes: readonly ServiceRoute[]
  /** When no more calls come: writes what has ended and stops. */
  close(): Promise<void>
}

/** Chats that callers ask to be stored, and the routes under which they find them. */
export function openStoredCompletions({ table, keepMs, now, log }: StoredCompletionsOptions): StoredCompletions {
  const queue = createWriteQueue({ table, log })
  const stopSweep = startSweep({ table, keepMs, now, log })
  return {
    policy: createRecordPolicy(queue, now),
    routes: createStoredCompletionRoutes({ table, settle: queue.settle }),
    async close() {
      await stopSweep()
      await queue.settle()
    },
  }
}
