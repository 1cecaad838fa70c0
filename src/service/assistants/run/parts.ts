import type { JsonObject } from '../../../core/json.ts'
import type { ItemRow, RunsTable, ThreadRow } from '../../../port/tables/runs/port.ts'
import type { RunEngine } from '../../runs/port.ts'
import type { HostedTools } from '../../tools/hosted-tool.ts'

export type RunRoutesParts = {
  readonly table: RunsTable
  readonly engine: RunEngine
  readonly tools: HostedTools
  /** Unix milliseconds. */
  readonly now: () => number
  readonly makeId: (prefix: string) => string
  /**
   * A thread as `POST /threads` takes it, with its first messages, not stored yet. Rejects with Fault `invalid-request` naming the field below
   * `at`.
   */
  readonly prepareThread: (
    owner: string,
    body: JsonObject,
    at: readonly PropertyKey[],
  ) => Promise<{ readonly thread: ThreadRow; readonly items: readonly ItemRow[] }>
  readonly writeThread: (thread: ThreadRow) => JsonObject
  /** Gives the tools of a thread the files that messages bring along; the thread as it is then. Nothing happens when absent. */
  readonly attachFiles?: ((thread: ThreadRow, items: readonly ItemRow[]) => Promise<ThreadRow>) | undefined
}
