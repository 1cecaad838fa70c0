import { afterAll, beforeAll, expect, test } from 'bun:test'
import fc from 'fast-check'
import { type RedisServer, startRedisServer, withRedisServer } from '../../../../test/support/redis-server.ts'
import type { CounterRule, Reservation, Verdict } from '../port.ts'
import type { RedisCounters } from './create-redis-counters.ts'
import { openVirtualNodes } from './nodes.fixture.ts'

/** Busy nodes in virtual time, so that much of what they let in comes from leases. */

const windowMs = 1_000
const mostCost = 40
const rules = {
  estimates: { kind: 'window', key: 'gpt/estimates', limit: 4_000, windowMs, settles: false },
  settled: { kind: 'window', key: 'gpt/settled', limit: 4_000, windowMs, settles: true },
  leaky: { kind: 'leaky', key: 'gpt/leaky', drainPerMs: 4, depth: 2_000 },
} as const satisfies Record<string, CounterRule>
const windows = [rules.estimates, rules.settled]

type Step = {
  readonly node: number
  readonly calls: readonly { readonly cost: number; readonly used: number }[]
  readonly settles: readonly number[]
  readonly waitMs: number
  readonly isCrash: boolean
}

const step: fc.Arbitrary<Step> = fc.record({
  node: fc.nat(7),
  calls: fc.array(
    fc.record({ cost: fc.integer({ min: 0, max: mostCost }), used: fc.double({ min: 0, max: 1, noNaN: true }) }),
    {
      minLength: 1,
      maxLength: 30,
      size: 'max',
    },
  ),
  settles: fc.array(fc.nat(1_000), { maxLength: 8 }),
  waitMs: fc.oneof({ weight: 19, arbitrary: fc.nat(30) }, { weight: 1, arbitrary: fc.nat(1_500) }),
  isCrash: fc.integer({ min: 0, max: 30 }).map((n) => n === 0),
})

type Held = {
  readonly node: number
  readonly reservation: Reservation
  readonly cost: number
  readonly actual: number
  readonly window: number
}

withRedisServer('leases', () => {
  let server: RedisServer
  beforeAll(async () => {
    server = await startRedisServer()
  })
  afterAll(() => server?.stop())

  test.each([
    ['windows', windows],
    ['leaky counters', [rules.leaky]],
  ] as const)(
    'of %s never let more through than the limit, on one to eight nodes with clocks that disagree',
    async (_, asked) => {
      let [leased, refused] = [0, 0]
      const skews = fc.array(fc.integer({ min: -3_600_000, max: 3_600_000 }), { minLength: 1, maxLength: 8 })
      const steps = fc.array(step, { minLength: 20, maxLength: 100, size: 'max' })
      await fc.assert(
        fc.asyncProperty(skews, steps, async (skewsMs, run) => {
          const played = await play(server.url, asked, skewsMs, run)
          leased += played.leased
          refused += played.refused
        }),
        { numRuns: 60, endOnFailure: true },
      )
      // Otherwise nothing of the above was put to the test.
      expect(leased).toBeGreaterThan(1_000)
      expect(refused).toBeGreaterThan(1_000)
    },
  )
})

/** Plays a run against a model that only adds; resolves to how many reservations came out of leases and how many were refused. */
async function play(
  url: string,
  asked: readonly CounterRule[],
  skewsMs: readonly number[],
  steps: readonly Step[],
): Promise<{ leased: number; refused: number }> {
  const isLeaky = asked[0]?.kind === 'leaky'
  const fixture = openVirtualNodes(url)
  const nodes: RedisCounters[] = []
  for (const skewMs of skewsMs) nodes.push(await fixture.openNode({ skewMs }))
  const estimated = new Map<number, number>()
  const settled = new Map<number, number>()
  const add = (to: Map<number, number>, window: number, amount: number): number => {
    const sum = (to.get(window) ?? 0) + amount
    to.set(window, sum)
    return sum
  }
  const windowNow = (): number => Math.floor(fixture.now() / windowMs)
  let level = 0
  let levelAt = fixture.now()
  const drain = (): void => {
    level = Math.max(0, level - (fixture.now() - levelAt) * rules.leaky.drainPerMs)
    levelAt = fixture.now()
  }
  const held: Held[] = []
  let [leased, refused] = [0, 0]

  const book = (node: number, verdict: Verdict, { cost, used }: Step['calls'][number]): void => {
    if (!verdict.isAdmitted) {
      refused += 1
      expect(verdict.retryAfterMs).toBeGreaterThan(0)
      return
    }
    drain()
    level += cost
    // One call may go over.
    if (isLeaky) expect(level).toBeLessThanOrEqual(rules.leaky.depth + mostCost)
    else expect(add(estimated, windowNow(), cost)).toBeLessThanOrEqual(rules.estimates.limit)
    if (!isLeaky) expect(add(settled, windowNow(), cost)).toBeLessThanOrEqual(rules.settled.limit)
    const actual = Math.floor(cost * used)
    held.push({ node, reservation: verdict.reservation, cost, actual, window: windowNow() })
  }

  try {
    for (const { node, calls, settles, waitMs, isCrash } of steps) {
      const index = node % nodes.length
      if (isCrash) {
        fixture.crash(nodes[index] as RedisCounters)
        // What it held is never settled.
        held.splice(0, held.length, ...held.filter((call) => call.node !== index))
        nodes[index] = await fixture.openNode({ skewMs: skewsMs[index] as number })
      }
      // All at once, as requests come.
      const verdicts = calls.map(({ cost }) =>
        (nodes[index] as RedisCounters).reserve(asked.map((rule) => ({ rule, cost }))),
      )
      leased += verdicts.filter((verdict) => !(verdict instanceof Promise) && verdict.isAdmitted).length
      for (const [i, verdict] of (await Promise.all(verdicts)).entries())
        book(index, verdict, calls[i] as Step['calls'][number])
      for (const which of settles) {
        const [call] = held.splice(which % Math.max(1, held.length), 1)
        if (call === undefined) continue
        const { reservation, actual, cost, window } = call
        reservation.settle(asked.map(() => actual))
        if (window === windowNow()) add(settled, window, actual - cost)
        drain()
        level = Math.max(0, level + actual - cost)
      }
      await fixture.told()
      await fixture.advance(waitMs)
    }
  } finally {
    await fixture.remove()
  }
  return { leased, refused }
}
