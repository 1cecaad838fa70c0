import type { Rest } from '../../core/call.ts'
import type { Event, TokenLogprob } from '../../core/event.ts'
import { Fault } from '../../core/fault.ts'
import { asNumber, isJsonObject, type Json, type JsonObject, pickUnknown } from '../../core/json.ts'
import type { Choice, Result } from '../../core/result.ts'
import { readOpenAIFault } from '../faults/openai-upstream-fault.ts'
import {
  dropUndefined,
  foreignRest,
  parseChunk,
  readAnswerUsage,
  readReason,
  readUsage,
  relayCall,
  writeSampling,
} from '../openai-chat/client.ts'
import type { ClientEnd } from '../wire.ts'
import { wireName } from './server.ts'

/** Text completions spoken to an OpenAI-compatible server. */
export const openaiCompletionsClient: ClientEnd = {
  wire: wireName,
  kind: 'completion',
  writeCall(call, model, asksUsage = true) {
    if (call.source?.wire === wireName) return relayCall(call, call.source, model, asksUsage)
    if (call.kind !== 'completion') throw new TypeError(`a ${call.kind} call cannot be written as a completion`)
    const body = dropUndefined({
      ...foreignRest(call.rest, 'the request'),
      ...writeSampling(call),
      model,
      prompt: (call.prompts.length === 1 ? call.prompts[0] : call.prompts) as Json,
      max_tokens: call.maxTokens,
      suffix: call.suffix,
      echo: call.echo,
      best_of: call.bestOf,
      n: call.n === 1 ? undefined : call.n,
      logprobs: call.logprobs?.top,
      stream: call.stream || undefined,
      stream_options: call.stream && asksUsage ? { include_usage: true } : undefined,
    })
    return { text: JSON.stringify(body) }
  },
  readResult(body): Result {
    if (!Array.isArray(body.choices)) throw new Fault('upstream-failed', "The backend's answer has no choices.")
    return {
      kind: 'completion',
      ...readHead(body),
      usage: readUsage(body.usage),
      choices: body.choices.filter(isJsonObject).map(readChoice),
      rest: readRest(body, resultFields),
    }
  },
  readEvents,
  readUsage: readAnswerUsage,
  readFault: readOpenAIFault,
}

function readHead(body: JsonObject): { id?: string; model?: string; created?: number | undefined } {
  return {
    ...(typeof body.id === 'string' && { id: body.id }),
    ...(typeof body.model === 'string' && { model: body.model }),
    created: asNumber(body.created),
  }
}

function readChoice(choice: JsonObject, position: number): Choice {
  return {
    index: asNumber(choice.index) ?? position,
    text: typeof choice.text === 'string' ? choice.text : '',
    finishReason: readReason(choice.finish_reason),
    logprobs: readLogprobs(choice.logprobs),
    rest: readRest(choice, choiceFields),
  }
}

const resultFields = new Set(['id', 'object', 'created', 'model', 'choices', 'usage', 'system_fingerprint'])
const choiceFields = new Set(['index', 'finish_reason', 'text', 'logprobs'])
/** As in chats: padding is of no use any more, and an `error` of null is none. */
const chunkFields = new Set([...resultFields, 'obfuscation', 'error'])

/** Fields that the canonical form does not name, an upstream's annotations among them. */
function readRest(object: JsonObject, known: ReadonlySet<string>): Rest | undefined {
  const fields = pickUnknown(object, known)
  return fields && { wire: wireName, fields }
}

function readLogprobs(logprobs: Json | undefined): TokenLogprob[] | undefined {
  if (!isJsonObject(logprobs) || !Array.isArray(logprobs.tokens)) return undefined
  const values = Array.isArray(logprobs.token_logprobs) ? logprobs.token_logprobs : []
  const tops = Array.isArray(logprobs.top_logprobs) ? logprobs.top_logprobs : []
  return logprobs.tokens.map((token, i) => {
    const top = tops[i]
    return {
      token: String(token),
      logprob: Number(values[i] ?? 0),
      bytes: null,
      top: isJsonObject(top)
        ? Object.entries(top).map(([text, value]) => ({ token: text, logprob: Number(value), bytes: null }))
        : [],
    }
  })
}

async function* readEvents(payloads: AsyncIterable<string>): AsyncGenerator<Event> {
  let hasStarted = false
  const open = new Set<number>()
  for await (const payload of payloads) {
    const chunk = parseChunk(payload)
    if (isJsonObject(chunk.error)) throw readOpenAIFault(502, undefined, payload)
    const choices = Array.isArray(chunk.choices) ? chunk.choices.filter(isJsonObject) : []
    const rest = readRest(chunk, chunkFields)
    if (choices.length === 0 && rest) yield { type: 'answer-rest', rest }
    // Annotations of the prompt come first, in a chunk that has an empty id.
    if (!hasStarted && (choices.length > 0 || chunk.id)) {
      hasStarted = true
      yield { type: 'answer-start', ...readHead(chunk), rest: choices.length > 0 ? rest : undefined }
    }
    for (const { index, text, logprobs, finishReason, rest } of choices.map(readChoice)) {
      open.add(index)
      if (text) yield { type: 'text-delta', choice: index, text, logprobs, rest }
      if (finishReason) {
        open.delete(index)
        yield { type: 'choice-end', choice: index, reason: finishReason, rest }
      }
    }
    const usage = readUsage(chunk.usage)
    if (usage) yield { type: 'usage', usage }
  }
  for (const choice of open) yield { type: 'choice-end', choice, reason: 'stop' }
}
