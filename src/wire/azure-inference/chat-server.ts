import type { Call, ChatCall } from '../../core/call.ts'
import type { Event } from '../../core/event.ts'
import type { JsonObject } from '../../core/json.ts'
import type { Choice, Result } from '../../core/result.ts'
import { randomHex } from '../../core/text/id.ts'
import type { Usage } from '../../core/usage/usage.ts'
import { explanationFields } from '../filter/annotations.ts'
import { openStreamAnnotations, writeMore, writeOffsets, writeStrictAnnotation } from '../filter/stream-annotations.ts'
import {
  choiceFields,
  filterOf,
  isKeptBack,
  promptFields,
  restFields,
  writeCalls,
  writeDelta,
  writeLogprob,
  writeUsage,
} from '../openai-chat/answer.ts'
import { writeReason } from '../openai-chat/functions.ts'
import { wireName as siblingWire, toChatCall } from '../openai-chat/server.ts'
import { readBody } from '../read-body.ts'
import type { AnswerHead, EventWriter, ServerEnd } from '../wire.ts'
import { applyExtraParameters, readModelName } from './extra-parameters.ts'
import { writeInferenceFault, writeInferenceStreamFault } from './fault.ts'
import { chatKeys, inferenceChatBodySchema } from './schema.ts'

export const wireName = 'azure-inference-chat'

/** Chat completions of the Azure AI Model Inference API, under `/models` and at the root as serverless endpoints have it. */
export const inferenceChatServer: ServerEnd = {
  wire: wireName,
  kind: 'chat',
  routes: [
    { method: 'POST', path: '/models/chat/completions', apiVersion: 'required' },
    { method: 'POST', path: '/chat/completions', apiVersion: 'required' },
  ],
  readCall(input) {
    const body = applyExtraParameters(input, chatKeys)
    // Extra keys are the model's, and the models behind this API speak OpenAI's chat.
    const call = toChatCall(readBody(inferenceChatBodySchema, body), body, readModelName(input), siblingWire)
    const source = body === input.body ? { wire: wireName, text: input.text, body } : undefined
    return { ...call, source }
  },
  writeResult,
  openStream,
  writeFault: writeInferenceFault,
  writeStreamFault: writeInferenceStreamFault,
}

function writeResult(result: Result, call: Call, head: AnswerHead): string {
  if (result.kind === 'embed') throw new TypeError('an embedding result cannot be written as a chat completion')
  const rest = restFields(result.rest)
  return JSON.stringify({
    ...rest,
    id: result.id ?? randomHex(),
    object: 'chat.completion',
    created: result.created ?? head.created,
    model: result.model ?? head.servedModel,
    choices: result.choices.map((choice) => writeChoice(choice, call as ChatCall)),
    usage: writeInferenceUsage(result.usage ?? { promptTokens: 0, completionTokens: 0 }),
    ...promptFields(result, rest),
    ...explanationFields(result.explanations),
  })
}

/** Here the details of a completion have a sum of their own, and know nothing of predictions. */
function writeInferenceUsage(usage: Usage): JsonObject {
  return {
    ...writeUsage(usage),
    completion_tokens_details: {
      audio_tokens: 0,
      reasoning_tokens: usage.reasoningTokens ?? 0,
      total_tokens: usage.completionTokens,
    },
  }
}

function writeChoice(choice: Choice, call: ChatCall): JsonObject {
  const isGone = isKeptBack(choice)
  const message: JsonObject = {
    ...(!isGone && restFields(choice.messageRest)),
    role: 'assistant',
    content: choice.text,
    tool_calls: null,
    ...writeCalls(choice.toolCalls, call),
  }
  if (choice.reasoning !== undefined) message.reasoning_content = choice.reasoning
  if (choice.refusal !== undefined) message.refusal = choice.refusal
  return {
    ...choiceFields(choice, restFields(choice.rest)),
    index: choice.index,
    finish_reason: choice.finishReason && writeReason(choice.finishReason, call),
    logprobs: choice.logprobs && !isGone ? { content: choice.logprobs.map(writeLogprob) } : null,
    message,
  }
}

/**
 * One `data:` line per event. Unlike Azure OpenAI's, this API puts the usage into the last chunk that has a finish reason, unasked;
 * so that chunk waits until the usage is known or the stream ends.
 */
function openStream(call: Call, head: AnswerHead): EventWriter {
  const chat = call as ChatCall
  const started = new Set<number>()
  let prefix = ''
  let lastChoice: string | undefined
  let lastWhy = ''
  let usage: Usage | undefined
  const notes = openStreamAnnotations()
  const setHead = (id: string, created: number, model: string, rest?: JsonObject): void => {
    prefix = `data: {"id":${JSON.stringify(id)},"object":"chat.completion.chunk","created":${created},"model":${JSON.stringify(model)}${writeMore(rest)},"choices":[`
  }
  setHead(randomHex(), head.created, head.servedModel)

  /** `extra` are further members with a comma after each. */
  const choice = (index: number, delta: string, reason: string | null, logprobs = 'null', extra = ''): string =>
    `{${extra}"index":${index},"delta":${delta},"finish_reason":${reason === null ? 'null' : `"${reason}"`},"logprobs":${logprobs}}`
  const chunk = (text: string, more = ''): string => `${prefix}${text}]${more}}\n\n`
  const flush = (): string => {
    const text = lastChoice === undefined ? '' : chunk(lastChoice, lastWhy)
    lastChoice = undefined
    return text
  }
  const begin = (index: number): string => {
    if (started.has(index)) return ''
    started.add(index)
    return chunk(choice(index, '{"role":"assistant","content":""}', null), notes.takeDue())
  }

  const write = (event: Exclude<Event, { type: 'prompt-filter' | 'answer-rest' | 'answer-start' }>): string => {
    switch (event.type) {
      case 'usage':
        usage = event.usage
        return ''
      case 'choice-filter': {
        const results = notes.writeChoice(event.results)
        const text = event.isStrict
          ? writeStrictAnnotation(event.choice, results, event.offsets, false)
          : chunk(choice(event.choice, '{"content":""}', null, 'null', results + writeOffsets(event.offsets)))
        return begin(event.choice) + text
      }
      case 'choice-end': {
        const text = flush() + begin(event.choice)
        const extra = notes.writeChoice(event.filter, restFields(event.rest))
        lastChoice = choice(event.choice, '{"content":""}', writeReason(event.reason, chat), 'null', extra)
        lastWhy = writeMore(explanationFields(event.explanations))
        return text
      }
      case 'text-delta': {
        const logprobs = event.logprobs ? JSON.stringify({ content: event.logprobs.map(writeLogprob) }) : 'null'
        const extra = notes.writeChoice(event.filter, restFields(event.rest))
        return (
          flush() +
          begin(event.choice) +
          chunk(choice(event.choice, `{"content":${JSON.stringify(event.text)}}`, null, logprobs, extra))
        )
      }
      default: {
        const delta = writeDelta(event, chat)
        if (delta === '') return ''
        const extra = notes.writeChoice(filterOf(event))
        return flush() + begin(event.choice) + chunk(choice(event.choice, delta, null, 'null', extra))
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
          // This API has no chunk without a choice: what is said of the prompt goes with the first one that has.
          if (started.size > 0) return notes.writeFields(restFields(event.rest))
          notes.keep(restFields(event.rest))
          return ''
        case 'answer-start':
          setHead(
            event.id ?? randomHex(),
            event.created ?? head.created,
            event.model ?? head.servedModel,
            notes.takePrompt(restFields(event.rest)),
          )
          return ''
        default:
          return write(event)
      }
    },
    end(): string {
      const ending = usage ? `,"usage":${JSON.stringify(writeInferenceUsage(usage))}` : ''
      const last = lastChoice === undefined ? '' : chunk(lastChoice, ending + lastWhy)
      return `${notes.flush()}${last}data: [DONE]\n\n`
    },
  }
}
