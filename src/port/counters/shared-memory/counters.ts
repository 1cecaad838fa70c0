import type { CounterRule, CounterState, Counters, Demand, Reservation, Verdict } from '../port.ts'
import { type CounterKey, keyOf, lowOfLane } from './hash-key.ts'
import {
  readLevel,
  readWindow,
  stateOf,
  unknownOf,
  untilLevelFits,
  untilWindowEnds,
  untilWindowFits,
  windowNumber,
} from './levels.ts'
import { createLock } from './lock.ts'
import { beatEveryMs, createPresence } from './presence.ts'
import { addEntry, field, findEntry, viewCounterMemory, word } from './table.ts'

export type SharedCountersOptions = {
  /** From `allocateCounterMemory`; the same for every thread. */
  readonly memory: SharedArrayBuffer
  /** Unix milliseconds. */
  readonly now: () => number
  /**
   * Whether counters that were there before are lost, as after a restart. Then a window that was open at the start has one second's
   * worth, and what accrues at its rate since; a leaky level likewise. Whatever was used before, no more than the limit gets through.
   */
  readonly isColdStart?: boolean
}

const fullRetryMs = 1_000
/** Nobody knows when a holder of a slot will be done. */
const slotRetryMs = 100

/** Counters for the threads of one process. All calls are synchronous. Throws a RangeError for more than 64 threads. */
export function createSharedCounters({ memory, now, isColdStart = false }: SharedCountersOptions): Counters {
  const table = viewCounterMemory(memory)
  const { numbers, words } = table
  const lock = createLock(words, word.lock, Atomics.add(words, word.users, 1))
  const presence = createPresence(table, now)
  const keys = new WeakMap<CounterRule, CounterKey>()
  let nowMs = 0
  inTurn(() => true)
  // A thread with nothing to count is alive all the same.
  const timer = setInterval(() => inTurn(() => true), beatEveryMs)
  timer.unref()

  /** Runs alone, at the time `nowMs`; again where the lock got lost before anything was written, which `work` says by undefined. */
  function inTurn<T>(work: () => T | undefined): T {
    for (;;) {
      lock.take()
      try {
        nowMs = presence.tick()
        const result = work()
        if (result !== undefined) return result
      } finally {
        lock.give()
      }
    }
  }

  function keyFor(rule: CounterRule): CounterKey {
    let key = keys.get(rule)
    if (key === undefined) {
      key = keyOf(rule)
      keys.set(rule, key)
    }
    return key
  }

  /** Where a counter is; of slots the part of this thread. */
  function find(rule: CounterRule): number {
    const { low, high } = keyFor(rule)
    return findEntry(table, rule.kind === 'slots' ? lowOfLane(low, presence.lane()) : low, high)
  }

  function isOver(at: number): boolean {
    const expiresAt = numbers[at + field.expiresAt] as number
    // Slots are held without end, but not longer than their thread lives.
    return (
      expiresAt <= nowMs ||
      (expiresAt === Number.POSITIVE_INFINITY && !presence.isAlive(numbers[at + field.mark] as number))
    )
  }

  /** The entry of a counter, safe for this millisecond; -1 when the table is full. */
  function open(rule: CounterRule): number {
    let at = find(rule)
    if (at === -1) {
      const used = rule.kind === 'leaky' ? readLevel(table, at, rule, nowMs, isColdStart) : 0
      const { low, high } = keyFor(rule)
      at = addEntry(table, rule.kind === 'slots' ? lowOfLane(low, presence.lane()) : low, high, isOver)
      if (at === -1) return at
      numbers[at + field.used] = used
      numbers[at + field.mark] = nowMs
    }
    if (!((numbers[at + field.expiresAt] as number) > nowMs)) numbers[at + field.expiresAt] = nowMs + 1
    return at
  }

  /** What all threads together use now. */
  function usedOf(rule: CounterRule): number {
    if (rule.kind === 'slots') return heldOf(rule)
    const at = find(rule)
    if (rule.kind === 'leaky') return readLevel(table, at, rule, nowMs, isColdStart)
    return readWindow(table, at, rule, nowMs) + unknownOf(table, rule, nowMs, isColdStart)
  }

  function heldOf(rule: CounterRule): number {
    const { low, high } = keyFor(rule)
    let held = 0
    for (let lane = 0; lane < presence.lanes(); lane++) {
      const at = findEntry(table, lowOfLane(low, lane), high)
      if (at !== -1 && presence.isAlive(numbers[at + field.mark] as number)) held += numbers[at + field.used] as number
    }
    return held
  }

  /** 0 when the demand fits, else the milliseconds until it may. */
  function waitFor({ rule, cost }: Demand, used: number): number {
    if (rule.kind === 'slots') return used + cost <= rule.limit ? 0 : slotRetryMs
    if (rule.kind === 'window') {
      return used + cost <= rule.limit ? 0 : untilWindowFits(table, rule, used + cost, nowMs, isColdStart)
    }
    return used <= rule.depth ? 0 : untilLevelFits(table, find(rule), rule, used, nowMs, isColdStart)
  }

  function decide(demands: readonly Demand[]): Verdict | undefined {
    for (const [i, demand] of demands.entries()) {
      const waitMs = waitFor(demand, usedOf(demand.rule) + demandedBefore(demands, i))
      if (waitMs > 0) return refuse(demands, i, waitMs)
    }
    if (!lock.isHeld()) return undefined
    for (const [i, { rule }] of demands.entries()) if (open(rule) === -1) return refuse(demands, i, fullRetryMs)
    for (const { rule, cost } of demands) charge(rule, cost)
    const states = demands.map(({ rule }) => stateOf(rule, usedOf(rule), nowMs))
    return { isAdmitted: true, reservation: reservationOf(demands, states, nowMs, presence.mark()) }
  }

  /** What the same reservation takes of the same counter already. */
  function demandedBefore(demands: readonly Demand[], index: number): number {
    const { low, high } = keyFor((demands[index] as Demand).rule)
    let cost = 0
    for (let i = 0; i < index; i++) {
      const before = demands[i] as Demand
      const key = keyFor(before.rule)
      if (key.low === low && key.high === high) cost += before.cost
    }
    return cost
  }

  function refuse(demands: readonly Demand[], refusedBy: number, retryAfterMs: number): Verdict {
    const states = demands.map(({ rule }) => stateOf(rule, usedOf(rule), nowMs))
    return { isAdmitted: false, refusedBy, retryAfterMs, states }
  }

  /** Adds to a counter, or takes away from it down to nothing. */
  function charge(rule: CounterRule, cost: number): void {
    const at = open(rule)
    if (at === -1) return
    if (rule.kind === 'window') {
      write(
        at,
        readWindow(table, at, rule, nowMs) + cost,
        windowNumber(rule, nowMs),
        nowMs + untilWindowEnds(rule, nowMs),
      )
    } else if (rule.kind === 'leaky') {
      const level = Math.max(0, readLevel(table, at, rule, nowMs, isColdStart) + cost)
      write(at, level, nowMs, level === 0 ? nowMs : Math.min(Number.MAX_VALUE, nowMs + level / rule.drainPerMs))
    } else {
      const isOurs = numbers[at + field.mark] === presence.mark()
      const held = Math.max(0, (isOurs ? (numbers[at + field.used] as number) : 0) + cost)
      write(at, held, presence.mark(), held > 0 ? Number.POSITIVE_INFINITY : nowMs)
    }
  }

  function write(at: number, used: number, mark: number, expiresAt: number): void {
    numbers[at + field.used] = Math.max(0, used)
    numbers[at + field.mark] = mark
    numbers[at + field.expiresAt] = expiresAt
  }

  function reservationOf(
    demands: readonly Demand[],
    states: readonly CounterState[],
    reservedAt: number,
    mark: number,
  ): Reservation {
    let isSettled = false
    return {
      states,
      settle(actual) {
        if (isSettled) return
        isSettled = true
        inTurn(() => {
          if (!lock.isHeld()) return undefined
          for (const [i, demand] of demands.entries()) correct(demand, actual[i], reservedAt, mark)
          return true
        })
      },
    }
  }

  function correct({ rule, cost }: Demand, actual: number | undefined, reservedAt: number, mark: number): void {
    if (rule.kind === 'slots') {
      // Of a lane that another thread has by now, the slots are free already.
      if (mark === presence.mark()) charge(rule, -cost)
      return
    }
    // What nobody told counts as estimated.
    if (actual === undefined || actual === cost || !(actual >= 0)) return
    if (rule.kind === 'window') {
      if (!rule.settles) return
      const isOver = windowNumber(rule, reservedAt) !== windowNumber(rule, nowMs)
      if (isOver && actual < cost) return
    }
    charge(rule, actual - cost)
  }

  return {
    reserve: (demands) => inTurn(() => decide(demands)),
    read: (rules) => inTurn(() => rules.map((rule) => stateOf(rule, usedOf(rule), nowMs))),
    degradedReason: () => undefined,
    async close() {
      clearInterval(timer)
      inTurn(() => {
        presence.leave()
        return true
      })
    },
  }
}
