import type { Call, ChatCall, Source, ToolCall } from '../../core/call.ts'
import { Fault } from '../../core/fault.ts'
import { asNumber, type JsonObject } from '../../core/json.ts'
import type { AnswerResult, ChoicePiece } from '../../core/result.ts'
import { spliceModel } from '../../core/text/splice-model.ts'
import { readOpenAIFault } from '../faults/openai-upstream-fault.ts'
import { relayNamedEvents } from '../sse/relay-sse.ts'
import type { ClientEnd } from '../wire.ts'
import { readReason, readResponseEvents } from './answer/read-events.ts'
import { asText, listObjects, openItemReader } from './answer/read-items.ts'
import { carriesRest, restOf } from './answer/response-rest.ts'
import { wireName } from './schema.ts'
import { readAnyUsage, readUsage } from './usage.ts'
import { writeRequest } from './write-request.ts'

const lastEvents = ['response.completed', 'response.incomplete', 'response.failed', 'error'] as const

/** Responses spoken to OpenAI, Azure OpenAI, or a server that offers the same. None is kept there. */
export const openaiResponsesClient: ClientEnd = {
  wire: wireName,
  kind: 'chat',
  writeCall(call, model) {
    const { source } = call
    if (source?.wire === wireName) return { text: relayRequest(source, model) }
    return { text: JSON.stringify(writeRequest(asChat(call), model)) }
  },
  readResult,
  readEvents: readResponseEvents,
  relayStream: (body, watch) => relayNamedEvents(body, lastEvents, watch),
  readUsage: readAnyUsage,
  readFault: readOpenAIFault,
}

function asChat(call: Call): ChatCall {
  if (call.kind !== 'chat') throw new TypeError(`a ${call.kind} call cannot be written as a response`)
  return call
}

/** The caller's own request for `model`. Servers keep responses unless they are told not to, and nobody could ask for it later. */
function relayRequest({ text, body }: Source, model: string): string {
  const spliced = spliceModel(text, body, model)
  if (body.store === false) return spliced
  if (body.store !== undefined) return JSON.stringify({ ...JSON.parse(spliced), store: false })
  const end = spliced.lastIndexOf('}')
  return `${spliced.slice(0, end)},"store":false${spliced.slice(end)}`
}

function readResult(body: JsonObject, call: Call): AnswerResult {
  if (body.status === 'failed') readReason(body, false)
  if (!Array.isArray(body.output)) throw new Fault('upstream-failed', "The backend's answer has no output.")
  const carries = carriesRest(call)
  const items = openItemReader(carries)
  const pieces = listObjects(body.output).flatMap((item, place) => [...items.done(place, item)])
  const said = pieces.filter((piece): piece is ChoicePiece => piece.type !== 'refusal-delta')
  const logprobs = said.flatMap((piece) => (piece.type === 'text-delta' ? (piece.logprobs ?? []) : []))
  const refusal = pieces.map((piece) => (piece.type === 'refusal-delta' ? piece.text : '')).join('') || undefined
  const toolCalls = readToolCalls(said)
  const text = join(said, 'text-delta')
  return {
    kind: 'chat',
    id: asText(body.id) || undefined,
    model: asText(body.model) || undefined,
    created: asNumber(body.created_at),
    usage: readUsage(body.usage),
    rest: carries ? restOf(body) : undefined,
    choices: [
      {
        index: 0,
        text: text === '' && (toolCalls.length > 0 || refusal !== undefined) ? null : text,
        reasoning: join(said, 'reasoning-delta') || undefined,
        refusal,
        toolCalls: toolCalls.length > 0 ? toolCalls : undefined,
        finishReason: readReason(body, items.hasCalls),
        logprobs: logprobs.length > 0 ? logprobs : undefined,
        ...(carries && { pieces: said.map(withoutLogprobs) }),
      },
    ],
  }
}

function readToolCalls(pieces: readonly ChoicePiece[]): ToolCall[] {
  const calls: { id: string; name: string; arguments: string }[] = []
  for (const piece of pieces) {
    if (piece.type === 'tool-call-start') calls[piece.index] = { id: piece.id, name: piece.name, arguments: '' }
    else if (piece.type === 'tool-call-delta') {
      const call = calls[piece.index]
      if (call) call.arguments += piece.arguments
    }
  }
  return calls
}

/** The choice has those of the whole text, which is where a policy looks for them. */
function withoutLogprobs(piece: ChoicePiece): ChoicePiece {
  return piece.type === 'text-delta' ? { type: 'text-delta', choice: 0, text: piece.text } : piece
}

function join(pieces: readonly ChoicePiece[], type: 'text-delta' | 'reasoning-delta'): string {
  return pieces.map((piece) => (piece.type === type && 'text' in piece ? piece.text : '')).join('')
}
