import type { Outcome } from '../../core/exchange.ts'
import type { Tally } from '../../core/usage/tally.ts'
import { type Line, toUnits } from './demands.ts'
import type { Estimate } from './estimate.ts'

/**
 * What a call that has ended did cost, line by line. What the model counted, if it has; else what was let through of an answer that broke
 * off, at a token a piece; nothing for a call that failed before an answer. An answer that came whole and uncounted costs its estimate.
 */
export function actualCosts(
  lines: readonly Line[],
  estimate: Estimate,
  outputWeight: number,
  { usage, pieces }: Tally,
  outcome: Outcome,
): number[] {
  let { promptTokens, completionTokens } = estimate
  let cachedTokens = 0
  if (usage) {
    promptTokens = toCount(usage.promptTokens)
    completionTokens = toCount(usage.completionTokens)
    cachedTokens = Math.min(promptTokens, toCount(usage.cachedTokens ?? 0))
  } else if (outcome === 'failed' && pieces === 0) {
    promptTokens = 0
    completionTokens = 0
  } else if (outcome !== 'done' || pieces > 0) {
    completionTokens = pieces
  }
  const costs: number[] = []
  for (const { measure } of lines) {
    if (measure === 'tokens') costs.push(promptTokens + completionTokens)
    else if (measure === 'units') costs.push(toUnits(promptTokens - cachedTokens, completionTokens, outputWeight))
    else costs.push(1)
  }
  return costs
}

/** Counters take whole numbers from 0; upstreams have been known to say anything. */
function toCount(tokens: number): number {
  return tokens > 0 && Number.isFinite(tokens) ? Math.round(tokens) : 0
}
