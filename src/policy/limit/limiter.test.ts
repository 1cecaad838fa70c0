import { afterEach, beforeEach, describe, expect, test } from 'bun:test'
import { makeChatCall, makeDeployment } from '../../core/exchange.fixture.ts'
import type { Outcome } from '../../core/exchange.ts'
import type { Usage } from '../../core/usage/usage.ts'
import { callOf, createWorld, keyWith, limitedTo, perMinute, type World } from './limit.fixture.ts'

const ownTokens = { kind: 'window', key: 'deployment/chat-a/tokens' } as const
const keyTokens = { kind: 'window', key: 'key/team-a/tokens' } as const
const usageOf = (promptTokens: number, completionTokens: number): Usage => ({ promptTokens, completionTokens })

describe.each([
  ['counters that answer at once', false],
  ['counters that answer later', true],
])('%s', (_, isSlow) => {
  let world: World
  beforeEach(() => {
    world = createWorld({ isSlow })
  })
  afterEach(() => world.close())

  describe('what is let in', () => {
    test('everything where nothing is limited, and nothing is counted or held', async () => {
      for (const caller of [keyWith({}), { keyName: 'key1', grant: undefined, expiresAt: undefined }]) {
        const { fault, exchange } = await world.enter({ caller })
        expect(fault).toBeUndefined()
        expect(exchange.answerHeaders).toEqual({})
        expect(exchange.holds).toEqual([])
      }
    })

    test('tokens of a minute, and no more', async () => {
      const deployment = limitedTo({ tokens: perMinute(1_000) })
      expect((await world.enter({ deployment, call: callOf(600) })).fault).toBeUndefined()
      expect((await world.enter({ deployment, call: callOf(400) })).fault).toBeUndefined()
      expect((await world.enter({ deployment, call: callOf(11) })).fault?.code).toBe('rate-limited')
      await world.advance(60_000)
      expect((await world.enter({ deployment, call: callOf(1_000) })).fault).toBeUndefined()
    })

    test('requests of ten seconds, however small', async () => {
      const deployment = limitedTo({ requests: { limit: 2, windowMs: 10_000 } })
      const ends = [await world.enter({ deployment }), await world.enter({ deployment })]
      expect(ends.map(({ fault }) => fault)).toEqual([undefined, undefined])
      // That they are over does not give them back.
      for (const call of ends) call.end('failed')
      await world.advance(3_000)
      const { fault } = await world.enter({ deployment })
      expect(fault?.detail.retryAfterMs).toBe(7_000)
      await world.advance(7_000)
      expect((await world.enter({ deployment })).fault).toBeUndefined()
    })

    test("a key's own limits hold across deployments, and for that key alone", async () => {
      const caller = keyWith({ tokensPerMinute: 500, requestsPerMinute: 3 })
      const [one, two] = [makeDeployment({ name: 'one' }), makeDeployment({ name: 'two' })]
      expect((await world.enter({ deployment: one, caller, call: callOf(300) })).fault).toBeUndefined()
      const { fault } = await world.enter({ deployment: two, caller, call: callOf(300) })
      expect(fault?.message).toContain("exceeded token rate limit of key 'team-a'")
      expect((await world.enter({ deployment: two, caller, call: callOf(200) })).fault).toBeUndefined()
      const other = keyWith({ tokensPerMinute: 500 }, 'team-b')
      expect((await world.enter({ deployment: two, caller: other, call: callOf(500) })).fault).toBeUndefined()
    })

    test('all or nothing: what the key refuses the deployment is not charged', async () => {
      const deployment = limitedTo({ tokens: perMinute(1_000), requests: { limit: 10, windowMs: 10_000 } })
      const caller = keyWith({ requestsPerMinute: 1 })
      await world.enter({ deployment, caller, call: callOf(100) })
      const { fault, exchange } = await world.enter({ deployment, caller, call: callOf(100) })
      expect(fault?.message).toContain("exceeded call rate limit of key 'team-a'")
      expect(exchange.holds).toEqual([])
      expect(await world.used(ownTokens)).toBe(100)
    })

    test('a change of the deployment goes on with the same counters', async () => {
      await world.enter({ deployment: limitedTo({ tokens: perMinute(1_000) }), call: callOf(1_000) })
      const wider = limitedTo({ tokens: perMinute(1_500) })
      expect((await world.enter({ deployment: wider, call: callOf(501) })).fault?.code).toBe('rate-limited')
      expect((await world.enter({ deployment: wider, call: callOf(500) })).fault).toBeUndefined()
    })
  })

  describe('what it cost in the end, of an estimate of 500 with a prompt of 10', () => {
    const table: [string, Outcome, Usage | undefined, number, number][] = [
      ['what the model counted', 'done', usageOf(20, 100), 0, 120],
      ['also when it is more', 'done', usageOf(300, 900), 0, 1_200],
      ['also of a stream that broke off', 'aborted', usageOf(20, 100), 7, 120],
      ['cached tokens as others', 'done', { ...usageOf(100, 10), cachedTokens: 90 }, 0, 110],
      ['the estimate, when nobody counted', 'done', undefined, 0, 500],
      ['prompt and pieces of a stream that nobody counted', 'done', undefined, 40, 50],
      ['prompt and pieces of a stream the caller left', 'aborted', undefined, 25, 35],
      ['the prompt, when the caller left before the answer', 'aborted', undefined, 0, 10],
      ['prompt and pieces of a stream that failed', 'failed', undefined, 5, 15],
      ['nothing, when it failed before an answer', 'failed', undefined, 0, 0],
      ['whole numbers, whatever an upstream says', 'done', usageOf(10.4, Number.NaN), 0, 10],
    ]

    test.each(table)('%s', async (_, outcome, usage, pieces, tokens) => {
      const deployment = limitedTo({ tokens: perMinute(1_000) })
      const caller = keyWith({ tokensPerMinute: 5_000 })
      const call = await world.enter({ deployment, caller, call: callOf(500) })
      expect(await world.used(ownTokens)).toBe(500)
      call.end(outcome, usage, pieces)
      expect(await world.used(ownTokens)).toBe(tokens)
      expect(await world.used(keyTokens)).toBe(tokens)
      expect(call.exchange.holds).toEqual([])
    })

    test.each(table)('as with Azure it is the estimate for the deployment, not for the key: %s', async (...row) => {
      const [, outcome, usage, pieces, tokens] = row
      const deployment = limitedTo({ tokens: perMinute(1_000), settles: false })
      const caller = keyWith({ tokensPerMinute: 5_000 })
      const call = await world.enter({ deployment, caller, call: callOf(500) })
      call.end(outcome, usage, pieces)
      expect(await world.used(ownTokens)).toBe(500)
      expect(await world.used(keyTokens)).toBe(tokens)
    })
  })

  test('what answers have when nobody bounds them is learnt', async () => {
    const deployment = limitedTo({ tokens: perMinute(100_000) })
    const call = callOf(0, { maxTokens: undefined })
    const first = await world.enter({ deployment, call })
    expect(first.headers['x-ratelimit-remaining-tokens']).toBe(String(100_000 - 10 - 512))
    first.end('failed')
    for (let i = 0; i < 40; i++) (await world.enter({ deployment, call })).end('done', usageOf(10, 64))
    await world.advance(60_000)
    const { headers } = await world.enter({ deployment, call })
    expect(headers['x-ratelimit-remaining-tokens']).toBe(String(100_000 - 10 - 64))
  })

  describe('headers', () => {
    test('of a deployment with tokens and requests', async () => {
      const deployment = limitedTo({ tokens: perMinute(60_000), requests: { limit: 10, windowMs: 10_000 } })
      await world.advance(12_500)
      const { headers } = await world.enter({ deployment, call: callOf(1_000) })
      expect(headers).toEqual({
        'x-ratelimit-limit-requests': '60',
        'x-ratelimit-remaining-requests': '9',
        'x-ratelimit-reset-requests': '8',
        'x-ratelimit-limit-tokens': '60000',
        'x-ratelimit-remaining-tokens': '59000',
        'x-ratelimit-reset-tokens': '48',
      })
    })

    test('only of limits that there are', async () => {
      const { headers } = await world.enter({ deployment: limitedTo({ requests: perMinute(5) }) })
      expect(Object.keys(headers).toSorted()).toEqual([
        'x-ratelimit-limit-requests',
        'x-ratelimit-remaining-requests',
        'x-ratelimit-reset-requests',
      ])
    })

    test('of the one that has less left', async () => {
      const deployment = limitedTo({ tokens: perMinute(1_000), requests: perMinute(100) })
      const caller = keyWith({ tokensPerMinute: 5_000, requestsPerMinute: 20 })
      const { headers } = await world.enter({ deployment, caller, call: callOf(100) })
      expect(headers).toMatchObject({
        'x-ratelimit-limit-tokens': '1000',
        'x-ratelimit-remaining-tokens': '900',
        'x-ratelimit-limit-requests': '20',
        'x-ratelimit-remaining-requests': '19',
      })
    })

    test('of a refusal: what is left and was not enough', async () => {
      const deployment = limitedTo({ tokens: perMinute(1_000), requests: perMinute(100) })
      await world.enter({ deployment, call: callOf(900) })
      await world.advance(10_000)
      const { headers, fault } = await world.enter({ deployment, call: callOf(200) })
      expect(fault?.status).toBe(429)
      expect(headers).toMatchObject({
        'x-ratelimit-remaining-tokens': '100',
        'x-ratelimit-reset-tokens': '50',
        'x-ratelimit-remaining-requests': '99',
      })
    })

    test('a debt leaves nothing, not less', async () => {
      const deployment = limitedTo({ tokens: perMinute(1_000) })
      ;(await world.enter({ deployment, call: callOf(100) })).end('done', usageOf(10, 2_000))
      const { headers, fault } = await world.enter({ deployment, call: callOf(20) })
      expect(fault?.code).toBe('rate-limited')
      expect(headers['x-ratelimit-remaining-tokens']).toBe('0')
    })
  })

  describe('refusals', () => {
    test('of tokens say which rule, the estimate, the window, the limit and when', async () => {
      const deployment = limitedTo({ tokens: perMinute(1_000) })
      await world.enter({ deployment, call: callOf(900) })
      await world.advance(47_400)
      const { fault } = await world.enter({ deployment, call: callOf(210) })
      expect(fault?.code).toBe('rate-limited')
      expect(fault?.detail.retryAfterMs).toBe(12_600)
      expect(fault?.message).toBe(
        "Requests to the ChatCompletions_Create Operation have exceeded token rate limit of deployment 'Chat-A'. " +
          'Please retry after 13 seconds. This request is estimated at 210 tokens (prompt 10, answer 200: the most it ' +
          'asks for); 900 of 1000 tokens of the current window of 60 seconds are taken, and it ends in 13 seconds.',
      )
      expect(fault?.stack ?? '').not.toContain('limiter')
    })

    test('of requests', async () => {
      const deployment = limitedTo({ requests: { limit: 1, windowMs: 10_000 } })
      await world.enter({ deployment })
      const { fault } = await world.enter({ deployment })
      expect(fault?.message).toBe(
        "Requests to the ChatCompletions_Create Operation have exceeded call rate limit of deployment 'Chat-A'. " +
          'Please retry after 10 seconds. 1 of 1 requests of the current window of 10 seconds are taken; it ends in ' +
          '10 seconds.',
      )
    })

    test('tell the time after which nothing refuses any more', async () => {
      const deployment = limitedTo({ tokens: perMinute(1_000), requests: { limit: 1, windowMs: 10_000 } })
      await world.advance(5_000)
      await world.enter({ deployment, call: callOf(1_000) })
      const { fault } = await world.enter({ deployment, call: callOf(100) })
      expect(fault?.detail.retryAfterMs).toBe(55_000)
      await world.advance(55_000)
      expect((await world.enter({ deployment, call: callOf(100) })).fault).toBeUndefined()
    })
  })

  test('a longer window that ends sooner is not all there is to wait for', async () => {
    const deployment = limitedTo({ tokens: { limit: 100, windowMs: 45_000 } })
    const caller = keyWith({ requestsPerMinute: 1 })
    await world.advance(50_000)
    const windowEndsMs = 45_000 - (world.now() % 45_000)
    await world.enter({ deployment, caller, call: callOf(100) })
    const { fault } = await world.enter({ deployment, caller, call: callOf(100) })
    expect(windowEndsMs).toBeGreaterThan(10_000)
    expect(fault?.detail.retryAfterMs).toBe(windowEndsMs)
    await world.advance(windowEndsMs)
    expect((await world.enter({ deployment, caller, call: callOf(100) })).fault).toBeUndefined()
  })

  describe('a request that can never fit', () => {
    test('is told what it needs, and what would do', async () => {
      const deployment = limitedTo({ tokens: perMinute(3_000) }, 'Standard', 3)
      const { fault, exchange } = await world.enter({ deployment, call: callOf(7_500) })
      expect(fault?.code).toBe('exceeds-capacity')
      expect(fault?.status).toBe(400)
      expect(fault?.detail.retryAfterMs).toBeUndefined()
      expect(fault?.message).toBe(
        'This request can never fit: it is estimated at 7500 tokens (prompt 10, answer 7490: the most it ' +
          "asks for), but the token rate limit of deployment 'Chat-A' lets through 3000 tokens in 60 seconds. " +
          'Waiting does not help. A capacity of 8 units of SKU Standard would do; it has 3. Or ask for at most 2990 ' +
          'tokens of answer.',
      )
      expect(exchange.holds).toEqual([])
      expect(await world.used(ownTokens)).toBe(0)
    })

    test('because of the key', async () => {
      const caller = keyWith({ tokensPerMinute: 400 })
      const deployment = limitedTo({ tokens: perMinute(10_000) })
      const { fault } = await world.enter({ caller, deployment, call: callOf(500) })
      expect(fault?.code).toBe('exceeds-capacity')
      expect(fault?.message).toContain("token rate limit of key 'team-a' lets through 400 tokens")
      expect(fault?.message).toContain('A limit of 500 tokens per minute for the key would do.')
    })

    test('is not one whose answer is only guessed', async () => {
      const deployment = limitedTo({ tokens: perMinute(300) })
      const call = makeChatCall({ messages: [{ role: 'user', content: 'x'.repeat(1_000) }] })
      expect((await world.enter({ deployment, call })).fault).toBeUndefined()
    })

    test('fills the window to the last token', async () => {
      const deployment = limitedTo({ tokens: perMinute(1_000) })
      expect((await world.enter({ deployment, call: callOf(1_000) })).fault).toBeUndefined()
    })
  })

  describe('a pool', () => {
    const pool = { key: 'standard-m', tokensPerMinute: 3_000 }
    const poolTokens = { kind: 'window', key: 'pool/standard-m/tokens' } as const
    const pooled = (name: string, limit = 1_000) => ({ ...limitedTo({ tokens: perMinute(limit), pool }), name })
    const [a, b] = [pooled('a'), pooled('b')]
    const usedBy = (name: string) => world.used({ kind: 'window', key: `deployment/${name}/tokens` })

    test('lends what is free when a deployment has used its own', async () => {
      await world.enter({ deployment: a, call: callOf(900) })
      const borrowed = await world.enter({ deployment: a, call: callOf(800) })
      expect(borrowed.fault).toBeUndefined()
      expect(borrowed.headers).toMatchObject({
        'x-ratelimit-limit-tokens': '1000',
        'x-ratelimit-remaining-tokens': '100',
      })
      expect(await usedBy('a')).toBe(900)
      expect(await world.used(poolTokens)).toBe(1_700)
      borrowed.end('done', usageOf(10, 90))
      expect(await world.used(poolTokens)).toBe(1_000)
      expect(await usedBy('a')).toBe(900)
    })

    test('lends no more than is free, and the refusal is that of the deployment', async () => {
      await world.enter({ deployment: b, call: callOf(1_000) })
      await world.enter({ deployment: a, call: callOf(1_000) })
      expect((await world.enter({ deployment: a, call: callOf(600) })).fault).toBeUndefined()
      const { fault, headers } = await world.enter({ deployment: a, call: callOf(600) })
      expect(fault?.message).toContain("exceeded token rate limit of deployment 'a'")
      expect(fault?.detail.retryAfterMs).toBe(60_000)
      expect(headers['x-ratelimit-remaining-tokens']).toBe('0')
    })

    test('never takes from a deployment what is its own', async () => {
      await world.enter({ deployment: a, call: callOf(1_000) })
      for (let i = 0; i < 2; i++) await world.enter({ deployment: a, call: callOf(1_000) })
      expect(await world.used(poolTokens)).toBe(3_000)
      const own = await world.enter({ deployment: b, call: callOf(1_000) })
      expect(own.fault).toBeUndefined()
      expect(own.headers['x-ratelimit-remaining-tokens']).toBe('0')
      expect(await usedBy('b')).toBe(1_000)
      expect((await world.enter({ deployment: b, call: callOf(100) })).fault?.code).toBe('rate-limited')
    })

    test("lends nothing beyond the deployment's requests or the key's tokens", async () => {
      const deployment = limitedTo({ tokens: perMinute(100), requests: perMinute(2), pool })
      const caller = keyWith({ tokensPerMinute: 1_000 })
      for (let i = 0; i < 2; i++) await world.enter({ deployment, call: callOf(100) })
      const { fault } = await world.enter({ deployment, call: callOf(100) })
      expect(fault?.message).toContain('exceeded call rate limit')
      const narrow = limitedTo({ tokens: perMinute(100), pool })
      const first = await world.enter({ deployment: narrow, caller, call: callOf(800) })
      expect(first.fault).toBeUndefined()
      const second = await world.enter({ deployment: narrow, caller, call: callOf(800) })
      expect(second.fault?.message).toContain("exceeded token rate limit of key 'team-a'")
    })

    test('decides what can never fit', async () => {
      expect((await world.enter({ deployment: a, call: callOf(2_500) })).fault).toBeUndefined()
      const { fault } = await world.enter({ deployment: a, call: callOf(3_001) })
      expect(fault?.code).toBe('exceeds-capacity')
      expect(fault?.message).toContain('lets through 3000 tokens')
    })
  })
})
