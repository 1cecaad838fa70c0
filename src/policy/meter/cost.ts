import type { Price } from '../../core/deployment.ts'
import type { Exchange, Outcome } from '../../core/exchange.ts'
import type { Fault } from '../../core/fault.ts'
import type { Usage } from '../../core/usage/usage.ts'
import { estimatePrompt } from '../limit/estimate.ts'

/** Tokens of a call that has ended, and whether nobody has counted them. */
export type Consumption = Required<Usage> & { readonly isEstimated: boolean }

const nothing: Consumption = {
  promptTokens: 0,
  cachedTokens: 0,
  completionTokens: 0,
  reasoningTokens: 0,
  isEstimated: false,
}

/**
 * As the model counted. Where nobody did, a stream that brought something counts a token a piece, with the guess of its prompt; a call
 * that brought nothing counts none.
 */
export function consumptionOf({ tally, call }: Exchange, outcome: Outcome): Consumption {
  const { usage, pieces } = tally
  if (usage) {
    const { promptTokens, completionTokens, cachedTokens = 0, reasoningTokens = 0 } = usage
    return { promptTokens, completionTokens, cachedTokens, reasoningTokens, isEstimated: false }
  }
  if (pieces === 0 && outcome !== 'done') return nothing
  return { ...nothing, promptTokens: estimatePrompt(call), completionTokens: pieces, isEstimated: true }
}

/** Millionths of the currency, with a fraction: a price per million tokens is that of one token in these. */
export function costOf(price: Price | undefined, used: Omit<Consumption, 'isEstimated' | 'reasoningTokens'>): number {
  if (!price) return 0
  const cached = Math.min(used.cachedTokens, used.promptTokens)
  return (
    (used.promptTokens - cached) * price.inputPerMillion +
    cached * price.cachedInputPerMillion +
    used.completionTokens * price.outputPerMillion +
    price.perRequest * 1e6
  )
}

/**
 * Makes costs whole millionths without losing what is rounded away: it is carried over to the next cost at that price. Else short calls
 * to cheap models, of less than half a millionth each, would be free however many they are.
 */
export function createRounding(): (price: Price | undefined, costMicros: number) => number {
  const carried = new WeakMap<Price, number>()
  return (price, costMicros) => {
    if (!price || Number.isInteger(costMicros)) return costMicros
    const exact = costMicros + (carried.get(price) ?? 0)
    const whole = Math.round(exact)
    carried.set(price, exact - whole)
    return whole
  }
}

/** By a limit or a budget of ours, before any backend was asked. */
export function wasRefused({ record }: Exchange, { code }: Fault): boolean {
  if (record.attempts.length > 0) return false
  return code === 'rate-limited' || code === 'exceeds-capacity' || code === 'budget-exhausted'
}
