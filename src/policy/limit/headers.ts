import type { CounterState } from '../../port/counters/port.ts'
import type { Line, WindowRule } from './demands.ts'

/** Headers that tell callers how much is left. Each is there only where such a limit is. */
export const limitHeaders = [
  'x-ratelimit-limit-requests',
  'x-ratelimit-limit-tokens',
  'x-ratelimit-remaining-requests',
  'x-ratelimit-remaining-tokens',
  'x-ratelimit-reset-requests',
  'x-ratelimit-reset-tokens',
  'azure-openai-deployment-utilization',
] as const

const minuteMs = 60_000

/**
 * `states` are those of `lines`. Limits are per minute, as Azure has them; what remains is what the window now open will still let
 * through, and resets are whole seconds. Of several limits of a kind, that of the deployment and that of the key, the one is told which
 * has less left.
 */
export function writeLimitHeaders(
  headers: Record<string, string>,
  lines: readonly Line[],
  states: readonly CounterState[],
): void {
  let tokensAt = -1
  let requestsAt = -1
  for (let i = 0; i < lines.length; i++) {
    const line = lines[i] as Line
    if (line.measure === 'units') {
      headers['azure-openai-deployment-utilization'] = utilization((states[i] as CounterState).used, line.rule.depth)
    } else if (line.owner === 'pool') continue
    else if (line.measure === 'tokens') tokensAt = tighter(lines, states, tokensAt, i)
    else if (line.measure === 'requests') requestsAt = tighter(lines, states, requestsAt, i)
  }
  if (requestsAt !== -1) {
    const { rule } = lines[requestsAt] as { rule: WindowRule }
    const state = states[requestsAt] as CounterState
    headers['x-ratelimit-limit-requests'] = perMinute(rule)
    headers['x-ratelimit-remaining-requests'] = String(remaining(rule, state))
    headers['x-ratelimit-reset-requests'] = wholeSeconds(state.resetMs)
  }
  if (tokensAt !== -1) {
    const { rule } = lines[tokensAt] as { rule: WindowRule }
    const state = states[tokensAt] as CounterState
    headers['x-ratelimit-limit-tokens'] = perMinute(rule)
    headers['x-ratelimit-remaining-tokens'] = String(remaining(rule, state))
    headers['x-ratelimit-reset-tokens'] = wholeSeconds(state.resetMs)
  }
}

/** `11.2%`: how full a provisioned deployment is. */
export function utilization(used: number, depth: number): string {
  return `${((100 * used) / depth).toFixed(1)}%`
}

export function wholeSeconds(ms: number): string {
  return String(Math.ceil(ms / 1000))
}

function perMinute({ limit, windowMs }: WindowRule): string {
  return String(Math.round((limit * minuteMs) / windowMs))
}

function remaining({ limit }: WindowRule, { used }: CounterState): number {
  return Math.max(0, Math.floor(limit - used))
}

function tighter(lines: readonly Line[], states: readonly CounterState[], known: number, other: number): number {
  if (known === -1) return other
  const left = (at: number) => remaining((lines[at] as { rule: WindowRule }).rule, states[at] as CounterState)
  return left(other) < left(known) ? other : known
}
