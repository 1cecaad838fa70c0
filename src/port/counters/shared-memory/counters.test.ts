import { describe, expect, test } from 'bun:test'
import { Worker } from 'node:worker_threads'
import { type CountersFixture, describeCountersContract } from '../contract.ts'
import type { CounterRule, Counters, Verdict } from '../port.ts'
import { testCountersProperty } from '../property.ts'
import { windowRule } from '../rules.fixture.ts'
import { createSharedCounters } from './counters.ts'
import { allocateCounterMemory } from './table.ts'

const start = 1_800_000_000_000 - (1_800_000_000_000 % 60_000)

async function openFixture(): Promise<CountersFixture> {
  let time = start
  const memory = allocateCounterMemory(4_096, start)
  const nodes: Counters[] = []
  return {
    openNode() {
      const node = createSharedCounters({ memory, now: () => time })
      nodes.push(node)
      return node
    },
    advance(ms) {
      time += ms
    },
    crash() {},
    deathMs: 10_000,
    async remove() {
      await Promise.all(nodes.map((node) => node.close()))
    },
  }
}

describeCountersContract('shared memory', openFixture)
testCountersProperty('shared memory', openFixture, start, 1_000)

const admitted = (verdict: Verdict | Promise<Verdict>): boolean => (verdict as Verdict).isAdmitted

describe('a cold start', () => {
  const open = (at: number, isColdStart = true) => {
    const clock = { now: at }
    const memory = allocateCounterMemory(64, at)
    return { clock, counters: createSharedCounters({ memory, now: () => clock.now, isColdStart }) }
  }

  test('a window that was open has one second to give, and what accrues', () => {
    const { clock, counters } = open(start + 10_000)
    const rule = windowRule('a', 6_000)
    expect(admitted(counters.reserve([{ rule, cost: 101 }]))).toBe(false)
    expect(admitted(counters.reserve([{ rule, cost: 100 }]))).toBe(true)
    const refused = counters.reserve([{ rule, cost: 100 }]) as Extract<Verdict, { isAdmitted: false }>
    expect(refused.retryAfterMs).toBe(1_000)
    clock.now += 999
    expect(admitted(counters.reserve([{ rule, cost: 100 }]))).toBe(false)
    clock.now += 1
    expect(admitted(counters.reserve([{ rule, cost: 100 }]))).toBe(true)
    clock.now = start + 60_000
    expect(admitted(counters.reserve([{ rule, cost: 6_000 }]))).toBe(true)
  })

  test('a leaky level begins all but one second below its depth', () => {
    const { counters } = open(start)
    const rule: CounterRule = { kind: 'leaky', key: 'a', drainPerMs: 1, depth: 60_000 }
    expect(counters.read([rule])).toEqual([{ used: 59_000, resetMs: 59_000 }])
  })

  test('a first start has everything', () => {
    const { counters } = open(start + 10_000, false)
    expect(admitted(counters.reserve([{ rule: windowRule('a', 6_000), cost: 6_000 }]))).toBe(true)
  })
})

describe('a full table', () => {
  test('refuses what it cannot count, and takes it once an older window is over', () => {
    let time = start
    const counters = createSharedCounters({ memory: allocateCounterMemory(16, start), now: () => time })
    const rules = Array.from({ length: 17 }, (_, i) => windowRule(`k${i}`, 1))
    const outcomes = rules.map((rule) => admitted(counters.reserve([{ rule, cost: 1 }])))
    expect(outcomes.filter(Boolean)).toHaveLength(16)
    expect(counters.reserve([{ rule: rules[16] as CounterRule, cost: 1 }])).toMatchObject({ retryAfterMs: 1_000 })
    time += 60_000
    expect(admitted(counters.reserve([{ rule: rules[16] as CounterRule, cost: 1 }]))).toBe(true)
  })
})

describe('threads', () => {
  const run = (memory: SharedArrayBuffer, limit: number, calls: number) => {
    const workerData = { memory, at: start, limit, calls }
    const worker = new Worker(new URL('./worker.fixture.ts', import.meta.url), { workerData })
    const granted = new Promise<number>((resolve, reject) => {
      worker.once('message', resolve)
      worker.once('error', reject)
      worker.once('exit', () => resolve(0))
    })
    return { worker, granted }
  }

  test('that take from one window get exactly its limit', async () => {
    const memory = allocateCounterMemory(64, start)
    const threads = Array.from({ length: 4 }, () => run(memory, 30_000, 20_000))
    const granted = await Promise.all(threads.map((thread) => thread.granted))
    expect(granted.reduce((sum, one) => sum + one)).toBe(30_000)
    const counters = createSharedCounters({ memory, now: () => start })
    expect(counters.read([windowRule('shared', 30_000)])).toMatchObject([{ used: 30_000 }])
  })

  test('go on when one of them is killed in the middle', async () => {
    const memory = allocateCounterMemory(64, start)
    const dying = run(memory, 1e12, 1e9)
    const counters = createSharedCounters({ memory, now: () => start + 20_000 })
    const rule = windowRule('other', 1e12, false)
    const used = () => (counters.read([rule]) as readonly { used: number }[])[0]?.used as number
    while (used() === 0) await new Promise((resolve) => setTimeout(resolve, 1))
    await dying.worker.terminate()
    const before = used()
    expect(admitted(counters.reserve([{ rule, cost: 7 }]))).toBe(true)
    expect(used()).toBe(before + 7)
  })
})
