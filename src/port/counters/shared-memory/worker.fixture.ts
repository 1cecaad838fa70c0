import { parentPort, workerData } from 'node:worker_threads'
import type { Demand, Verdict } from '../port.ts'
import { leakyRule, slotsRule, windowRule } from '../rules.fixture.ts'
import { createSharedCounters } from './counters.ts'

export type ThreadWork = {
  readonly memory: SharedArrayBuffer
  /** The time, which stands still. */
  readonly at: number
  readonly limit: number
  readonly calls: number
  /** Where this thread writes down what it was granted, call by call. */
  readonly granted: Float64Array
  readonly index: number
}

/** One of several threads that take what they can get of one window, three at a time, and hold a slot meanwhile. */
const { memory, at, limit, calls, granted, index } = workerData as ThreadWork
const counters = createSharedCounters({ memory, now: () => at })
const [shared, own] = [windowRule('shared', limit), windowRule(`own ${index}`, 1e12)]
const demands: Demand[] = [
  { rule: shared, cost: 3 },
  { rule: own, cost: 5 },
  { rule: leakyRule('leaky', 1, 1e12), cost: 2 },
  { rule: slotsRule('slots', 1_000), cost: 1 },
]
for (let i = 0; i < calls; i++) {
  const verdict = counters.reserve(demands) as Verdict
  if (!verdict.isAdmitted) continue
  granted[index] = (granted[index] as number) + 3
  verdict.reservation.settle([3, 4, 2, 1])
}
parentPort?.postMessage('done')
