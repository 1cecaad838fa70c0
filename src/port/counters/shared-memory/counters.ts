import type { CounterRule, CounterState, Counters, Demand, Reservation, Verdict } from '../port.ts'
import { hashKey } from './hash-key.ts'
import { createLock, type Lock } from './lock.ts'
import { beatAt, type CounterMemory, field, findEntry, generationAt, maxLanes, viewCounterMemory } from './table.ts'

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

/** A thread whose heartbeat is older is taken for dead. */
const deadAfterMs = 10_000
const beatEveryMs = 2_000
const graceMs = 1_000
const fullRetryMs = 1_000
/** Nobody knows when a holder of a slot will be done. */
const slotRetryMs = 100

/** Counters for the threads of one process. All calls are synchronous. */
export function createSharedCounters({ memory: buffer, now, isColdStart = false }: SharedCountersOptions): Counters {
  const memory = viewCounterMemory(buffer)
  const { numbers, words } = memory
  let lane = claimLane(memory, now())
  let lock = lockOf(lane)
  const hashes = new WeakMap<CounterRule, readonly number[]>()
  // A thread with nothing to count is alive all the same.
  const timer = setInterval(() => beat(now()), beatEveryMs)
  timer.unref()

  function lockOf({ index }: Lane): Lock {
    return createLock(words, 0, index, (holder) => isAlive(memory, holder, now()))
  }

  function beat(nowMs: number): void {
    if (Atomics.load(words, generationAt(lane.index)) !== lane.generation) {
      // Stopped for so long that another thread has the lane now: what this one held is free already.
      lane = claimLane(memory, nowMs)
      lock = lockOf(lane)
    }
    numbers[beatAt(lane.index)] = nowMs
  }

  /** Of slots one entry for each lane, else one. */
  function hashesOf(rule: CounterRule): readonly number[] {
    let known = hashes.get(rule)
    if (!known) {
      known =
        rule.kind === 'slots'
          ? Array.from({ length: maxLanes }, (_, index) => hashKey(`${index}\n${rule.key}`))
          : [hashKey(`${rule.kind}\n${rule.key}`)]
      hashes.set(rule, known)
    }
    return known
  }

  /** The counter's entry, brought to `nowMs`; -1 when there is no room for it. */
  function open(rule: CounterRule, nowMs: number): number {
    const at = findEntry(memory, hashesOf(rule)[rule.kind === 'slots' ? lane.index : 0] as number, nowMs)
    if (at === -1) return at
    if (rule.kind === 'window') turnWindow(at, rule.windowMs, nowMs)
    else if (rule.kind === 'leaky') drain(at, rule, nowMs)
    else if (numbers[at + field.mark] !== lane.generation) {
      numbers[at + field.mark] = lane.generation
      numbers[at + field.used] = 0
    }
    return at
  }

  function turnWindow(at: number, windowMs: number, nowMs: number): void {
    const window = Math.floor(nowMs / windowMs)
    const mark = numbers[at + field.mark] as number
    // A clock that goes back a little stays in the window it came from; one that goes back far takes what was used along.
    if (mark === window || mark === window + 1) return
    if (!(mark > window)) numbers[at + field.used] = 0
    numbers[at + field.mark] = window
    numbers[at + field.expiresAt] = (window + 1) * windowMs
  }

  function drain(at: number, { drainPerMs, depth }: Extract<CounterRule, { kind: 'leaky' }>, nowMs: number): void {
    const since = numbers[at + field.mark] as number
    if (Number.isNaN(since)) {
      numbers[at + field.used] = isColdStart
        ? Math.max(0, depth - drainPerMs * (graceMs + nowMs - memory.createdAt))
        : 0
    } else if (nowMs > since) {
      numbers[at + field.used] = Math.max(0, (numbers[at + field.used] as number) - drainPerMs * (nowMs - since))
    }
    numbers[at + field.mark] = nowMs
    numbers[at + field.expiresAt] = nowMs + (numbers[at + field.used] as number) / drainPerMs
  }

  /** What a window lets through: all of its limit, but after a cold start only what has accrued. */
  function limitOf({ limit, windowMs }: Extract<CounterRule, { kind: 'window' }>, nowMs: number): number {
    if (!isColdStart || Math.floor(memory.createdAt / windowMs) !== Math.floor(nowMs / windowMs)) return limit
    return Math.floor(limit * Math.min(1, (graceMs + nowMs - memory.createdAt) / windowMs))
  }

  /** Of slots those of all threads that live. */
  function usedOf(rule: CounterRule, at: number, nowMs: number): number {
    if (rule.kind !== 'slots') return numbers[at + field.used] as number
    let used = 0
    for (const [index, hash] of hashesOf(rule).entries()) {
      if (!isAlive(memory, index, nowMs)) continue
      const entry = findEntry(memory, hash, nowMs)
      if (entry !== -1 && numbers[entry + field.mark] === Atomics.load(words, generationAt(index)))
        used += numbers[entry + field.used] as number
    }
    return used
  }

  /** 0 when the demand fits, else the milliseconds until it may. */
  function waitFor({ rule, cost }: Demand, used: number, nowMs: number): number {
    if (rule.kind === 'leaky')
      return used <= rule.depth ? 0 : Math.max(1, Math.ceil((used - rule.depth) / rule.drainPerMs))
    if (rule.kind === 'slots') return used + cost <= rule.limit ? 0 : slotRetryMs
    const limit = limitOf(rule, nowMs)
    if (used + cost <= limit) return 0
    const untilEnd = Math.max(1, rule.windowMs - (nowMs % rule.windowMs))
    if (limit === rule.limit) return untilEnd
    const missing = used + cost - (rule.limit * (graceMs + nowMs - memory.createdAt)) / rule.windowMs
    return Math.max(1, Math.min(untilEnd, Math.ceil((missing * rule.windowMs) / rule.limit)))
  }

  function stateOf(rule: CounterRule, used: number, nowMs: number): CounterState {
    if (rule.kind === 'window') return { used, resetMs: rule.windowMs - (nowMs % rule.windowMs) }
    return { used, resetMs: rule.kind === 'leaky' ? Math.ceil(used / rule.drainPerMs) : 0 }
  }

  function decide(demands: readonly Demand[], nowMs: number): Verdict {
    const entries: number[] = []
    const used: number[] = []
    let refusedBy = -1
    let retryAfterMs = 0
    for (const [i, demand] of demands.entries()) {
      const at = open(demand.rule, nowMs)
      entries.push(at)
      used.push(at === -1 ? 0 : usedOf(demand.rule, at, nowMs))
      const waitMs = at === -1 ? fullRetryMs : waitFor(demand, used[i] as number, nowMs)
      if (waitMs === 0 || refusedBy !== -1) continue
      refusedBy = i
      retryAfterMs = waitMs
    }
    if (refusedBy !== -1) {
      const states = demands.map(({ rule }, i) => stateOf(rule, used[i] as number, nowMs))
      return { isAdmitted: false, refusedBy, retryAfterMs, states }
    }
    const states: CounterState[] = []
    for (const [i, { rule, cost }] of demands.entries()) {
      charge(entries[i] as number, rule, cost)
      states.push(stateOf(rule, (used[i] as number) + cost, nowMs))
    }
    const marks = entries.map((at) => numbers[at + field.mark] as number)
    return { isAdmitted: true, reservation: reservationOf(demands, marks, states) }
  }

  function charge(at: number, rule: CounterRule, cost: number): void {
    numbers[at + field.used] = (numbers[at + field.used] as number) + cost
    if (rule.kind === 'leaky')
      numbers[at + field.expiresAt] =
        (numbers[at + field.mark] as number) + (numbers[at + field.used] as number) / rule.drainPerMs
    else if (rule.kind === 'slots') numbers[at + field.expiresAt] = Number.POSITIVE_INFINITY
  }

  function reservationOf(
    demands: readonly Demand[],
    marks: readonly number[],
    states: readonly CounterState[],
  ): Reservation {
    let isSettled = false
    return {
      states,
      settle(actual) {
        if (isSettled) return
        isSettled = true
        const nowMs = now()
        guarded(nowMs, () => {
          for (const [i, demand] of demands.entries()) correct(demand, actual[i] as number, marks[i] as number, nowMs)
        })
      },
    }
  }

  function correct({ rule, cost }: Demand, actual: number, mark: number, nowMs: number): void {
    if (rule.kind === 'window' && !rule.settles) return
    const at = open(rule, nowMs)
    if (at === -1) return
    const used = numbers[at + field.used] as number
    if (rule.kind === 'slots') {
      if (mark !== lane.generation) return
      numbers[at + field.used] = Math.max(0, used - cost)
      if (used <= cost) numbers[at + field.expiresAt] = nowMs
      return
    }
    const difference = actual - cost
    const isOver = rule.kind === 'window' && numbers[at + field.mark] !== mark
    if (isOver && difference < 0) return
    numbers[at + field.used] = Math.max(0, used)
    charge(at, rule, Math.max(-used, difference))
  }

  /** Runs under the lock, which nothing in here may keep by throwing. */
  function guarded<T>(nowMs: number, work: () => T): T {
    beat(nowMs)
    lock.take()
    try {
      return work()
    } finally {
      lock.give()
    }
  }

  return {
    reserve(demands) {
      const nowMs = now()
      return guarded(nowMs, () => decide(demands, nowMs))
    },
    read(rules) {
      const nowMs = now()
      return guarded(nowMs, () =>
        rules.map((rule) => {
          const at = open(rule, nowMs)
          return stateOf(rule, at === -1 ? 0 : usedOf(rule, at, nowMs), nowMs)
        }),
      )
    },
    degradedReason: () => undefined,
    async close() {
      clearInterval(timer)
      numbers[beatAt(lane.index)] = 0
    },
  }
}

function isAlive({ numbers }: CounterMemory, lane: number, nowMs: number): boolean {
  const beat = numbers[beatAt(lane)] as number
  return beat !== 0 && Math.abs(nowMs - beat) <= deadAfterMs
}

type Lane = { readonly index: number; readonly generation: number }

/** A free place, or that of a thread that died, whose slots are free with that. */
function claimLane(memory: CounterMemory, nowMs: number): Lane {
  const { numbers, words } = memory
  for (let index = 0; index < maxLanes; index++) {
    const generation = Atomics.load(words, generationAt(index))
    if (isAlive(memory, index, nowMs)) continue
    // The beat first: who comes now takes the place for taken. Of those who came at once one wins.
    numbers[beatAt(index)] = nowMs
    if (Atomics.compareExchange(words, generationAt(index), generation, generation + 1) !== generation) continue
    return { index, generation: generation + 1 }
  }
  throw new RangeError(`More than ${maxLanes} threads share these counters.`)
}
