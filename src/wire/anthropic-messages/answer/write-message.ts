import type { Call, Rest, ToolCall } from '../../../core/call.ts'
import { isJsonObject, type Json, type JsonObject } from '../../../core/json.ts'
import type { Choice, ChoicePiece, Result } from '../../../core/result.ts'
import { randomId } from '../../../core/text/id.ts'
import type { AnswerHead } from '../../wire.ts'
import { wireName } from '../schema.ts'
import { writeEnding } from '../stop-reason.ts'
import { writeToolInput } from '../tool-input.ts'
import { writeUsage } from '../usage.ts'
import { readCarried } from './read-blocks.ts'
import { readSigned } from './signature.ts'

/** Whole answers as the Messages API writes them. A call of this wire has one answer. */
export function writeMessage(result: Result, _call: Call, head: AnswerHead): string {
  if (result.kind === 'embed') throw new TypeError('an embedding result cannot be written as a message')
  const choice = result.choices[0]
  const told = { ...asJsonObject(fieldsOf(result.rest).usage), ...asJsonObject(fieldsOf(choice?.rest).usage) }
  return JSON.stringify({
    ...openMessage(result.id, result.model ?? head.servedModel, result.rest),
    content: choice ? writeContent(choice) : [],
    ...writeEnding(choice?.finishReason ?? null, hasTools(choice), choice?.refusal, choice?.rest, choice?.filter),
    usage: Object.keys(told).length > 0 ? told : writeUsage(result.usage),
  })
}

function asJsonObject(value: Json | undefined): JsonObject | undefined {
  return isJsonObject(value) ? value : undefined
}

/** What only this protocol has a word for. */
export function fieldsOf(rest: Rest | undefined): JsonObject {
  return rest?.wire === wireName ? rest.fields : {}
}

function hasTools(choice: Choice | undefined): boolean {
  return choice?.toolCalls !== undefined && choice.toolCalls.length > 0
}

/** A message without anything in it yet. `rest`: its other fields, where an upstream of this protocol named some. */
export function openMessage(id: string | undefined, model: string, rest: Rest | undefined): JsonObject {
  const isTold = rest?.wire === wireName
  return {
    id: id ?? `msg_${randomId(24)}`,
    type: 'message',
    role: 'assistant',
    model,
    ...(!isTold && { container: null }),
    content: [],
    ...(!isTold && { diagnostics: null }),
    ...fieldsOf(rest),
  }
}

function writeContent(choice: Choice): JsonObject[] {
  const { pieces } = choice
  // Of pieces that somebody forgot to change, nothing goes out.
  if (pieces && saysTheSame(choice, pieces)) return writeBlocks(pieces, choice.toolCalls ?? [])
  const content: JsonObject[] = []
  if (choice.reasoning) content.push(openThought(choice.reasoning))
  if (choice.text) content.push(openText(choice.text))
  for (const call of choice.toolCalls ?? []) {
    content.push({ ...openToolUse(call.id, call.name), input: writeToolInput(call.arguments) })
  }
  return content
}

function saysTheSame({ text, reasoning = '' }: Choice, pieces: readonly ChoicePiece[]): boolean {
  const join = (type: ChoicePiece['type']): string =>
    pieces.map((piece) => (piece.type === type && 'text' in piece ? piece.text : '')).join('')
  return join('text-delta') === (text ?? '') && join('reasoning-delta') === reasoning
}

function writeBlocks(pieces: readonly ChoicePiece[], toolCalls: readonly ToolCall[]): JsonObject[] {
  const blocks: JsonObject[] = []
  for (const piece of pieces) {
    const last = blocks.at(-1)
    switch (piece.type) {
      case 'message-rest': {
        const { block, signed } = fieldsOf(piece.rest)
        const carried = readCarried(block)
        if (carried) blocks.push(carried.block)
        else if (last?.type === 'thinking') {
          const signature = readSigned(signed, asText(last.thinking))
          if (signature !== undefined) last.signature = signature
        }
        break
      }
      case 'text-delta':
        if (last?.type === 'text') last.text = asText(last.text) + piece.text
        else blocks.push(openText(piece.text))
        break
      case 'reasoning-delta':
        if (last?.type === 'thinking') last.thinking = asText(last.thinking) + piece.text
        else blocks.push(openThought(piece.text))
        break
      case 'tool-call-start': {
        const call = toolCalls[piece.index]
        if (!call) break
        const begun = last?.type === 'tool_use' && last.id === '' ? blocks.pop() : undefined
        const start = { ...(begun ?? openToolUse('', '')), id: call.id, name: call.name }
        blocks.push({ ...start, input: writeToolInput(call.arguments) })
      }
    }
  }
  return blocks
}

function asText(value: Json | undefined): string {
  return typeof value === 'string' ? value : ''
}

export function openText(text: string): JsonObject {
  return { type: 'text', text, citations: null }
}

export function openThought(thinking: string): JsonObject {
  return { type: 'thinking', thinking, signature: '' }
}

export function openToolUse(id: string, name: string): JsonObject {
  return { type: 'tool_use', id, name, input: {}, caller: { type: 'direct' } }
}
