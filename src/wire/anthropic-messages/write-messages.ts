import type { ContentPart, Message } from '../../core/call.ts'
import type { Json, JsonObject } from '../../core/json.ts'
import { dropUndefined } from '../openai-chat/client.ts'
import { refuse } from './extras.ts'
import { wireName } from './schema.ts'
import { writeToolInput } from './tool-input.ts'

/**
 * A conversation as this API has it: what the system says stands before it, wherever it was said; results of tools are blocks of
 * the user's next turn, all in one.
 */
export function writeConversation(messages: readonly Message[]): { system: Json | undefined; messages: JsonObject[] } {
  const system: JsonObject[] = []
  const turns: JsonObject[] = []
  /** The blocks of a turn that began with the result of a tool, while it may grow. */
  let results: JsonObject[] | undefined
  messages.forEach((message, index) => {
    const at = `messages[${index}]`
    if (message.name !== undefined && message.role !== 'tool' && message.role !== 'function') {
      refuse(`${at}.name`, message.name, 'the Messages API has no names of participants')
    }
    switch (message.role) {
      case 'system':
      case 'developer':
        system.push(...writeSystem(message, at))
        return
      case 'tool':
        if (!results) {
          results = []
          turns.push({ role: 'user', content: results })
        }
        results.push(writeResult(message, at))
        return
      case 'user': {
        const rest = writeRest(message, at)
        if (results && Object.keys(rest).length === 0) results.push(...writeBlocks(message.content, at))
        else turns.push({ ...rest, role: 'user', content: writeContent(message, at) })
        results = undefined
        return
      }
      case 'assistant':
        turns.push(writeAssistant(message, at))
        results = undefined
        return
      default:
        refuse(`${at}.role`, message.role, 'the Messages API knows results of tools only by the id of their call')
    }
  })
  if (turns.length === 0) refuse('messages', null, 'the Messages API wants a message of the user or the assistant')
  return { system: joinSystem(system), messages: turns }
}

/** One text is written as the string it most likely was. */
function joinSystem(blocks: readonly JsonObject[]): Json | undefined {
  if (blocks.length === 0) return undefined
  return blocks.length === 1 ? (blocks[0] as JsonObject).text : [...blocks]
}

function writeSystem(message: Message, at: string): JsonObject[] {
  refuseRest(message, at)
  const blocks = writeBlocks(message.content, at)
  const other = blocks.find(({ type }) => type !== 'text')
  if (other) refuse(`${at}.content`, other.type, `a system message of the Messages API is text, without ${other.type}`)
  return blocks
}

function writeResult(message: Message, at: string): JsonObject {
  refuseRest(message, at)
  const { content, toolCallId } = message
  if (toolCallId === undefined) refuse(`${at}.tool_call_id`, null, 'the Messages API wants the id of the tool call')
  return dropUndefined({
    type: 'tool_result',
    tool_use_id: toolCallId,
    content: content === null ? undefined : writeContent(message, at),
  })
}

function writeAssistant(message: Message, at: string): JsonObject {
  const { refusal, ...rest } = writeRest(message, at)
  const thoughts = message.hints?.wire === wireName ? (message.hints.fields.thoughts as JsonObject[]) : []
  const calls = (message.toolCalls ?? []).map(({ id, name, arguments: text }) => {
    return { type: 'tool_use', id, name, input: writeToolInput(text) }
  })
  const isPlain = typeof message.content === 'string' && thoughts.length + calls.length === 0 && refusal === undefined
  if (isPlain) return { ...rest, role: 'assistant', content: message.content }
  const refused = refusal === undefined ? [] : [{ type: 'text', text: refusal }]
  const content = [...thoughts, ...writeBlocks(message.content, at), ...refused, ...calls]
  return { ...rest, role: 'assistant', content }
}

function writeContent(message: Message, at: string): Json {
  return typeof message.content === 'string' ? message.content : writeBlocks(message.content, at)
}

/** An empty text is an error here, and says nothing. */
function writeBlocks(content: Message['content'], at: string): JsonObject[] {
  const parts: readonly ContentPart[] =
    typeof content === 'string' ? [{ type: 'text', text: content }] : (content ?? [])
  return parts.flatMap((part, index): JsonObject[] => {
    if (part.type === 'text' && part.text === '') return []
    return [writePart(part, typeof content === 'string' ? `${at}.content` : `${at}.content[${index}]`)]
  })
}

function writePart(part: ContentPart, at: string): JsonObject {
  switch (part.type) {
    case 'text':
      return { type: 'text', text: part.text }
    case 'image':
      // Images are seen in full anyway.
      if (part.detail !== undefined && part.detail !== 'auto' && part.detail !== 'high') {
        refuse(`${at}.image_url.detail`, part.detail, 'the Messages API has no levels of detail')
      }
      return { type: 'image', source: writeImageSource(part.url, at) }
    case 'audio':
    case 'audio-url':
      return refuse(at, part.type, 'the Messages API takes no audio')
    case 'other':
      if (part.wire === wireName) return part.fields
      return refuse(at, part.fields.type, `the Messages API takes no part of type ${JSON.stringify(part.fields.type)}`)
  }
}

const dataUrl = /^data:([^;,]+);base64,/

function writeImageSource(url: string, at: string): JsonObject {
  const head = dataUrl.exec(url)
  if (head) return { type: 'base64', media_type: head[1] as string, data: url.slice(head[0].length) }
  if (/^https?:/.test(url)) return { type: 'url', url }
  return refuse(`${at}.image_url.url`, null, 'it is neither an http or https URL nor base64 in a data URL')
}

/** Thoughts of an earlier turn, unsigned, are of no use to the model; empty fields come from clients that repeat an answer. */
const silentFields: ReadonlySet<string> = new Set(['reasoning_content', 'reasoning'])

/** Extra fields of a message, and its refusal, which this protocol has as a text like any other. */
function writeRest({ rest, role }: Message, at: string): JsonObject & { refusal?: string } {
  if (!rest || rest.wire === wireName) return { ...rest?.fields } as JsonObject & { refusal?: string }
  const written: { refusal?: string } = {}
  for (const [key, value] of Object.entries(rest.fields)) {
    if (value === null || silentFields.has(key) || (Array.isArray(value) && value.length === 0)) continue
    if (key === 'refusal' && role === 'assistant' && typeof value === 'string') written.refusal = value
    else refuse(`${at}.${key}`, null, 'the Messages API has no such field')
  }
  return written as JsonObject & { refusal?: string }
}

function refuseRest(message: Message, at: string): void {
  const [key] = Object.keys(writeRest(message, at))
  if (key) refuse(`${at}.${key}`, null, `a ${message.role} message of the Messages API has no such field`)
}
