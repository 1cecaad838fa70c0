/** Tokens of one call, counted by the model that served it. */
export type Usage = {
  readonly promptTokens: number
  readonly completionTokens: number
  /** Prompt tokens that came from a prefix cache. */
  readonly cachedTokens?: number
  /** Completion tokens spent on reasoning that is not part of the text. */
  readonly reasoningTokens?: number
}

/** More than any model takes or gives at once. */
const mostTokens = 100_000_000

/**
 * What was counted, in whole numbers; what is no number or below zero counts as none. undefined, as if nobody had counted, where it is
 * more than can be. An upstream may say anything: a call of 1e30 tokens would lock its deployment for years, and one of less than none
 * would be paid for.
 */
export function believeUsage(usage: Usage | undefined): Usage | undefined {
  if (!usage || isSound(usage)) return usage
  const { promptTokens, completionTokens, cachedTokens = 0, reasoningTokens = 0 } = usage
  if (isTooMuch(promptTokens) || isTooMuch(completionTokens)) return undefined
  const [prompt, completion] = [toCount(promptTokens), toCount(completionTokens)]
  return {
    promptTokens: prompt,
    completionTokens: completion,
    cachedTokens: Math.min(prompt, toCount(cachedTokens)),
    reasoningTokens: Math.min(completion, toCount(reasoningTokens)),
  }
}

function isSound({ promptTokens, completionTokens, cachedTokens = 0, reasoningTokens = 0 }: Usage): boolean {
  const isCount = (tokens: number, most: number): boolean => Number.isInteger(tokens) && tokens >= 0 && tokens <= most
  return (
    isCount(promptTokens, mostTokens) &&
    isCount(completionTokens, mostTokens) &&
    isCount(cachedTokens, promptTokens) &&
    isCount(reasoningTokens, completionTokens)
  )
}

function isTooMuch(tokens: number): boolean {
  return tokens > mostTokens
}

function toCount(tokens: number): number {
  return tokens > 0 ? Math.round(tokens) : 0
}
