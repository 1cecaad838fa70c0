import type { JsonObject } from '../../../core/json.ts'
import type { Job } from '../../jobs/port.ts'
import type { PageOf } from '../files/port.ts'

/**
 * Assistants, and what the old API (threads, messages, runs, run steps) and the new one (conversations, items, responses) keep alike:
 * a thread is a conversation, a run is a response, what a run makes are items. Times are unix milliseconds; ids go in the order in which
 * they were made (`createIds`), and lists in the order of ids.
 */

/** A configured caller of a model. `document` is what the API shows of it, without `id`, `object` and `created_at`. */
export type AssistantRow = {
  readonly id: string
  /** The name of the key that owns it; others do not see it. */
  readonly owner: string
  readonly document: JsonObject
  readonly createdAt: number
}

/** A thread (`thread`) or a conversation (`conversation`). Each is seen through its own API only. */
export type ThreadRow = {
  readonly id: string
  readonly owner: string
  readonly kind: 'thread' | 'conversation'
  readonly metadata: JsonObject
  /** `tool_resources`, of threads. */
  readonly toolResources?: JsonObject | undefined
  readonly createdAt: number
}

export type RunStatus =
  | 'queued'
  | 'in_progress'
  | 'requires_action'
  | 'cancelling'
  | 'cancelled'
  | 'failed'
  | 'completed'
  | 'incomplete'
  | 'expired'

/** Those with which a thread is taken: one run at a time. */
export const activeStatuses: readonly RunStatus[] = ['queued', 'in_progress', 'requires_action', 'cancelling']

/**
 * A run of an assistant (`run`) or a response (`response`). `request` is what is asked of the model for all of it, as the body of a
 * Responses request without `input`: hosted tools stand in `tools` as that API writes them.
 */
export type RunRow = {
  readonly id: string
  readonly owner: string
  readonly kind: 'run' | 'response'
  /** The thread or conversation. A response may have none. */
  readonly threadId?: string | undefined
  /** The response it goes on from. */
  readonly previousId?: string | undefined
  readonly assistantId?: string | undefined
  readonly status: RunStatus
  readonly request: JsonObject
  /** What the API shows besides, and what the engine has to know to go on (budgets used, steps taken); never shown as it is. */
  readonly state: JsonObject
  /** `{code, message}` where it failed. */
  readonly lastError?: JsonObject | undefined
  /** `{reason}` where it is incomplete. */
  readonly incompleteDetails?: JsonObject | undefined
  /** The tokens of all its calls, once it has ended: `{input_tokens, input_tokens_details, output_tokens, output_tokens_details, total_tokens}`. */
  readonly usage?: JsonObject | undefined
  readonly metadata: JsonObject
  readonly createdAt: number
  readonly startedAt?: number | undefined
  /** After that it is not gone on with. */
  readonly expiresAt?: number | undefined
  readonly endedAt?: number | undefined
}

export type RunChange = Partial<
  Pick<
    RunRow,
    | 'status'
    | 'state'
    | 'lastError'
    | 'incompleteDetails'
    | 'usage'
    | 'metadata'
    | 'startedAt'
    | 'expiresAt'
    | 'endedAt'
  >
>

export type ItemStatus = 'in_progress' | 'completed' | 'incomplete' | 'cancelled' | 'failed' | 'expired'

/**
 * A message, or something a run did. `document` is the item as the Responses API shows it (`message`, `function_call`,
 * `function_call_output`, `reasoning`, `file_search_call`, `code_interpreter_call`, `mcp_call` ...), without its `id`; messages of threads are
 * kept in the same shape, and written as the old API shows them.
 */
export type ItemRow = {
  readonly id: string
  readonly owner: string
  /** Where it lies: a thread, a conversation, or a response that has neither. Items of a home go in the order of their ids. */
  readonly homeId: string
  /** The run that made it, or that it was given to as input. */
  readonly runId?: string | undefined
  /** Given to the run, not made by it. */
  readonly isInput: boolean
  /** The run step it is (part of): calls of tools that were asked for together are one step. */
  readonly stepId?: string | undefined
  /** The document's `type`. */
  readonly type: string
  readonly status: ItemStatus
  readonly document: JsonObject
  /** What the old API keeps beside it: `metadata`, `attachments`, `assistant_id`, `incomplete_details`, `last_error`, `usage`. */
  readonly extras: JsonObject
  readonly createdAt: number
  readonly endedAt?: number | undefined
}

/** Something a caller of a stream is told, in the words of the API. `seq` counts from 0 within the run. */
export type RunEventRow = { readonly seq: number; readonly name: string; readonly data: string }

/** What a step of a run writes: all of it or, where the job is held no more, nothing. */
export type RunWrite = {
  readonly change?: RunChange | undefined
  /** Added, or in place of those that have their ids. */
  readonly items?: readonly ItemRow[] | undefined
  readonly events?: readonly RunEventRow[] | undefined
  /** Nothing is written where the run has none of these: a caller has cancelled it meanwhile. */
  readonly from?: readonly RunStatus[] | undefined
}

export type ItemFilter = {
  readonly homeId?: string | undefined
  readonly runId?: string | undefined
  readonly isInput?: boolean | undefined
  readonly types?: readonly string[] | undefined
}

/** A page may also end before an item: `before` is the id of the first one that was seen. Lists give one more than `limit` where there are more. */
export type ItemPage = PageOf & { readonly before?: string | undefined }

/** Everything is found by its owner only. */
export type RunsTable = {
  addAssistant(row: AssistantRow): Promise<void>
  getAssistant(owner: string, id: string): Promise<AssistantRow | undefined>
  listAssistants(owner: string, page: ItemPage): Promise<AssistantRow[]>
  /** Whether it was there. */
  putAssistant(owner: string, id: string, document: JsonObject): Promise<boolean>
  deleteAssistant(owner: string, id: string): Promise<boolean>

  /** With its first items: both or neither. */
  addThread(row: ThreadRow, items: readonly ItemRow[]): Promise<void>
  getThread(owner: string, id: string): Promise<ThreadRow | undefined>
  updateThread(
    owner: string,
    id: string,
    change: Partial<Pick<ThreadRow, 'metadata' | 'toolResources'>>,
  ): Promise<boolean>
  /** With all its items, runs and events, in portions. Whether it was there. */
  deleteThread(owner: string, id: string): Promise<boolean>

  /**
   * Adds items to a home. `unlessActive`: only while no run of the thread is active; resolves to the id of the run that is, and then
   * nothing was added.
   */
  addItems(items: readonly ItemRow[], options?: { readonly unlessActive?: string }): Promise<string | undefined>
  getItem(owner: string, id: string): Promise<ItemRow | undefined>
  /** Those of them that this owner has. */
  findItems(owner: string, ids: readonly string[]): Promise<ItemRow[]>
  listItems(owner: string, filter: ItemFilter, page: ItemPage): Promise<ItemRow[]>
  updateItem(
    owner: string,
    id: string,
    change: Partial<Pick<ItemRow, 'document' | 'extras' | 'status' | 'endedAt'>>,
  ): Promise<boolean>
  deleteItem(owner: string, id: string): Promise<boolean>

  /**
   * Adds a run with the items that it is given, and its job where `job` is set, all or nothing: only while no other run of its thread is
   * active; resolves to the id of the one that is.
   */
  addRun(
    run: RunRow,
    items: readonly ItemRow[],
    events: readonly RunEventRow[],
    job?: { readonly kind: string; readonly runAt: number },
  ): Promise<string | undefined>
  getRun(owner: string, id: string): Promise<RunRow | undefined>
  /** For the engine, whoever owns it. */
  findRun(id: string): Promise<RunRow | undefined>
  listRuns(owner: string, threadId: string, page: ItemPage): Promise<RunRow[]>
  /**
   * What a caller changes: only from one of these states. Events are added with it, and its job where `job` is set, or woken where it is
   * there (`Jobs.wake`): all or nothing. Whether it had one of the states.
   */
  updateRun(
    owner: string,
    id: string,
    from: readonly RunStatus[],
    change: RunChange,
    more?: Pick<RunWrite, 'items' | 'events'> & {
      readonly job?: { readonly kind: string; readonly runAt: number } | undefined
    },
  ): Promise<boolean>
  /** What the engine writes, while its job is held and the run is in one of the states of `from`. Whether it was. */
  writeRun(job: Job, runId: string, write: RunWrite): Promise<boolean>
  /** With its items where it is their home, and its events. Whether it was there. */
  deleteRun(owner: string, id: string): Promise<boolean>
  /** In their order, after that one. */
  listEvents(runId: string, after: number, limit: number): Promise<RunEventRow[]>

  /** Runs whose time is over and that wait for their caller: ids, oldest first. */
  listExpired(now: number, limit: number): Promise<readonly { readonly id: string; readonly owner: string }[]>
  /** Takes away what was made before then and is not active: threads without a run or message since, responses without a conversation. How many. */
  sweep(before: number, limit: number): Promise<number>
}
