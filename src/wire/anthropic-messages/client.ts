import type { Call, ChatCall } from '../../core/call.ts'
import { Fault } from '../../core/fault.ts'
import { isJsonObject, type JsonObject } from '../../core/json.ts'
import type { AnswerResult } from '../../core/result.ts'
import { spliceModel } from '../../core/text/splice-model.ts'
import { relayNamedEvents } from '../sse-relay.ts'
import type { ClientEnd } from '../wire.ts'
import { readMessageEvents } from './read-events.ts'
import { wireName } from './schema.ts'
import { readEnding } from './stop-reason.ts'
import { readToolInput } from './tool-input.ts'
import { readMessagesFault } from './upstream-fault.ts'
import { readAnyUsage, readUsage } from './usage.ts'
import { writeRequest } from './write-request.ts'

/** The Messages API spoken to Anthropic, or to a server that offers the same. */
export const anthropicMessagesClient: ClientEnd = {
  wire: wireName,
  kind: 'chat',
  writeCall(call, model) {
    const { source } = call
    if (source?.wire !== wireName) return { text: JSON.stringify(writeRequest(asChat(call), model)) }
    const text = spliceModel(source.text, source.body, model)
    return source.headers ? { text, headers: source.headers } : { text }
  },
  readResult,
  readEvents: readMessageEvents,
  relayStream: (body, watch) => relayNamedEvents(body, 'message_stop', watch),
  readUsage: readAnyUsage,
  readFault: readMessagesFault,
}

function asChat(call: Call): ChatCall {
  if (call.kind !== 'chat') throw new TypeError(`a ${call.kind} call cannot be written as a message`)
  return call
}

function readResult(body: JsonObject): AnswerResult {
  if (!Array.isArray(body.content)) throw new Fault('upstream-failed', "The backend's answer has no content.")
  const blocks = body.content.filter(isJsonObject)
  const calls = blocks.filter(({ type }) => type === 'tool_use')
  const ending = readEnding(body)
  const text = join(blocks, 'text')
  return {
    kind: 'chat',
    id: asText(body.id),
    model: asText(body.model),
    usage: readUsage(body.usage),
    choices: [
      {
        index: 0,
        text: text === '' && (calls.length > 0 || ending?.refusal !== undefined) ? null : text,
        reasoning: join(blocks, 'thinking') || undefined,
        refusal: ending?.refusal,
        toolCalls:
          calls.length > 0
            ? calls.map(({ id, name, input }) => ({
                id: asText(id) ?? '',
                name: asText(name) ?? '',
                arguments: readToolInput(input),
              }))
            : undefined,
        finishReason: ending?.reason ?? null,
        rest: ending?.rest,
      },
    ],
  }
}

/** The text of all blocks of a type, which is also the name of the field that holds it. */
function join(blocks: readonly JsonObject[], type: 'text' | 'thinking'): string {
  return blocks.map((block) => (block.type === type ? (asText(block[type]) ?? '') : '')).join('')
}

function asText(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined
}
