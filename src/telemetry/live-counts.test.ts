import { beforeEach, expect, test } from 'bun:test'
import { makeDeployment, makeExchange } from '../core/exchange.fixture.ts'
import { openRecord, type RequestRecord } from '../core/usage/request-record.ts'
import { createLiveCounts, type LiveCounts } from './live-counts.ts'

let now: number
let live: LiveCounts
beforeEach(() => {
  now = 1_000_000_000
  live = createLiveCounts(() => now)
})

const record = (more: Partial<RequestRecord>): RequestRecord => ({
  ...openRecord('r', now, 0),
  ...{ outcome: 'done', status: 200, deployment: 'gpt', model: 'm', totalMs: 100 },
  ...more,
})

test('rates, tokens and latencies of the last minute; what is older is gone', () => {
  for (let i = 1; i <= 100; i++)
    live.listener(record({ totalMs: i * 10, firstTokenMs: i, promptTokens: 5, completionTokens: 5 }))
  const [view] = live.views()
  expect(view).toMatchObject({ deployment: 'gpt', model: 'm', inFlight: 0, limited: 0, failed: 0 })
  expect(view?.requestsPerSecond).toBeCloseTo(100 / 55, 5)
  expect(view?.tokensPerMinute).toBeCloseTo((1000 * 60) / 55, 3)
  // Within a tenth.
  expect(view?.p50Ms).toBeGreaterThanOrEqual(500)
  expect(view?.p50Ms).toBeLessThanOrEqual(550)
  expect(view?.p95Ms).toBeGreaterThanOrEqual(950)
  expect(view?.p95Ms).toBeLessThanOrEqual(1_045)
  expect(view?.firstTokenP50Ms).toBeLessThanOrEqual(55)
  now += 30_000
  expect(live.views()).toHaveLength(1)
  now += 31_000
  expect(live.views()).toEqual([])
})

test('refusals, filters and failures are told apart, and say nothing of how fast answers are', () => {
  live.listener(record({ outcome: 'refused', isLimited: true, code: 'rate-limited', status: 429 }))
  live.listener(record({ outcome: 'refused', code: 'content-filtered', status: 400 }))
  live.listener(record({ outcome: 'failed', code: 'upstream-failed', status: 502 }))
  live.listener(record({ outcome: 'aborted' }))
  const [view] = live.views()
  expect(view).toMatchObject({ limited: 1, filtered: 1, failed: 1 })
  expect(view).not.toHaveProperty('p50Ms')
})

test('calls in flight are counted until they give back what they held', () => {
  const exchange = makeExchange({ deployment: makeDeployment({ name: 'gpt' }) })
  const holds = [live.hold(exchange), live.hold(exchange)]
  expect(live.views()).toMatchObject([{ deployment: 'gpt', inFlight: 2 }])
  holds[0]?.release(exchange.tally, 'done')
  expect(live.views()).toMatchObject([{ inFlight: 1 }])
  holds[1]?.release(exchange.tally, 'done')
  expect(live.views()).toEqual([])
})

test('limits in use are those of the last call, as long as their window lasts', () => {
  const counter = {
    owner: 'deployment',
    measure: 'tokens',
    limit: 1_000,
    used: 400,
    cost: 100,
    resetMs: 20_000,
  } as const
  const decision = {
    action: 'admitted',
    deployment: 'gpt',
    promptTokens: 1,
    completionTokens: 1,
    isGuess: false,
    refusedBy: -1,
  } as const
  live.listener(record({ limits: [{ ...decision, counters: [counter, { ...counter, owner: 'key' }] }] }))
  expect(live.views()[0]?.limits).toEqual([{ measure: 'tokens', limit: 1_000, used: 400 }])
  now += 20_000
  expect(live.views()[0]?.limits).toEqual([{ measure: 'tokens', limit: 1_000, used: 0 }])
})

test('the busiest comes first, and nobody who was refused without a deployment', () => {
  live.listener(record({ deployment: '' }))
  live.listener(record({ deployment: 'a' }))
  live.listener(record({ deployment: 'b' }))
  live.listener(record({ deployment: 'b' }))
  expect(live.views().map(({ deployment }) => deployment)).toEqual(['b', 'a'])
})
