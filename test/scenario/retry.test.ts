import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { type FakeUpstream, json, startFakeUpstream } from '../support/fake-upstream.ts'
import { type Harness, startHarness } from '../support/harness.ts'

/** Which answers tell a client to come back, and when. Clients differ in which of the headers they read, so all are there or none. */

let upstream: FakeUpstream
let ponto: Harness

beforeAll(async () => {
  upstream = await startFakeUpstream()
  ponto = await startHarness()
})
afterAll(async () => {
  await ponto.stop()
  await upstream.stop()
})

const surfaces = [
  ['Azure OpenAI', '/openai/v1/chat/completions'],
  ['Azure AI Model Inference', '/models/chat/completions?api-version=2024-05-01-preview'],
] as const
const ask = { model: 'gpt-4o', messages: [{ role: 'user', content: 'hi' }] }
const error = { error: { message: 'why', code: 'because' } }

async function answerTo(path: string, status: number, headers: Record<string, string> = {}) {
  // A deployment of its own each time, so that no breaker remembers the last.
  ponto.deploy({ name: 'gpt-4o', model: { name: 'gpt-4o' }, backends: [{ url: `${upstream.url}/v1` }] })
  upstream.script(json(error, status, headers))
  const response = await ponto.post(path, ask)
  await response.body?.cancel()
  const names = ['retry-after', 'retry-after-ms', 'x-ms-retry-after-ms', 'x-should-retry']
  return { status: response.status, told: names.map((name) => response.headers.get(name)) }
}

const nothing = [null, null, null, null]
const never = [null, null, null, 'false']

describe.each(surfaces)('%s', (_surface, path) => {
  test.each<[string, number, Record<string, string>, number, (string | null)[]]>([
    ['429 in seconds', 429, { 'retry-after': '7' }, 429, ['7', '7000', '7000', null]],
    ['429 in milliseconds', 429, { 'retry-after-ms': '1500' }, 429, ['2', '1500', '1500', null]],
    ['429 in the third spelling', 429, { 'x-ms-retry-after-ms': '250' }, 429, ['1', '250', '250', null]],
    ['429 that does not say', 429, {}, 429, ['1', '1000', '1000', null]],
    ['a quota that is used up', 429, { 'retry-after': '86400' }, 429, ['86400', '86400000', '86400000', 'false']],
    ['503 that says when', 503, { 'retry-after': '3' }, 503, ['3', '3000', '3000', null]],
    ['503 that does not', 503, {}, 503, nothing],
    ['500', 500, {}, 502, nothing],
    ['504', 504, {}, 504, nothing],
    ['400 with a Retry-After of its own', 400, { 'retry-after': '5' }, 400, never],
    ['409, which clients would repeat', 409, { 'retry-after': '5' }, 409, never],
    ['422', 422, {}, 422, never],
    ['a credential that is refused', 401, { 'retry-after': '5' }, 502, never],
    ['a model that is not there', 404, {}, 502, never],
  ])('an upstream answers %s', async (_name, status, headers, expectedStatus, told) => {
    expect(await answerTo(path, status, headers)).toEqual({ status: expectedStatus, told })
  })

  test('a request that cannot succeed says so', async () => {
    const bad: [unknown, Record<string, string>?][] = [
      [{ ...ask, temperature: 'hot' }],
      [{ ...ask, model: 'nope' }],
      ['{'],
      [ask, { 'api-key': 'wrong' }],
    ]
    for (const [body, headers] of bad) {
      const response = await ponto.post(path, body, headers)
      expect(response.headers.get('x-should-retry')).toBe('false')
      expect(response.headers.get('retry-after')).toBeNull()
    }
  })
})
