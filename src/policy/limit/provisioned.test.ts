import { afterEach, beforeEach, describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import {
  callOf,
  createWorld,
  keyWith,
  limitedTo,
  perMinute,
  provisioned,
  settleAll,
  type World,
} from './limit.fixture.ts'

const levelOf = (inputTokensPerMinute: number) =>
  ({ kind: 'leaky', key: 'deployment/ptu/utilization', drainPerMs: inputTokensPerMinute / 60_000 }) as const
const slots = { kind: 'slots', key: 'deployment/ptu/slots' } as const
const percent = (headers: Readonly<Record<string, string>>) =>
  Number.parseFloat(headers['azure-openai-deployment-utilization'] ?? 'none')

/**
 * What a provisioned deployment is to do, told a second time and in another way: nothing is counted up; who asks for the level gets
 * it from all that ever happened, in the order in which it happened.
 */
function createReference(inputTokensPerMinute: number, weight: number) {
  const happened: { at: number; change: number }[] = []
  const perMs = inputTokensPerMinute / 60_000
  const levelAt = (at: number): number => {
    let height = 0
    let since = 0
    for (const { at: when, change } of happened.toSorted((a, b) => a.at - b.at)) {
      if (when > at) break
      height = Math.max(0, Math.max(0, height - (when - since) * perMs) + change)
      since = when
    }
    return Math.max(0, height - (at - since) * perMs)
  }
  return {
    utilization: (at: number) => (100 * levelAt(at)) / inputTokensPerMinute,
    /** Milliseconds to wait, or undefined when it is let in. */
    arrive(at: number, prompt: number, most: number): number | undefined {
      const over = levelAt(at) - inputTokensPerMinute
      if (over > 0) return over / perMs
      happened.push({ at, change: prompt + most * weight })
      return undefined
    },
    complete(at: number, estimated: { prompt: number; most: number }, prompt: number, cached: number, output: number) {
      const change = prompt - cached + output * weight - (estimated.prompt + estimated.most * weight)
      happened.push({ at, change })
    },
  }
}

type Arrival = {
  readonly gapMs: number
  readonly most: number
  readonly output: number
  readonly prompt: number
  readonly cached: number
  readonly lastsMs: number
}

const arrival: fc.Arbitrary<Arrival> = fc.record({
  gapMs: fc.integer({ min: 1, max: 6_000 }),
  most: fc.integer({ min: 1, max: 3_000 }),
  output: fc.integer({ min: 0, max: 3_000 }),
  prompt: fc.integer({ min: 1, max: 5_000 }),
  cached: fc.integer({ min: 0, max: 2_000 }),
  lastsMs: fc.integer({ min: 1, max: 30_000 }),
})

test('utilization and waits are those of the reference, over random traffic', async () => {
  let refused = 0
  await fc.assert(
    fc.asyncProperty(fc.array(arrival, { minLength: 20, maxLength: 60 }), async (arrivals) => {
      const perMin = 20_000
      const world = createWorld()
      const deployment = provisioned(perMin)
      const reference = createReference(perMin, 4)
      const begun = world.now()
      const running: { endsAt: number; end: () => void }[] = []
      const runUntil = async (at: number) => {
        for (;;) {
          const next = running.toSorted((a, b) => a.endsAt - b.endsAt)[0]
          if (!next || next.endsAt > at) break
          await world.advance(next.endsAt - world.now())
          running.splice(running.indexOf(next), 1)
          next.end()
        }
        await world.advance(at - world.now())
      }
      try {
        for (const { gapMs, most, output, prompt, cached, lastsMs } of arrivals) {
          await runUntil(world.now() + gapMs)
          const at = world.now() - begun
          const call = await world.enter({ deployment, call: callOf(10 + most) })
          const waitMs = reference.arrive(at, 10, most)
          const exact = reference.utilization(at)
          expect(Math.abs(percent(call.headers) - exact)).toBeLessThanOrEqual(0.1 + exact * 0.05)
          if (waitMs === undefined) {
            expect(call.fault).toBeUndefined()
            running.push({
              endsAt: world.now() + lastsMs,
              end() {
                const cachedTokens = Math.min(cached, prompt)
                call.end('done', { promptTokens: prompt, completionTokens: output, cachedTokens })
                reference.complete(world.now() - begun, { prompt: 10, most }, prompt, cachedTokens, output)
              },
            })
          } else {
            refused++
            expect(call.fault?.code).toBe('rate-limited')
            expect(Math.abs((call.fault?.detail.retryAfterMs ?? 0) - waitMs)).toBeLessThanOrEqual(1 + waitMs * 0.05)
          }
        }
        await runUntil(world.now() + 60_000)
        const at = world.now() - begun
        expect((await world.used(levelOf(perMin))) / (perMin / 100)).toBeCloseTo(reference.utilization(at), 0)
      } finally {
        await world.close()
      }
    }),
    { numRuns: 60 },
  )
  // Else the waits were never compared.
  expect(refused).toBeGreaterThan(100)
})

test('at three times what it can do, it does what it can', async () => {
  const world = createWorld()
  const deployment = provisioned(60_000)
  let done = 0
  const minutes = 20
  for (let ms = 0; ms < minutes * 60_000; ms += 200) {
    await world.advance(200)
    const call = await world.enter({ deployment, call: callOf(160) })
    if (call.fault) continue
    // Reserved 610, and really 10 + 4 * 100.
    call.end('done', { promptTokens: 10, completionTokens: 100 })
    done += 410
  }
  await world.close()
  expect(done).toBeGreaterThan(60_000 * minutes * 0.95)
  // The bucket was empty at first, and one call may go over.
  expect(done).toBeLessThanOrEqual(60_000 * (minutes + 1) + 610)
})

describe.each([
  ['counters that answer at once', false],
  ['counters that answer later', true],
])('%s', (_, isSlow) => {
  let world: World
  beforeEach(() => {
    world = createWorld({ isSlow, maxWaiting: 2 })
  })
  afterEach(() => world.close())

  test('what a call cost, cached tokens being free and output weighing more', async () => {
    const deployment = provisioned(10_000)
    const call = await world.enter({ deployment, call: callOf(510) })
    expect(await world.used(levelOf(10_000))).toBe(10 + 4 * 500)
    expect(call.headers).toEqual({ 'azure-openai-deployment-utilization': '20.1%' })
    call.end('done', { promptTokens: 1_000, completionTokens: 50, cachedTokens: 900 })
    expect(await world.used(levelOf(10_000))).toBe(100 + 4 * 50)
    ;(await world.enter({ deployment, call: callOf(510) })).end('aborted', undefined, 7)
    expect(await world.used(levelOf(10_000))).toBe(300 + 10 + 4 * 7)
    ;(await world.enter({ deployment, call: callOf(510) })).end('failed')
    expect(await world.used(levelOf(10_000))).toBe(338)
  })

  test('one call may go over, and then the wait is until 100 %', async () => {
    const deployment = provisioned(60_000)
    await world.enter({ deployment, call: callOf(10 + 15_022) })
    await world.advance(20)
    const over = await world.enter({ deployment, call: callOf(10 + 25) })
    expect(over.fault?.detail.retryAfterMs).toBe(78)
    expect(over.headers['azure-openai-deployment-utilization']).toBe('100.1%')
    expect(over.fault?.message).toStartWith(
      "Requests to the ChatCompletions_Create Operation have exceeded token rate limit of provisioned deployment 'PTU', " +
        'whose utilization is 100.1%. Please retry after 1 seconds.',
    )
    await world.advance(77)
    expect((await world.enter({ deployment, call: callOf(35) })).fault?.detail.retryAfterMs).toBe(1)
    await world.advance(1)
    expect((await world.enter({ deployment, call: callOf(35) })).fault).toBeUndefined()
  })

  test('a refusal of the key waits for the deployment too', async () => {
    const deployment = provisioned(60_000)
    const caller = keyWith({ requestsPerMinute: 1 })
    await world.advance(50_000)
    // 30,000 over 100 %, which take half a minute to drain.
    await world.enter({ deployment, caller, call: callOf(10 + 22_498) })
    const { fault } = await world.enter({ deployment, caller })
    expect(fault?.message).toContain("exceeded call rate limit of key 'team-a'. Please retry after 31 seconds.")
    expect(fault?.detail.retryAfterMs).toBe(30_002)
  })

  test('a key counts plain tokens', async () => {
    const caller = keyWith({ tokensPerMinute: 1_000 })
    const { headers } = await world.enter({ deployment: provisioned(10_000), caller, call: callOf(510) })
    expect(headers['x-ratelimit-remaining-tokens']).toBe('490')
  })

  describe('calls at once', () => {
    const deployment = () => provisioned(1_000_000, 2)

    test('wait for a slot, and get the one that comes free', async () => {
      const ptu = deployment()
      const [first] = [await world.enter({ deployment: ptu }), await world.enter({ deployment: ptu })]
      const third = world.enter({ deployment: ptu })
      await world.advance(500)
      expect(await world.used(slots)).toBe(2)
      first.end()
      expect((await third).fault).toBeUndefined()
      expect(await world.used(slots)).toBe(2)
      ;(await third).end()
      expect(await world.used(slots)).toBe(1)
    })

    test('wait a second at most', async () => {
      const ptu = deployment()
      for (let i = 0; i < 2; i++) await world.enter({ deployment: ptu })
      const waiting = world.enter({ deployment: ptu })
      await world.advance(999)
      await settleAll()
      expect(await Promise.race([waiting, 'waiting'])).toBe('waiting')
      await world.advance(1)
      const { fault, exchange, headers } = await waiting
      expect(fault?.code).toBe('rate-limited')
      expect(fault?.detail.retryAfterMs).toBe(1_000)
      expect(fault?.message).toContain(
        "exceeded call rate limit of deployment 'PTU'. Please retry after 1 seconds. It takes 2 calls at once",
      )
      expect(headers['azure-openai-deployment-utilization']).toMatch(/^\d+\.\d%$/)
      expect(exchange.holds).toEqual([])
      expect(world.pendingTimers()).toBe(0)
    })

    test('wait in small numbers', async () => {
      const ptu = deployment()
      for (let i = 0; i < 2; i++) await world.enter({ deployment: ptu })
      const waiting = [world.enter({ deployment: ptu }), world.enter({ deployment: ptu })]
      await settleAll()
      expect((await world.enter({ deployment: ptu })).fault?.code).toBe('rate-limited')
      await world.advance(1_000)
      expect((await Promise.all(waiting)).map(({ fault }) => fault?.code)).toEqual(['rate-limited', 'rate-limited'])
    })

    test('a caller who leaves holds nothing', async () => {
      const ptu = deployment()
      const first = await world.enter({ deployment: ptu })
      await world.enter({ deployment: ptu })
      const leaving = new AbortController()
      const waiting = world.enter({ deployment: ptu, signal: leaving.signal })
      await settleAll()
      leaving.abort()
      const { fault, exchange } = await waiting
      expect(fault?.code).toBe('client-gone')
      expect(exchange.holds).toEqual([])
      first.end()
      await world.advance(200)
      expect(await world.used(slots)).toBe(1)
      expect(world.pendingTimers()).toBe(0)
    })

    test('nobody overtakes those who wait, not even to a slot of which they do not know yet', async () => {
      const ptu = provisioned(1_000_000, 1)
      const demand = { rule: { kind: 'slots', key: 'deployment/ptu/slots', limit: 1 } as const, cost: 1 }
      const elsewhere = await world.counters.reserve([demand])
      const order: string[] = []
      const waiting = world.enter({ deployment: ptu }).then((call) => {
        order.push('first')
        call.end()
      })
      await settleAll()
      if (elsewhere.isAdmitted) elsewhere.reservation.settle([1])
      const second = world.enter({ deployment: ptu }).then(() => order.push('second'))
      await Promise.all([waiting, second])
      expect(order).toEqual(['first', 'second'])
    })

    test('are not waited for where something else refuses', async () => {
      const ptu = provisioned(1_000, 1)
      const caller = keyWith({ requestsPerMinute: 1 })
      await world.enter({ deployment: ptu, caller, call: callOf(500) })
      expect((await world.enter({ deployment: ptu, caller })).fault?.message).toContain(
        "call rate limit of key 'team-a'",
      )
      expect((await world.enter({ deployment: ptu })).fault?.message).toContain('token rate limit of provisioned')
    })

    test('go by tier where the SKU has tiers', async () => {
      const ptu = { ...deployment(), sku: { name: 'GlobalStandard', capacity: 1 } as const }
      const [first, second] = [await world.enter({ deployment: ptu }), await world.enter({ deployment: ptu })]
      const asking = (tier: string) =>
        callOf(100, { source: { wire: 'openai-chat', text: '', body: { service_tier: tier } } })
      const order: string[] = []
      const waiting = ['default', 'priority'].map(async (tier) => {
        await world.enter({ deployment: ptu, call: asking(tier) })
        order.push(tier)
      })
      await settleAll()
      first.end()
      await settleAll()
      second.end()
      await Promise.all(waiting)
      expect(order).toEqual(['priority', 'default'])
    })
  })
})

test('deployments that are not provisioned say nothing of utilization', async () => {
  const world = createWorld()
  const { headers } = await world.enter({ deployment: limitedTo({ tokens: perMinute(1_000) }), call: callOf(10) })
  expect(headers['azure-openai-deployment-utilization']).toBeUndefined()
  await world.close()
})
