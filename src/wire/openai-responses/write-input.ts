import type { ContentPart, Message } from '../../core/call.ts'
import type { Json, JsonObject } from '../../core/json.ts'
import { dropUndefined } from '../openai-chat/client.ts'
import { asObject, refuse } from './extras.ts'
import { wireName } from './schema.ts'

/**
 * A conversation as items. What the system says first are the instructions. Throws Fault `unsupported-value` naming what this protocol
 * cannot say.
 */
export function writeInput(messages: readonly Message[]): { instructions: string | undefined; input: JsonObject[] } {
  const [first] = messages
  const isInstructed =
    messages.length > 1 && first?.role === 'system' && !first.rest && typeof first.content === 'string'
  const instructions = isInstructed && first.content !== '' ? (first.content as string) : undefined
  const items = messages.flatMap((message, index) =>
    index === 0 && instructions !== undefined ? [] : writeMessage(message, `messages[${index}]`),
  )
  return { instructions, input: items }
}

function writeMessage(message: Message, at: string): JsonObject[] {
  const { role, content, name, toolCallId } = message
  if (name !== undefined && role !== 'tool' && role !== 'function') {
    refuse(`${at}.name`, name, 'the Responses API has no names of participants')
  }
  const own = ownItem(content)
  if (own) return [own]
  switch (role) {
    case 'function':
      return refuse(`${at}.role`, role, 'the Responses API knows results of functions only by the id of their call')
    case 'tool':
      if (toolCallId === undefined) refuse(`${at}.tool_call_id`, null, 'the Responses API wants the id of the call')
      writeRest(message, at)
      return [
        { type: 'function_call_output', call_id: toolCallId, output: writeContent(content ?? '', 'input_text', at) },
      ]
    case 'assistant':
      return writeAssistant(message, at)
    default: {
      const { refusal, ...rest } = writeRest(message, at)
      if (refusal !== undefined) refuse(`${at}.refusal`, refusal, 'only the assistant refuses')
      return [{ ...rest, type: 'message', role, content: writeContent(content ?? '', 'input_text', at) }]
    }
  }
}

const partTypes: ReadonlySet<Json | undefined> = new Set([
  'input_text',
  'input_image',
  'input_file',
  'input_audio',
  'output_text',
  'refusal',
])

/** An item that only this protocol knows is the one part of a message. */
function ownItem(content: Message['content']): JsonObject | undefined {
  if (content === null || typeof content === 'string' || content.length !== 1) return undefined
  const [part] = content
  return part?.type === 'other' && part.wire === wireName && !partTypes.has(part.fields.type) ? part.fields : undefined
}

function writeAssistant(message: Message, at: string): JsonObject[] {
  const { content, toolCalls = [], hints } = message
  const { refusal, ...rest } = writeRest(message, at)
  const thoughts = hints?.wire === wireName && Array.isArray(hints.fields.thoughts) ? hints.fields.thoughts : []
  const refused = refusal === undefined ? [] : [{ type: 'refusal', refusal }]
  const said =
    refused.length === 0
      ? content === null || (content === '' && toolCalls.length + thoughts.length > 0)
        ? undefined
        : writeContent(content, 'output_text', at)
      : [
          ...writeParts(typeof content === 'string' ? textParts(content) : (content ?? []), 'output_text', at),
          ...refused,
        ]
  return [
    ...thoughts.map(asObject),
    ...(said === undefined ? [] : [{ ...rest, type: 'message', role: 'assistant', content: said }]),
    ...toolCalls.map((call) => ({
      type: 'function_call',
      call_id: call.id,
      name: call.name,
      arguments: call.arguments,
    })),
  ]
}

function textParts(text: string): readonly ContentPart[] {
  return text === '' ? [] : [{ type: 'text', text }]
}

function writeContent(content: string | readonly ContentPart[], text: string, at: string): Json {
  return typeof content === 'string' ? content : writeParts(content, text, at)
}

function writeParts(parts: readonly ContentPart[], text: string, at: string): JsonObject[] {
  return parts.map((part, place) => writePart(part, text, `${at}.content[${place}]`))
}

function writePart(part: ContentPart, text: string, at: string): JsonObject {
  switch (part.type) {
    case 'text':
      return { type: text, text: part.text }
    case 'image':
      return dropUndefined({ type: 'input_image', image_url: part.url, detail: part.detail })
    case 'audio':
      return { type: 'input_audio', input_audio: { data: part.data, format: part.format } }
    case 'audio-url':
      return refuse(at, part.type, 'the Responses API takes no address of audio')
    case 'other': {
      const { type, file, refusal } = part.fields
      if (part.wire === wireName) return part.fields
      if (part.wire === 'openai-chat' && type === 'file') return { type: 'input_file', ...asObject(file) }
      if (part.wire === 'openai-chat' && type === 'refusal') return { type, refusal: refusal as string }
      return refuse(at, type, `the Responses API takes no part of type ${JSON.stringify(type)}`)
    }
  }
}

/** Thoughts of an earlier turn, unsealed, are of no use to the model; empty fields come from clients that repeat an answer. */
const silentFields: ReadonlySet<string> = new Set(['reasoning_content', 'reasoning', 'annotations'])

/** Extra fields of a message, and its refusal, which this protocol has as a part of the content. */
function writeRest({ rest, role }: Message, at: string): JsonObject & { refusal?: string } {
  if (!rest || rest.wire === wireName) return { ...rest?.fields } as JsonObject & { refusal?: string }
  const written: { refusal?: string } = {}
  for (const [key, value] of Object.entries(rest.fields)) {
    if (value === null || silentFields.has(key) || (Array.isArray(value) && value.length === 0)) continue
    if (key === 'refusal' && role === 'assistant' && typeof value === 'string') written.refusal = value
    else refuse(`${at}.${key}`, null, 'the Responses API has no such field')
  }
  return written as JsonObject & { refusal?: string }
}
