import type { Rest } from '../../core/call.ts'
import { Fault } from '../../core/fault.ts'
import { isJsonObject, type Json, type JsonObject, pickUnknown, setField } from '../../core/json.ts'
import { wireName as openaiWire } from '../openai-chat/server.ts'
import { wireName } from './schema.ts'

/**
 * Request fields that the canonical form does not name, in both directions. Those that OpenAI's protocol has too cross in its
 * words; others are for an upstream of the same protocol, and refused by name elsewhere.
 */

const canonicalFields: ReadonlySet<string> = new Set([
  'model',
  'max_tokens',
  'messages',
  'system',
  'stream',
  'stop_sequences',
  'temperature',
  'top_p',
  'tools',
  'tool_choice',
])

/** The efforts that OpenAI's reasoning models know by the same word. */
const sharedEfforts: ReadonlySet<Json | undefined> = new Set(['low', 'medium', 'high', 'xhigh'])

/** `foreignTools` are tools of this protocol alone, by their place: `tools[2]`. */
export function readExtras(body: JsonObject, foreignTools: JsonObject): { hints?: Rest; rest?: Rest } {
  const hints: JsonObject = {}
  const fields: JsonObject = { ...foreignTools }
  for (const [key, given] of Object.entries(pickUnknown(body, canonicalFields) ?? {})) {
    // The format of the answer has a canonical form.
    const value = isJsonObject(given)
      ? withoutNulls(key === 'output_config' ? { ...given, format: null } : given)
      : given
    if (value === null) continue
    setField(isHint(key, value) ? hints : fields, key, value)
  }
  const rest = nameAsOpenAI(fields) ?? asRest(fields)
  return { ...(rest && { rest }), ...(asRest(hints) && { hints: { wire: wireName, fields: hints } }) }
}

/** Fields that ask for what other servers do anyway or decide for themselves: what to cache, and whether to think. */
function isHint(key: string, value: Json): boolean {
  if (key === 'cache_control') return true
  if (key === 'service_tier') return value === 'auto'
  if (key === 'speed') return value === 'standard'
  if (key !== 'thinking' || !isJsonObject(value)) return false
  return value.type === 'disabled' || value.type === 'adaptive'
}

function asRest(fields: JsonObject): Rest | undefined {
  return Object.keys(fields).length > 0 ? { wire: wireName, fields } : undefined
}

/** Null when nothing is left. */
function withoutNulls(fields: JsonObject): JsonObject | null {
  const kept = Object.entries(fields).filter(([, value]) => value !== null)
  return kept.length > 0 ? Object.fromEntries(kept) : null
}

/** The fields in OpenAI's words, if it has words for all of them. */
function nameAsOpenAI(fields: JsonObject): Rest | undefined {
  const named: JsonObject = {}
  for (const [key, value] of Object.entries(fields)) {
    if (!isJsonObject(value) || Object.keys(value).length !== 1) return undefined
    if (key === 'metadata' && value.user_id !== undefined) named.user = value.user_id
    else if (key === 'output_config' && sharedEfforts.has(value.effort)) named.reasoning_effort = value.effort as Json
    else return undefined
  }
  return Object.keys(named).length > 0 ? { wire: openaiWire, fields: named } : undefined
}

/** Extra fields of either protocol as this one writes them. Throws Fault `unsupported-value` naming a field that it has not. */
export function writeExtras(rest: Rest | undefined): JsonObject {
  if (!rest || rest.wire === wireName) return { ...rest?.fields }
  const written: JsonObject = {}
  for (const [key, value] of Object.entries(rest.fields)) {
    if (isEmpty(value) || isUsual(key, value)) continue
    if (key === 'user' || key === 'safety_identifier') written.metadata = { user_id: value }
    else if (key === 'reasoning_effort' && sharedEfforts.has(value)) written.output_config = { effort: value }
    else if (key === 'top_k' || key === 'thinking') written[key] = value
    else refuse(key, value, 'the Messages API has no such field')
  }
  return written
}

function isEmpty(value: Json): boolean {
  return value === null || (typeof value === 'object' && Object.keys(value).length === 0)
}

/** Values that say what is so anyway, or only advise about caching. */
function isUsual(key: string, value: Json): boolean {
  if (key === 'prompt_cache_key' || key === 'prompt_cache_retention') return true
  if (key === 'service_tier') return value === 'auto' || value === 'default'
  if (key === 'modalities') return Array.isArray(value) && value.every((item) => item === 'text')
  return key === 'store' && value === false
}

/** Refuses, by the caller's name for it, what the protocol cannot say. */
export function refuse(param: string, input: unknown, why: string): never {
  throw new Fault('unsupported-value', `The backend of this deployment cannot take '${param}': ${why}.`, {
    param,
    input,
  })
}
