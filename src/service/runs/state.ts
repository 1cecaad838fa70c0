import { isJsonObject, type JsonObject } from '../../core/json.ts'
import type { RunRow, RunStatus } from '../../port/tables/runs/port.ts'

/**
 * What a run's `state` says to the engine. The first fields are set by whoever makes the run, in the words of his API; `engine` is how far it
 * is, and `waiting` are the calls of functions that it waits for, as items. Everything else there is the API's own.
 */
export type RunState = {
  /** What happens when the model calls functions of the caller: the run waits for their outputs, or ends with the calls. `end` when absent. */
  readonly functions?: 'wait' | 'end' | undefined
  /** Tokens that all prompts, and all answers, may have together. */
  readonly max_prompt_tokens?: number | undefined
  readonly max_completion_tokens?: number | undefined
  /** `{type: 'auto'}`, `{type: 'disabled'}`, `{type: 'last_messages', last_messages: 10}`; else as the request's `truncation` says. */
  readonly truncation_strategy?: { readonly type: string; readonly last_messages?: number | null } | undefined
  readonly engine: EngineState
}

export type EngineState = {
  /** The number of the next event, where everything that was told has been written. */
  readonly next: number
  /** What comes next: the model is asked, or what it has called is done. */
  readonly phase: 'model' | 'tools'
  readonly turns: number
  readonly toolCalls: number
  readonly input: number
  readonly cached: number
  readonly output: number
  readonly reasoning: number
  /** Whether another server may go on with it. */
  readonly isDurable: boolean
}

export function firstState(isDurable: boolean): EngineState {
  return { next: 0, phase: 'model', turns: 0, toolCalls: 0, input: 0, cached: 0, output: 0, reasoning: 0, isDurable }
}

export function stateOf(run: RunRow): RunState {
  const state = run.state as unknown as RunState
  return isJsonObject(run.state.engine) ? state : { ...state, engine: firstState(true) }
}

export function withEngine(run: RunRow, change: Partial<EngineState>): RunRow {
  return { ...run, state: { ...run.state, engine: { ...stateOf(run).engine, ...change } as JsonObject } }
}

/** The tokens of all calls so far, as a run shows them. */
export function usageOf({ input, cached, output, reasoning }: Omit<EngineState, 'next' | 'phase'>): JsonObject {
  return {
    input_tokens: input,
    input_tokens_details: { cached_tokens: cached },
    output_tokens: output,
    output_tokens_details: { reasoning_tokens: reasoning },
    total_tokens: input + output,
  }
}

const endings: ReadonlySet<RunStatus> = new Set(['cancelled', 'failed', 'completed', 'incomplete', 'expired'])

export function hasEnded({ status }: Pick<RunRow, 'status'>): boolean {
  return endings.has(status)
}

/** Whether nothing of it goes on until somebody does something. */
export function isResting(run: Pick<RunRow, 'status'>): boolean {
  return hasEnded(run) || run.status === 'requires_action'
}
