import { describe, expect, test } from 'bun:test'
import type { CallKind, ChatCall } from '../core/call.ts'
import type { Event } from '../core/event.ts'
import { makeDeployment, makeExchange } from '../core/exchange.fixture.ts'
import type { Exchange } from '../core/exchange.ts'
import { Fault } from '../core/fault.ts'
import type { Backend, Reply } from '../core/reply.ts'
import { orderRoutes } from './choose.ts'
import { createHealth } from './health.ts'
import { createRouter } from './router.ts'

const kinds: ReadonlySet<CallKind> = new Set(['chat'])
const reply: Reply = { kind: 'whole', result: { kind: 'chat', choices: [] } }
const call = { kind: 'chat', deployment: 'd', stream: false, includeUsage: false, messages: [], n: 1 } as ChatCall

function backend(id: string, send: () => Promise<Reply>): Backend {
  return { id, kinds, send, probe: async () => ({ ok: true, detail: '' }) }
}

function exchange(backends: readonly Backend[], priorities: readonly number[] = backends.map((_, i) => i)): Exchange {
  const routes = backends.map((item, i) => ({ backend: item, priority: priorities[i] as number, weight: 1 }))
  return makeExchange({ call, deployment: makeDeployment({ kinds, routes }) })
}

const failing = (id: string, code: 'upstream-failed' | 'rate-limited' | 'upstream-rejected') =>
  backend(id, () => Promise.reject(new Fault(code, id)))

function setUp() {
  let now = 0
  const health = createHealth(() => now)
  const advance = (ms: number): void => {
    now += ms
  }
  return { route: createRouter(health, () => 0), advance }
}

describe('falling back', () => {
  test('goes to the next backend when the first fails', async () => {
    const { route } = setUp()
    const run = exchange([
      failing('a', 'upstream-failed'),
      failing('b', 'rate-limited'),
      backend('c', async () => reply),
    ])
    expect(await route(run)).toBe(reply)
    expect(run.record.attempts.map(({ backend: id }) => id)).toEqual(['a', 'b', 'c'])
  })

  test("stops at a refusal that is about the caller's request", async () => {
    const { route } = setUp()
    const run = exchange([failing('a', 'upstream-rejected'), backend('b', async () => reply)])
    expect(route(run)).rejects.toThrow('a')
    await Promise.resolve()
    expect(run.record.attempts.map(({ backend: id }) => id)).toEqual(['a'])
  })

  test('a stream that fails before its first event counts as not begun', async () => {
    const broken = (): AsyncIterable<Event> => ({
      [Symbol.asyncIterator]: () => ({ next: () => Promise.reject(new Fault('upstream-failed', 'cut')) }),
    })
    const { route } = setUp()
    const run = exchange([
      backend('a', async () => ({ kind: 'stream', events: broken() })),
      backend('b', async () => reply),
    ])
    expect(await route(run)).toBe(reply)
  })

  test('a stream that has begun is not repeated', async () => {
    async function* breaking(): AsyncGenerator<Event> {
      yield { type: 'text-delta', choice: 0, text: 'x' }
      throw new Fault('upstream-failed', 'cut')
    }
    const { route } = setUp()
    const run = exchange([
      backend('a', async () => ({ kind: 'stream', events: breaking() })),
      backend('b', async () => reply),
    ])
    const begun = await route(run)
    const drain = async () => {
      if (begun.kind === 'stream') for await (const _ of begun.events);
    }
    expect(drain()).rejects.toThrow('cut')
    expect(run.record.attempts.map(({ backend: id }) => id)).toEqual(['a'])
  })

  test('a backend that lacks the operation is passed over', async () => {
    const { route } = setUp()
    const other: Backend = { ...failing('a', 'upstream-failed'), kinds: new Set<CallKind>(['embed']) }
    const run = exchange([other, backend('b', async () => reply)])
    await route(run)
    expect(run.record.attempts.map(({ backend: id }) => id)).toEqual(['b'])
  })
})

describe('breaker', () => {
  test('leaves a failing backend alone, then tries it once, and closes on success', async () => {
    const { route, advance } = setUp()
    let isWell = false
    let calls = 0
    const flaky = backend('a', async () => {
      calls++
      if (isWell) return reply
      throw new Fault('upstream-failed', 'down')
    })
    const attempt = () => route(exchange([flaky])).catch((fault: Fault) => fault)
    for (let i = 0; i < 5; i++) await attempt()
    const refused = await attempt()
    expect(calls).toBe(5)
    expect(refused).toBeInstanceOf(Fault)
    expect((refused as Fault).code).toBe('breakers-open')
    expect((refused as Fault).detail.retryAfterMs).toBe(10_000)
    advance(10_001)
    await Promise.all([attempt(), attempt()])
    expect(calls).toBe(6)
    advance(10_001)
    isWell = true
    expect(await attempt()).toBe(reply)
    expect(await attempt()).toBe(reply)
    expect(calls).toBe(8)
  })

  test('being rate limited does not open it', async () => {
    const { route } = setUp()
    for (let i = 0; i < 20; i++) {
      const fault = await route(exchange([failing('a', 'rate-limited')])).catch((error: Fault) => error)
      expect((fault as Fault).code).toBe('rate-limited')
    }
  })
})

describe('order', () => {
  test('priority first, then weight', () => {
    const routes = [
      { backend: failing('a', 'upstream-failed'), priority: 0, weight: 3 },
      { backend: failing('b', 'upstream-failed'), priority: 0, weight: 1 },
      { backend: failing('c', 'upstream-failed'), priority: 1, weight: 1 },
    ]
    const firsts = { a: 0, b: 0 }
    for (let i = 0; i < 1000; i++) {
      const ordered = orderRoutes(routes, () => i / 1000).map(({ backend }) => backend.id)
      expect(ordered[2]).toBe('c')
      expect(ordered.toSorted()).toEqual(['a', 'b', 'c'])
      firsts[ordered[0] as 'a' | 'b']++
    }
    expect(firsts).toEqual({ a: 750, b: 250 })
  })
})
