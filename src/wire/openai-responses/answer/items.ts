import type { TokenLogprob } from '../../../core/event.ts'
import type { Json, JsonObject } from '../../../core/json.ts'

/** Items of an answer's output, as they are when they are told whole. */

export type ItemStatus = 'in_progress' | 'completed' | 'incomplete'

/** `base` are the fields of an item that an upstream of this protocol began. */
export function messageItem(id: string, status: ItemStatus, content: Json[], base?: JsonObject): JsonObject {
  return { ...base, id, type: 'message', status, content, role: 'assistant' }
}

export function textPart(text: string, annotations: Json[] = [], logprobs: Json[] = []): JsonObject {
  return { type: 'output_text', annotations, logprobs, text }
}

export function refusalPart(refusal: string): JsonObject {
  return { type: 'refusal', refusal }
}

export function callItem(
  id: string,
  status: ItemStatus,
  callId: string,
  name: string,
  text: string,
  base?: JsonObject,
): JsonObject {
  return { ...base, id, type: 'function_call', status, arguments: text, call_id: callId, name }
}

/** Thoughts are told as a summary to those who asked for one, since that is what clients show, and otherwise as what they are. */
export type ThoughtShape = 'summary_text' | 'reasoning_text'

export function thoughtShape(request: JsonObject): ThoughtShape {
  const { reasoning } = request
  if (typeof reasoning !== 'object' || reasoning === null || Array.isArray(reasoning)) return 'reasoning_text'
  return (reasoning.summary ?? reasoning.generate_summary) ? 'summary_text' : 'reasoning_text'
}

export function reasoningItem(
  id: string,
  shape: ThoughtShape,
  texts: readonly string[],
  base?: JsonObject,
): JsonObject {
  const parts = texts.map((text) => ({ type: shape, text }))
  return shape === 'summary_text'
    ? { ...base, id, type: 'reasoning', summary: parts }
    : { ...base, id, type: 'reasoning', summary: [], ...(parts.length > 0 && { content: parts }) }
}

export function writeLogprobs(tokens: readonly TokenLogprob[]): JsonObject[] {
  return tokens.map((token) => ({ ...writeToken(token), top_logprobs: token.top.map(writeToken) }))
}

function writeToken(token: Pick<TokenLogprob, 'token' | 'logprob' | 'bytes'>): JsonObject {
  return { token: token.token, logprob: token.logprob, bytes: (token.bytes ?? []) as number[] }
}
