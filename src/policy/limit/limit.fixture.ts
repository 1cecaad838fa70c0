import type { Deployment, DeploymentLimits, SkuName } from '../../core/deployment.ts'
import { makeChatCall, makeDeployment, makeExchange } from '../../core/exchange.fixture.ts'
import type { Caller, Exchange, Grant, Outcome } from '../../core/exchange.ts'
import { type Fault, toFault } from '../../core/fault.ts'
import type { Reply } from '../../core/reply.ts'
import type { Usage } from '../../core/usage/usage.ts'
import type { CounterRule, Counters } from '../../port/counters/port.ts'
import { createSharedCounters } from '../../port/counters/shared-memory/counters.ts'
import { allocateCounterMemory } from '../../port/counters/shared-memory/table.ts'
import { createPipeline, type Next, type Policy } from '../pipeline.ts'
import { createLimiter, type LimiterOptions } from './limiter.ts'
import type { StartTimer } from './wait-queue.ts'

/** A limiter in virtual time, and calls through it. */

/** The beginning of a minute. */
export const start = 1_000_000 * 60_000

export const answer: Reply = { kind: 'whole', result: { kind: 'chat', choices: [] } }

export type Clock = {
  now(): number
  readonly startTimer: StartTimer
  /** Timers that have not run and were not called off. */
  pendingTimers(): number
  /** Runs what is due on the way, each at its time, and all that follows from it. */
  advance(ms: number): Promise<void>
}

export function createClock(): Clock {
  let at = start
  const timers = new Set<{ readonly run: () => void; readonly dueAt: number }>()
  return {
    now: () => at,
    startTimer(run, afterMs) {
      const timer = { run, dueAt: at + afterMs }
      timers.add(timer)
      return () => timers.delete(timer)
    },
    pendingTimers: () => timers.size,
    async advance(ms) {
      const until = at + ms
      await settleAll()
      for (;;) {
        const [next] = [...timers].filter(({ dueAt }) => dueAt <= until).sort((a, b) => a.dueAt - b.dueAt)
        if (!next) break
        timers.delete(next)
        at = Math.max(at, next.dueAt)
        next.run()
        await settleAll()
      }
      at = until
      await settleAll()
    },
  }
}

/** Lets everything run that waits for nothing but its turn. */
export function settleAll(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}

export type World = Clock & {
  readonly counters: Counters
  /** Sends a call in; it stays open until it is ended. */
  enter(more?: Partial<Exchange>): Promise<Entered>
  /** What the counter stands at. */
  used(counter: Counter): Promise<number>
  close(): Promise<void>
}

/** What makes a counter that one, and what makes it change by itself. */
export type Counter =
  | { readonly kind: 'window'; readonly key: string }
  | { readonly kind: 'leaky'; readonly key: string; readonly drainPerMs: number }
  | { readonly kind: 'slots'; readonly key: string }

export type Entered = {
  readonly exchange: Exchange
  readonly headers: Readonly<Record<string, string>>
  /** undefined for a call that was let in. */
  readonly fault: Fault | undefined
  end(outcome?: Outcome, usage?: Usage | undefined, pieces?: number): void
}

export type WorldOptions = Omit<LimiterOptions, 'counters' | 'now' | 'startTimer'> & {
  /** Whether the counters answer later, as those of another machine do. */
  readonly isSlow?: boolean
  readonly before?: readonly Policy[]
  readonly next?: Next
}

export function createWorld({ isSlow = false, before = [], next, ...options }: WorldOptions = {}): World {
  const clock = createClock()
  const shared = createSharedCounters({ memory: allocateCounterMemory(1_024, start), now: clock.now })
  const counters: Counters = isSlow
    ? {
        ...shared,
        reserve: async (demands) => shared.reserve(demands),
        read: async (rules) => shared.read(rules),
      }
    : shared
  const limiter = createLimiter({ counters, now: clock.now, startTimer: clock.startTimer, ...options })
  const pipeline = createPipeline([...before, limiter], next ?? (async () => answer), [])
  return {
    ...clock,
    counters,
    async enter(more) {
      const exchange = makeExchange(more)
      let fault: Fault | undefined
      try {
        await pipeline.run(exchange)
      } catch (error) {
        fault = toFault(error)
        pipeline.end(exchange, exchange.signal.aborted ? 'aborted' : 'failed', fault)
      }
      return {
        exchange,
        headers: exchange.answerHeaders,
        fault,
        end(outcome = 'done', usage, pieces = 0) {
          exchange.tally.usage = usage
          exchange.tally.pieces = pieces
          pipeline.end(exchange, outcome)
        },
      }
    },
    async used(counter) {
      const rule: CounterRule = { ...anyRule, ...counter }
      return (await shared.read([rule]))[0]?.used ?? Number.NaN
    },
    close: () => shared.close(),
  }
}

/** Of no matter to a reading. */
const anyRule = { limit: 1, windowMs: 60_000, settles: true, depth: 1 }

type RateLimits = Extract<DeploymentLimits, { kind: 'rate' }>

export function limitedTo(more: Partial<RateLimits>, sku: SkuName = 'Standard', capacity = 1): Deployment {
  const limits: RateLimits = {
    kind: 'rate',
    tokens: undefined,
    requests: undefined,
    settles: true,
    pool: undefined,
    ...more,
  }
  return makeDeployment({ name: 'Chat-A', sku: { name: sku, capacity }, limits })
}

export function provisioned(inputTokensPerMinute: number, concurrency?: number, outputWeight = 4): Deployment {
  return makeDeployment({
    name: 'PTU',
    sku: { name: 'ProvisionedManaged', capacity: 15 },
    limits: { kind: 'provisioned', inputTokensPerMinute, outputWeight, concurrency },
  })
}

export const perMinute = (limit: number) => ({ limit, windowMs: 60_000 })

export function keyWith(more: Partial<Grant>, keyName = 'team-a'): Caller {
  const grant: Grant = {
    deployments: undefined,
    tokensPerMinute: undefined,
    requestsPerMinute: undefined,
    budgets: [],
    ...more,
  }
  return { keyName, grant, expiresAt: undefined }
}

/** A call that is estimated at exactly so many tokens: 10 of prompt, the rest of answer. */
export function callOf(tokens: number, more: Parameters<typeof makeChatCall>[0] = {}) {
  // 12 characters, and seven tokens around them.
  return makeChatCall({ messages: [{ role: 'user', content: 'twelve chars' }], maxTokens: tokens - 10, ...more })
}
