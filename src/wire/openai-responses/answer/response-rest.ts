import type { Call, Rest } from '../../../core/call.ts'
import { type JsonObject, pickUnknown } from '../../../core/json.ts'
import { wireName } from '../schema.ts'

/** Whether the caller speaks this protocol. Whatever else became of its call, what it was made of stays with it. */
export function carriesRest({ hints }: Call): boolean {
  return hints?.wire === wireName
}

/** Fields of a response that are told in canonical form, or that repeat the request. */
const toldFields: ReadonlySet<string> = new Set([
  'id',
  'object',
  'created_at',
  'status',
  'background',
  'completed_at',
  'error',
  'frequency_penalty',
  'incomplete_details',
  'instructions',
  'max_output_tokens',
  'max_tool_calls',
  'model',
  'output',
  'output_text',
  'parallel_tool_calls',
  'presence_penalty',
  'previous_response_id',
  'prompt_cache_key',
  'prompt_cache_retention',
  'reasoning',
  'safety_identifier',
  'service_tier',
  'store',
  'temperature',
  'text',
  'tool_choice',
  'tools',
  'top_logprobs',
  'top_p',
  'truncation',
  'usage',
  'user',
  'metadata',
])

/** The fields beside them, such as what an upstream's own filters say. */
export function restOf(response: JsonObject): Rest | undefined {
  const fields = pickUnknown(response, toldFields)
  return fields && { wire: wireName, fields }
}
