import type { ChatCall } from '../../core/call.ts'
import type { Event } from '../../core/event.ts'
import type { Usage } from '../../core/usage/usage.ts'

/** A call that the server makes on behalf of an owner: limits, filters, budgets, metering and the request log hold as for a call of his own. */
export type Ask = {
  readonly owner: string
  /** As the request log shows it: `/openai/threads/{thread}/runs`. */
  readonly path: string
  /** What it belongs to; goes upstream as `x-ms-client-request-id`, so that a repeated call can be known for one. */
  readonly runId: string
  /** Aborted when the answer is not wanted any more. */
  readonly signal: AbortSignal
}

export type Answering = {
  /** Read to their end, or returned from: the call lasts as long. Rejects with a Fault. */
  readonly events: AsyncIterable<Event>
  /** Model name and version of the deployment. */
  readonly servedModel: string
  /** What it has cost, once the events have ended. */
  usage(): Usage | undefined
}

/** Asks the models of the server. All reject with a Fault, `deployment-not-found`, `rate-limited` and `content-filter` among them. */
export type AskModels = {
  chat(ask: Ask, call: ChatCall): Promise<Answering>
  /** One vector a text, in their order. */
  embed(
    ask: Ask,
    deployment: string,
    texts: readonly string[],
    dimensions?: number,
  ): Promise<readonly ArrayLike<number>[]>
  /** A score a document, in their order. */
  rerank(ask: Ask, deployment: string, query: string, documents: readonly string[]): Promise<readonly number[]>
}
