import type { Token } from 'node-llama-cpp'
import type { Event } from '../../core/event.ts'
import { type AnswerOptions, createAnswerWriter } from '../text/answer-writer.ts'
import { generateTokens, preparePrompt } from './generate.ts'
import type { LoadedModel } from './model.ts'
import type { Sampler } from './sampling.ts'
import { generateScored } from './scored.ts'
import type { Slots } from './slots.ts'
import { createTokenDecoder } from './token-decoder.ts'

export type AnswerRequest = AnswerOptions & {
  /** At least one token, and room for one more in the context. */
  readonly prompt: readonly Token[]
  /** As many as the context has room for when undefined. */
  readonly maxTokens: number | undefined
  readonly sampler: Sampler
  /** GBNF the answer must follow; not together with `logprobs`. */
  readonly grammar?: string | undefined
  readonly logprobs?: { readonly top: number } | undefined
}

export type AnswerCost = { readonly completionTokens: number; readonly cachedTokens: number }

/**
 * Writes one of the answers of a call: takes a slot, lets the model speak until it ends, a stop string comes or the room is used
 * up, and gives the slot back. The end-of-text token is not counted.
 */
export async function writeAnswer(
  loaded: LoadedModel,
  slots: Slots,
  request: AnswerRequest,
  emit: (event: Event) => void,
  signal: AbortSignal,
): Promise<AnswerCost> {
  const { prompt } = request
  const writer = createAnswerWriter(request, emit)
  const room = Math.min(request.maxTokens ?? Number.POSITIVE_INFINITY, loaded.options.contextSize - prompt.length)
  const slot = await slots.acquire(prompt, signal)
  try {
    const cachedTokens = await preparePrompt(slot, prompt, signal)
    const produced: Token[] = []
    const reason = room === 0 ? 'length' : await speak(produced)
    writer.end(reason)
    return { completionTokens: produced.length, cachedTokens }
  } finally {
    slot.release()
  }

  async function speak(produced: Token[]): Promise<'stop' | 'length'> {
    const decoder = createTokenDecoder((tokens, recent) => decodeTokens(loaded, tokens, recent))
    const steps = request.logprobs
      ? generateScored(loaded, slot, prompt, request.sampler, produced, request.logprobs.top)
      : generateTokens(loaded, slot, prompt, request.sampler, produced, request.grammar)
    for await (const { token, logprob } of steps) {
      signal.throwIfAborted()
      produced.push(token)
      if (writer.push(decoder.push(token), logprob)) return 'stop'
      if (produced.length >= room) {
        writer.push(decoder.end())
        return 'length'
      }
    }
    writer.push(decoder.end())
    return 'stop'
  }
}

/** Text of tokens as an answer shows them: control tokens leave none, but tool-call tags always do. */
function decodeTokens({ model, tagTexts }: LoadedModel, tokens: readonly Token[], recent: readonly Token[]): string {
  const last = tokens.at(-1)
  const tag = last === undefined ? undefined : tagTexts.get(last)
  if (tag === undefined) return model.detokenize(tokens, false, recent)
  return model.detokenize(tokens.slice(0, -1), false, recent) + tag
}
