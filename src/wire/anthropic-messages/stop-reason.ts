import type { Rest } from '../../core/call.ts'
import type { FinishReason } from '../../core/event.ts'
import type { FilterResults } from '../../core/filter/results.ts'
import { isJsonObject, type Json, type JsonObject } from '../../core/json.ts'
import { nameFiltered } from '../filter/filtered-names.ts'
import { wireName } from './schema.ts'

/** Why an answer ended, in both directions. */

const finishReasons: ReadonlyMap<string, FinishReason> = new Map([
  ['end_turn', 'stop'],
  ['stop_sequence', 'stop'],
  ['pause_turn', 'stop'],
  ['max_tokens', 'length'],
  ['model_context_window_exceeded', 'length'],
  ['tool_use', 'tool_calls'],
  ['refusal', 'content_filter'],
])

export type Ending = {
  readonly reason: FinishReason
  /** The stop sequence that was met. */
  readonly rest?: Rest | undefined
  /** What the model says about its refusal. */
  readonly refusal?: string | undefined
}

/** Reads `stop_reason` and its company. A reason nobody has heard of ended the answer normally. */
export function readEnding(fields: JsonObject): Ending | undefined {
  const { stop_reason: reason, stop_sequence: sequence, stop_details: details } = fields
  if (typeof reason !== 'string') return undefined
  const explanation = isJsonObject(details) ? details.explanation : undefined
  return {
    reason: finishReasons.get(reason) ?? 'stop',
    rest: typeof sequence === 'string' ? { wire: wireName, fields: { stop_sequence: sequence } } : undefined,
    refusal: typeof explanation === 'string' && explanation !== '' ? explanation : undefined,
  }
}

const stopReasons: Readonly<Record<FinishReason, string>> = {
  stop: 'end_turn',
  length: 'max_tokens',
  tool_calls: 'tool_use',
  function_call: 'tool_use',
  content_filter: 'refusal',
}

/**
 * `stop_reason`, `stop_sequence` and `stop_details`. An answer that calls tools says so even where its upstream calls that a plain
 * stop, as OpenAI does for a forced tool: clients run tools by this word.
 */
export function writeEnding(
  reason: FinishReason | null,
  hasTools: boolean,
  refusal: string | undefined,
  rest: Rest | undefined,
  filter?: FilterResults,
): Record<'stop_details' | 'stop_reason' | 'stop_sequence', Json> {
  const sequence = rest?.wire === wireName ? (rest.fields.stop_sequence ?? null) : null
  const isRefusal = refusal !== undefined || reason === 'content_filter'
  return {
    stop_details: isRefusal
      ? { type: 'refusal', category: null, explanation: refusal ?? describeStop(reason, filter) }
      : null,
    stop_reason: isRefusal ? 'refusal' : chooseReason(reason ?? 'stop', hasTools, sequence),
    stop_sequence: sequence,
  }
}

/** What our filters stopped an answer for: the one place where this protocol can say it. */
function describeStop(reason: FinishReason | null, filter: FilterResults | undefined): string | null {
  const names = reason === 'content_filter' && filter ? nameFiltered(filter) : ''
  return names === '' ? null : `The content filter of this deployment stopped the answer: ${names}.`
}

function chooseReason(reason: FinishReason, hasTools: boolean, sequence: Json): string {
  if (reason !== 'stop') return stopReasons[reason]
  if (hasTools) return 'tool_use'
  return sequence === null ? 'end_turn' : 'stop_sequence'
}
