import { type JsonObject, parseJsonObject } from '../../../core/json.ts'
import { unreadable } from '../reading.ts'

/** The JSON object that an answer is, also within a code fence; anything before or behind it makes the answer unreadable. */
export function readAnswerJson(text: string): JsonObject {
  const fenced = /^```(?:json)?\s*\n([\s\S]*?)\n?\s*```$/i.exec(text.trim())
  const answer = parseJsonObject((fenced?.[1] ?? text).trim())
  if (!answer) throw unreadable('its answer is not a JSON object')
  return answer
}
