import { asNumber, isJsonObject, type Json, type JsonObject } from '../../core/json.ts'
import type { Usage } from '../../core/usage/usage.ts'

/** Token counts in both directions. */

export function readUsage(usage: Json | undefined): Usage | undefined {
  if (!isJsonObject(usage) || typeof usage.input_tokens !== 'number') return undefined
  const input = isJsonObject(usage.input_tokens_details) ? usage.input_tokens_details : {}
  const output = isJsonObject(usage.output_tokens_details) ? usage.output_tokens_details : {}
  return {
    promptTokens: usage.input_tokens,
    completionTokens: asNumber(usage.output_tokens) ?? 0,
    ...(typeof input.cached_tokens === 'number' && { cachedTokens: input.cached_tokens }),
    ...(typeof output.reasoning_tokens === 'number' && { reasoningTokens: output.reasoning_tokens }),
  }
}

/** Of a whole response, or of an event that holds one. */
export function readAnyUsage(body: JsonObject, before?: Usage): Usage | undefined {
  return readUsage(isJsonObject(body.response) ? body.response.usage : body.usage) ?? before
}

export function writeUsage(usage: Usage): JsonObject {
  return {
    input_tokens: usage.promptTokens,
    input_tokens_details: { cache_write_tokens: 0, cached_tokens: usage.cachedTokens ?? 0 },
    output_tokens: usage.completionTokens,
    output_tokens_details: { reasoning_tokens: usage.reasoningTokens ?? 0 },
    total_tokens: usage.promptTokens + usage.completionTokens,
  }
}
