import type { Event, TokenLogprob } from '../../core/event.ts'
import { Fault } from '../../core/fault.ts'
import { asNumber, isJsonObject, type Json, type JsonObject } from '../../core/json.ts'
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
  }
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
    if (!hasStarted) {
      hasStarted = true
      yield { type: 'answer-start', ...readHead(chunk) }
    }
    const choices = Array.isArray(chunk.choices) ? chunk.choices.filter(isJsonObject) : []
    for (const choice of choices.map(readChoice)) {
      open.add(choice.index)
      if (choice.text) yield { type: 'text-delta', choice: choice.index, text: choice.text, logprobs: choice.logprobs }
      if (choice.finishReason) {
        open.delete(choice.index)
        yield { type: 'choice-end', choice: choice.index, reason: choice.finishReason }
      }
    }
    const usage = readUsage(chunk.usage)
    if (usage) yield { type: 'usage', usage }
  }
  for (const choice of open) yield { type: 'choice-end', choice, reason: 'stop' }
}
