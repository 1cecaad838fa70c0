import { asNumber, isJsonObject, type Json, type JsonObject } from '../../core/json.ts'
import type { Usage } from '../../core/usage/usage.ts'

/**
 * Token counts in both directions. Here `input_tokens` are only those that had nothing to do with a cache; elsewhere the prompt's
 * count holds all of them.
 */

export function readUsage(usage: Json | undefined): Usage | undefined {
  if (!isJsonObject(usage)) return undefined
  const { input_tokens, output_tokens, cache_creation_input_tokens, cache_read_input_tokens: cached } = usage
  if (typeof input_tokens !== 'number' && typeof output_tokens !== 'number') return undefined
  const details = usage.output_tokens_details
  const thinking = isJsonObject(details) ? details.thinking_tokens : undefined
  return {
    promptTokens: count(input_tokens) + count(cache_creation_input_tokens) + count(cached),
    completionTokens: count(output_tokens),
    ...(typeof cached === 'number' && { cachedTokens: cached }),
    ...(typeof thinking === 'number' && { reasoningTokens: thinking }),
  }
}

/** Of a whole message, or of an event that tells usage. The end of a stream repeats of the prompt's counts only some, or none. */
export function readAnyUsage(body: JsonObject, before?: Usage): Usage | undefined {
  const usage = readUsage(isJsonObject(body.message) ? body.message.usage : body.usage)
  if (!usage || !before) return usage ?? before
  return { ...before, ...usage, promptTokens: Math.max(before.promptTokens, usage.promptTokens) }
}

function count(value: Json | undefined): number {
  return asNumber(value) ?? 0
}

/** The counts that the end of a stream repeats. */
export function writeCounts(usage: Usage | undefined): JsonObject {
  const { promptTokens = 0, completionTokens = 0, cachedTokens = 0, reasoningTokens } = usage ?? {}
  return {
    cache_creation_input_tokens: 0,
    cache_read_input_tokens: cachedTokens,
    input_tokens: Math.max(0, promptTokens - cachedTokens),
    output_tokens: completionTokens,
    output_tokens_details: reasoningTokens === undefined ? null : { thinking_tokens: reasoningTokens },
    server_tool_use: null,
  }
}

export function writeUsage(usage: Usage | undefined): JsonObject {
  return { ...writeCounts(usage), cache_creation: null, inference_geo: null, service_tier: null, speed: null }
}
