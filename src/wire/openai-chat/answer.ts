import type { Call, ChatCall, Rest, ToolCall } from '../../core/call.ts'
import type { Event, TokenLogprob } from '../../core/event.ts'
import { randomId } from '../../core/id.ts'
import type { JsonObject } from '../../core/json.ts'
import type { Choice, Result } from '../../core/result.ts'
import type { Usage } from '../../core/usage/usage.ts'
import type { AnswerHead, EventWriter } from '../wire.ts'
import { writeFunctionCall, writeReason } from './functions.ts'

/** Writes answers in the shape of Azure OpenAI's chat completions. */

export function writeChatResult(result: Result, call: Call, head: AnswerHead): string {
  if (result.kind === 'embed') throw new TypeError('an embedding result cannot be written as a chat completion')
  return JSON.stringify({
    ...restFields(result.rest),
    choices: result.choices.map((choice) => writeChoice(choice, call as ChatCall)),
    created: result.created ?? head.created,
    id: result.id ?? `chatcmpl-${randomId(29)}`,
    model: result.model ?? head.servedModel,
    object: 'chat.completion',
    ...toldTier(call, head),
    system_fingerprint: result.systemFingerprint ?? null,
    usage: result.usage && writeUsage(result.usage),
  })
}

/** The tier that served the call, for those who asked for one. It wins over what a backend says, which was not asked for the same. */
function toldTier(call: Call, { serviceTier }: AnswerHead): { readonly service_tier: string } | undefined {
  // Without its source a call was changed on its way, which the limiter does to those that ask.
  const asked = call.source ? call.source.body.service_tier : serviceTier
  return serviceTier !== undefined && asked !== undefined && asked !== null ? { service_tier: serviceTier } : undefined
}

function writeChoice(choice: Choice, call: ChatCall): JsonObject {
  const message: JsonObject = {
    ...restFields(choice.messageRest),
    content: choice.text,
    refusal: choice.refusal ?? null,
    role: 'assistant',
  }
  if (choice.reasoning !== undefined) message.reasoning_content = choice.reasoning
  Object.assign(message, writeCalls(choice.toolCalls, call))
  return {
    ...restFields(choice.rest),
    finish_reason: choice.finishReason && writeReason(choice.finishReason, call),
    index: choice.index,
    logprobs: choice.logprobs ? { content: choice.logprobs.map(writeLogprob), refusal: null } : null,
    message,
  }
}

/** The calls of a message, in the shape that the caller's request had. */
export function writeCalls(calls: readonly ToolCall[] | undefined, call: ChatCall): JsonObject | undefined {
  if (!calls) return undefined
  if (!call.hasLegacyFunctions) return { tool_calls: calls.map(writeToolCall) }
  const functionCall = writeFunctionCall(calls)
  return functionCall && { function_call: functionCall }
}

function writeToolCall(call: ToolCall): JsonObject {
  return { function: { arguments: call.arguments, name: call.name }, id: call.id, type: 'function' }
}

export function writeLogprob(token: TokenLogprob): JsonObject {
  return {
    token: token.token,
    logprob: token.logprob,
    bytes: token.bytes as number[] | null,
    top_logprobs: token.top.map((top) => ({
      token: top.token,
      logprob: top.logprob,
      bytes: top.bytes as number[] | null,
    })),
  }
}

export function writeUsage(usage: Usage): JsonObject {
  return {
    completion_tokens: usage.completionTokens,
    completion_tokens_details: {
      accepted_prediction_tokens: 0,
      audio_tokens: 0,
      reasoning_tokens: usage.reasoningTokens ?? 0,
      rejected_prediction_tokens: 0,
    },
    prompt_tokens: usage.promptTokens,
    prompt_tokens_details: { audio_tokens: 0, cached_tokens: usage.cachedTokens ?? 0 },
    total_tokens: usage.promptTokens + usage.completionTokens,
  }
}

/** Fields that another protocol would not know are written only where they came from a sibling of this one. */
export function restFields(rest: Rest | undefined): JsonObject | undefined {
  return rest?.wire === 'openai-chat' ? rest.fields : undefined
}

/**
 * One `data:` line per event: role first, finish reason always, usage in a chunk of its own and only if asked for. Text chunks,
 * the bulk of a stream, are joined from parts computed once.
 */
export function openChatStream(call: Call, head: AnswerHead): EventWriter {
  const chat = call as ChatCall
  const usageKey = call.includeUsage ? ',"usage":null' : ''
  const started = new Set<number>()
  let tail = ''
  let usage: Usage | undefined
  const tier = toldTier(chat, head)
  const setHead = (id: string, created: number, model: string, fingerprint: string | null, rest?: Rest): void => {
    tail = `${writeMore(tier ? { ...restFields(rest), ...tier } : restFields(rest))},"created":${created},"id":${JSON.stringify(id)},"model":${JSON.stringify(model)},"object":"chat.completion.chunk","system_fingerprint":${JSON.stringify(fingerprint)}`
  }
  setHead(`chatcmpl-${randomId(29)}`, head.created, head.servedModel, null)

  const chunk = (choice: number, delta: string, reason: string | null, logprobs: string, extra = ''): string =>
    `data: {"choices":[{${extra}"delta":${delta},"finish_reason":${reason === null ? 'null' : `"${reason}"`},"index":${choice},"logprobs":${logprobs}}]${tail}${usageKey}}\n\n`
  const begin = (choice: number): string => {
    if (started.has(choice)) return ''
    started.add(choice)
    return chunk(choice, '{"content":"","refusal":null,"role":"assistant"}', null, 'null')
  }

  return {
    write(event: Event): string {
      switch (event.type) {
        case 'answer-start':
          setHead(
            event.id ?? `chatcmpl-${randomId(29)}`,
            event.created ?? head.created,
            event.model ?? head.servedModel,
            event.systemFingerprint ?? null,
            event.rest,
          )
          return ''
        case 'usage':
          usage = event.usage
          return ''
        case 'answer-rest':
          return writeAnswerRest(event.rest)
        case 'choice-end':
          return (
            begin(event.choice) +
            chunk(event.choice, '{}', writeReason(event.reason, chat), 'null', writeExtra(restFields(event.rest)))
          )
        case 'text-delta': {
          const logprobs = event.logprobs
            ? `{"content":${JSON.stringify(event.logprobs.map(writeLogprob))},"refusal":null}`
            : 'null'
          const extra = writeExtra(restFields(event.rest))
          return (
            begin(event.choice) +
            chunk(event.choice, `{"content":${JSON.stringify(event.text)}}`, null, logprobs, extra)
          )
        }
        default: {
          const delta = writeDelta(event, chat)
          return delta && begin(event.choice) + chunk(event.choice, delta, null, 'null')
        }
      }
    },
    end(): string {
      const last =
        call.includeUsage && usage ? `data: {"choices":[]${tail},"usage":${JSON.stringify(writeUsage(usage))}}\n\n` : ''
      return `${last}data: [DONE]\n\n`
    },
  }
}

/** A chunk without choices or an id, as the service sends its annotations of the prompt: every client takes it. */
export function writeAnswerRest(rest: Rest): string {
  return `data: {"choices":[],"created":0,"id":"","model":"","object":""${writeMore(restFields(rest))}}\n\n`
}

type DeltaEvent = Exclude<Event, { type: 'answer-start' | 'answer-rest' | 'usage' | 'choice-end' | 'text-delta' }>

/** The delta of an event; empty for a call that the caller's side has no place for. */
export function writeDelta(event: DeltaEvent, call: ChatCall): string {
  if (call.hasLegacyFunctions && (event.type === 'tool-call-start' || event.type === 'tool-call-delta')) {
    if (event.index > 0) return ''
    const isStart = event.type === 'tool-call-start'
    return JSON.stringify({
      function_call: isStart ? { arguments: '', name: event.name } : { arguments: event.arguments },
    })
  }
  switch (event.type) {
    case 'message-rest':
      return JSON.stringify(restFields(event.rest) ?? {})
    case 'reasoning-delta':
      return JSON.stringify({ reasoning_content: event.text })
    case 'refusal-delta':
      return JSON.stringify({ refusal: event.text })
    case 'tool-call-start':
      return JSON.stringify({
        tool_calls: [
          { function: { arguments: '', name: event.name }, id: event.id, index: event.index, type: 'function' },
        ],
      })
    case 'tool-call-delta':
      return JSON.stringify({ tool_calls: [{ function: { arguments: event.arguments }, index: event.index }] })
  }
}

/** Fields put after others, with the comma before them. */
export function writeMore(fields: JsonObject | undefined): string {
  return fields ? `,${JSON.stringify(fields).slice(1, -1)}` : ''
}

function writeExtra(fields: JsonObject | undefined): string {
  return fields ? `${JSON.stringify(fields).slice(1, -1)},` : ''
}
