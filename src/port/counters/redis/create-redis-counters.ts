import type { CounterRule, CounterState, Counters, Demand, Verdict } from '../port.ts'
import { describeRule } from './corrections.ts'
import { createDecision, type Question, readAnswer } from './decision.ts'
import { createLedger, noteDemand } from './ledger.ts'
import { createSettlement } from './settlement.ts'
import { openStore } from './store.ts'
import { late, within } from './within.ts'

export type RedisCountersOptions = {
  /**
   * `redis://` or `rediss://`, with user, password and database if need be. The store must not evict keys: with an eviction policy a
   * full counter may be forgotten.
   */
  readonly url: string
  /** The same after a restart and no other node's (with threads: one for each). Its old incarnation is then known to be gone. */
  readonly nodeId: string
  /** Milliseconds, steady: best the unix time at the start plus a monotonic clock. Need not agree with any other clock. */
  readonly now: () => number
  /** In front of every key. Servers that share limits share it. */
  readonly prefix?: string | undefined
  /** How many adapters there are in all, where the store has not shown as many. */
  readonly expectedMembers?: number | undefined
  /** The most a reservation waits for the store. */
  readonly budgetMs?: number | undefined
  readonly onDegraded?: ((reason: string) => void) | undefined
  readonly onRecovered?: (() => void) | undefined
  /** Takes the place of the store's clock: virtual time. */
  readonly storeNow?: (() => number) | undefined
  /** Runs the upkeep every now and then until stopped; of itself every 100 ms. */
  readonly repeat?: ((run: () => void) => { stop(): void }) | undefined
}

export type RedisCounters = Counters & {
  /** What is due by now: heartbeat, leases that lie idle, coming back to the store. */
  tend(): Promise<void>
  /** Resolves when the store has taken what was settled so far, or is away: then other nodes see it. */
  told(): Promise<void>
}

const tendMs = 100

/**
 * Counters in Redis or Valkey, shared by all nodes. The store is tried at once and for ever; while it cannot be reached, each node
 * goes on with its share of the limits. Throws a Fault where the URL is none.
 */
export function createRedisCounters(options: RedisCountersOptions): RedisCounters {
  const { now, prefix = 'ponto', budgetMs = 50 } = options
  const ledger = createLedger(prefix)
  const store = openStore({
    url: options.url,
    nodeId: options.nodeId,
    prefix,
    expectedMembers: options.expectedMembers ?? 1,
    now,
    storeNow: options.storeNow,
    onAway(reason) {
      settlement.forgetUncertain()
      if (!isClosed) options.onDegraded?.(describe(reason))
    },
    onLost() {
      for (const entry of ledger.entries()) {
        if (entry.rule.kind !== 'leaky') continue
        entry.share = undefined
        entry.lease = undefined
      }
    },
    onUp(wasAway) {
      settlement.report()
      settlement.assertSlots()
      if (wasAway) options.onRecovered?.()
    },
    onBeat() {
      ledger.forget(now())
      settlement.assertSlots()
    },
  })
  const settlement = createSettlement(store, ledger, now)
  const { decide, guess } = createDecision(store, ledger, settlement, now, budgetMs)
  let isClosed = false

  async function tend(): Promise<void> {
    settlement.trimLeases()
    await store.tend()
  }
  const upkeep = (options.repeat ?? repeatByTimer)(() => void tend())

  function ask(demands: readonly Demand[]): Question {
    const entries = demands.map(({ rule }) => ledger.find(rule))
    return { demands, entries, deadline: performance.now() + budgetMs, hasWaited: false }
  }

  async function read(rules: readonly CounterRule[]): Promise<readonly CounterState[]> {
    const { entries, deadline } = ask(rules.map((rule) => ({ rule, cost: 0 })))
    await within(store.firstOutcome, deadline - performance.now())
    if (store.isUp()) {
      settlement.flushDue()
      const args = rules.flatMap((rule) => [...describeRule(rule), 0, 0, 0])
      const call = store.reserve(
        'read',
        entries.map(({ key }) => key),
        args,
      )
      const answer = await within(call, deadline - performance.now()).catch((error: Error) => error)
      if (answer !== late && !(answer instanceof Error)) return readAnswer(answer).rows.map(({ state }) => state)
    }
    return entries.map(guess)
  }

  return {
    reserve(demands): Verdict | Promise<Verdict> {
      const question = ask(demands)
      const at = now()
      for (const [i, entry] of question.entries.entries()) noteDemand(entry, (demands[i] as Demand).cost, at)
      return decide(question)
    },
    read,
    degradedReason() {
      const reason = store.reason()
      return reason === undefined ? undefined : describe(reason)
    },
    tend,
    told() {
      settlement.flush()
      return store.told()
    },
    async close() {
      if (isClosed) return
      isClosed = true
      upkeep.stop()
      settlement.giveBackAll()
      await store.close()
    },
  }
}

function describe(reason: string): string {
  return `The store of the shared counters cannot be asked (${reason}). Each node goes on with its share of every limit.`
}

function repeatByTimer(run: () => void): { stop(): void } {
  const timer = setInterval(run, tendMs)
  timer.unref()
  return { stop: () => clearInterval(timer) }
}
