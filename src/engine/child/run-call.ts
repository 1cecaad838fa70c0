import type { Token } from 'node-llama-cpp'
import type { ChatCall, CompletionCall } from '../../core/call.ts'
import type { Event } from '../../core/event.ts'
import { Fault } from '../../core/fault.ts'
import { buildGrammar } from '../text/grammar.ts'
import { type AnswerCost, type AnswerRequest, writeAnswer } from './answer.ts'
import type { LoadedModel } from './model.ts'
import { createSampler } from './sampling.ts'
import type { Slots } from './slots.ts'
import { checkContext, tokenizePieces, tokenizePrompt } from './tokenize.ts'

type Emit = (event: Event) => void

/** Answers a chat: `call.n` choices of one prompt. */
export async function runChat(
  loaded: LoadedModel,
  slots: Slots,
  call: ChatCall,
  emit: Emit,
  signal: AbortSignal,
): Promise<void> {
  if (!loaded.template) {
    throw new Fault('operation-not-supported', 'This model has no chat template: it can complete text but not chat.')
  }
  const prompt = tokenizePieces(loaded.model, loaded.template.render(call))
  checkContext(loaded.info, prompt.length, 'messages', 'messages')
  const names = call.toolChoice === 'none' ? [] : (call.tools ?? []).map((tool) => tool.name)
  const requests = Array.from({ length: call.n }, (_, choice) => ({
    ...answerBase(loaded, call, choice, prompt),
    toolNames: names.length > 0 ? new Set(names) : undefined,
    isSingleCall: call.parallelToolCalls === false,
    grammar: buildGrammar(call),
  }))
  await writeAnswers(loaded, slots, requests, call.n, emit, signal)
}

/** Completes texts: `call.n` choices of every prompt, the choices of a prompt side by side. */
export async function runCompletion(
  loaded: LoadedModel,
  slots: Slots,
  call: CompletionCall,
  emit: Emit,
  signal: AbortSignal,
): Promise<void> {
  const prompts = call.prompts.map((input, index) => {
    const param = call.prompts.length === 1 ? 'prompt' : `prompt[${index}]`
    const tokens = tokenizePrompt(loaded.model, loaded.info, input, param)
    checkContext(loaded.info, tokens.length, param, 'prompt')
    return { tokens, text: typeof input === 'string' ? input : loaded.model.detokenize(tokens, true) }
  })
  const requests = prompts.flatMap(({ tokens }, index) =>
    Array.from({ length: call.n }, (_, i) => answerBase(loaded, call, index * call.n + i, tokens)),
  )
  if (call.echo) {
    const echo = (choice: number) => prompts[Math.floor(choice / call.n)]?.text ?? ''
    await writeAnswers(loaded, slots, requests, call.n, withEcho(emit, requests.length, echo), signal)
  } else {
    await writeAnswers(loaded, slots, requests, call.n, emit, signal)
  }
}

function answerBase(
  { options, info }: LoadedModel,
  call: ChatCall | CompletionCall,
  choice: number,
  prompt: readonly Token[],
): AnswerRequest {
  return {
    choice,
    prompt,
    maxTokens: call.maxTokens,
    stops: call.stop ?? [],
    sampler: createSampler(call, choice, options.defaultTemperature, info.vocabularySize),
    logprobs: call.logprobs,
  }
}

/** The prompts, as they were written, before the events of the choices that continue them. */
function withEcho(emit: Emit, choices: number, textOf: (choice: number) => string): Emit {
  return (event) => {
    emit(event)
    if (event.type !== 'answer-start') return
    for (let choice = 0; choice < choices; choice++) emit({ type: 'text-delta', choice, text: textOf(choice) })
  }
}

/**
 * Writes all answers, no more at once than there are slots, so that one call with many choices queues fairly with others.
 * Every prompt counts once in the usage, however many choices continue it (`perPrompt`).
 */
async function writeAnswers(
  loaded: LoadedModel,
  slots: Slots,
  requests: readonly AnswerRequest[],
  perPrompt: number,
  emit: Emit,
  signal: AbortSignal,
): Promise<void> {
  emit({ type: 'answer-start' })
  // One answer that fails ends the others.
  const failure = new AbortController()
  const either = AbortSignal.any([signal, failure.signal])
  const costs: AnswerCost[] = []
  const waiting = requests.entries()
  const work = async (): Promise<void> => {
    for (const [index, request] of waiting) costs[index] = await writeAnswer(loaded, slots, request, emit, either)
  }
  const workers = Array.from({ length: Math.min(requests.length, loaded.options.slots) }, () =>
    work().catch((error) => {
      failure.abort(error)
      throw error
    }),
  )
  await Promise.allSettled(workers)
  await Promise.all(workers)
  const first = (index: number) => index % perPrompt === 0
  emit({
    type: 'usage',
    usage: {
      promptTokens: sum(requests.filter((_, index) => first(index)).map((request) => request.prompt.length)),
      completionTokens: sum(costs.map((cost) => cost.completionTokens)),
      cachedTokens: sum(costs.filter((_, index) => first(index)).map((cost) => cost.cachedTokens)),
    },
  })
}

const sum = (numbers: readonly number[]): number => numbers.reduce((a, b) => a + b, 0)
