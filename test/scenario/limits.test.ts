import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { createCheckDeployment } from '../../src/policy/check-deployment.ts'
import { createLimiter } from '../../src/policy/limit/limiter.ts'
import type { Counters } from '../../src/port/counters/port.ts'
import { createSharedCounters } from '../../src/port/counters/shared-memory/counters.ts'
import { allocateCounterMemory } from '../../src/port/counters/shared-memory/table.ts'
import { event, type FakeUpstream, json, sseHead, startFakeUpstream } from '../support/fake-upstream.ts'
import { type Harness, startHarness } from '../support/harness.ts'

/** Limits through the whole data plane: what a caller sees, and what is held when calls end in every way there is. */

let upstream: FakeUpstream
let ponto: Harness
let counters: Counters
/** The clock of the limits stands still unless a test moves it. */
let now = Date.UTC(2026, 10, 24)

beforeAll(async () => {
  upstream = await startFakeUpstream()
  counters = createSharedCounters({ memory: allocateCounterMemory(1_024, now), now: () => now })
  ponto = await startHarness({
    policies: [createCheckDeployment(() => now), createLimiter({ counters, now: () => now })],
  })
})
afterAll(async () => {
  await ponto.stop()
  await upstream.stop()
  await counters.close()
})

const deploy = (...deployments: object[]) =>
  ponto.deploy(
    ...deployments.map((more) => ({
      name: 'gpt',
      model: { name: 'gpt-4.1' },
      backends: [{ url: upstream.url }],
      ...more,
    })),
  )
const tokens = (count: number) => ({ rateLimits: [{ key: 'token', renewalPeriod: 60, count } as const] })
const path = '/openai/v1/chat/completions'
const ask = (model: string, more: object = {}, signal?: AbortSignal) =>
  ponto.post(path, { model, max_tokens: 50, messages: [{ role: 'user', content: 'hi' }], ...more }, undefined, signal)
const usage = { prompt_tokens: 10, completion_tokens: 20, total_tokens: 30 }
const answer = json({ id: 'c', object: 'chat.completion', choices: [], usage })
const word = { id: 'c', object: 'chat.completion.chunk', choices: [{ index: 0, delta: { content: 'a' } }] }

const nextMinute = () => {
  now += 60_000
}

test('two deployments of one model with different limits, found by name in any case', async () => {
  upstream.script(answer)
  deploy({ name: 'Small', ...tokens(100) }, { name: 'Large', ...tokens(10_000) })
  const calls = async (model: string) => {
    const statuses: number[] = []
    for (let i = 0; i < 5; i++) statuses.push((await ask(model)).status)
    return statuses
  }
  const [small, large] = await Promise.all([calls('sMALL'), calls('LARGE')])
  expect(small).toContain(429)
  expect(large).toEqual([200, 200, 200, 200, 200])
  const refused = await ask('small')
  expect(refused.status).toBe(429)
  expect(refused.headers.get('x-ratelimit-limit-tokens')).toBe('100')
  nextMinute()
  expect((await ask('Small')).status).toBe(200)
})

describe('what a call has cost', () => {
  const budget = 10_000
  const expectUsed = async (more: number, call: () => Promise<unknown>) => {
    nextMinute()
    await call()
    expect(await usedTokens()).toBe(more)
  }
  let estimate = 0
  /** By the header that a caller reads, less what the asking call itself holds. */
  const usedTokens = async () => {
    upstream.script(json({ error: { message: 'no' } }, 400))
    const response = await ask('gpt')
    return budget - Number(response.headers.get('x-ratelimit-remaining-tokens')) - estimate
  }

  beforeAll(async () => {
    deploy(tokens(budget))
    nextMinute()
    estimate = await usedTokens()
    expect(estimate).toBeGreaterThan(50)
  })

  test('is what the model counted', () =>
    expectUsed(30, async () => {
      upstream.script(answer)
      await (await ask('gpt')).text()
    }))

  test('also of a stream', () =>
    expectUsed(30, async () => {
      upstream.script([sseHead, event(word), event({ ...word, choices: [], usage }), event('[DONE]'), { do: 'end' }])
      await (await ask('gpt', { stream: true })).text()
    }))

  test('is nothing when the upstream refused', () =>
    expectUsed(0, async () => {
      upstream.script(json({ error: { message: 'no' } }, 400))
      await ask('gpt')
    }))

  test('is nothing when the upstream failed', () =>
    expectUsed(0, async () => {
      upstream.script([{ do: 'cut' }])
      expect((await ask('gpt')).status).toBe(502)
    }))
})

test('streams that callers leave give everything back: no slot and no token stays held', async () => {
  const streams = 1_000
  const concurrency = 20
  deploy({ sku: { name: 'ProvisionedManaged', capacity: 100_000 }, concurrency })
  nextMinute()
  upstream.script([sseHead, event(word), { do: 'stall' }])
  let opened = 0
  const leave = async () => {
    while (opened < streams) {
      opened++
      const gone = new AbortController()
      const response = await ask('gpt', { stream: true }, gone.signal).catch(() => undefined)
      expect(response?.status).toBe(200)
      await response?.body?.getReader().read()
      gone.abort()
    }
  }
  await Promise.all(Array.from({ length: concurrency }, leave))
  upstream.script(answer)
  // As many at once as there are slots: all are let in, so none is held.
  const statuses = await Promise.all(Array.from({ length: concurrency }, async () => (await ask('gpt')).status))
  expect(statuses).toEqual(Array.from({ length: concurrency }, () => 200))
})

test('places of a backend that are kept for one deployment are not taken by others, who wait for theirs', async () => {
  const backends = [{ url: upstream.url, maxConcurrency: 3 }]
  deploy(
    { name: 'bought', sku: { name: 'ProvisionedManaged', capacity: 100_000 }, concurrency: 1, backends },
    { name: 'other', backends },
  )
  const open = Promise.withResolvers<void>()
  upstream.script([{ do: 'until', promise: open.promise }, ...answer])
  const before = upstream.requests.length
  const others = Array.from({ length: 4 }, () => ask('other'))
  const isThere = async (count: number) => {
    while (upstream.requests.length - before < count) await new Promise((resolve) => setTimeout(resolve, 1))
  }
  await isThere(2)
  // Both places that are not kept are taken, and two calls wait; the one that is kept is free.
  const bought = ask('bought')
  await isThere(3)
  expect(upstream.requests.length - before).toBe(3)
  open.resolve()
  expect((await bought).status).toBe(200)
  expect((await Promise.all(others)).map(({ status }) => status)).toEqual([200, 200, 200, 200])
})

test('the tier is ours to give on a deployment with a SKU: no backend is asked for it, and the answer says what it was', async () => {
  upstream.script(answer)
  deploy({ sku: { name: 'Standard', capacity: 1_000 } })
  const response = await ask('gpt', { service_tier: 'priority' })
  expect(await response.json()).toMatchObject({ service_tier: 'default', usage })
  expect(JSON.parse(upstream.requests.at(-1)?.body ?? '').service_tier).toBeUndefined()
  deploy({})
  await ask('gpt', { service_tier: 'priority' })
  expect(JSON.parse(upstream.requests.at(-1)?.body ?? '').service_tier).toBe('priority')
})
