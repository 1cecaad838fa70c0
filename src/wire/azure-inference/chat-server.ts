import type { Call, Rest } from '../../core/call.ts'
import type { Event } from '../../core/event.ts'
import { randomHex } from '../../core/id.ts'
import type { JsonObject } from '../../core/json.ts'
import type { Choice, Result } from '../../core/result.ts'
import type { Usage } from '../../core/usage.ts'
import {
  restFields,
  writeAnswerRest,
  writeDelta,
  writeLogprob,
  writeMore,
  writeToolCall,
  writeUsage,
} from '../openai-chat/answer.ts'
import { readChat, wireName as siblingWire } from '../openai-chat/server.ts'
import type { AnswerHead, EventWriter, ServerEnd } from '../wire.ts'
import { applyExtraParameters, readModelName } from './extra-parameters.ts'
import { writeInferenceFault, writeInferenceStreamFault } from './fault.ts'

export const wireName = 'azure-inference-chat'

/** Body keys the API defines, over all its versions. Everything else is an extra parameter. */
export const chatKeys: ReadonlySet<string> = new Set([
  'messages',
  'model',
  'stream',
  'temperature',
  'top_p',
  'frequency_penalty',
  'presence_penalty',
  'max_tokens',
  'response_format',
  'stop',
  'tools',
  'tool_choice',
  'seed',
  'modalities',
  'user_security_context',
])

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
    const call = readChat(body, readModelName(input), siblingWire)
    const source = body === input.body ? { wire: wireName, text: input.text, body } : undefined
    return { ...call, source }
  },
  writeResult,
  openStream,
  writeFault: writeInferenceFault,
  writeStreamFault: writeInferenceStreamFault,
}

function writeResult(result: Result, _call: Call, head: AnswerHead): string {
  if (result.kind === 'embed') throw new TypeError('an embedding result cannot be written as a chat completion')
  return JSON.stringify({
    ...restFields(result.rest),
    id: result.id ?? randomHex(),
    object: 'chat.completion',
    created: result.created ?? head.created,
    model: result.model ?? head.servedModel,
    choices: result.choices.map(writeChoice),
    usage: writeUsage(result.usage ?? { promptTokens: 0, completionTokens: 0 }),
  })
}

function writeChoice(choice: Choice): JsonObject {
  const message: JsonObject = {
    ...restFields(choice.messageRest),
    role: 'assistant',
    content: choice.text,
    tool_calls: choice.toolCalls?.map(writeToolCall) ?? null,
  }
  if (choice.reasoning !== undefined) message.reasoning_content = choice.reasoning
  if (choice.refusal !== undefined) message.refusal = choice.refusal
  return {
    ...restFields(choice.rest),
    index: choice.index,
    finish_reason: choice.finishReason,
    logprobs: choice.logprobs ? { content: choice.logprobs.map(writeLogprob) } : null,
    message,
  }
}

/**
 * One `data:` line per event. Unlike Azure OpenAI's, this API puts the usage into the last chunk that has a finish reason, unasked;
 * so that chunk waits until the usage is known or the stream ends.
 */
function openStream(_call: Call, head: AnswerHead): EventWriter {
  const started = new Set<number>()
  let prefix = ''
  let lastChoice: string | undefined
  let usage: Usage | undefined
  const setHead = (id: string, created: number, model: string, rest?: Rest): void => {
    prefix = `data: {"id":${JSON.stringify(id)},"object":"chat.completion.chunk","created":${created},"model":${JSON.stringify(model)}${writeMore(restFields(rest))},"choices":[`
  }
  setHead(randomHex(), head.created, head.servedModel)

  const choice = (index: number, delta: string, reason: string | null, logprobs = 'null', rest?: Rest): string =>
    `{"index":${index},"delta":${delta},"finish_reason":${reason === null ? 'null' : `"${reason}"`},"logprobs":${logprobs}${writeMore(restFields(rest))}}`
  const chunk = (text: string): string => `${prefix}${text}]}\n\n`
  const flush = (): string => {
    const text = lastChoice === undefined ? '' : chunk(lastChoice)
    lastChoice = undefined
    return text
  }
  const begin = (index: number): string => {
    if (started.has(index)) return ''
    started.add(index)
    return chunk(choice(index, '{"role":"assistant","content":""}', null))
  }

  return {
    write(event: Event): string {
      switch (event.type) {
        case 'answer-start':
          setHead(event.id ?? randomHex(), event.created ?? head.created, event.model ?? head.servedModel, event.rest)
          return ''
        case 'usage':
          usage = event.usage
          return ''
        case 'answer-rest':
          return writeAnswerRest(event.rest)
        case 'choice-end': {
          const text = flush() + begin(event.choice)
          lastChoice = choice(event.choice, '{"content":""}', event.reason, 'null', event.rest)
          return text
        }
        case 'text-delta': {
          const logprobs = event.logprobs ? JSON.stringify({ content: event.logprobs.map(writeLogprob) }) : 'null'
          return (
            flush() +
            begin(event.choice) +
            chunk(choice(event.choice, `{"content":${JSON.stringify(event.text)}}`, null, logprobs, event.rest))
          )
        }
        default:
          return flush() + begin(event.choice) + chunk(choice(event.choice, writeDelta(event), null))
      }
    },
    end(): string {
      const ending = usage ? `,"usage":${JSON.stringify(writeUsage(usage))}` : ''
      const last = lastChoice === undefined ? '' : `${prefix}${lastChoice}]${ending}}\n\n`
      return `${last}data: [DONE]\n\n`
    },
  }
}
