import type { Rest } from '../../core/call.ts'
import { Fault } from '../../core/fault.ts'
import { isJsonObject, type Json, type JsonObject, pickUnknown } from '../../core/json.ts'
import { wireName as chatWire } from '../openai-chat/server.ts'
import { ownFieldNames, wireName } from './schema.ts'

/**
 * Request fields that the canonical form does not name, in both directions. Those that chats have too cross in their words; others are
 * for an upstream of the same protocol, and refused by name elsewhere.
 */

/** Fields with the same name and meaning in a chat. */
const sharedFields: ReadonlySet<string> = new Set(['user', 'safety_identifier', 'prompt_cache_key', 'service_tier'])

/** `foreign` are fields, tools and choices of this protocol alone, by their place: `tools[2]`. */
export function readExtras(body: JsonObject, foreign: JsonObject): Rest | undefined {
  const fields: JsonObject = { ...foreign }
  const shared: JsonObject = {}
  for (const [name, value] of Object.entries(pickUnknown(body, ownFieldNames) ?? {})) {
    if (value === null || isUsual(name, value)) continue
    if (sharedFields.has(name)) shared[name] = value
    else fields[name] = value
  }
  const { effort, summary: _, generate_summary: __, ...reasoning } = asObject(body.reasoning)
  const { verbosity, format: ___, ...text } = asObject(body.text)
  if (isSaid(reasoning)) fields.reasoning = reasoning
  if (isSaid(text)) fields.text = text
  if (Object.keys(fields).length > 0) {
    if (isGiven(effort)) fields.reasoning = { ...asObject(fields.reasoning), effort }
    if (isGiven(verbosity)) fields.text = { ...asObject(fields.text), verbosity }
    return { wire: wireName, fields: { ...fields, ...shared } }
  }
  if (isGiven(effort)) shared.reasoning_effort = effort
  if (isGiven(verbosity)) shared.verbosity = verbosity
  return Object.keys(shared).length > 0 ? { wire: chatWire, fields: shared } : undefined
}

/** Values that say what is so anyway, and a limit to calls of tools that are built in, which no chat has. */
function isUsual(name: string, value: Json): boolean {
  return (name === 'truncation' && value === 'disabled') || name === 'max_tool_calls'
}

/** Fields of the request that only advise, or concern how the answer is told: from the request as it came, where it was one of this protocol. */
const advice = ['include', 'max_tool_calls', 'metadata'] as const

export type Extras = {
  readonly fields: JsonObject
  readonly reasoning: JsonObject
  readonly text: JsonObject
}

/** Extra fields of either protocol as this one writes them. Throws Fault `unsupported-value` naming a field that it has not. */
export function writeExtras(rest: Rest | undefined, hints: Rest | undefined): Extras {
  const asked = hints?.wire === wireName ? hints.fields : {}
  const fields: JsonObject = {}
  for (const name of advice) if (isGiven(asked[name])) fields[name] = asked[name]
  const { summary, generate_summary } = asObject(asked.reasoning)
  const told: JsonObject = {
    ...(isGiven(summary) && { summary }),
    ...(isGiven(generate_summary) && { generate_summary }),
  }
  if (!rest || rest.wire === wireName) {
    const { reasoning, text, ...others } = rest?.fields ?? {}
    return { fields: { ...fields, ...others }, reasoning: { ...told, ...asObject(reasoning) }, text: asObject(text) }
  }
  const text: JsonObject = {}
  for (const [name, value] of Object.entries(rest.fields)) {
    if (isEmpty(value) || isPlain(name, value)) continue
    if (name === 'reasoning_effort') told.effort = value
    else if (name === 'verbosity') text.verbosity = value
    else if (sharedFields.has(name) || name === 'metadata' || name === 'prompt_cache_retention') fields[name] = value
    else refuse(name, value, 'the Responses API has no such field')
  }
  return { fields, reasoning: told, text }
}

function isEmpty(value: Json): boolean {
  return value === null || (typeof value === 'object' && Object.keys(value).length === 0)
}

/** Values of a chat's fields that ask for what this protocol does anyway. */
function isPlain(name: string, value: Json): boolean {
  if (name === 'modalities') return Array.isArray(value) && value.every((item) => item === 'text')
  return name === 'store' && value === false
}

/** Refuses, by the caller's name for it, what the protocol cannot say. */
export function refuse(param: string, input: unknown, why: string): never {
  throw new Fault('unsupported-value', `The backend of this deployment cannot take '${param}': ${why}.`, {
    param,
    input,
  })
}

export function asObject(value: Json | undefined): JsonObject {
  return isJsonObject(value) ? value : {}
}

function isSaid(fields: JsonObject): boolean {
  return Object.values(fields).some(isGiven)
}

function isGiven(value: Json | undefined): value is Exclude<Json, null> {
  return value !== undefined && value !== null
}
