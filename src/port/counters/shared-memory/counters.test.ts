import { describe, expect, test } from 'bun:test'
import { type CountersFixture, describeCountersContract } from '../contract.ts'
import type { CounterRule, CounterState, Counters, Demand, Reservation, Verdict } from '../port.ts'
import { testCountersProperty } from '../property.ts'
import { leakyRule, slotsRule, windowRule } from '../rules.fixture.ts'
import { createSharedCounters } from './counters.ts'
import { beatEveryMs, deadAfterMs } from './presence.ts'
import { allocateCounterMemory, word } from './table.ts'

const start = 1_800_000_000_000 - (1_800_000_000_000 % 60_000)

async function openFixture(): Promise<CountersFixture> {
  let time = start
  const memory = allocateCounterMemory(4_096, start)
  const nodes = new Set<Counters>()
  return {
    openNode(skewMs = 0) {
      const node = createSharedCounters({ memory, now: () => time + skewMs })
      nodes.add(node)
      return node
    },
    advance(ms) {
      for (let left = ms; left !== 0; ) {
        const step = Math.min(left, beatEveryMs)
        time += step
        left -= step
        // What the timers of the threads do that live.
        for (const node of nodes) node.read([])
      }
    },
    crash(node) {
      nodes.delete(node)
    },
    deathMs: deadAfterMs,
    isExact: true,
    async remove() {
      await Promise.all([...nodes].map((node) => node.close()))
    },
  }
}

describeCountersContract('shared memory', openFixture)
testCountersProperty('shared memory', openFixture, start, 1_000)

/** Nodes on one memory and one clock; `take` and `refuse` stop the test where it turns out otherwise. */
function openMemory({ slots = 64, at = start, isColdStart = false } = {}) {
  const clock = { now: at }
  const memory = allocateCounterMemory(slots, at)
  const open = () => createSharedCounters({ memory, now: () => clock.now, isColdStart })
  const first = open()
  const ask = (node: Counters, demands: readonly Demand[]) => node.reserve(demands) as Verdict
  return {
    clock,
    memory,
    open,
    first,
    isAdmitted: (rule: CounterRule, cost: number, node = first) => ask(node, [{ rule, cost }]).isAdmitted,
    take(demands: readonly Demand[], node = first): Reservation {
      const verdict = ask(node, demands)
      if (!verdict.isAdmitted) throw new Error(`refused by ${verdict.refusedBy}`)
      return verdict.reservation
    },
    refuse(rule: CounterRule, cost: number, node = first): Extract<Verdict, { isAdmitted: false }> {
      const verdict = ask(node, [{ rule, cost }])
      if (verdict.isAdmitted) throw new Error('admitted')
      return verdict
    },
    used: (rule: CounterRule, node = first) => (node.read([rule]) as CounterState[])[0]?.used,
  }
}

describe('a cold start', () => {
  test('a window that was open has one second to give, and what accrues', () => {
    const { clock, refuse, take, isAdmitted, used } = openMemory({ at: start + 10_000, isColdStart: true })
    const rule = windowRule('a', 6_000)
    expect(used(rule)).toBe(5_900)
    refuse(rule, 101)
    expect(take([{ rule, cost: 100 }]).states).toEqual([{ used: 6_000, resetMs: 50_000 }])
    expect(refuse(rule, 100).retryAfterMs).toBe(1_000)
    clock.now += 999
    refuse(rule, 100)
    clock.now += 1
    expect(isAdmitted(rule, 100)).toBe(true)
    clock.now = start + 60_000
    expect(isAdmitted(rule, 6_000)).toBe(true)
  })

  test('a wait is exact at any rate, and no longer than the window', () => {
    for (const limit of [1, 7, 59, 61, 997, 10_000]) {
      const { clock, refuse, isAdmitted } = openMemory({ isColdStart: true })
      const rule = windowRule('a', limit)
      const cost = Math.ceil(limit / 3)
      const { retryAfterMs } = refuse(rule, cost)
      expect(retryAfterMs).toBeLessThanOrEqual(60_000)
      clock.now += retryAfterMs - 1
      refuse(rule, cost)
      clock.now += 1
      expect(isAdmitted(rule, cost)).toBe(true)
    }
    expect(openMemory({ isColdStart: true }).refuse(windowRule('none', 0), 1).retryAfterMs).toBe(60_000)
  })

  test('a leaky level begins all but one second below its depth', () => {
    const { clock, first, take, used } = openMemory({ isColdStart: true })
    const rule = leakyRule('a', 1, 60_000)
    expect(first.read([rule])).toEqual([{ used: 59_000, resetMs: 59_000 }])
    clock.now += 10_000
    expect(used(rule)).toBe(49_000)
    take([{ rule, cost: 500 }])
    expect(used(rule)).toBe(49_500)
  })

  test('what is younger than the memory has everything, of what is older nobody knows', () => {
    const at = start + 10_000
    const { isAdmitted, used } = openMemory({ at, isColdStart: true })
    expect(isAdmitted({ ...windowRule('old', 6_000), since: at - 1_000 }, 6_000)).toBe(false)
    expect(isAdmitted({ ...windowRule('new', 6_000), since: at + 1_000 }, 6_000)).toBe(true)
    expect(used({ ...leakyRule('new', 1, 60_000), since: at + 1_000 })).toBe(0)
  })

  test('a first start has everything', () => {
    const { isAdmitted } = openMemory({ at: start + 10_000 })
    expect(isAdmitted(windowRule('a', 6_000), 6_000)).toBe(true)
  })
})

describe('a full table', () => {
  test('refuses what it cannot count, and takes it once an older window is over', () => {
    const { clock, isAdmitted, refuse, used } = openMemory({ slots: 16 })
    const rules = Array.from({ length: 16 }, (_, i) => windowRule(`k${i}`, 1))
    for (const rule of rules) expect(isAdmitted(rule, 1)).toBe(true)
    const another = windowRule('another', 1)
    expect(refuse(another, 1)).toEqual({
      isAdmitted: false,
      refusedBy: 0,
      retryAfterMs: 1_000,
      states: [{ used: 0, resetMs: 60_000 }],
    })
    clock.now += 59_999
    refuse(another, 1)
    for (const rule of rules) expect(used(rule)).toBe(1)
    clock.now += 1
    expect(isAdmitted(another, 1)).toBe(true)
  })

  test('charges nothing where one of several has no room', () => {
    const { first, isAdmitted, used } = openMemory({ slots: 16 })
    const rules = Array.from({ length: 16 }, (_, i) => windowRule(`k${i}`, 10))
    for (const rule of rules) isAdmitted(rule, 1)
    const demands = [...rules, windowRule('another', 10)].map((rule) => ({ rule, cost: 1 }))
    expect(first.reserve(demands)).toMatchObject({ isAdmitted: false, refusedBy: 16 })
    for (const rule of rules) expect(used(rule)).toBe(1)
  })

  test('is full for counters that were made a moment ago and hold nothing yet', () => {
    const { first } = openMemory({ slots: 4 })
    const demands = Array.from({ length: 5 }, (_, i) => ({ rule: leakyRule(`l${i}`, 1, 10), cost: 1 }))
    expect(first.reserve(demands)).toMatchObject({ isAdmitted: false, refusedBy: 4 })
  })

  test('gives away no level that is not empty, and no slot that is held', () => {
    const { clock, open, isAdmitted, take, refuse, used } = openMemory({ slots: 2 })
    const [level, slots] = [leakyRule('level', 1, 1_000), slotsRule('slots', 1)]
    const holder = open()
    take([{ rule: level, cost: 300_000 }])
    take([{ rule: slots, cost: 1 }], holder)
    for (; clock.now < start + 290_000; clock.now += 1_000) {
      refuse(windowRule('another', 1), 1)
      holder.read([])
    }
    expect(used(level)).toBe(10_000)
    refuse(slots, 1)
    // Without the holder its slot is free.
    for (; clock.now < start + 301_000; clock.now += 1_000) used(level)
    expect(isAdmitted(windowRule('first', 1), 1)).toBe(true)
    expect(isAdmitted(windowRule('second', 1), 1)).toBe(true)
  })

  test('counters of one reservation do not take each other’s place', () => {
    for (let i = 0; i < 300; i++) {
      const { take, used } = openMemory({ slots: 16 })
      const rules = [
        leakyRule(`a${i}`, 1, 1_000),
        slotsRule(`b${i}`, 5),
        windowRule(`c${i}`, 5),
        leakyRule(`d${i}`, 1, 9),
      ]
      take(rules.map((rule, cost) => ({ rule, cost })))
      expect(rules.map((rule) => used(rule))).toEqual([0, 1, 2, 3])
    }
  })

  test('is not filled by reading or by refusals', () => {
    const { isAdmitted, refuse, used } = openMemory({ slots: 16 })
    for (let i = 0; i < 100; i++) {
      used(windowRule(`r${i}`, 1))
      refuse(windowRule(`r${i}`, 1), 2)
    }
    expect(isAdmitted(windowRule('a', 1), 1)).toBe(true)
  })

  test('far more counters than places come and go', () => {
    const { clock, isAdmitted, used } = openMemory({ slots: 64 })
    for (let round = 0; round < 200; round++) {
      const rules = Array.from({ length: 40 }, (_, i) => windowRule(`${round} ${i}`, 3))
      for (const rule of rules) expect(isAdmitted(rule, 2)).toBe(true)
      for (const rule of rules) expect(used(rule)).toBe(2)
      clock.now += 60_000
    }
  })
})

describe('a leaky bucket', () => {
  test('says when to come back to the millisecond, at any rate, whatever is asked meanwhile', () => {
    for (let i = 1; i < 500; i++) {
      const { clock, isAdmitted, take, refuse } = openMemory({ slots: 2 })
      const rule = leakyRule('a', (i * 7) / 60_000 + 1 / 30, 100)
      take([{ rule, cost: 100 }])
      take([{ rule, cost: i }])
      const { retryAfterMs } = refuse(rule, 1)
      const half = Math.floor(retryAfterMs / 2)
      clock.now += half
      if (half < retryAfterMs - half) expect(refuse(rule, 1).retryAfterMs).toBe(retryAfterMs - half)
      clock.now = start + retryAfterMs - 1
      if (retryAfterMs > 1) expect(refuse(rule, 1).retryAfterMs).toBe(1)
      clock.now = start + retryAfterMs
      expect(isAdmitted(rule, 1)).toBe(true)
    }
  })

  test('is not spoiled by a cost that is no number', () => {
    const { take, used } = openMemory()
    const rule = leakyRule('a', 1, 10)
    for (const actual of [Number.NaN, undefined, -1]) take([{ rule, cost: 2 }]).settle([actual as number])
    expect(used(rule)).toBe(6)
  })

  test('that never drains stays as it is', () => {
    const { clock, first, take, refuse } = openMemory({ slots: 1 })
    const rule = leakyRule('a', 0, 5)
    take([{ rule, cost: 6 }])
    clock.now += 1e10
    expect(refuse(rule, 1).retryAfterMs).toBe(86_400_000)
    refuse(windowRule('another', 1), 1)
    expect(first.read([rule])).toEqual([{ used: 6, resetMs: 86_400_000 }])
  })
})

describe('a clock that jumps', () => {
  for (const jumpMs of [-3_600_000, -11_000, -1, 11_000, 3_600_000]) {
    test(`by ${jumpMs} ms frees no slot of a thread that lives, nor its place`, () => {
      const { clock, open, take, refuse, isAdmitted } = openMemory()
      const rule = slotsRule('a', 3)
      const held = take([{ rule, cost: 3 }])
      clock.now += jumpMs
      refuse(rule, 1, open())
      held.settle([3])
      expect(isAdmitted(rule, 3, open())).toBe(true)
    })
  }

  test('back, over the end of a window, leaves its wait right', () => {
    for (const jumpMs of [5, 999, 1_000, 1_001, 5_000, 86_400_000]) {
      const { clock, refuse, take, isAdmitted } = openMemory()
      const rule = windowRule('a', 10)
      clock.now = start + 60_000
      take([{ rule, cost: 10 }])
      clock.now -= jumpMs
      const { retryAfterMs } = refuse(rule, 1)
      expect(retryAfterMs).toBe(60_000)
      // A little behind, the time stands still until the clock has come up.
      clock.now += retryAfterMs + (jumpMs <= 1_000 ? jumpMs : 0)
      expect(isAdmitted(rule, 10)).toBe(true)
    }
  })

  test('to and fro lets through what the time that passed brings', () => {
    const { clock, isAdmitted } = openMemory()
    const rules = [windowRule('w', 10), leakyRule('l', 0.0009, 10)]
    for (let i = 0; i < 100; i++) {
      for (const rule of rules) isAdmitted(rule, 10)
      clock.now -= 100_000
      for (const rule of rules) isAdmitted(rule, 10)
      clock.now += 100
    }
    // Ten seconds in all: the window is the same, and the bucket has room for nothing after the one call that went over.
    for (const rule of rules) expect(isAdmitted(rule, 1)).toBe(false)
  })

  test('back by a year does not keep old counters for a year', () => {
    const { clock, isAdmitted, refuse } = openMemory({ slots: 16 })
    for (let i = 0; i < 16; i++) isAdmitted(windowRule(`k${i}`, 1), 1)
    clock.now -= 365 * 86_400_000
    refuse(windowRule('another', 1), 1)
    clock.now += 60_000
    expect(isAdmitted(windowRule('another', 1), 1)).toBe(true)
  })
})

describe('threads that come and go', () => {
  test('a closed one holds no slots, and settling afterwards brings none back', async () => {
    const { open, first, take, isAdmitted, used } = openMemory()
    const [slots, tokens] = [slotsRule('a', 3), windowRule('t', 100)]
    const held = take([
      { rule: slots, cost: 2 },
      { rule: tokens, cost: 50 },
    ])
    take([{ rule: slots, cost: 1 }])
    await first.close()
    held.settle([2, 20])
    const other = open()
    expect(isAdmitted(slots, 3, other)).toBe(true)
    expect(used(tokens, other)).toBe(20)
  })

  test('one that was stopped for long and comes back finds its slots counted again', () => {
    const { clock, open, take, refuse, isAdmitted } = openMemory()
    const rule = slotsRule('a', 3)
    const other = open()
    take([{ rule, cost: 2 }])
    for (let i = 0; i < 11; i++) {
      clock.now += 1_000
      other.read([])
    }
    expect(isAdmitted(rule, 1, other)).toBe(true)
    expect(isAdmitted(rule, 2, other)).toBe(true)
    refuse(rule, 1)
    refuse(rule, 1, other)
  })

  test('the place of one that died is taken by the next, without what it held', () => {
    const { clock, open, take, isAdmitted } = openMemory()
    const rule = slotsRule('a', 3)
    const held = take([{ rule, cost: 3 }])
    const other = open()
    for (let i = 0; i < 11; i++) {
      clock.now += 1_000
      other.read([])
    }
    const next = open()
    expect(isAdmitted(rule, 3, next)).toBe(true)
    // It was only stopped: what it gives back is not what the next one holds.
    held.settle([3])
    expect(isAdmitted(rule, 1, other)).toBe(false)
  })

  test('one whose place was taken gives back only what it took since', () => {
    const { clock, open, take, used } = openMemory()
    const rule = slotsRule('a', 9)
    const before = take([{ rule, cost: 3 }])
    const other = open()
    for (let i = 0; i < 11; i++) {
      clock.now += 1_000
      other.read([])
    }
    open()
    const since = take([{ rule, cost: 2 }])
    before.settle([3])
    expect(used(rule)).toBe(2)
    since.settle([2])
    expect(used(rule)).toBe(0)
  })

  test('as many as there is room for', async () => {
    const { first, open } = openMemory()
    for (let i = 1; i < 64; i++) open()
    expect(open).toThrow(RangeError)
    await first.close()
    open()
  })

  test('one that loses the lock while it decides decides again', () => {
    const { memory, open, first, used } = openMemory()
    const rule = windowRule('a', 10)
    const other = open()
    let isLost = false
    const demand = {
      rule,
      // Read when it is known what is used, and before it is charged.
      get cost() {
        if (!isLost) loseLock(memory)
        if (!isLost) other.reserve([{ rule, cost: 8 }])
        isLost = true
        return 4
      },
    }
    expect(first.reserve([demand])).toMatchObject({ isAdmitted: false, states: [{ used: 8 }] })
    expect(used(rule)).toBe(8)
  })

  test('one that loses the lock before it settles settles when it has it again', () => {
    const memory = allocateCounterMemory(64, start)
    let isLost = true
    const now = () => {
      if (!isLost) loseLock(memory)
      isLost = true
      return start
    }
    const counters = createSharedCounters({ memory, now })
    const rule = windowRule('a', 10)
    const verdict = counters.reserve([{ rule, cost: 4 }]) as Verdict
    isLost = false
    const locks: number[] = []
    const actual = {
      get 0() {
        locks.push(lockOf(memory))
        return 1
      },
    }
    if (verdict.isAdmitted) verdict.reservation.settle(actual as unknown as number[])
    expect(locks).not.toContain(0)
    expect(counters.read([rule])).toMatchObject([{ used: 1 }])
  })
})

const lockOf = (memory: SharedArrayBuffer): number => Atomics.load(new Int32Array(memory), word.lock)
/** As if its holder had been stopped for so long that another thread took the lock, and is done by now. */
const loseLock = (memory: SharedArrayBuffer): number => Atomics.exchange(new Int32Array(memory), word.lock, 0)
