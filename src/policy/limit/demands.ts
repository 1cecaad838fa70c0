import { type Deployment, type DeploymentLimits, placeKey } from '../../core/deployment.ts'
import type { Caller } from '../../core/exchange.ts'
import { qualify } from '../../core/resource.ts'
import type { CounterRule, Demand, Verdict } from '../../port/counters/port.ts'
import { type AnswerLengths, createAnswerLengths } from './answer-lengths.ts'
import type { Estimate } from './estimate.ts'
import type { WaitQueue } from './wait-queue.ts'

/** Which counters a call to a deployment by a caller is charged to. Worked out once; a request only fills in its costs. */

export type WindowRule = Extract<CounterRule, { kind: 'window' }>
type LeakyRule = Extract<CounterRule, { kind: 'leaky' }>
type SlotsRule = Extract<CounterRule, { kind: 'slots' }>

/** One counter and what it is charged. `units` are input tokens of a provisioned deployment, weighted. */
export type Line = { readonly owner: 'deployment' | 'key' | 'pool' } & (
  | { readonly measure: 'tokens' | 'requests'; readonly rule: WindowRule }
  | { readonly measure: 'units'; readonly rule: LeakyRule }
  | { readonly measure: 'slots'; readonly rule: SlotsRule }
)

export type Plan = {
  /**
   * In the order in which they refuse: what has to be waited for longest comes first, a slot, which a call may wait for here, after
   * all others, and the pool last, since that it is full refuses nothing by itself.
   */
  readonly lines: readonly Line[]
  /** Where there is a pool: all but it, for when it is full, and all but the deployment's own tokens, for when those are used up. */
  readonly pooled: { readonly withoutPool: readonly Line[]; readonly borrowing: readonly Line[] } | undefined
  /** Units that a completion token weighs; 0 where nothing counts units. */
  readonly outputWeight: number
  /** Tokens above which a call never fits. */
  readonly mostTokens: number
  /** Half of what the tightest limit lets through, in tokens of an answer. */
  readonly mostGuessed: number
  readonly shared: DeploymentState
}

/** What all calls to a deployment share in this thread. */
export type DeploymentState = {
  readonly lengths: AnswerLengths
  /** Those who wait for a slot. */
  readonly queue: WaitQueue<Refusal> | undefined
}

/** What was asked of the counters when they refused. */
export type Refusal = {
  readonly lines: readonly Line[]
  readonly demands: readonly Demand[]
  readonly verdict: Extract<Verdict, { isAdmitted: false }>
}

const minuteMs = 60_000

/** Minutes of its throughput that a provisioned deployment holds when it is at 100 %, so that its utilization is that of the last minute. */
const depthMinutes = 1

export type Plans = {
  /** undefined when nothing limits the call. */
  find(deployment: Deployment, caller: Caller): Plan | undefined
}

/** Deployments and callers are objects that live as long as the configuration they came from; so do their plans. */
export function createPlans(openQueue: () => WaitQueue<Refusal>): Plans {
  type Entry = {
    readonly shared: DeploymentState
    readonly ofAll: Plan | undefined
    readonly ofKeys: WeakMap<Caller, Plan>
  }
  const entries = new WeakMap<Deployment, Entry>()

  function open(deployment: Deployment): Entry {
    const { limits } = deployment
    const hasSlots = limits?.kind === 'provisioned' && limits.concurrency !== undefined
    const shared = { lengths: createAnswerLengths(), queue: hasSlots ? openQueue() : undefined }
    const entry: Entry = { shared, ofAll: makePlan(deployment, undefined, shared), ofKeys: new WeakMap() }
    entries.set(deployment, entry)
    return entry
  }

  return {
    find(deployment, caller) {
      const entry = entries.get(deployment) ?? open(deployment)
      const { grant } = caller
      if (!grant || (grant.tokensPerMinute === undefined && grant.requestsPerMinute === undefined)) return entry.ofAll
      const known = entry.ofKeys.get(caller)
      if (known) return known
      const plan = makePlan(deployment, caller, entry.shared)
      if (plan) entry.ofKeys.set(caller, plan)
      return plan
    },
  }
}

/** The counters of the deployment itself, whoever calls. */
export function listOwnLines(deployment: Deployment): readonly Line[] {
  return makePlan(deployment, undefined, { lengths: createAnswerLengths(), queue: undefined })?.lines ?? []
}

/** What the lines are charged for a call that costs about so much. */
export function writeDemands(lines: readonly Line[], estimate: Estimate, outputWeight: number): Demand[] {
  const { promptTokens, completionTokens } = estimate
  const demands: Demand[] = []
  for (const line of lines) {
    const { rule } = line
    if (line.measure === 'tokens') demands.push({ rule, cost: promptTokens + completionTokens })
    else if (line.measure === 'units')
      demands.push({ rule, cost: toUnits(promptTokens, completionTokens, outputWeight) })
    else demands.push({ rule, cost: 1 })
  }
  return demands
}

export function toUnits(promptTokens: number, completionTokens: number, outputWeight: number): number {
  return Math.ceil(promptTokens + completionTokens * outputWeight)
}

function makePlan(deployment: Deployment, caller: Caller | undefined, shared: DeploymentState): Plan | undefined {
  const { limits } = deployment
  const name = `deployment/${placeKey(deployment)}`
  const own = limits ? ownLines(name, limits, deployment.createdAt * 1000) : []
  const ofKey = caller ? keyLines(caller) : []
  const slots = own.filter(({ measure }) => measure === 'slots')
  const others = [...own.filter(({ measure }) => measure !== 'slots'), ...ofKey]
  // Windows of a minute before shorter ones and before what drains.
  others.sort((a, b) => spanOf(b) - spanOf(a))
  const withoutPool = [...others, ...slots]
  if (withoutPool.length === 0) return undefined
  const pool = limits?.kind === 'rate' && limits.tokens ? limits.pool : undefined
  const outputWeight = limits?.kind === 'provisioned' ? limits.outputWeight : 0
  const base = { outputWeight, shared, mostGuessed: mostGuessed(withoutPool, outputWeight) }
  if (!pool) return { ...base, lines: withoutPool, pooled: undefined, mostTokens: mostTokens(withoutPool) }
  const poolLine: Line = {
    owner: 'pool',
    measure: 'tokens',
    rule: windowRule(`pool/${pool.key}/tokens`, { limit: pool.tokensPerMinute, windowMs: minuteMs }, settlesOf(limits)),
  }
  const isOwnTokens = ({ owner, measure }: Line) => owner === 'deployment' && measure === 'tokens'
  const borrowing = [...withoutPool.filter((line) => !isOwnTokens(line)), poolLine]
  const most = mostTokens(withoutPool.filter((line) => !isOwnTokens(line)))
  const ownMost = Math.max(limits?.kind === 'rate' ? (limits.tokens?.limit ?? 0) : 0, pool.tokensPerMinute)
  return {
    ...base,
    lines: [...withoutPool, poolLine],
    pooled: { withoutPool, borrowing },
    mostTokens: Math.min(most, ownMost),
  }
}

/** `since` is when the deployment was made, in unix milliseconds. */
function ownLines(name: string, limits: DeploymentLimits, since: number): Line[] {
  const lines: Line[] = []
  if (limits.kind === 'rate') {
    const { tokens, requests } = limits
    if (tokens) {
      const rule = { ...windowRule(`${name}/tokens`, tokens, limits.settles), since }
      lines.push({ owner: 'deployment', measure: 'tokens', rule })
    }
    if (requests) {
      const rule = { ...windowRule(`${name}/requests`, requests, false), since }
      lines.push({ owner: 'deployment', measure: 'requests', rule })
    }
  } else if (limits.kind === 'provisioned') {
    const { inputTokensPerMinute, concurrency } = limits
    const rule: LeakyRule = {
      kind: 'leaky',
      key: `${name}/utilization`,
      drainPerMs: inputTokensPerMinute / minuteMs,
      depth: inputTokensPerMinute * depthMinutes,
      since,
    }
    lines.push({ owner: 'deployment', measure: 'units', rule })
    if (concurrency !== undefined) {
      lines.push({
        owner: 'deployment',
        measure: 'slots',
        rule: { kind: 'slots', key: `${name}/slots`, limit: concurrency },
      })
    }
  }
  return lines
}

/** A key's own limits hold across all deployments, and always count what calls really cost. */
function keyLines({ keyName, resource, grant }: Caller): Line[] {
  const name = `key/${qualify(resource, keyName)}`
  const lines: Line[] = []
  if (grant?.tokensPerMinute !== undefined) {
    const rate = { limit: grant.tokensPerMinute, windowMs: minuteMs }
    const rule = { ...windowRule(`${name}/tokens`, rate, true), since: grant.since }
    lines.push({ owner: 'key', measure: 'tokens', rule })
  }
  if (grant?.requestsPerMinute !== undefined) {
    const rate = { limit: grant.requestsPerMinute, windowMs: minuteMs }
    const rule = { ...windowRule(`${name}/requests`, rate, false), since: grant.since }
    lines.push({ owner: 'key', measure: 'requests', rule })
  }
  return lines
}

function windowRule(key: string, rate: { limit: number; windowMs: number }, settles: boolean): WindowRule {
  return { kind: 'window', key, limit: rate.limit, windowMs: rate.windowMs, settles }
}

function settlesOf(limits: DeploymentLimits | undefined): boolean {
  return limits?.kind === 'rate' && limits.settles
}

function spanOf({ rule }: Line): number {
  return rule.kind === 'window' ? rule.windowMs : 0
}

function mostTokens(lines: readonly Line[]): number {
  let most = Number.POSITIVE_INFINITY
  for (const line of lines) if (line.measure === 'tokens') most = Math.min(most, line.rule.limit)
  return most
}

function mostGuessed(lines: readonly Line[], outputWeight: number): number {
  let most = mostTokens(lines)
  for (const line of lines) if (line.measure === 'units') most = Math.min(most, line.rule.depth / outputWeight)
  return Math.max(1, Math.floor(most / 2))
}
