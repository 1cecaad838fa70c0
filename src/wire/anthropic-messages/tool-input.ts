import { isJsonObject, type Json, type JsonObject, parseJsonObject, setField } from '../../core/json.ts'

/**
 * The arguments of a tool call: an object here, a text elsewhere. A text that is no JSON object, as models write at times, goes
 * under the key that the API's documentation names for it, and comes back from there.
 */
const invalidKey = 'INVALID_JSON'

export function writeToolInput(text: string): JsonObject {
  return text.trim() === '' ? {} : (parseJsonObject(text) ?? { [invalidKey]: text })
}

export function readToolInput(input: Json | undefined): string {
  if (!isJsonObject(input)) return '{}'
  const invalid = input[invalidKey]
  return typeof invalid === 'string' && Object.keys(input).length === 1 ? invalid : JSON.stringify(input)
}

/**
 * A value with the names of all members as texts, since a model chooses those of what it gives a tool, and filters judge texts:
 * `{"a":1}` is `{"members":[["a",1]]}`.
 */
export function listMembers(value: Json): Json {
  if (Array.isArray(value)) return value.map(listMembers)
  if (!isJsonObject(value)) return value
  return { members: Object.entries(value).map(([name, member]) => [name, listMembers(member)]) }
}

export function joinMembers(value: Json): Json {
  if (Array.isArray(value)) return value.map(joinMembers)
  if (!isJsonObject(value)) return value
  const joined: JsonObject = {}
  for (const [name, member] of value.members as [string, Json][]) setField(joined, name, joinMembers(member))
  return joined
}
