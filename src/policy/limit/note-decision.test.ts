import { expect, test } from 'bun:test'
import { makeChatCall, makeDeployment, makeExchange } from '../../core/exchange.fixture.ts'
import type { Exchange } from '../../core/exchange.ts'
import type { Reply } from '../../core/reply.ts'
import { createSharedCounters } from '../../port/counters/shared-memory/counters.ts'
import { allocateCounterMemory } from '../../port/counters/shared-memory/table.ts'
import { createLimiter } from './limiter.ts'

const reply: Reply = { kind: 'whole', result: { kind: 'chat', choices: [] } }

function open(deployment: Partial<Parameters<typeof makeDeployment>[0]>) {
  let now = 60_000_000
  const counters = createSharedCounters({ memory: allocateCounterMemory(64, now), now: () => now, isColdStart: false })
  const startTimer = (run: () => void, afterMs: number) => {
    const timer = setTimeout(() => {
      now += afterMs
      run()
    }, 1)
    return () => clearTimeout(timer)
  }
  const limiter = createLimiter({ counters, now: () => now, maxWaitMs: 5, startTimer })
  const compiled = makeDeployment({ name: 'gpt', createdAt: 1, ...deployment })
  const call = async (more: Partial<Exchange> = {}): Promise<Exchange> => {
    const exchange = makeExchange({ deployment: compiled, call: makeChatCall({ maxTokens: 50 }), ...more })
    await limiter(exchange, async () => reply).catch(() => {})
    return exchange
  }
  return { call }
}

test('a call that was let in: what it was estimated at, charged, and what it left', async () => {
  const rate = { limit: 100, windowMs: 60_000 }
  const { call } = open({
    limits: { kind: 'rate', tokens: rate, requests: { limit: 5, windowMs: 10_000 }, settles: true, pool: undefined },
  })
  const { record } = await call()
  const [decision] = record.limits
  expect(decision).toMatchObject({
    action: 'admitted',
    deployment: 'gpt',
    completionTokens: 50,
    isGuess: false,
    refusedBy: -1,
  })
  const cost = (decision?.promptTokens ?? 0) + 50
  expect(decision?.counters).toMatchObject([
    { owner: 'deployment', measure: 'tokens', limit: 100, used: cost, cost },
    { owner: 'deployment', measure: 'requests', limit: 5, used: 1, cost: 1 },
  ])
  expect(record.queueMs).toBe(0)
})

test('one that was refused: by which counter; whose it is where the key is tighter', async () => {
  const limits = {
    kind: 'rate',
    tokens: { limit: 100, windowMs: 60_000 },
    requests: undefined,
    settles: true,
    pool: undefined,
  } as const
  const { call } = open({ limits })
  await call()
  const { record } = await call()
  expect(record.limits).toMatchObject([{ action: 'refused', refusedBy: 0, counters: [{ measure: 'tokens' }] }])

  const grant = { deployments: undefined, tokensPerMinute: undefined, requestsPerMinute: 1, budgets: [] }
  const caller = { keyName: 'ci', grant, expiresAt: undefined }
  const ofKey = open({ limits: { ...limits, tokens: { limit: 10_000, windowMs: 60_000 } } })
  await ofKey.call({ caller })
  const refused = (await ofKey.call({ caller })).record.limits[0]
  expect(refused?.counters[refused.refusedBy]).toMatchObject({ owner: 'key', measure: 'requests', limit: 1 })
})

test('one that found no slot while it waited says so, and for how long it did', async () => {
  const { call } = open({
    limits: { kind: 'provisioned', inputTokensPerMinute: 1e9, outputWeight: 1, concurrency: 1 },
  })
  await call()
  const { record } = await call()
  expect(record.limits).toMatchObject([
    { action: 'refused', refusedBy: 0, counters: [{ measure: 'slots', limit: 1, used: 1 }] },
  ])
  expect(record.queueMs).toBeGreaterThan(0)
})
