import type { Exchange } from '../../core/exchange.ts'
import type { LimitCounter } from '../../core/usage/request-record.ts'
import type { CounterState, Demand } from '../../port/counters/port.ts'
import type { Line } from './demands.ts'
import type { Estimate } from './estimate.ts'

/** Writes down what was decided about a call, and by which counters. `refusedBy` is an index of `lines`, -1 where the call was let in. */
export function noteDecision(
  { record, deployment }: Exchange,
  { promptTokens, completionTokens, isGuess }: Estimate,
  lines: readonly Line[],
  demands: readonly Demand[],
  states: readonly CounterState[],
  refusedBy: number,
): void {
  const counters: LimitCounter[] = []
  for (let i = 0; i < lines.length; i++) {
    const { owner, measure, rule } = lines[i] as Line
    const { used, resetMs } = states[i] as CounterState
    const cost = (demands[i] as Demand).cost
    counters.push({ owner, measure, limit: rule.kind === 'leaky' ? rule.depth : rule.limit, used, cost, resetMs })
  }
  record.limits.push({
    action: refusedBy === -1 ? 'admitted' : 'refused',
    deployment: deployment.name,
    promptTokens,
    completionTokens,
    isGuess,
    counters,
    refusedBy,
  })
}
