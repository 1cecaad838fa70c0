import type { CounterRule, Demand, Verdict } from '../../../src/port/counters/port.ts'
import { createSharedCounters } from '../../../src/port/counters/shared-memory/counters.ts'
import { allocateCounterMemory } from '../../../src/port/counters/shared-memory/table.ts'
import type { Bench } from '../bench.ts'

const counters = createSharedCounters({ memory: allocateCounterMemory(65_536, Date.now()), now: Date.now })
const window = (key: string, windowMs: number, settles: boolean): CounterRule => ({
  kind: 'window',
  key,
  limit: 1e12,
  windowMs,
  settles,
})
const windows = [
  window('deployment tokens', 60_000, true),
  window('deployment requests', 10_000, false),
  window('key tokens', 60_000, true),
  window('key requests', 60_000, false),
]
const mixed: readonly CounterRule[] = [
  window('deployment tokens', 60_000, true),
  window('deployment requests', 10_000, false),
  { kind: 'leaky', key: 'provisioned', drainPerMs: 1e6, depth: 1e12 },
  { kind: 'slots', key: 'calls at once', limit: 1_000 },
]
const actual = [7, 1, 7, 1]

function reserveAndSettle(demands: readonly Demand[], times: number): void {
  for (let i = 0; i < times; i++) {
    const verdict = counters.reserve(demands) as Verdict
    if (verdict.isAdmitted) verdict.reservation.settle(actual)
  }
}
const demandsOf = (rules: readonly CounterRule[]): readonly Demand[] => rules.map((rule) => ({ rule, cost: 10 }))
const demandsOfWindows = demandsOf(windows)
const demandsOfMixed = demandsOf(mixed)

export const sharedCountersBenches: readonly Bench[] = [
  {
    name: 'port/counters in shared memory: reserve and settle four windows',
    run: (times) => reserveAndSettle(demandsOfWindows, times),
  },
  {
    name: 'port/counters in shared memory: reserve and settle two windows, a bucket and a slot',
    run: (times) => reserveAndSettle(demandsOfMixed, times),
  },
]
