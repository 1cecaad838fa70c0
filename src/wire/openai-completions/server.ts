import type { Call, CompletionCall, TextInput } from '../../core/call.ts'
import type { Event, TokenLogprob } from '../../core/event.ts'
import { Fault } from '../../core/fault.ts'
import { randomId } from '../../core/id.ts'
import { type JsonObject, pickUnknown } from '../../core/json.ts'
import type { Choice, Result } from '../../core/result.ts'
import type { Usage } from '../../core/usage/usage.ts'
import { writeOpenAIFault, writeOpenAIStreamFault } from '../faults/openai-fault.ts'
import { writeUsage } from '../openai-chat/answer.ts'
import { checkStreamOptions } from '../openai-chat/rules.ts'
import { namedDeployment, readSampling } from '../openai-chat/server.ts'
import { readBody } from '../read-body.ts'
import type { AnswerHead, EventWriter, ServerEnd } from '../wire.ts'
import { completionBodySchema, completionFields } from './schema.ts'

export const wireName = 'openai-completions'

const defaultPrompt = '<|endoftext|>'
const defaultMaxTokens = 16

/** Text completions as Azure OpenAI (dated and v1) offers them. */
export const openaiCompletionsServer: ServerEnd = {
  wire: wireName,
  kind: 'completion',
  routes: [
    { method: 'POST', path: '/openai/deployments/{deployment}/completions', apiVersion: 'required' },
    { method: 'POST', path: '/openai/v1/completions', apiVersion: 'optional' },
  ],
  readCall(input) {
    const call = readCompletion(input.body, namedDeployment(input))
    return { ...call, source: { wire: wireName, text: input.text, body: input.body } }
  },
  writeResult,
  openStream,
  writeFault: writeOpenAIFault,
  writeStreamFault: writeOpenAIStreamFault,
}

export function readCompletion(body: JsonObject, deployment: string): CompletionCall {
  const completion = readBody(completionBodySchema, body)
  checkStreamOptions(completion)
  const rest = pickUnknown(body, completionFields)
  const n = completion.n ?? 1
  const bestOf = completion.best_of ?? undefined
  const stream = completion.stream ?? false
  if (bestOf !== undefined && bestOf < n) throw badBestOf(`got ${bestOf}, expected at least n (${n})`)
  if (bestOf !== undefined && bestOf > 1 && stream) throw badBestOf('it cannot be combined with stream')
  return {
    kind: 'completion',
    deployment,
    stream,
    includeUsage: completion.stream_options?.include_usage ?? false,
    prompts: readTextInputs(completion.prompt ?? defaultPrompt),
    suffix: completion.suffix ?? undefined,
    echo: completion.echo ?? undefined,
    bestOf,
    n,
    logprobs: typeof completion.logprobs === 'number' ? { top: completion.logprobs } : undefined,
    ...readSampling(completion),
    maxTokens: completion.max_tokens ?? defaultMaxTokens,
    rest: rest && { wire: wireName, fields: rest },
  }
}

function badBestOf(why: string): Fault {
  return new Fault('invalid-request', `Invalid value for 'best_of': ${why}.`, { param: 'best_of' })
}

/** A prompt or input field is one text, several, one list of token ids, or several of those. */
export function readTextInputs(value: string | string[] | number[] | number[][]): readonly TextInput[] {
  if (typeof value === 'string') return [value]
  return typeof value[0] === 'number' ? [value as number[]] : (value as string[] | number[][])
}

function writeResult(result: Result, _call: Call, head: AnswerHead): string {
  if (result.kind === 'embed') throw new TypeError('an embedding result cannot be written as a completion')
  return JSON.stringify({
    choices: result.choices.map(writeChoice),
    created: result.created ?? head.created,
    id: result.id ?? `cmpl-${randomId(29)}`,
    model: result.model ?? head.servedModel,
    object: 'text_completion',
    system_fingerprint: result.systemFingerprint ?? null,
    usage: result.usage && writeUsage(result.usage),
  })
}

function writeChoice(choice: Choice): JsonObject {
  return {
    finish_reason: choice.finishReason,
    index: choice.index,
    logprobs: choice.logprobs ? writeLogprobs(choice.logprobs, 0) : null,
    text: choice.text ?? '',
  }
}

/** Offsets count UTF-16 units from the start of the choice's text, as the vendor's do for plain text. */
function writeLogprobs(tokens: readonly TokenLogprob[], from: number): JsonObject {
  let offset = from
  const offsets = tokens.map((token) => {
    const at = offset
    offset += token.token.length
    return at
  })
  return {
    text_offset: offsets,
    token_logprobs: tokens.map((token) => token.logprob),
    tokens: tokens.map((token) => token.token),
    top_logprobs: tokens.map((token) => Object.fromEntries(token.top.map((top) => [top.token, top.logprob]))),
  }
}

function openStream(call: Call, head: AnswerHead): EventWriter {
  const offsets = new Map<number, number>()
  let base: JsonObject = {
    created: head.created,
    id: `cmpl-${randomId(29)}`,
    model: head.servedModel,
    object: 'text_completion',
  }
  let usage: Usage | undefined
  const chunk = (choice: JsonObject): string =>
    `data: ${JSON.stringify({ choices: [choice], ...base, ...(call.includeUsage && { usage: null }) })}\n\n`
  return {
    write(event: Event): string {
      switch (event.type) {
        case 'answer-start':
          base = {
            ...base,
            ...(event.id !== undefined && { id: event.id }),
            ...(event.created !== undefined && { created: event.created }),
            ...(event.model !== undefined && { model: event.model }),
          }
          return ''
        case 'text-delta': {
          const from = offsets.get(event.choice) ?? 0
          offsets.set(event.choice, from + event.text.length)
          const logprobs = event.logprobs ? writeLogprobs(event.logprobs, from) : null
          return chunk({ finish_reason: null, index: event.choice, logprobs, text: event.text })
        }
        case 'choice-end':
          return chunk({ finish_reason: event.reason, index: event.choice, logprobs: null, text: '' })
        case 'usage':
          usage = event.usage
          return ''
        default:
          return ''
      }
    },
    end(): string {
      const last =
        call.includeUsage && usage
          ? `data: ${JSON.stringify({ choices: [], ...base, usage: writeUsage(usage) })}\n\n`
          : ''
      return `${last}data: [DONE]\n\n`
    },
  }
}
