import { type LlamaModel, type SequenceEvaluateOptions, type Token, TokenBias } from 'node-llama-cpp'
import type { Sampling } from '../../core/call.ts'
import { Fault } from '../../core/fault.ts'

/** How the tokens of one answer are chosen; every value is settled. */
export type Sampler = {
  /** 0 takes the likeliest token. */
  readonly temperature: number
  readonly topP: number
  /** 0 to 2^32 - 2: the largest value means "random" to llama.cpp. */
  readonly seed: number
  readonly frequencyPenalty: number
  readonly presencePenalty: number
  /** Added to the logits of these tokens. */
  readonly bias: ReadonlyMap<Token, number>
}

const seedCount = 2 ** 32 - 1

/** The sampler of the answer `choice` of a call. The same seed gives the same answers, each choice its own. */
export function createSampler(
  call: Sampling,
  choice: number,
  defaultTemperature: number,
  vocabularySize: number,
): Sampler {
  return {
    temperature: call.temperature ?? defaultTemperature,
    topP: call.topP ?? 1,
    seed: call.seed === undefined ? Math.floor(Math.random() * seedCount) : foldSeed(call.seed, choice),
    frequencyPenalty: call.frequencyPenalty ?? 0,
    presencePenalty: call.presencePenalty ?? 0,
    bias: readBias(call.logitBias ?? {}, vocabularySize),
  }
}

/** The library's form of a sampler. `produced` is read at every step: penalties count what this answer has said so far. */
export function toEvaluateOptions(
  model: LlamaModel,
  sampler: Sampler,
  produced: readonly Token[],
  contextSize: number,
): SequenceEvaluateOptions {
  const hasPenalty = sampler.frequencyPenalty !== 0 || sampler.presencePenalty !== 0
  return {
    // The library's own defaults (top 40, top-p 0.95) are not the API's: everything is said.
    temperature: sampler.temperature,
    topP: sampler.topP,
    topK: 0,
    minP: 0,
    seed: sampler.seed,
    ...(sampler.bias.size > 0 && { tokenBias: toTokenBias(model, sampler.bias) }),
    ...(hasPenalty && {
      repeatPenalty: {
        penalty: 1,
        frequencyPenalty: sampler.frequencyPenalty,
        presencePenalty: sampler.presencePenalty,
        punishTokens: () => [...produced],
        maxPunishTokens: contextSize,
      },
    }),
  }
}

/** `TokenBias.set` ignores end-of-text tokens; callers do bias them, to get longer answers. So the map is filled directly. */
function toTokenBias(model: LlamaModel, bias: ReadonlyMap<Token, number>): TokenBias {
  const tokenBias = TokenBias.for(model)
  const { _biases: values } = tokenBias as unknown as { readonly _biases: Map<Token, number> }
  for (const [token, value] of bias) values.set(token, value)
  return tokenBias
}

function foldSeed(seed: number, choice: number): number {
  const folded = Number(BigInt.asUintN(32, BigInt(Math.trunc(seed)) + BigInt(choice)))
  return folded % seedCount
}

function readBias(bias: Readonly<Record<string, number>>, vocabularySize: number): ReadonlyMap<Token, number> {
  return new Map(
    Object.entries(bias).map(([id, value]) => {
      if (!/^\d+$/.test(id) || Number(id) >= vocabularySize) {
        throw new Fault(
          'invalid-request',
          `logit_bias names the token ${id}; this model has the tokens 0 to ${vocabularySize - 1}.`,
          {
            param: 'logit_bias',
          },
        )
      }
      return [Number(id) as Token, value]
    }),
  )
}
