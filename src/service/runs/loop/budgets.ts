import { Fault } from '../../../core/fault.ts'
import type { JsonObject } from '../../../core/json.ts'
import type { RunChange, RunRow, RunStatus } from '../../../port/tables/runs/port.ts'
import type { RunSettings } from '../settings.ts'
import { stateOf } from '../state.ts'

/** What a run may use: of tokens over all its turns, of turns, and of calls of hosted tools. */

export type Ending = { readonly status: RunStatus } & Pick<RunChange, 'incompleteDetails' | 'lastError'>

export type Truncation = { readonly type: 'auto' | 'disabled' | 'last_messages'; readonly lastMessages?: number }

export function truncationOf(run: RunRow): Truncation {
  const strategy = stateOf(run).truncation_strategy
  if (strategy?.type === 'last_messages') return { type: 'last_messages', lastMessages: strategy.last_messages ?? 1 }
  if (strategy) return { type: strategy.type === 'disabled' ? 'disabled' : 'auto' }
  return { type: run.kind === 'run' || run.request.truncation === 'auto' ? 'auto' : 'disabled' }
}

export function promptTokensLeft(run: RunRow): number {
  const { max_prompt_tokens: most, engine } = stateOf(run)
  return typeof most === 'number' ? most - engine.input : Number.POSITIVE_INFINITY
}

/** undefined where nothing bounds it. */
export function answerTokensLeft(run: RunRow): number | undefined {
  const { max_completion_tokens, engine } = stateOf(run)
  const most = max_completion_tokens ?? run.request.max_output_tokens
  return typeof most === 'number' ? most - engine.output : undefined
}

export function callsLeft(run: RunRow): number {
  const most = run.request.max_tool_calls
  return typeof most === 'number' ? most - stateOf(run).engine.toolCalls : Number.POSITIVE_INFINITY
}

/** How the run ends before the model is asked again; undefined where it may be. `promptTokens`: about what it would be asked with. */
export function judgeBudgets(run: RunRow, promptTokens: number, { maxTurns }: RunSettings): Ending | undefined {
  if (promptTokens > promptTokensLeft(run)) {
    return { status: 'incomplete', incompleteDetails: { reason: 'max_prompt_tokens' } }
  }
  const left = answerTokensLeft(run)
  if (left !== undefined && left <= 0) return { status: 'incomplete', incompleteDetails: { reason: cutReason(run) } }
  if (stateOf(run).engine.turns < maxTurns) return undefined
  throw new Fault(
    'upstream-rejected',
    `The run was stopped: the model was asked ${maxTurns} times and still called tools.`,
    { status: 500 },
  )
}

/** Why a run is incomplete whose answer was cut off, in the words of its API. */
export function cutReason({ kind }: RunRow): string {
  return kind === 'run' ? 'max_completion_tokens' : 'max_output_tokens'
}

/** `{status, incompleteDetails}` for an answer that did not come to its end. */
export function cutEnding(run: RunRow, reason: 'length' | 'content_filter'): Ending {
  const details: JsonObject = { reason: reason === 'length' ? cutReason(run) : 'content_filter' }
  return { status: 'incomplete', incompleteDetails: details }
}
