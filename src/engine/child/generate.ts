import { LlamaGrammarEvaluationState, type Token } from 'node-llama-cpp'
import type { TokenLogprob } from '../../core/event.ts'
import { batchTokens, type LoadedModel } from './model.ts'
import { type Sampler, toEvaluateOptions } from './sampling.ts'
import type { Slot } from './slots.ts'

/** One token the model said; the log probability when it was asked for. */
export type Step = { readonly token: Token; readonly logprob?: TokenLogprob }

/**
 * Makes the slot's sequence hold all of the prompt but its last token, which is what the first step evaluates.
 * Resolves to how many prompt tokens were there already. Long prompts go in batches, so that an abort is heard between them.
 */
export async function preparePrompt(slot: Slot, prompt: readonly Token[], signal: AbortSignal): Promise<number> {
  const { sequence } = slot
  await sequence.adaptStateToTokens(prompt.slice(0, -1), false)
  const cachedTokens = sequence.nextTokenIndex
  for (let at = cachedTokens; prompt.length - at > batchTokens; at += batchTokens) {
    await sequence.evaluateWithoutGeneratingNewTokens(prompt.slice(at, at + batchTokens))
    signal.throwIfAborted()
  }
  return cachedTokens
}

/**
 * The tokens that follow the prompt, until the model ends its text or `grammar` (GBNF) allows no more. Whoever reads decides when
 * it is enough: leaving the loop stops the model. `produced` must hold the tokens read so far; the sampler's penalties look at it.
 */
export async function* generateTokens(
  { llama, model, options }: LoadedModel,
  slot: Slot,
  prompt: readonly Token[],
  sampler: Sampler,
  produced: readonly Token[],
  grammar?: string,
): AsyncIterable<Step> {
  const rest = prompt.slice(slot.sequence.nextTokenIndex)
  const evaluateOptions = toEvaluateOptions(model, sampler, produced, options.contextSize)
  const grammarEvaluationState =
    grammar && new LlamaGrammarEvaluationState({ model, grammar: await llama.createGrammar({ grammar }) })
  const steps = slot.sequence.evaluate(rest, {
    ...evaluateOptions,
    ...(grammarEvaluationState && { grammarEvaluationState }),
  })
  for await (const token of steps) yield { token }
}
