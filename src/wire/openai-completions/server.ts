import type { Call, CompletionCall, Rest, TextInput } from '../../core/call.ts'
import type { Event, TokenLogprob } from '../../core/event.ts'
import { Fault } from '../../core/fault.ts'
import { type JsonObject, pickUnknown } from '../../core/json.ts'
import type { Choice, Result } from '../../core/result.ts'
import { randomId } from '../../core/text/id.ts'
import type { Usage } from '../../core/usage/usage.ts'
import { writeOpenAIFault, writeOpenAIStreamFault } from '../faults/openai-fault.ts'
import { explanationFields } from '../filter/annotations.ts'
import { openStreamAnnotations, writeMore, writeOffsets, writeStrictAnnotation } from '../filter/stream-annotations.ts'
import { choiceFields, isKeptBack, promptFields, writeUsage } from '../openai-chat/answer.ts'
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

function writeResult(result: Result, call: Call, head: AnswerHead): string {
  if (result.kind === 'embed') throw new TypeError('an embedding result cannot be written as a completion')
  const rest = restFields(result.rest)
  return JSON.stringify({
    ...rest,
    choices: result.choices.map(writeChoice),
    ...explanationFields(result.explanations),
    created: result.created ?? head.created,
    id: result.id ?? `cmpl-${randomId(29)}`,
    model: result.model ?? head.servedModel,
    object: 'text_completion',
    ...promptFields(result, rest, countPrompts(call)),
    system_fingerprint: result.systemFingerprint ?? null,
    usage: result.usage && writeUsage(result.usage),
  })
}

/** Fields of an upstream that the canonical form does not name: those of this protocol go to its callers. */
function restFields(rest: Rest | undefined): JsonObject | undefined {
  return rest?.wire === wireName ? rest.fields : undefined
}

/** All prompts of a request are judged together, and each has its entry. */
function countPrompts(call: Call): number {
  return (call as CompletionCall).prompts.length
}

function writeChoice(choice: Choice): JsonObject {
  return {
    ...choiceFields(choice, restFields(choice.rest)),
    finish_reason: choice.finishReason,
    index: choice.index,
    logprobs: choice.logprobs && !isKeptBack(choice) ? writeLogprobs(choice.logprobs, 0) : null,
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
  const notes = openStreamAnnotations(countPrompts(call))
  let base: JsonObject = {
    created: head.created,
    id: `cmpl-${randomId(29)}`,
    model: head.servedModel,
    object: 'text_completion',
  }
  let usage: Usage | undefined
  let tail = ''
  const setTail = (): void => {
    tail = `${writeMore({ ...base, ...(call.includeUsage && { usage: null }) })}}\n\n`
  }
  setTail()
  /** `extra` are members of the choice with a comma after each, `why` members beside it with one before. */
  const chunk = (choice: JsonObject, extra: string, why = ''): string =>
    `data: {"choices":[{${extra}${JSON.stringify(choice).slice(1)}]${why}${tail}`

  const write = (event: Exclude<Event, { type: 'prompt-filter' | 'answer-rest' | 'answer-start' }>): string => {
    switch (event.type) {
      case 'text-delta': {
        const from = offsets.get(event.choice) ?? 0
        offsets.set(event.choice, from + event.text.length)
        const logprobs = event.logprobs ? writeLogprobs(event.logprobs, from) : null
        const extra = notes.writeChoice(event.filter, restFields(event.rest))
        return chunk({ finish_reason: null, index: event.choice, logprobs, text: event.text }, extra)
      }
      case 'choice-filter': {
        const { choice: index, offsets: checked, isStrict } = event
        const results = notes.writeChoice(event.results)
        if (isStrict) return writeStrictAnnotation(index, results, checked, call.includeUsage)
        return chunk({ finish_reason: null, index, logprobs: null, text: '' }, results + writeOffsets(checked))
      }
      case 'choice-end': {
        const extra = notes.writeChoice(event.filter, restFields(event.rest))
        const why = writeMore(explanationFields(event.explanations))
        return chunk({ finish_reason: event.reason, index: event.choice, logprobs: null, text: '' }, extra, why)
      }
      case 'usage':
        usage = event.usage
        return ''
      default:
        return ''
    }
  }

  return {
    write(event: Event): string {
      switch (event.type) {
        case 'prompt-filter':
          notes.hold(event)
          return ''
        case 'answer-rest':
          return event.rest.wire === wireName ? notes.writeFields(event.rest.fields) : notes.flush()
        case 'answer-start':
          base = {
            ...notes.takePrompt(restFields(event.rest)),
            ...base,
            ...(event.id !== undefined && { id: event.id }),
            ...(event.created !== undefined && { created: event.created }),
            ...(event.model !== undefined && { model: event.model }),
          }
          setTail()
          return notes.flush()
        default:
          return notes.flush() + write(event)
      }
    },
    end(): string {
      const last =
        call.includeUsage && usage
          ? `data: ${JSON.stringify({ choices: [], ...base, usage: writeUsage(usage) })}\n\n`
          : ''
      return `${notes.flush()}${last}data: [DONE]\n\n`
    },
  }
}
