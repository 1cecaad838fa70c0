import type { Event } from '../../core/event.ts'
import { Fault } from '../../core/fault.ts'
import { isJsonObject, type Json, type JsonObject } from '../../core/json.ts'
import { parseChunk } from '../openai-chat/client.ts'
import { type Ending, readEnding } from './stop-reason.ts'
import { readToolInput } from './tool-input.ts'
import { readStreamFault } from './upstream-fault.ts'
import { readUsage } from './usage.ts'

/** A tool call that is being read. `input` stands in the block's start where a server does not stream it. */
type OpenTool = { readonly index: number; readonly input: Json | undefined; hasArguments: boolean }

/**
 * The events of a stream in canonical form. Which they are is read from their data, since some servers leave the names out. A
 * stream that ends without saying why was cut off: Fault `upstream-failed`.
 */
export async function* readMessageEvents(payloads: AsyncIterable<string>): AsyncGenerator<Event> {
  const tools = new Map<Json | undefined, OpenTool>()
  let toolCount = 0
  let ending: Ending | undefined
  let counts: JsonObject = {}
  const countTokens = (usage: Json | undefined): void => {
    // What a later event repeats as null, it does not take back.
    if (isJsonObject(usage)) counts = { ...counts, ...Object.fromEntries(Object.entries(usage).filter(isSaid)) }
  }

  for await (const payload of payloads) {
    const event = parseChunk(payload)
    const index = event.index
    switch (event.type) {
      case 'message_start': {
        const message = isJsonObject(event.message) ? event.message : {}
        countTokens(message.usage)
        yield { type: 'answer-start', id: asText(message.id), model: asText(message.model) }
        break
      }
      case 'content_block_start': {
        const block = isJsonObject(event.content_block) ? event.content_block : {}
        if (block.type === 'tool_use') {
          const tool = { index: toolCount++, input: block.input, hasArguments: false }
          tools.set(index, tool)
          const [id, name] = [asText(block.id) ?? '', asText(block.name) ?? '']
          yield { type: 'tool-call-start', choice: 0, index: tool.index, id, name }
        } else yield* readText(block)
        break
      }
      case 'content_block_delta': {
        const delta = isJsonObject(event.delta) ? event.delta : {}
        const tool = tools.get(index)
        const json = asText(delta.partial_json)
        if (tool && json) {
          tool.hasArguments = true
          yield { type: 'tool-call-delta', choice: 0, index: tool.index, arguments: json }
        } else yield* readText(delta)
        break
      }
      case 'content_block_stop': {
        const tool = tools.get(index)
        // Elsewhere the arguments of a tool without any are an empty object, never an empty text.
        if (tool && !tool.hasArguments) {
          yield { type: 'tool-call-delta', choice: 0, index: tool.index, arguments: readToolInput(tool.input) }
        }
        break
      }
      case 'message_delta':
        countTokens(event.usage)
        if (isJsonObject(event.delta)) ending = readEnding(event.delta) ?? ending
        break
      case 'error':
        throw readStreamFault(event)
    }
  }
  if (!ending) throw new Fault('upstream-failed', "The backend's stream ended before its answer did.")
  if (ending.refusal !== undefined) yield { type: 'refusal-delta', choice: 0, text: ending.refusal }
  yield { type: 'choice-end', choice: 0, reason: ending.reason, rest: ending.rest }
  const usage = readUsage(counts)
  if (usage) yield { type: 'usage', usage }
}

function isSaid([, value]: [string, Json]): boolean {
  return value !== null
}

/** The text of a block's start or of a delta. Signatures and citations are for a caller of the same protocol, who gets the bytes. */
function* readText(piece: JsonObject): Generator<Event> {
  const isThought = piece.type === 'thinking' || piece.type === 'thinking_delta'
  if (isThought && piece.thinking) yield { type: 'reasoning-delta', choice: 0, text: asText(piece.thinking) ?? '' }
  const isText = piece.type === 'text' || piece.type === 'text_delta'
  if (isText && piece.text) yield { type: 'text-delta', choice: 0, text: asText(piece.text) ?? '' }
}

function asText(value: Json | undefined): string | undefined {
  return typeof value === 'string' ? value : undefined
}
