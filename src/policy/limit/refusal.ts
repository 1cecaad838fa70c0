import { azureOperations } from '../../core/call.ts'
import type { Deployment } from '../../core/deployment.ts'
import type { Exchange } from '../../core/exchange.ts'
import { Fault } from '../../core/fault.ts'
import type { CounterState, Demand } from '../../port/counters/port.ts'
import type { Line, Plan, Refusal } from './demands.ts'
import type { Estimate } from './estimate.ts'
import { utilization, wholeSeconds } from './headers.ts'
import { flexShare } from './service-tier.ts'

/** Refusals as callers read them. The words of hosted services stay, since clients and people look for them; what they hide is added. */

/** A slot is free again when some call ends, and nobody knows when. */
const slotRetryMs = 1_000

/** 429 for a call that fits later. */
export function refuse(exchange: Exchange, estimate: Estimate, refusal: Refusal): Fault {
  const { lines, demands, verdict } = refusal
  const line = lines[verdict.refusedBy] as Line
  const state = verdict.states[verdict.refusedBy] as CounterState
  if (line.measure === 'slots') return refuseSlots(exchange, line.rule.limit)
  const retryAfterMs = waitFor(refusal)
  const who = nameOwner(line, exchange)
  if (line.measure === 'units') {
    const cost = (demands[verdict.refusedBy] as Demand).cost
    const level = utilization(state.used, line.rule.depth)
    return limited(
      `${begin(exchange)} token rate limit of provisioned ${who}, whose utilization is ${level}. ${retry(retryAfterMs)} Calls are taken again when it is back at 100%. This request is ${describeEstimate(estimate)}, which is ${cost} of the ${line.rule.depth} input tokens that 100% stand for.`,
      retryAfterMs,
    )
  }
  const { limit, windowMs } = line.rule
  const window = `window of ${windowMs / 1000} seconds`
  if (line.measure === 'requests') {
    return limited(
      `${begin(exchange)} call rate limit of ${who}. ${retry(retryAfterMs)} ${state.used} of ${limit} requests of the current ${window} are taken; it ends in ${wholeSeconds(state.resetMs)} seconds.`,
      retryAfterMs,
    )
  }
  return limited(
    `${begin(exchange)} token rate limit of ${who}. ${retry(retryAfterMs)} This request is ${describeEstimate(estimate)}; ${state.used} of ${limit} tokens of the current ${window} are taken, and it ends in ${wholeSeconds(state.resetMs)} seconds.`,
    retryAfterMs,
  )
}

/** 429 for a call that found no slot in the time it may wait for one. */
export function refuseSlots(exchange: Exchange, limit: number): Fault {
  return limited(
    `${begin(exchange)} call rate limit of deployment '${exchange.deployment.name}'. ${retry(slotRetryMs)} It takes ${limit} calls at once, all of them are in use, and none became free in the time that a call may wait.`,
    slotRetryMs,
  )
}

/** 429 for a flex call that would leave too little for others. */
export function refuseFlex(exchange: Exchange, estimate: Estimate, line: Line, state: CounterState): Fault {
  const retryAfterMs = Math.max(1, state.resetMs)
  const what = line.measure === 'tokens' ? 'token' : 'call'
  const share = `${flexShare * 100}%`
  return limited(
    `${begin(exchange)} ${what} rate limit of ${nameOwner(line, exchange)} for flex processing. ${retry(retryAfterMs)} Calls with service_tier 'flex' are let in up to ${share} of the window, so that others find room. This request is ${describeEstimate(estimate)}; ${state.used} of ${(line.rule as { limit: number }).limit} are taken.`,
    retryAfterMs,
  )
}

/**
 * 400 for a call that does not even fit into an empty window: it says what would do. undefined when it fits. `share` is the part of the
 * deployment's windows that it may use.
 */
export function refuseWhatNeverFits(
  exchange: Exchange,
  plan: Plan,
  estimate: Estimate,
  share: number,
): Fault | undefined {
  const tokens = estimate.promptTokens + estimate.completionTokens
  if (share === 1 && tokens <= plan.mostTokens) return undefined
  const line = plan.lines.find(
    ({ owner, measure, rule }) =>
      owner !== 'pool' &&
      measure === 'tokens' &&
      rule.kind === 'window' &&
      tokens > (owner === 'deployment' ? mostOf(plan, rule.limit, share) : rule.limit),
  )
  if (line?.measure !== 'tokens') return undefined
  const { limit, windowMs } = line.rule
  const most = line.owner === 'deployment' ? mostOf(plan, limit, share) : limit
  const flex = share < 1 && line.owner === 'deployment' ? ` for service_tier 'flex', ${share * 100}% of its limit` : ''
  const { promptTokens, isGuess } = estimate
  const lower = isGuess || promptTokens >= most ? '' : ` Or ask for at most ${most - promptTokens} tokens of answer.`
  return new Fault(
    'exceeds-capacity',
    `This request can never fit: it is ${describeEstimate(estimate)}, but the token rate limit of ${nameOwner(line, exchange)} lets through ${most} tokens in ${windowMs / 1000} seconds${flex}. Waiting does not help. ${adviseCapacity(line, exchange.deployment, Math.ceil(tokens / (flex ? share : 1)))}${lower}`,
  )
}

/** With a pool a call may also borrow all that is in it, but flex calls may not. */
function mostOf({ lines }: Plan, limit: number, share: number): number {
  if (share < 1) return Math.floor(limit * share)
  const pool = lines.at(-1)
  return pool?.owner === 'pool' && pool.rule.kind === 'window' ? Math.max(limit, pool.rule.limit) : limit
}

function adviseCapacity(line: Line, { sku, limits }: Deployment, tokens: number): string {
  if (line.owner === 'key') return `A limit of ${tokens} tokens per minute for the key would do.`
  const own = limits?.kind === 'rate' ? limits.tokens : undefined
  if (!sku || !own) return `A limit of ${tokens} tokens would do.`
  const units = Math.ceil((tokens * sku.capacity) / own.limit)
  return `A capacity of ${units} units of SKU ${sku.name} would do; it has ${sku.capacity}.`
}

/** Milliseconds until all that refuse now may let the call in: the verdict speaks of the first of them only. */
function waitFor({ lines, demands, verdict }: Refusal): number {
  let waitMs = verdict.retryAfterMs
  for (let i = verdict.refusedBy + 1; i < lines.length; i++) {
    const line = lines[i] as Line
    const { used, resetMs } = verdict.states[i] as CounterState
    if (line.owner === 'pool') continue
    if (line.measure === 'units') {
      if (used > line.rule.depth) waitMs = Math.max(waitMs, Math.ceil((used - line.rule.depth) / line.rule.drainPerMs))
    } else if (line.measure !== 'slots' && used + (demands[i] as Demand).cost > line.rule.limit) {
      waitMs = Math.max(waitMs, resetMs)
    }
  }
  return waitMs
}

function limited(message: string, retryAfterMs: number): Fault {
  return new Fault('rate-limited', message, { retryAfterMs, isRoutine: true })
}

function begin({ call }: Exchange): string {
  return `Requests to the ${azureOperations[call.kind]} Operation have exceeded`
}

/** Clients search for these words and take the number for seconds. */
function retry(retryAfterMs: number): string {
  return `Please retry after ${wholeSeconds(retryAfterMs)} seconds.`
}

function nameOwner(line: Line, { deployment, caller }: Exchange): string {
  return line.owner === 'key' ? `key '${caller.keyName}'` : `deployment '${deployment.name}'`
}

function describeEstimate({ promptTokens, completionTokens, isGuess }: Estimate): string {
  const answer = isGuess ? 'what answers here usually have' : 'the most it asks for'
  const parts = completionTokens > 0 ? `prompt ${promptTokens}, answer ${completionTokens}: ${answer}` : 'all prompt'
  return `estimated at ${promptTokens + completionTokens} tokens (${parts})`
}
