import { afterEach, beforeEach, describe, expect, test } from 'bun:test'
import { type RedisServer, startRedisServer, withRedisServer } from '../../../../test/support/redis-server.ts'
import type { CounterRule, Reservation } from '../port.ts'
import type { RedisCounters } from './create-redis-counters.ts'
import { openVirtualNodes, openWire, until, type VirtualNodes } from './nodes.fixture.ts'

/** The store goes away and comes back, for real; time is virtual. */

const windowMs = 10_000
const limit = 12_000
const cost = 10
const tokens: CounterRule = { kind: 'window', key: 'gpt/tokens', limit, windowMs, settles: true }
const estimates: CounterRule = { ...tokens, key: 'gpt/estimates', settles: false }
const leaky: CounterRule = { kind: 'leaky', key: 'gpt/leaky', drainPerMs: 0.5, depth: 2_000 }
const slots: CounterRule = { kind: 'slots', key: 'gpt/slots', limit: 4 }

withRedisServer('counters without redis', () => {
  let server: RedisServer
  let fixture: VirtualNodes
  beforeEach(async () => {
    server = await startRedisServer()
    fixture = openVirtualNodes(server.url)
  })
  afterEach(async () => {
    server.resume()
    await fixture.remove()
    await server.stop()
  })

  const isDegraded = (node: RedisCounters) => node.degradedReason() !== undefined
  const openNodes = async (count: number): Promise<RedisCounters[]> => {
    const nodes: RedisCounters[] = []
    for (let i = 0; i < count; i++) nodes.push(await fixture.openNode())
    // Twice, so that each has heard of all.
    for (let i = 0; i < 2; i++) await fixture.advance(5_000)
    return nodes
  }
  const allAway = (nodes: readonly RedisCounters[]) => until(() => nodes.every(isDegraded))
  const allBack = (nodes: readonly RedisCounters[]) =>
    until(async () => {
      await Promise.all(nodes.map((node) => node.tend()))
      return !nodes.some(isDegraded)
    })
  const take = async (node: RedisCounters, rule: CounterRule, amount: number): Promise<Reservation | undefined> => {
    const verdict = await node.reserve([{ rule, cost: amount }])
    return verdict.isAdmitted ? verdict.reservation : undefined
  }
  const usedOf = async (node: RedisCounters, rule: CounterRule) => (await node.read([rule]))[0]?.used

  /** Three times the limit, unevenly over the nodes, until `until`; adds what is let in to its window. */
  async function load(nodes: readonly RedisCounters[], endAt: number, rule: CounterRule, sums: Map<number, number>) {
    const turns = [0, 0, 0, 1, 1, 2, 0, 3, 1, 0, 2, 0]
    let turn = 0
    while (fixture.now() < endAt) {
      const calls = Array.from({ length: 90 }, () => {
        const node = nodes[(turns[turn++ % turns.length] as number) % nodes.length] as RedisCounters
        return node.reserve([{ rule, cost }])
      })
      const window = Math.floor(fixture.now() / windowMs)
      for (const verdict of await Promise.all(calls))
        if (verdict.isAdmitted) sums.set(window, (sums.get(window) ?? 0) + cost)
      await fixture.advance(250)
    }
  }

  test('killed under load and started empty: no window passes its limit by a twentieth, nor starves', async () => {
    const nodes = await openNodes(4)
    const begin = fixture.now()
    const sums = new Map<number, number>()
    await load(nodes, begin + 13_000, estimates, sums)
    await server.kill()
    await allAway(nodes)
    await load(nodes, begin + 34_000, estimates, sums)
    await server.restart()
    await allBack(nodes)
    await load(nodes, begin + 60_000, estimates, sums)
    expect(sums.size).toBe(6)
    for (const sum of sums.values()) {
      expect(sum).toBeLessThanOrEqual(limit * 1.05)
      expect(sum).toBeGreaterThanOrEqual(limit * 0.75)
    }
    expect([...sums.values()].at(-1)).toBe(limit)
  })

  test('killed before the nodes have heard of each other: no window passes its limit', async () => {
    const nodes: RedisCounters[] = []
    for (let i = 0; i < 2; i++) nodes.push(await fixture.openNode({ expectedMembers: 2 }))
    await server.kill()
    await allAway(nodes)
    const begin = fixture.now()
    const sums = new Map<number, number>()
    await load(nodes, begin + 30_000, estimates, sums)
    expect(sums.size).toBe(3)
    for (const sum of sums.values()) expect(sum).toBeLessThanOrEqual(limit)
    expect(Math.max(...sums.values())).toBeGreaterThanOrEqual(limit * 0.9)
  })

  test('nobody waits for a store that hangs, and what it charged too late is taken back', async () => {
    const impatient = await fixture.openNode({ budgetMs: 400 })
    const other = await fixture.openNode()
    await fixture.advance(5_000)
    await take(impatient, tokens, 100)
    server.pause()
    const rules = [tokens, leaky, slots]
    const during = await Promise.all([1, 2, 3].map(() => impatient.reserve(rules.map((rule) => ({ rule, cost: 1 })))))
    // Of four slots half are this node's.
    expect(during.map(({ isAdmitted }) => isAdmitted)).toEqual([true, true, false])
    expect(impatient.degradedReason()).toContain('no answer within 400 ms')
    server.resume()
    await allBack([impatient])
    await impatient.told()
    expect((await other.read(rules)).map(({ used }) => used)).toEqual([102, 2, 2])
    for (const verdict of during) if (verdict.isAdmitted) verdict.reservation.settle([5, 0, 0])
    await impatient.told()
    expect((await other.read(rules)).map(({ used }) => used)).toEqual([110, 0, 0])
  })

  test('what is settled while it is away is told when it is back', async () => {
    const [node, other] = (await openNodes(2)) as [RedisCounters, RedisCounters]
    const wire = await openWire(server.url)
    const cut = await fixture.openNode({ url: wire.url })
    await fixture.advance(5_000)
    const reservation = await take(cut, tokens, 500)
    const held = await take(cut, slots, 1)
    wire.cut()
    await allAway([cut])
    reservation?.settle([100])
    held?.settle([0])
    expect(await usedOf(node, tokens)).toBe(500)
    await wire.mend()
    await allBack([cut])
    await cut.told()
    expect(await usedOf(other, tokens)).toBe(100)
    expect(await usedOf(other, slots)).toBe(0)
    wire.cut()
  })

  test('what was let in without it counts when it is back, in its own window only', async () => {
    const wire = await openWire(server.url)
    const cut = await fixture.openNode({ url: wire.url })
    await fixture.advance(5_000)
    const away = async (): Promise<void> => {
      wire.cut()
      await allAway([cut])
      for (const rule of [tokens, leaky]) expect(await take(cut, rule, 1_000)).toBeDefined()
    }
    const back = async (): Promise<void> => {
      await wire.mend()
      await allBack([cut])
    }
    await away()
    await back()
    expect((await cut.read([tokens, leaky])).map(({ used }) => used)).toEqual([1_000, 1_000])
    await away()
    await fixture.advance(windowMs)
    await back()
    expect(await usedOf(cut, tokens)).toBe(0)
    wire.cut()
  })

  test('started empty, it knows that counters were lost', async () => {
    const [node] = (await openNodes(2)) as [RedisCounters]
    await take(node, slots, 3)
    await take(node, leaky, 100)
    await fixture.advance(2_000)
    await server.restart()
    await allBack([node])
    // A node that knows nothing of the window gets a second's worth of it, but no more than a twentieth.
    const newcomer = await fixture.openNode()
    expect(await take(newcomer, tokens, limit / 20 + 1)).toBeUndefined()
    expect(await take(newcomer, tokens, limit / 20)).toBeDefined()
    expect(await usedOf(newcomer, leaky)).toBe(leaky.kind === 'leaky' ? leaky.depth - 1_000 * leaky.drainPerMs : 0)
    // Slots are told by those that hold them.
    expect(await usedOf(newcomer, slots)).toBe(3)
    expect(await take(newcomer, slots, 2)).toBeUndefined()
    await fixture.advance(windowMs)
    expect(await take(newcomer, tokens, limit)).toBeDefined()
  })

  test('a cost that is no number leaves the estimate', async () => {
    const node = await fixture.openNode()
    const reservation = await take(node, tokens, 10)
    reservation?.settle([Number.NaN])
    expect(await usedOf(node, tokens)).toBe(10)
  })

  test('a first start has everything', async () => {
    const node = await fixture.openNode()
    expect(await take(node, tokens, limit)).toBeDefined()
  })

  test('reached for the first time only after a while, it is asked from then on', async () => {
    await server.kill()
    const node = await fixture.openNode()
    expect(isDegraded(node)).toBe(true)
    expect(await take(node, tokens, 100)).toBeDefined()
    await server.restart()
    await allBack([node])
    expect(await usedOf(node, tokens)).toBe(100)
  })

  describe('a node that is cut off alone', () => {
    test('has its share, and the others do without it once it has fallen silent', async () => {
      const wire = await openWire(server.url)
      const near = [await fixture.openNode(), await fixture.openNode()]
      const far = await fixture.openNode({ url: wire.url })
      for (let i = 0; i < 2; i++) await fixture.advance(5_000)
      wire.cut()
      await allAway([far])
      const begin = fixture.now()
      const sums = new Map<number, number>()
      await load([...near, far], begin + 90_000, estimates, sums)
      const inOrder = [...sums.values()]
      for (const sum of inOrder.slice(0, 2)) expect(sum).toBeLessThanOrEqual(limit * (1 + 1 / 3))
      for (const sum of inOrder.slice(2, 7)) expect(sum).toBeLessThanOrEqual(limit)
      // After that time it has its share no more, and says so by being degraded.
      expect(isDegraded(far)).toBe(true)
      await wire.mend()
      await allBack([far])
      wire.cut()
    })

    test('and is back under a new incarnation takes nothing from the others', async () => {
      const near = await fixture.openNode()
      const dying = await fixture.openNode({ nodeId: 'far' })
      await fixture.advance(5_000)
      fixture.crash(dying)
      await fixture.advance(20_000)
      expect(await take(near, tokens, limit)).toBeUndefined()
      await fixture.openNode({ nodeId: 'far' })
      await fixture.advance(5_000)
      expect(await take(near, tokens, limit)).toBeDefined()
    })
  })
})
