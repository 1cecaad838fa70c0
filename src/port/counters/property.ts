import { expect, test } from 'bun:test'
import fc from 'fast-check'
import type { CountersFixture } from './contract.ts'
import type { CounterRule, Counters, Demand, Reservation, Verdict } from './port.ts'

/**
 * Random callers on one to eight nodes that come, settle, vanish and crash: what was let in is compared with a model that only adds.
 * Held against every adapter, in virtual time. Once on a clock that goes on evenly, to the last token; then on clocks that differ
 * and on one that jumps, where the model only knows how much time passed.
 */

const windowMs = 10_000
const limit = 1_000
const skewMs = 500
/** A store behind a socket takes its time. */
const timeoutMs = 120_000
const rules = [
  { kind: 'window', key: 'estimates', limit, windowMs, settles: false },
  { kind: 'window', key: 'settled', limit, windowMs, settles: true },
  { kind: 'leaky', key: 'leaky', drainPerMs: 0.35, depth: limit },
  { kind: 'leaky', key: 'unsettled', drainPerMs: 0.1, depth: limit },
  { kind: 'slots', key: 'slots', limit: 5 },
] as const satisfies readonly CounterRule[]
const [estimates, settled, leaky, unsettled, slots] = rules

type Step =
  | {
      readonly do: 'call'
      readonly node: number
      readonly asked: readonly boolean[]
      readonly cost: number
      readonly actual: number
    }
  | { readonly do: 'settle'; readonly which: number }
  | { readonly do: 'wait'; readonly ms: number }
  | { readonly do: 'jump'; readonly ms: number }
  | { readonly do: 'crash'; readonly node: number }

const amount = fc.oneof(fc.integer({ min: 0, max: limit }), fc.integer({ min: 0, max: 20 }))
const steady = [
  {
    weight: 12,
    arbitrary: fc.record({
      do: fc.constant('call' as const),
      node: fc.nat(7),
      asked: fc.array(fc.boolean(), { minLength: rules.length, maxLength: rules.length }),
      cost: amount,
      actual: fc.oneof(amount, fc.integer({ min: limit, max: limit + 200 })),
    }),
  },
  { weight: 5, arbitrary: fc.record({ do: fc.constant('settle' as const), which: fc.nat(1_000) }) },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant('wait' as const),
      ms: fc.oneof(fc.integer({ min: 1, max: 300 }), fc.integer({ min: 1, max: 2 * windowMs })),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('crash' as const), node: fc.nat(7) }) },
]
const jump = {
  weight: 4,
  arbitrary: fc.record({
    do: fc.constant('jump' as const),
    ms: fc.oneof(fc.integer({ min: 1, max: 2_000 }), fc.integer({ min: 1, max: 10 * windowMs })),
  }),
}
const evenSteps: fc.Arbitrary<Step[]> = fc.array(fc.oneof(...steady), { maxLength: 80, size: 'max' })
const jumpySteps: fc.Arbitrary<Step[]> = fc.array(fc.oneof(...steady, jump), { maxLength: 80, size: 'max' })

type Held = {
  readonly reservation: Reservation
  readonly node: number
  readonly demands: readonly Demand[]
  readonly actual: number
  readonly window: number
}

/** What a run keeps count of. `passed` is the time that went by, jumps left out. */
type Model = { passed: number; held: Held[]; admit(demands: readonly Demand[]): void; settle(call: Held): void }

/** `start` is the fixture's first time, the beginning of a window. */
export function testCountersProperty(
  adapter: string,
  open: () => Promise<CountersFixture>,
  start: number,
  runs: number,
): void {
  function check(name: string, skews: fc.Arbitrary<number>, steps: fc.Arbitrary<Step[]>, track: TrackOf): void {
    const nodes = fc.array(skews, { minLength: 1, maxLength: 8 })
    const property = fc.asyncProperty(nodes, steps, async (skewsMs, taken) => {
      const fixture = await open()
      try {
        await play(fixture, skewsMs, taken, track(fixture))
      } finally {
        await fixture.remove()
      }
    })
    const run = () => fc.assert(property, { numRuns: runs })
    test(`never more than the limit, on ${name}: ${adapter}`, run, timeoutMs)
  }

  expect(start % windowMs).toBe(0)
  const none = fc.constant(0)
  check('an even clock', none, evenSteps, trackExactly)
  check('clocks that differ', fc.integer({ min: -skewMs, max: skewMs }), evenSteps, () => trackByTimePassed(2 * skewMs))
  check('a clock that jumps', none, jumpySteps, () => trackByTimePassed(0))
}

type Track = Model & {
  onRefused?(demands: readonly Demand[], verdict: Extract<Verdict, { isAdmitted: false }>, ask: Ask): Promise<void>
}
type TrackOf = (fixture: CountersFixture) => Track
type Ask = { again(): Promise<boolean>; wait(ms: number): Promise<void> }

async function play(
  fixture: CountersFixture,
  skewsMs: readonly number[],
  steps: readonly Step[],
  model: Track,
): Promise<void> {
  const nodes: Counters[] = []
  for (const skew of skewsMs) nodes.push(await fixture.openNode(skew))
  const wait = async (ms: number) => {
    await fixture.advance(ms)
    model.passed += ms
  }

  async function call(index: number, demands: readonly Demand[], actual: number): Promise<Verdict> {
    const verdict = await (nodes[index] as Counters).reserve(demands)
    if (verdict.isAdmitted) {
      model.admit(demands)
      const window = Math.floor(model.passed / windowMs)
      model.held.push({ reservation: verdict.reservation, node: index, demands, actual, window })
    }
    const inUse = model.held.reduce((sum, { demands: taken }) => sum + costOf(taken, slots), 0)
    expect(inUse).toBeLessThanOrEqual(slots.limit)
    return verdict
  }

  for (const step of steps) {
    if (step.do === 'wait') await wait(step.ms)
    else if (step.do === 'jump') await fixture.advance(-step.ms)
    else if (step.do === 'call') {
      const index = step.node % nodes.length
      const demands = rules
        .filter((_, i) => step.asked[i])
        .map((rule) => ({ rule, cost: rule.kind === 'slots' ? 1 + (step.cost % 2) : step.cost }))
      const verdict = await call(index, demands, step.actual)
      if (verdict.isAdmitted) continue
      expect(verdict.retryAfterMs).toBeGreaterThan(0)
      const again = async () => (await call(index, demands, step.actual)).isAdmitted
      await model.onRefused?.(demands, verdict, { again, wait })
    } else if (step.do === 'settle') {
      const [held] = model.held.splice(step.which % Math.max(1, model.held.length), 1)
      if (!held) continue
      held.reservation.settle(held.demands.map(({ rule, cost }) => (rule === unsettled ? cost : held.actual)))
      model.settle(held)
    } else {
      const index = step.node % nodes.length
      await fixture.crash(nodes[index] as Counters)
      nodes[index] = await fixture.openNode(skewsMs[index])
      // What it held is never settled.
      model.held = model.held.filter(({ node }) => node !== index)
    }
  }
}

const costOf = (demands: readonly Demand[], wanted: CounterRule): number =>
  demands.find(({ rule }) => rule === wanted)?.cost ?? 0
const isAsked = (demands: readonly Demand[], wanted: CounterRule): boolean =>
  demands.some(({ rule }) => rule === wanted)

/** The sum of a bucket that was let in may nowhere be more than what drained meanwhile, its depth and the one call that goes over. */
function trackBucket({ drainPerMs, depth }: { readonly drainPerMs: number; readonly depth: number }, slackMs: number) {
  const admitted: { readonly at: number; readonly cost: number }[] = []
  return (at: number, cost: number) => {
    let sum = 0
    for (const earlier of admitted.toReversed()) {
      sum += earlier.cost
      expect(sum).toBeLessThanOrEqual(drainPerMs * (at - earlier.at + slackMs) + depth + earlier.cost + 1e-6)
    }
    admitted.push({ at, cost })
  }
}

function trackExactly(fixture: CountersFixture): Track {
  const used = new Map<string, number>()
  const checkBucket = trackBucket(unsettled, 0)
  let level = 0
  let levelAt = 0
  const nameOf = (rule: { readonly key: string }) => `${rule.key} ${Math.floor(model.passed / windowMs)}`
  const usedOf = (rule: { readonly key: string }) => used.get(nameOf(rule)) ?? 0
  const levelNow = () => {
    if (model.passed === levelAt) return level
    return Math.max(0, level - (model.passed - levelAt) * leaky.drainPerMs)
  }
  const fill = (cost: number) => {
    // A store that is told of several settlements at once adds them up before it looks whether that is below empty.
    const least = fixture.isExact ? 0 : Number.NEGATIVE_INFINITY
    level = Math.max(least, levelNow() + cost)
    levelAt = model.passed
  }

  const model: Track = {
    passed: 0,
    held: [],
    admit(demands) {
      for (const rule of [estimates, settled]) {
        if (!isAsked(demands, rule)) continue
        expect(usedOf(rule) + costOf(demands, rule)).toBeLessThanOrEqual(limit)
        used.set(nameOf(rule), usedOf(rule) + costOf(demands, rule))
      }
      if (isAsked(demands, leaky)) {
        expect(levelNow()).toBeLessThanOrEqual(leaky.depth + 1e-6)
        fill(costOf(demands, leaky))
      }
      if (isAsked(demands, unsettled)) checkBucket(model.passed, costOf(demands, unsettled))
    },
    settle({ demands, actual, window }) {
      if (isAsked(demands, settled)) {
        const difference = actual - costOf(demands, settled)
        const isOpen = window === Math.floor(model.passed / windowMs)
        if (isOpen || difference > 0) used.set(nameOf(settled), Math.max(0, usedOf(settled) + difference))
      }
      if (isAsked(demands, leaky)) fill(actual - costOf(demands, leaky))
    },
    async onRefused(demands, { refusedBy, retryAfterMs, states }, { again, wait }) {
      if (!fixture.isExact) return
      const { rule, cost } = demands[refusedBy] as Demand
      if (rule === estimates || rule === settled) {
        expect(usedOf(rule) + cost).toBeGreaterThan(limit)
        expect(states[refusedBy]?.used).toBe(usedOf(rule))
      }
      if (rule === leaky) {
        expect(levelNow()).toBeGreaterThan(leaky.depth - 1e-6)
        expect(states[refusedBy]?.used).toBeCloseTo(levelNow(), 6)
      }
      if (rule.kind === 'slots' || demands.length > 1) return
      await wait(retryAfterMs - 1)
      if (retryAfterMs > 1) expect(await again()).toBe(false)
      await wait(1)
      expect(await again()).toBe(true)
    },
  }
  return model
}

/** Without knowing when windows begin: in any stretch of time no more of them than fit, and two that are cut off. */
function trackByTimePassed(slackMs: number): Track {
  const admitted: { readonly at: number; readonly cost: number }[] = []
  const checkBucket = trackBucket(unsettled, slackMs)
  const model: Track = {
    passed: 0,
    held: [],
    admit(demands) {
      if (isAsked(demands, unsettled)) checkBucket(model.passed, costOf(demands, unsettled))
      if (!isAsked(demands, estimates)) return
      admitted.push({ at: model.passed, cost: costOf(demands, estimates) })
      let sum = 0
      for (const earlier of admitted.toReversed()) {
        sum += earlier.cost
        const windows = Math.floor((model.passed - earlier.at + slackMs) / windowMs) + 2
        expect(sum).toBeLessThanOrEqual(limit * windows)
      }
    },
    settle() {},
  }
  return model
}
