import type { Fault } from '../../core/fault.ts'
import { isJsonObject, type Json, type JsonObject } from '../../core/json.ts'
import { readOpenAIFault } from '../faults/openai-upstream-fault.ts'

/** Codes and types of errors that came with status 200, where they stand for the status. */
const statuses: ReadonlyMap<Json | undefined, number> = new Map<Json | undefined, number>([
  ['rate_limit_exceeded', 429],
  ['too_many_requests', 429],
  ['invalid_prompt', 400],
  ['invalid_request_error', 400],
  ['context_length_exceeded', 400],
  ['content_filter', 400],
])

/** The error of a response that failed, or of an event `error`: some servers put its fields beside its type, some into `error`. */
export function readLateFault(error: JsonObject): Fault {
  const { code = null, message, param = null, type = null } = isJsonObject(error.error) ? error.error : error
  const word = typeof code === 'string' ? code : type
  const status = statuses.get(word) ?? statuses.get(type) ?? (String(word).startsWith('invalid_') ? 400 : 500)
  const text = typeof message === 'string' ? message : 'The backend gave no message.'
  return readOpenAIFault(status, undefined, JSON.stringify({ error: { code, message: text, param, type } }))
}
