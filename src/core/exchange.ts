import type { Principal } from './access/principal.ts'
import type { Call } from './call.ts'
import type { Deployment, ServiceTier } from './deployment.ts'
import type { Fault } from './fault.ts'
import type { ResourceId } from './resource.ts'
import type { RequestRecord } from './usage/request-record.ts'
import { openTally, type Tally } from './usage/tally.ts'

/** An allowance over a calendar day or month (UTC). `limit` is tokens, or money in the currency of the prices. */
export type Budget = {
  readonly unit: 'tokens' | 'cost'
  readonly period: 'day' | 'month'
  readonly limit: number
}

/** What a named key may use, and how much of it. */
export type Grant = {
  /** By `deploymentKey`; undefined means every deployment. */
  readonly deployments: ReadonlySet<string> | undefined
  readonly tokensPerMinute: number | undefined
  readonly requestsPerMinute: number | undefined
  readonly budgets: readonly Budget[]
  /** When the key was made, in unix milliseconds. */
  readonly since?: number | undefined
}

/** Who calls: the key that was presented, or whom a token names. The resource's own two keys have no grant: they may use everything. */
export type Caller = {
  /** Of whom a token names: `ownerName`, which no key can have. */
  readonly keyName: string
  /** Whose key it is; absent: the server's own resource's. */
  readonly resource?: ResourceId | undefined
  readonly grant: Grant | undefined
  /** Unix milliseconds after which the key is no longer taken. */
  readonly expiresAt: number | undefined
  /** Whom a token names; his grant says which deployments he sees, his roles what he may do. */
  readonly principal?: Principal | undefined
}

/** What a call was served as. Flex waits for room that nobody else needs; a deployment is never of that tier, only a call. */
export type ServedTier = ServiceTier | 'flex'

/** How a call ended: `aborted` when the caller went away, `failed` before or during the answer. */
export type Outcome = 'done' | 'failed' | 'aborted'

/** Something that was taken when the call was let in and is given back, or made exact, when it has ended. */
export type Hold = {
  /** Called once. Never throws, never waits. */
  release(tally: Tally, outcome: Outcome): void
}

/** One request on its way through the pipeline. Always made with every field, so that it keeps one shape. */
export type Exchange = {
  readonly id: string
  readonly caller: Caller
  /** A policy may put a call that it has changed in its place. */
  call: Call
  /** What answers the call: changes once when it spills over. */
  deployment: Deployment
  /** In which service tier the call is served; undefined until that is decided. */
  servedTier: ServedTier | undefined
  /** The deployment that was asked for and could not take the call. */
  spilledFrom: Deployment | undefined
  /** Whether the call is a line of a batch: it takes what others leave, and deployments that are for batches take it. */
  readonly isBatch: boolean
  /** Whether a policy reads the answer: then backends give it in canonical form instead of bytes to pass on. */
  needsEvents: boolean
  readonly signal: AbortSignal
  /** A header of the request by lower-case name, or null. */
  readonly header: (name: string) => string | null
  /** Headers of the answer, also of a refusal; what the pipeline adds goes out with either. */
  readonly answerHeaders: Record<string, string>
  /** What is written down of it. Complete when the listeners are told of its end. */
  readonly record: RequestRecord
  readonly tally: Tally
  /** What was taken for this call so far. Emptied by `endExchange`. */
  readonly holds: Hold[]
  /** Unix milliseconds. */
  readonly startedAt: number
}

/** What is known of a call when it sets out. */
export type ExchangeStart = Pick<
  Exchange,
  'caller' | 'call' | 'deployment' | 'isBatch' | 'needsEvents' | 'signal' | 'header' | 'answerHeaders' | 'record'
>

export function openExchange(start: ExchangeStart): Exchange {
  const { record } = start
  return {
    id: record.id,
    caller: start.caller,
    call: start.call,
    deployment: start.deployment,
    servedTier: undefined,
    spilledFrom: undefined,
    isBatch: start.isBatch,
    needsEvents: start.needsEvents,
    signal: start.signal,
    header: start.header,
    answerHeaders: start.answerHeaders,
    record,
    tally: openTally(),
    holds: [],
    startedAt: record.startedAt,
  }
}

/** What is told of every call that had a deployment, once, when it has ended. */
export type EndListener = (exchange: Exchange, outcome: Outcome, fault: Fault | undefined) => void

/** Gives back what was taken for the call: everything, or all but the first `kept` holds. */
export function releaseHolds(exchange: Exchange, outcome: Outcome, kept = 0): void {
  while (exchange.holds.length > kept) exchange.holds.pop()?.release(exchange.tally, outcome)
}
