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
  /** The stop sequence that was met, and how this protocol said all of it. */
  readonly rest?: Rest | undefined
  /** What the model says about its refusal. */
  readonly refusal?: string | undefined
}

/**
 * Reads `stop_reason` and its company. A reason nobody has heard of ended the answer normally. `told`: what goes along for a caller of
 * this protocol.
 */
export function readEnding(fields: JsonObject, told?: JsonObject): Ending | undefined {
  const { stop_reason: reason, stop_sequence: sequence, stop_details: details } = fields
  if (typeof reason !== 'string') return undefined
  const explanation = isJsonObject(details) ? details.explanation : undefined
  const refusal = typeof explanation === 'string' && explanation !== '' ? explanation : undefined
  const said = typeof sequence === 'string' ? { stop_sequence: sequence } : undefined
  const rest =
    told && refusal !== undefined ? { ...told, stop_details: { ...(details as JsonObject), explanation: '' } } : told
  return {
    reason: readReason(reason),
    rest: rest || said ? { wire: wireName, fields: { ...said, ...rest } } : undefined,
    refusal,
  }
}

function readReason(reason: string): FinishReason {
  return finishReasons.get(reason) ?? 'stop'
}

const stopReasons: Readonly<Record<FinishReason, string>> = {
  stop: 'end_turn',
  length: 'max_tokens',
  tool_calls: 'tool_use',
  function_call: 'tool_use',
  content_filter: 'refusal',
}

/**
 * `stop_reason`, `stop_sequence` and `stop_details`, and what else an upstream of this protocol said with them. An answer that calls tools says so even where its upstream calls that a plain
 * stop, as OpenAI does for a forced tool: clients run tools by this word.
 */
export function writeEnding(
  reason: FinishReason | null,
  hasTools: boolean,
  refusal: string | undefined,
  rest: Rest | undefined,
  filter?: FilterResults,
): JsonObject {
  const fields = rest?.wire === wireName ? rest.fields : {}
  if (typeof fields.stop_reason === 'string' && readReason(fields.stop_reason) === reason) {
    return writeTold(fields, refusal)
  }
  const sequence = fields.stop_sequence ?? null
  const isRefusal = refusal !== undefined || reason === 'content_filter'
  return {
    stop_details: isRefusal
      ? { type: 'refusal', category: null, explanation: refusal ?? describeStop(reason, filter) }
      : null,
    stop_reason: isRefusal ? 'refusal' : chooseReason(reason ?? 'stop', hasTools, sequence),
    stop_sequence: sequence,
  }
}

/** As an upstream of this protocol said it. */
function writeTold({ usage: _, beside: __, ...fields }: JsonObject, refusal: string | undefined): JsonObject {
  const { stop_details: details } = fields
  if (refusal === undefined || !isJsonObject(details)) return fields
  return { ...fields, stop_details: { ...details, explanation: refusal } }
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
