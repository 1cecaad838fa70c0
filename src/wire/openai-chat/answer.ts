import type { Call, ChatCall, Rest, ToolCall } from '../../core/call.ts'
import type { Event, TokenLogprob } from '../../core/event.ts'
import type { FilterResults } from '../../core/filter/results.ts'
import type { JsonObject } from '../../core/json.ts'
import type { AnswerResult, Choice, Result } from '../../core/result.ts'
import { randomId } from '../../core/text/id.ts'
import type { Usage } from '../../core/usage/usage.ts'
import { addResults, explanationFields, writePromptResults } from '../filter/annotations.ts'
import { openStreamAnnotations, writeMore, writeOffsets, writeStrictAnnotation } from '../filter/stream-annotations.ts'
import type { AnswerHead, EventWriter } from '../wire.ts'
import { writeFunctionCall, writeReason } from './functions.ts'

/** Writes answers in the shape of Azure OpenAI's chat completions. */

export function writeChatResult(result: Result, call: Call, head: AnswerHead): string {
  if (result.kind === 'embed') throw new TypeError('an embedding result cannot be written as a chat completion')
  const rest = restFields(result.rest)
  return JSON.stringify({
    ...rest,
    choices: result.choices.map((choice) => writeChoice(choice, call as ChatCall)),
    ...explanationFields(result.explanations),
    created: result.created ?? head.created,
    id: result.id ?? `chatcmpl-${randomId(29)}`,
    model: result.model ?? head.servedModel,
    object: 'chat.completion',
    ...promptFields(result, rest),
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

/** What our filters say of the prompt of a whole answer, whose upstream's own word is among the fields of `rest`. */
export function promptFields(
  { promptFilter }: AnswerResult,
  rest: JsonObject | undefined,
  prompts = 1,
): JsonObject | undefined {
  return (
    promptFilter && { prompt_filter_results: writePromptResults(promptFilter, rest?.prompt_filter_results, prompts) }
  )
}

/** Further fields of a choice, and what our filters say of it. */
export function choiceFields({ filter }: Choice, rest: JsonObject | undefined): JsonObject | undefined {
  return filter ? addResults(filter, rest) : rest
}

/**
 * Whether our filters kept the whole answer back. The service leaves such a choice without a message; clients of typed languages
 * count on one, so it has one without content. What else a message holds might tell what was kept back.
 */
export function isKeptBack({ filter, finishReason, text, toolCalls }: Choice): boolean {
  return filter !== undefined && finishReason === 'content_filter' && text === null && !toolCalls?.length
}

function writeChoice(choice: Choice, call: ChatCall): JsonObject {
  const isGone = isKeptBack(choice)
  const message: JsonObject = {
    ...(!isGone && restFields(choice.messageRest)),
    content: choice.text,
    refusal: choice.refusal ?? null,
    role: 'assistant',
  }
  if (choice.reasoning !== undefined) message.reasoning_content = choice.reasoning
  Object.assign(message, writeCalls(choice.toolCalls, call))
  return {
    ...choiceFields(choice, restFields(choice.rest)),
    finish_reason: choice.finishReason && writeReason(choice.finishReason, call),
    index: choice.index,
    logprobs: choice.logprobs && !isGone ? { content: choice.logprobs.map(writeLogprob), refusal: null } : null,
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
  const notes = openStreamAnnotations()
  const setHead = (id: string, created: number, model: string, fingerprint: string | null, rest?: JsonObject): void => {
    tail = `${writeMore(tier ? { ...rest, ...tier } : rest)},"created":${created},"id":${JSON.stringify(id)},"model":${JSON.stringify(model)},"object":"chat.completion.chunk","system_fingerprint":${JSON.stringify(fingerprint)}`
  }
  setHead(`chatcmpl-${randomId(29)}`, head.created, head.servedModel, null)

  const chunk = (
    choice: number,
    delta: string,
    reason: string | null,
    logprobs: string,
    extra = '',
    why = '',
  ): string =>
    `data: {"choices":[{${extra}"delta":${delta},"finish_reason":${reason === null ? 'null' : `"${reason}"`},"index":${choice},"logprobs":${logprobs}}]${why}${tail}${usageKey}}\n\n`
  /** The role comes first. Where the choice is annotated it has an annotation already, which says nothing yet. */
  const begin = (choice: number, filter?: FilterResults): string => {
    if (started.has(choice)) return ''
    started.add(choice)
    const extra = filter ? '"content_filter_results":{},' : ''
    return chunk(choice, '{"content":"","refusal":null,"role":"assistant"}', null, 'null', extra)
  }

  const write = (event: Exclude<Event, { type: 'prompt-filter' | 'answer-rest' | 'answer-start' }>): string => {
    switch (event.type) {
      case 'usage':
        usage = event.usage
        return ''
      case 'choice-filter': {
        const results = notes.writeChoice(event.results)
        return (
          begin(event.choice) +
          (event.isStrict
            ? writeStrictAnnotation(event.choice, results, event.offsets, call.includeUsage)
            : chunk(event.choice, '{}', null, 'null', results + writeOffsets(event.offsets)))
        )
      }
      case 'choice-end': {
        const extra = notes.writeChoice(event.filter, restFields(event.rest))
        const why = writeMore(explanationFields(event.explanations))
        return (
          begin(event.choice, event.filter) +
          chunk(event.choice, '{}', writeReason(event.reason, chat), 'null', extra, why)
        )
      }
      case 'text-delta': {
        const logprobs = event.logprobs
          ? `{"content":${JSON.stringify(event.logprobs.map(writeLogprob))},"refusal":null}`
          : 'null'
        const extra = notes.writeChoice(event.filter, restFields(event.rest))
        return (
          begin(event.choice, event.filter) +
          chunk(event.choice, `{"content":${JSON.stringify(event.text)}}`, null, logprobs, extra)
        )
      }
      default: {
        const delta = writeDelta(event, chat)
        const filter = filterOf(event)
        return (
          delta && begin(event.choice, filter) + chunk(event.choice, delta, null, 'null', notes.writeChoice(filter))
        )
      }
    }
  }

  return {
    write(event: Event): string {
      switch (event.type) {
        case 'prompt-filter':
          notes.hold(event)
          return ''
        case 'answer-rest':
          return notes.writeFields(restFields(event.rest))
        case 'answer-start':
          setHead(
            event.id ?? `chatcmpl-${randomId(29)}`,
            event.created ?? head.created,
            event.model ?? head.servedModel,
            event.systemFingerprint ?? null,
            notes.takePrompt(restFields(event.rest)),
          )
          return notes.flush()
        default:
          return notes.flush() + write(event)
      }
    },
    end(): string {
      const last =
        call.includeUsage && usage ? `data: {"choices":[]${tail},"usage":${JSON.stringify(writeUsage(usage))}}\n\n` : ''
      return `${notes.flush()}${last}data: [DONE]\n\n`
    },
  }
}

type DeltaEvent = Extract<
  Event,
  { type: 'message-rest' | 'reasoning-delta' | 'refusal-delta' | 'tool-call-start' | 'tool-call-delta' }
>

/** What our filters say of the choice with that delta. */
export function filterOf(event: DeltaEvent): FilterResults | undefined {
  return 'filter' in event ? event.filter : undefined
}

/** The delta of an event; empty for what the caller's side has no place for. */
export function writeDelta(event: DeltaEvent, call: ChatCall): string {
  if (call.hasLegacyFunctions && (event.type === 'tool-call-start' || event.type === 'tool-call-delta')) {
    if (event.index > 0) return ''
    const isStart = event.type === 'tool-call-start'
    return JSON.stringify({
      function_call: isStart ? { arguments: '', name: event.name } : { arguments: event.arguments },
    })
  }
  switch (event.type) {
    case 'message-rest': {
      const fields = restFields(event.rest)
      return fields ? JSON.stringify(fields) : ''
    }
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
