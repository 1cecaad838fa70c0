import type { LlamaModel, Token } from 'node-llama-cpp'
import type { TokenLogprob } from '../../core/event.ts'
import type { Step } from './generate.ts'
import type { LoadedModel } from './model.ts'
import type { Sampler } from './sampling.ts'
import type { Slot } from './slots.ts'

/**
 * Like `generateTokens`, with the log probability of every token under the model itself, before temperature, top-p, penalties
 * and bias. The library reports either raw logits or its sampler's choice, so the choosing is done here.
 */
export async function* generateScored(
  { model }: LoadedModel,
  slot: Slot,
  prompt: readonly Token[],
  sampler: Sampler,
  produced: readonly Token[],
  top: number,
): AsyncIterable<Step> {
  const random = seededUniform(sampler.seed)
  let next = prompt.slice(slot.sequence.nextTokenIndex)
  for (;;) {
    const logits = await evaluateLogits(slot, next)
    const ranked = [...logits].sort((a, b) => b[1] - a[1])
    const logTotal = logSumExp(ranked)
    const token = chooseToken(ranked, sampler, produced, random)
    if (model.isEogToken(token)) return
    const score = (id: Token, logit: number) => ({ ...describeToken(model, id), logprob: logit - logTotal })
    const logprob: TokenLogprob = {
      ...score(token, logits.get(token) as number),
      top: ranked.slice(0, top).map(([id, logit]) => score(id, logit)),
    }
    yield { token, logprob }
    next = [token]
  }
}

/** The raw logits of all tokens that may follow. Temperature 1 without truncation is what leaves them raw. */
async function evaluateLogits(slot: Slot, tokens: readonly Token[]): Promise<Map<Token, number>> {
  const last = tokens.length - 1
  const options = { temperature: 1, topK: 0, topP: 1, minP: 0 }
  const outputs = await slot.sequence.controlledEvaluate(
    tokens.map((token, index) => (index === last ? [token, { generateNext: { logits: true, options } }] : token)),
  )
  const logits = outputs[last]?.next.logits
  if (!logits) throw new Error('the engine returned no logits')
  return logits
}

type Ranked = readonly (readonly [Token, number])[]

function logSumExp(ranked: Ranked): number {
  const max = ranked[0]?.[1] ?? 0
  return max + Math.log(ranked.reduce((sum, [, logit]) => sum + Math.exp(logit - max), 0))
}

/** Bias, penalties, temperature and top-p in the order llama.cpp applies them. */
function chooseToken(ranked: Ranked, sampler: Sampler, produced: readonly Token[], random: () => number): Token {
  const adjusted = adjustLogits(ranked, sampler, produced)
  if (sampler.temperature === 0) return (adjusted[0] as (typeof adjusted)[number])[0]
  const kept = keepTopP(adjusted, sampler.topP)
  const max = kept[0]?.[1] ?? 0
  const weights = kept.map(([, logit]) => Math.exp((logit - max) / sampler.temperature))
  let left = random() * weights.reduce((a, b) => a + b, 0)
  const index = weights.findIndex((weight) => {
    left -= weight
    return left < 0
  })
  return (kept.at(index) as (typeof kept)[number])[0]
}

function adjustLogits(ranked: Ranked, sampler: Sampler, produced: readonly Token[]): Ranked {
  const { bias, frequencyPenalty, presencePenalty } = sampler
  const counts = new Map<Token, number>()
  if (frequencyPenalty !== 0 || presencePenalty !== 0) {
    for (const token of produced) counts.set(token, (counts.get(token) ?? 0) + 1)
  }
  if (bias.size === 0 && counts.size === 0) return ranked
  return ranked
    .map(([token, logit]) => {
      const count = counts.get(token) ?? 0
      const penalty = count === 0 ? 0 : count * frequencyPenalty + presencePenalty
      return [token, logit + (bias.get(token) ?? 0) - penalty] as const
    })
    .sort((a, b) => b[1] - a[1])
}

/** The likeliest tokens that together reach the share `topP`, at least one. */
function keepTopP(ranked: Ranked, topP: number): Ranked {
  if (topP >= 1) return ranked
  const logTotal = logSumExp(ranked)
  let sum = 0
  const enough = ranked.findIndex(([, logit]) => {
    sum += Math.exp(logit - logTotal)
    return sum >= topP
  })
  return enough < 0 ? ranked : ranked.slice(0, enough + 1)
}

/** Text of a token; bytes are unknown (null) for a part of a character, which has no text of its own. */
function describeToken(model: LlamaModel, token: Token): { token: string; bytes: number[] | null } {
  const text = model.detokenize([token], true)
  return { token: text, bytes: text.includes('\ufffd') ? null : [...new TextEncoder().encode(text)] }
}

/** Numbers in [0, 1) that depend on the seed only (mulberry32). */
function seededUniform(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296
  }
}
