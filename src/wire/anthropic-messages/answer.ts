import type { Call } from '../../core/call.ts'
import { randomId } from '../../core/id.ts'
import type { JsonObject } from '../../core/json.ts'
import type { Choice, Result } from '../../core/result.ts'
import type { AnswerHead } from '../wire.ts'
import { writeEnding } from './stop-reason.ts'
import { writeToolInput } from './tool-input.ts'
import { writeUsage } from './usage.ts'

/** Whole answers as the Messages API writes them. A call of this wire has one answer. */
export function writeMessage(result: Result, _call: Call, head: AnswerHead): string {
  if (result.kind === 'embed') throw new TypeError('an embedding result cannot be written as a message')
  const choice = result.choices[0]
  return JSON.stringify({
    ...openMessage(result.id, result.model ?? head.servedModel),
    content: choice ? writeContent(choice) : [],
    ...writeEnding(choice?.finishReason ?? null, hasTools(choice), choice?.refusal, choice?.rest, choice?.filter),
    usage: writeUsage(result.usage),
  })
}

function hasTools(choice: Choice | undefined): boolean {
  return choice?.toolCalls !== undefined && choice.toolCalls.length > 0
}

/** A message without anything in it yet. */
export function openMessage(id: string | undefined, model: string): JsonObject {
  return {
    id: id ?? `msg_${randomId(24)}`,
    type: 'message',
    role: 'assistant',
    model,
    container: null,
    content: [],
    diagnostics: null,
  }
}

function writeContent(choice: Choice): JsonObject[] {
  const content: JsonObject[] = []
  if (choice.reasoning) content.push({ type: 'thinking', thinking: choice.reasoning, signature: '' })
  if (choice.text) content.push({ type: 'text', text: choice.text, citations: null })
  for (const call of choice.toolCalls ?? []) {
    content.push({ ...openToolUse(call.id, call.name), input: writeToolInput(call.arguments) })
  }
  return content
}

export function openToolUse(id: string, name: string): JsonObject {
  return { type: 'tool_use', id, name, input: {}, caller: { type: 'direct' } }
}
