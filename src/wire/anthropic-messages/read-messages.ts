import type { ContentPart, Message, ToolCall } from '../../core/call.ts'
import { type JsonObject, pickUnknown } from '../../core/json.ts'
import { readBody } from '../read-body.ts'
import {
  type Block,
  blockSchemas,
  type ImageBlock,
  type MessageBody,
  messageSchema,
  type RequestBody,
  type ToolResultBlock,
  wireName,
} from './schema.ts'
import { readToolInput } from './tool-input.ts'

/**
 * The conversation in canonical form: results of tools are messages of their own there. A block that says more than that form
 * holds is kept whole, for an upstream of the same protocol; any other refuses it by its type.
 */

export function readSystem(system: RequestBody['system']): Message[] {
  if (system === null || system === undefined) return []
  if (typeof system === 'string') return [{ role: 'system', content: system }]
  return [{ role: 'system', content: system.map(({ text }) => ({ type: 'text', text })) }]
}

const messageFields: ReadonlySet<string> = new Set(Object.keys(messageSchema.shape))

export function readMessage(message: MessageBody, index: number): Message[] {
  const { role, content } = message
  const unknown = pickUnknown(message as JsonObject, messageFields)
  const rest = unknown && { wire: wireName, fields: unknown }
  if (typeof content === 'string') return [{ role, content, rest }]
  const at = ['messages', index, 'content']
  const blocks = content.map((block, position) => readBlock(block as JsonObject, [...at, position]))
  return role === 'assistant' ? [readAssistant(blocks, rest)] : readOther(role, blocks, rest, at)
}

/** A block of a type that is known, and says nothing beyond it; otherwise as it came. */
type ReadBlock = Block | { readonly type: 'whole'; readonly block: JsonObject }

/** Caching is the upstream's affair; what an earlier answer cited, and who called a tool directly, asks nothing of the next one. */
const silentFields: ReadonlySet<string> = new Set(['cache_control', 'citations', 'caller'])

function readBlock(block: JsonObject, at: readonly PropertyKey[]): ReadBlock {
  if (!Object.hasOwn(blockSchemas, block.type as string)) return { type: 'whole', block }
  const schema = blockSchemas[block.type as keyof typeof blockSchemas]
  const known: Block = readBody(schema, block, at)
  for (const key in block) {
    if (!Object.hasOwn(schema.shape, key) && !silentFields.has(key) && block[key] !== null)
      return { type: 'whole', block }
  }
  return known
}

function readAssistant(blocks: readonly ReadBlock[], rest: Message['rest']): Message {
  const content: ContentPart[] = []
  const toolCalls: ToolCall[] = []
  const thoughts: JsonObject[] = []
  for (const block of blocks) {
    if (block.type === 'tool_use') {
      toolCalls.push({ id: block.id, name: block.name, arguments: readToolInput(block.input as JsonObject) })
    } else if (block.type === 'thinking' || block.type === 'redacted_thinking') thoughts.push(block as JsonObject)
    else content.push(readPart(block))
  }
  return {
    role: 'assistant',
    content: content.length > 0 ? content : null,
    toolCalls: toolCalls.length > 0 ? toolCalls : undefined,
    rest,
    // Only the model that had them, and signed them, has a use for them.
    hints: thoughts.length > 0 ? { wire: wireName, fields: { thoughts } } : undefined,
  }
}

/** Messages in the order of their blocks: each result of a tool is one, and so is what stands between two of them. */
function readOther(
  role: 'user' | 'system',
  blocks: readonly ReadBlock[],
  rest: Message['rest'],
  at: readonly PropertyKey[],
): Message[] {
  const messages: Message[] = []
  let parts: ContentPart[] = []
  const closeParts = (): void => {
    if (parts.length > 0) messages.push({ role, content: parts, rest })
    parts = []
  }
  blocks.forEach((block, position) => {
    if (block.type === 'tool_result') {
      closeParts()
      messages.push(readToolResult(block, [...at, position, 'content']))
    } else parts.push(readPart(block))
  })
  closeParts()
  return messages.length > 0 ? messages : [{ role, content: [], rest }]
}

/** No other protocol marks a result as failed, so its text says it. */
function readToolResult(block: ToolResultBlock, at: readonly PropertyKey[]): Message {
  const { tool_use_id: toolCallId, content, is_error: isError } = block
  const parts =
    typeof content === 'object' && content !== null
      ? content.map((inner, index) => readPart(readBlock(inner as JsonObject, [...at, index])))
      : (content ?? '')
  return { role: 'tool', toolCallId, content: isError ? markFailed(parts) : parts }
}

function markFailed(content: string | ContentPart[]): string | ContentPart[] {
  if (typeof content !== 'string') return [{ type: 'text', text: 'Error:' }, ...content]
  return content === '' ? 'Error' : `Error: ${content}`
}

function readPart(block: ReadBlock): ContentPart {
  if (block.type === 'text') return { type: 'text', text: block.text }
  if (block.type === 'image') return readImage(block)
  return { type: 'other', wire: wireName, fields: block.type === 'whole' ? block.block : (block as JsonObject) }
}

function readImage(block: ImageBlock): ContentPart {
  const { type, media_type, data, url } = block.source
  if (type === 'url' && url !== undefined) return { type: 'image', url }
  if (type === 'base64' && media_type !== undefined && data !== undefined) {
    return { type: 'image', url: `data:${media_type};base64,${data}` }
  }
  return { type: 'other', wire: wireName, fields: block as JsonObject }
}
