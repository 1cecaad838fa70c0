/** Tokens of one call, counted by the model that served it. */
export type Usage = {
  readonly promptTokens: number
  readonly completionTokens: number
  /** Prompt tokens that came from a prefix cache. */
  readonly cachedTokens?: number
  /** Completion tokens spent on reasoning that is not part of the text. */
  readonly reasoningTokens?: number
}
