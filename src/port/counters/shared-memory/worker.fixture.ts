import { parentPort, workerData } from 'node:worker_threads'
import type { Verdict } from '../port.ts'
import { windowRule } from '../rules.fixture.ts'
import { createSharedCounters } from './counters.ts'

/** One of several threads that take what they can get from one window, until they are told that it is over. */
const { memory, at, limit, calls } = workerData as {
  memory: SharedArrayBuffer
  at: number
  limit: number
  calls: number
}
const counters = createSharedCounters({ memory, now: () => at })
const rules = [windowRule('shared', limit), windowRule('other', 1e12, false)]
let granted = 0
for (let i = 0; i < calls; i++) {
  const verdict = counters.reserve(rules.map((rule) => ({ rule, cost: 3 }))) as Verdict
  if (verdict.isAdmitted) granted += 3
}
parentPort?.postMessage(granted)
