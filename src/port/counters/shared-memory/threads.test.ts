import { describe, expect, test } from 'bun:test'
import { Worker } from 'node:worker_threads'
import type { CounterState } from '../port.ts'
import { leakyRule, slotsRule, windowRule } from '../rules.fixture.ts'
import { createSharedCounters } from './counters.ts'
import { allocateCounterMemory } from './table.ts'
import type { ThreadWork } from './worker.fixture.ts'

const at = 1_800_000_000_000

/** Threads that hammer one memory; `granted` says at any moment what each was let in. */
function startThreads(count: number, limit: number, calls: number) {
  const memory = allocateCounterMemory(64, at)
  const granted = new Float64Array(new SharedArrayBuffer(8 * count))
  const threads = Array.from({ length: count }, (_, index) => {
    const workerData: ThreadWork = { memory, at, limit, calls, granted, index }
    const worker = new Worker(new URL('./worker.fixture.ts', import.meta.url), { workerData })
    const done = new Promise<void>((resolve, reject) => {
      worker.once('message', () => resolve())
      worker.once('error', reject)
    })
    return { worker, done }
  })
  return { memory, granted, threads, sum: () => granted.reduce((sum, one) => sum + one) }
}

function readAll(memory: SharedArrayBuffer, limit: number) {
  const counters = createSharedCounters({ memory, now: () => at })
  const rules = [
    windowRule('shared', limit),
    windowRule('own 0', 1e12),
    leakyRule('leaky', 1, 1e12),
    slotsRule('slots', 1_000),
  ]
  return (counters.read(rules) as CounterState[]).map(({ used }) => used)
}

describe('threads', () => {
  test('that take of one window get its limit, to the last token', async () => {
    const limit = 60_000
    const { memory, granted, threads, sum } = startThreads(4, limit, 20_000)
    await Promise.all(threads.map(({ done }) => done))
    expect(sum()).toBe(limit)
    expect(readAll(memory, limit)).toEqual([limit, ((granted[0] as number) / 3) * 4, (limit / 3) * 2, 0])
    await Promise.all(threads.map(({ worker }) => worker.terminate()))
  })

  test('go on when one of them is killed in the middle, and what that one held is all that is unsure', async () => {
    const limit = 1e12
    const { memory, granted, threads, sum } = startThreads(4, limit, 60_000)
    const [dying, ...others] = threads
    while (granted[0] === 0) await new Promise((resolve) => setTimeout(resolve, 1))
    await dying?.worker.terminate()
    const diedAt = granted[0]
    await Promise.all(others.map(({ done }) => done))
    expect(granted[0]).toBe(diedAt as number)
    expect([...granted.slice(1)]).toEqual([180_000, 180_000, 180_000])
    const [shared, , , slots] = readAll(memory, limit) as [number, number, number, number]
    // The last call of the killed one may be charged without having been told.
    expect(shared - sum()).toBeOneOf([0, 3])
    expect(slots).toBeLessThanOrEqual(1)
    await Promise.all(others.map(({ worker }) => worker.terminate()))
  })
})
