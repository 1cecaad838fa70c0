import { isJsonObject, type Json, type JsonObject } from '../../core/json.ts'

/**
 * The arguments of a tool call: an object here, a text elsewhere. A text that is no JSON object, as models write at times, goes
 * under the key that the API's documentation names for it, and comes back from there.
 */
const invalidKey = 'INVALID_JSON'

export function writeToolInput(text: string): JsonObject {
  if (text.trim() === '') return {}
  try {
    const value: Json = JSON.parse(text)
    if (isJsonObject(value)) return value
  } catch {
    // falls through
  }
  return { [invalidKey]: text }
}

export function readToolInput(input: Json | undefined): string {
  if (!isJsonObject(input)) return '{}'
  const invalid = input[invalidKey]
  return typeof invalid === 'string' && Object.keys(input).length === 1 ? invalid : JSON.stringify(input)
}
