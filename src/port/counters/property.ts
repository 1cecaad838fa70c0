import { expect, test } from 'bun:test'
import fc from 'fast-check'
import type { CountersFixture } from './contract.ts'
import type { CounterRule, Counters, Reservation } from './port.ts'

/**
 * Random callers on one to eight nodes that come, settle, vanish and crash, under a clock that jumps: what was let in is compared with a
 * model that only adds. Held against every adapter, in virtual time.
 */

const windowMs = 10_000
const limit = 1_000
const rules = {
  estimates: { kind: 'window', key: 'estimates', limit, windowMs, settles: false },
  settled: { kind: 'window', key: 'settled', limit, windowMs, settles: true },
  leaky: { kind: 'leaky', key: 'leaky', drainPerMs: 0.5, depth: limit },
  slots: { kind: 'slots', key: 'slots', limit: 5 },
} as const satisfies Record<string, CounterRule>

type Step =
  | { readonly do: 'call'; readonly node: number; readonly cost: number; readonly actual: number }
  | { readonly do: 'settle'; readonly which: number }
  | { readonly do: 'wait'; readonly ms: number }
  | { readonly do: 'back'; readonly ms: number }
  | { readonly do: 'crash'; readonly node: number }

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      do: fc.constant('call' as const),
      node: fc.nat(7),
      cost: fc.integer({ min: 0, max: limit }),
      actual: fc.integer({ min: 0, max: limit + 200 }),
    }),
  },
  { weight: 6, arbitrary: fc.record({ do: fc.constant('settle' as const), which: fc.nat(1_000) }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('wait' as const), ms: fc.integer({ min: 1, max: 12_000 }) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('back' as const), ms: fc.integer({ min: 1, max: windowMs }) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('crash' as const), node: fc.nat(7) }) },
)

type Held = {
  readonly reservation: Reservation
  readonly node: number
  readonly cost: number
  readonly actual: number
  readonly window: number
}

/** `start` is the fixture's first time, the beginning of a window. */
export function testCountersProperty(
  adapter: string,
  open: () => Promise<CountersFixture>,
  start: number,
  runs: number,
) {
  test(`never more than the limit: ${adapter}`, async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 8 }), fc.array(step, { maxLength: 60 }), async (count, steps) => {
        const fixture = await open()
        try {
          await play(fixture, count, steps, start)
        } finally {
          await fixture.remove()
        }
      }),
      { numRuns: runs },
    )
  })
}

async function play(fixture: CountersFixture, count: number, steps: readonly Step[], start: number): Promise<void> {
  const nodes: Counters[] = []
  for (let i = 0; i < count; i++) nodes.push(await fixture.openNode())
  let now = start
  let latest = start
  let level = 0
  let leveledAt = start
  /** What each window has let in: by estimates, and as settled. */
  const estimated = new Map<number, number>()
  const settled = new Map<number, number>()
  const held: Held[] = []
  const windowNow = () => Math.floor(latest / windowMs)
  const add = (to: Map<number, number>, window: number, amount: number) =>
    to.set(window, (to.get(window) ?? 0) + amount)
  const drain = () => {
    if (now > leveledAt) level = Math.max(0, level - (now - leveledAt) * rules.leaky.drainPerMs)
    leveledAt = now
  }

  for (const item of steps) {
    switch (item.do) {
      case 'wait':
      case 'back': {
        const ms = item.do === 'wait' ? item.ms : -Math.min(item.ms, now - start, windowMs - (latest - now))
        now += ms
        latest = Math.max(latest, now)
        await fixture.advance(ms)
        break
      }
      case 'call': {
        const index = item.node % count
        const { cost, actual } = item
        const verdict = await (nodes[index] as Counters).reserve([
          { rule: rules.estimates, cost },
          { rule: rules.settled, cost },
          { rule: rules.leaky, cost },
          { rule: rules.slots, cost: 1 },
        ])
        drain()
        if (!verdict.isAdmitted) {
          expect(verdict.retryAfterMs).toBeGreaterThan(0)
          break
        }
        const window = windowNow()
        expect(level).toBeLessThanOrEqual(limit + 1e-6)
        expect((settled.get(window) ?? 0) + cost).toBeLessThanOrEqual(limit)
        add(estimated, window, cost)
        add(settled, window, cost)
        level += cost
        expect(estimated.get(window)).toBeLessThanOrEqual(limit)
        held.push({ reservation: verdict.reservation, node: index, cost, actual, window })
        expect(held.length).toBeLessThanOrEqual(rules.slots.limit)
        break
      }
      case 'settle': {
        const [call] = held.length > 0 ? held.splice(item.which % held.length, 1) : []
        if (!call) break
        call.reservation.settle([call.actual, call.actual, call.actual, 1])
        const window = windowNow()
        const difference = call.actual - call.cost
        if (window === call.window || difference > 0) add(settled, window, difference)
        drain()
        level = Math.max(0, level + difference)
        break
      }
      case 'crash': {
        const index = item.node % count
        await fixture.crash(nodes[index] as Counters)
        nodes[index] = await fixture.openNode()
        // What it held is never settled.
        held.splice(0, held.length, ...held.filter(({ node }) => node !== index))
      }
    }
  }
  for (const { reservation, actual } of held) reservation.settle([actual, actual, actual, 1])
}
