import { afterEach, beforeEach, describe, expect, test } from 'bun:test'
import type { CounterRule, Counters, Demand, Reservation, Verdict } from './port.ts'
import { windowRule } from './rules.fixture.ts'

/** A store under test, in virtual time. Nodes are threads or replicas that share it. */
export type CountersFixture = {
  /** A further user of the same store, its own clock ahead by `skewMs`: at most 500 either way. */
  openNode(skewMs?: number): Counters | Promise<Counters>
  /** Moves the clock of the store and of all nodes; back when negative. */
  advance(ms: number): void | Promise<void>
  /** The node is gone without a word: nothing it held is settled. Slots it held are free once `deathMs` have passed. */
  crash(node: Counters): void | Promise<void>
  readonly deathMs: number
  /** Nothing is refused that fits: no part of a limit is set aside for some node. */
  readonly isExact?: boolean
  remove(): Promise<void>
}

const minute = 60_000

/** What every adapter of the Counters port must do. The fixture's clock begins at the start of a minute. */
export function describeCountersContract(adapter: string, open: () => Promise<CountersFixture>): void {
  describe(`counters port: ${adapter}`, () => {
    let fixture: CountersFixture
    let node: Counters
    let other: Counters

    beforeEach(async () => {
      fixture = await open()
      node = await fixture.openNode()
      other = await fixture.openNode()
    })
    afterEach(() => fixture.remove())

    const take = async (demands: readonly Demand[], from = node): Promise<Reservation> => {
      const verdict = await from.reserve(demands)
      if (!verdict.isAdmitted) throw new Error(`refused by ${verdict.refusedBy}, wait ${verdict.retryAfterMs}`)
      return verdict.reservation
    }
    const refuse = async (
      demands: readonly Demand[],
      from = node,
    ): Promise<Extract<Verdict, { isAdmitted: false }>> => {
      const verdict = await from.reserve(demands)
      if (verdict.isAdmitted) throw new Error(`admitted: ${JSON.stringify(verdict.reservation.states)}`)
      return verdict
    }
    const usedOf = async (rule: CounterRule, from = node) => (await from.read([rule]))[0]?.used

    describe('windows', () => {
      test('let the limit through, on all nodes together, and no more', async () => {
        const rule = windowRule('a', 100)
        await take([{ rule, cost: 60 }])
        await take([{ rule, cost: 40 }], other)
        await refuse([{ rule, cost: 1 }])
        expect(await usedOf(rule)).toBe(100)
      })

      test('say when they end, and then begin anew', async () => {
        const rule = windowRule('a', 100)
        await fixture.advance(15_000)
        const { states } = await take([{ rule, cost: 100 }])
        expect(states).toEqual([{ used: 100, resetMs: 45_000 }])
        const { retryAfterMs } = await refuse([{ rule, cost: 10 }], other)
        expect(retryAfterMs).toBe(45_000)
        await fixture.advance(retryAfterMs - 1)
        await refuse([{ rule, cost: 10 }])
        await fixture.advance(1)
        await take([{ rule, cost: 100 }], other)
      })

      test('a settled estimate gives back what was too much', async () => {
        const rule = windowRule('a', 100)
        const reservation = await take([{ rule, cost: 90 }])
        reservation.settle([20])
        await take([{ rule, cost: 80 }], other)
        await refuse([{ rule, cost: 1 }])
      })

      test('a settled estimate that was too small is a debt', async () => {
        const rule = windowRule('a', 100)
        const reservation = await take([{ rule, cost: 10 }])
        reservation.settle([130])
        expect(await usedOf(rule)).toBe(130)
        await refuse([{ rule, cost: 1 }])
        await fixture.advance(minute)
        await take([{ rule, cost: 100 }])
      })

      test('after its window an estimate gives nothing back; a shortfall counts in the window then open', async () => {
        const rule = windowRule('a', 100)
        const much = await take([{ rule, cost: 50 }])
        const little = await take([{ rule, cost: 50 }])
        await fixture.advance(minute)
        await take([{ rule, cost: 30 }])
        much.settle([0])
        expect(await usedOf(rule)).toBe(30)
        little.settle([70])
        expect(await usedOf(rule)).toBe(50)
      })

      test('what does not settle counts its estimate', async () => {
        const rule = windowRule('a', 100, false)
        const reservation = await take([{ rule, cost: 90 }])
        reservation.settle([0])
        await refuse([{ rule, cost: 11 }])
      })

      test('settling takes effect once', async () => {
        const rule = windowRule('a', 100)
        const reservation = await take([{ rule, cost: 50 }])
        await take([{ rule, cost: 50 }])
        reservation.settle([0])
        reservation.settle([0])
        expect(await usedOf(rule)).toBe(50)
      })

      test('a cost of nothing is let in as long as there is no debt', async () => {
        const rule = windowRule('a', 10)
        await take([{ rule, cost: 10 }])
        await take([{ rule, cost: 0 }])
      })

      test('more than the limit is never let in', async () => {
        await refuse([{ rule: windowRule('a', 10), cost: 11 }])
      })

      test('large numbers are exact', async () => {
        const rule = windowRule('a', 1e12)
        await take([{ rule, cost: 1e12 - 1 }])
        await take([{ rule, cost: 1 }], other)
        await refuse([{ rule, cost: 1 }])
      })

      test('a shortfall that nobody was there to see counts when it is settled', async () => {
        const rule = windowRule('a', 100)
        const reservation = await take([{ rule, cost: 10 }])
        await fixture.advance(3 * minute)
        reservation.settle([35])
        expect(await usedOf(rule, other)).toBe(25)
        await refuse([{ rule, cost: 76 }])
        await take([{ rule, cost: 75 }])
      })

      test('a debt lets nothing in, a cost of nothing included', async () => {
        const rule = windowRule('a', 10)
        const reservation = await take([{ rule, cost: 10 }])
        reservation.settle([11])
        await refuse([{ rule, cost: 0 }])
      })

      test('a cost that is not told counts as it was estimated', async () => {
        const rule = windowRule('a', 10)
        const reservation = await take([{ rule, cost: 4 }])
        reservation.settle([])
        expect(await usedOf(rule)).toBe(4)
      })

      test('of another length are other windows, whatever they are called', async () => {
        const short = windowRule('a', 10, true, 10_000)
        const long = windowRule('a', 15)
        const both = (cost: number) => [
          { rule: short, cost },
          { rule: long, cost },
        ]
        await take(both(10))
        expect((await refuse(both(1))).refusedBy).toBe(0)
        await fixture.advance(10_000)
        expect((await refuse(both(10))).refusedBy).toBe(1)
        await take(both(5))
        expect(await usedOf(short)).toBe(5)
        expect(await usedOf(long)).toBe(15)
      })

      test('a clock that goes back opens no window twice, and closes none for longer than one', async () => {
        const rule = windowRule('a', 100)
        await fixture.advance(minute)
        await take([{ rule, cost: 100 }])
        await fixture.advance(-1_000)
        await refuse([{ rule, cost: 1 }])
        await fixture.advance(-10 * minute)
        await refuse([{ rule, cost: 1 }])
        await fixture.advance(minute)
        await take([{ rule, cost: 100 }])
      })
    })

    describe('several rules', () => {
      test('are charged all or not at all', async () => {
        const [wide, narrow] = [windowRule('wide', 1_000), windowRule('narrow', 10)]
        const both = (cost: number) => [
          { rule: wide, cost: cost * 10 },
          { rule: narrow, cost },
        ]
        await take(both(6))
        const { refusedBy, states } = await refuse(both(5))
        expect(refusedBy).toBe(1)
        expect(states.map(({ used }) => used)).toEqual([60, 6])
        expect(await usedOf(wide)).toBe(60)
        await take(both(4))
      })

      test('that are one counter are counted together', async () => {
        const rule = windowRule('a', 10)
        const twice = (cost: number) => [
          { rule, cost },
          { rule: { ...rule }, cost },
        ]
        expect((await refuse(twice(6))).refusedBy).toBe(1)
        expect((await take(twice(5))).states.map(({ used }) => used)).toEqual([10, 10])
      })

      test('settle each to its own', async () => {
        const [tokens, requests] = [windowRule('tokens', 1_000), windowRule('requests', 10, false, 10_000)]
        const reservation = await take([
          { rule: tokens, cost: 500 },
          { rule: requests, cost: 1 },
        ])
        reservation.settle([120, 1])
        expect(await usedOf(tokens)).toBe(120)
        expect(await usedOf(requests)).toBe(1)
      })

      test('the same key under two kinds is two counters', async () => {
        const slots: CounterRule = { kind: 'slots', key: 'a', limit: 1 }
        await take([{ rule: windowRule('a', 1), cost: 1 }])
        await take([{ rule: slots, cost: 1 }])
      })
    })

    describe('leaky buckets', () => {
      const rule: CounterRule = { kind: 'leaky', key: 'a', drainPerMs: 2, depth: 1_000 }

      test('let one call go over, and then wait until the level is back', async () => {
        await take([{ rule, cost: 1_000 }])
        await take([{ rule, cost: 500 }], other)
        const { retryAfterMs, states } = await refuse([{ rule, cost: 1 }])
        expect(states[0]).toEqual({ used: 1_500, resetMs: 750 })
        expect(retryAfterMs).toBe(250)
        await fixture.advance(retryAfterMs - 1)
        await refuse([{ rule, cost: 1 }])
        await fixture.advance(1)
        await take([{ rule, cost: 1 }], other)
      })

      test('drain to empty and not beyond', async () => {
        await take([{ rule, cost: 300 }])
        await fixture.advance(100)
        expect(await usedOf(rule)).toBe(100)
        await fixture.advance(10_000)
        expect(await usedOf(rule)).toBe(0)
      })

      test('settle both ways, never below empty', async () => {
        const reservation = await take([{ rule, cost: 800 }])
        await fixture.advance(100)
        reservation.settle([300])
        expect(await usedOf(rule)).toBe(100)
        const second = await take([{ rule, cost: 100 }])
        second.settle([400])
        expect(await usedOf(rule)).toBe(500)
        const third = await take([{ rule, cost: 700 }])
        await fixture.advance(500)
        third.settle([0])
        expect(await usedOf(rule)).toBe(0)
      })
    })

    describe('slots', () => {
      const rule: CounterRule = { kind: 'slots', key: 'a', limit: 3 }

      test('are held until they are settled', async () => {
        const [first] = [await take([{ rule, cost: 1 }]), await take([{ rule, cost: 2 }], other)]
        const { retryAfterMs, states } = await refuse([{ rule, cost: 1 }])
        expect(states[0]?.used).toBe(3)
        expect(retryAfterMs).toBeGreaterThan(0)
        first.settle([0])
        first.settle([0])
        await take([{ rule, cost: 1 }], other)
        await refuse([{ rule, cost: 1 }])
      })

      test('of a node that died come back', async () => {
        const dying = await fixture.openNode()
        await take([{ rule, cost: 3 }], dying)
        await fixture.crash(dying)
        await refuse([{ rule, cost: 1 }])
        // The others live, which they show by going on.
        for (let passed = 0; passed <= fixture.deathMs; passed += 1_000) {
          await fixture.advance(1_000)
          await node.read([rule])
          await other.read([rule])
        }
        await take([{ rule, cost: 3 }])
      })
    })

    test('reading charges nothing and makes nothing up', async () => {
      const rules: CounterRule[] = [
        windowRule('w', 5),
        { kind: 'leaky', key: 'l', drainPerMs: 1, depth: 5 },
        { kind: 'slots', key: 's', limit: 5 },
      ]
      for (let i = 0; i < 3; i++) expect((await node.read(rules)).map(({ used }) => used)).toEqual([0, 0, 0])
    })

    test('a thousand counters do not get mixed up', async () => {
      const rules = Array.from({ length: 1_000 }, (_, i) => windowRule(`deployment-${i}`, 1_000 + i))
      for (const [i, rule] of rules.entries()) await take([{ rule, cost: i }])
      for (const [i, rule] of rules.entries()) expect(await usedOf(rule, other)).toBe(i)
    })
  })
}
