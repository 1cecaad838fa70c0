import type { Call, ChatCall, ToolCall } from '../../core/call.ts'
import { Fault } from '../../core/fault.ts'
import { type JsonObject, pickUnknown } from '../../core/json.ts'
import type { AnswerResult, ChoicePiece } from '../../core/result.ts'
import { spliceModel } from '../../core/text/splice-model.ts'
import { relayNamedEvents } from '../sse/relay-sse.ts'
import type { ClientEnd } from '../wire.ts'
import { readBlocks } from './answer/read-blocks.ts'
import { mayCarryRest, readMessageEvents } from './answer/read-events.ts'
import { wireName } from './schema.ts'
import { readEnding } from './stop-reason.ts'
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
  relayStream: (body, watch) => relayNamedEvents(body, ['message_stop', 'error'], watch),
  readUsage: readAnyUsage,
  readFault: readMessagesFault,
}

function asChat(call: Call): ChatCall {
  if (call.kind !== 'chat') throw new TypeError(`a ${call.kind} call cannot be written as a message`)
  return call
}

const endingFields: ReadonlySet<string> = new Set(['stop_reason', 'stop_sequence', 'stop_details', 'usage'])
const messageFields: ReadonlySet<string> = new Set(['id', 'type', 'role', 'model', 'content', ...endingFields])

function readResult(body: JsonObject, call: Call): AnswerResult {
  if (!Array.isArray(body.content)) throw new Fault('upstream-failed', "The backend's answer has no content.")
  const pieces = readBlocks(body.content)
  const carriesRest = mayCarryRest(call)
  const ending = readEnding(body, carriesRest ? pickKnown(body, endingFields) : undefined)
  const fields = carriesRest ? (pickUnknown(body, messageFields) ?? {}) : undefined
  const toolCalls = readToolCalls(pieces)
  const text = join(pieces, 'text-delta')
  return {
    kind: 'chat',
    id: asText(body.id),
    model: asText(body.model),
    usage: readUsage(body.usage),
    ...(fields && { rest: { wire: wireName, fields } }),
    choices: [
      {
        index: 0,
        text: text === '' && (toolCalls.length > 0 || ending?.refusal !== undefined) ? null : text,
        reasoning: join(pieces, 'reasoning-delta') || undefined,
        refusal: ending?.refusal,
        toolCalls: toolCalls.length > 0 ? toolCalls : undefined,
        finishReason: ending?.reason ?? null,
        rest: ending?.rest,
        ...(carriesRest && { pieces }),
      },
    ],
  }
}

function pickKnown(object: JsonObject, names: ReadonlySet<string>): JsonObject {
  return Object.fromEntries(Object.entries(object).filter(([name]) => names.has(name)))
}

function readToolCalls(pieces: readonly ChoicePiece[]): ToolCall[] {
  const calls: ToolCall[] = []
  for (const piece of pieces) {
    if (piece.type === 'tool-call-start') calls.push({ id: piece.id, name: piece.name, arguments: '' })
    else if (piece.type === 'tool-call-delta') {
      const call = calls[piece.index]
      if (call) calls[piece.index] = { ...call, arguments: call.arguments + piece.arguments }
    }
  }
  return calls
}

function join(pieces: readonly ChoicePiece[], type: 'text-delta' | 'reasoning-delta'): string {
  return pieces.map((piece) => (piece.type === type ? piece.text : '')).join('')
}

function asText(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined
}
