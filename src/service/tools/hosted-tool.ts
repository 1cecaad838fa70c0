import type { Tool } from '../../core/call.ts'
import type { JsonObject } from '../../core/json.ts'

/** For whom a tool works. */
export type ToolContext = {
  readonly owner: string
  readonly runId: string
  /** The thread or conversation, for what outlives a run. */
  readonly threadId: string | undefined
  /** The request's `include`. */
  readonly include: readonly string[]
  /** Aborted when the run ends before its time. */
  readonly signal: AbortSignal
  /** A new id of that prefix: `fs_`. */
  makeId(prefix: string): string
}

/** How far a call is, for callers of a stream: `searching`, `interpreting`; `code` is a piece of what runs. */
export type ToolProgress =
  | { readonly type: 'phase'; readonly phase: 'in_progress' | 'searching' | 'interpreting' }
  | { readonly type: 'code'; readonly delta: string }

/** A source that the model was given: `mark` is how the text of the model refers to it, which is taken out and becomes an annotation. */
export type Citation = { readonly mark: string; readonly annotation: JsonObject }

export type ToolOutcome = {
  /** What the model reads. A call that went wrong says so here. */
  readonly text: string
  /** The item as the Responses API shows it, whole, with its `id` and `status`: `{type: 'file_search_call', ...}`. */
  readonly item: JsonObject
  readonly citations?: readonly Citation[] | undefined
  /** Files that it made, as annotations of the message that follows (`container_file_citation`) or images of it. */
  readonly files?: readonly { readonly fileId: string; readonly filename: string; readonly isImage: boolean }[]
}

/** A tool that the server runs itself, open for one run. */
export type OpenTool = {
  /** What the model is offered in its place. Names are unlike those of other open tools and the caller's functions. */
  readonly functions: readonly Tool[]
  /** What the model is told besides, at the end of its instructions. */
  readonly instructions?: string | undefined
  /** Items that stand before what the model says, where they are not in the conversation yet: `mcp_list_tools`. */
  readonly items?: readonly JsonObject[] | undefined
  /** The item as it is when its call begins. `id` is that of the outcome's. */
  begin(id: string, name: string, args: string): JsonObject
  /**
   * Does one call of one of the functions. What the model got wrong, and what fails, is said in the outcome; rejects only where the run
   * cannot go on. `pause`: the caller has to agree first, and the item asks him to.
   */
  call(
    id: string,
    name: string,
    args: string,
    report: (progress: ToolProgress) => void,
  ): Promise<ToolOutcome | { readonly pause: JsonObject }>
  /**
   * Goes on with a call that paused. `request` is the item of the pause, `response` the caller's answer to it (`mcp_approval_response`); `id` is
   * that of the outcome's item. Also for a refusal: then the model is told, and there is no item. undefined where the request is not one of
   * this tool's. Absent from tools that never pause.
   */
  resume?(
    id: string,
    request: JsonObject,
    response: JsonObject,
    report: (progress: ToolProgress) => void,
  ): Promise<ToolOutcome | { readonly refused: string } | undefined>
  close(): Promise<void>
}

/** Opens tools by their `type` in a request. `config` is the tool as the request has it: `{type: 'file_search', vector_store_ids: [...]}`. */
export type HostedTool = {
  readonly type: 'file_search' | 'code_interpreter' | 'mcp'
  /** What is wrong with it, before a run is made: throws Fault `invalid-request` with `param` below `path` (`tools[1]`). Rejects with Fault `not-found` for what is not there. */
  check(config: JsonObject, path: string, owner: string): Promise<void>
  open(config: JsonObject, context: ToolContext): Promise<OpenTool>
}

/** A hosted tool, and what belongs to it, when a thread or run is deleted. */
export type HostedTools = ReadonlyMap<string, HostedTool>
