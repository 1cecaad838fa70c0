import { afterAll, afterEach, beforeAll, expect, test } from 'bun:test'
import type { Exchange, Outcome } from '../../src/core/exchange.ts'
import type { Fault } from '../../src/core/fault.ts'
import { event, type FakeUpstream, json, sse, sseHead, startFakeUpstream } from '../support/fake-upstream.ts'
import { type Harness, startHarness } from '../support/harness.ts'

/** What a relayed call has cost is known when it has ended, whatever the caller asked to see of it, and however it ended. */

type End = { readonly exchange: Exchange; readonly outcome: Outcome; readonly fault: Fault | undefined }

let upstream: FakeUpstream
let harness: Harness
let ends: End[] = []
let waiting: ((end: End) => void) | undefined

beforeAll(async () => {
  upstream = await startFakeUpstream()
  const note = (exchange: Exchange, outcome: Outcome, fault: Fault | undefined) => {
    ends.push({ exchange, outcome, fault })
    waiting?.({ exchange, outcome, fault })
  }
  harness = await startHarness({ listeners: [note] })
  deploy({})
})
afterAll(async () => {
  await harness.stop()
  await upstream.stop()
})
afterEach(() => {
  ends = []
  waiting = undefined
})

const deploy = (more: object) =>
  harness.deploy({ name: 'gpt', model: { name: 'gpt' }, backends: [{ url: upstream.url, ...more }] })

const nextEnd = () => new Promise<End>((resolve) => (waiting = resolve))
const path = '/openai/v1/chat/completions'
const ask = { model: 'gpt', stream: true, messages: [{ role: 'user', content: 'hi' }] }
const word = { id: 'c', object: 'chat.completion.chunk', choices: [{ index: 0, delta: { content: 'a' } }] }
const usage = { prompt_tokens: 9, completion_tokens: 3, total_tokens: 12 }
const bare = { id: 'c', object: 'chat.completion.chunk', choices: [], usage }
const told = { promptTokens: 9, completionTokens: 3 }
const lastBody = () => JSON.parse(upstream.requests.at(-1)?.body ?? '')

test('a stream is asked for its usage, which a caller who did not ask does not see', async () => {
  upstream.script(sse(word, bare))
  const text = await (await harness.post(path, ask)).text()
  expect(text).toBe(`data: ${JSON.stringify(word)}\n\ndata: [DONE]\n\n`)
  expect(lastBody()).toEqual({ ...ask, stream_options: { include_usage: true } })
  expect(ends).toHaveLength(1)
  expect(ends[0]).toMatchObject({ outcome: 'done', exchange: { tally: { usage: told } } })
})

test('a caller who asked sees it, and the request goes on as it came', async () => {
  upstream.script(sse(word, bare))
  const asked = { ...ask, stream_options: { include_usage: true } }
  const text = await (await harness.post(path, asked)).text()
  expect(text).toContain('"prompt_tokens":9')
  expect(upstream.requests.at(-1)?.body).toBe(JSON.stringify(asked))
  expect(ends[0]?.exchange.tally.usage).toEqual(told)
})

test('an upstream that refuses the field is not sent it', async () => {
  deploy({ streamUsage: false })
  upstream.script(sse(word))
  await (await harness.post(path, ask)).text()
  expect(lastBody()).toEqual(ask)
  expect(ends[0]?.exchange.tally).toMatchObject({ usage: undefined, pieces: 2 })
  deploy({ protocol: 'azure-openai', apiVersion: '2024-06-01' })
  upstream.script(sse(word))
  await (await harness.post(path, ask)).text()
  expect(lastBody()).toEqual(ask)
  deploy({})
})

test('of a whole answer', async () => {
  upstream.script(json({ id: 'c', choices: [], usage }))
  await (await harness.post(path, { ...ask, stream: false })).text()
  expect(ends).toHaveLength(1)
  expect(ends[0]).toMatchObject({ outcome: 'done', fault: undefined, exchange: { tally: { usage: told } } })
})

test('of an answer that crosses to another protocol', async () => {
  upstream.script(sse(word, bare))
  await (await harness.post('/models/chat/completions?api-version=2024-05-01-preview', ask)).text()
  expect(ends[0]).toMatchObject({ outcome: 'done', exchange: { tally: { usage: told } } })
})

test('a stream that breaks off has failed', async () => {
  upstream.script([sseHead, event(word), event(word), { do: 'wait', ms: 5 }, { do: 'cut' }])
  const text = await (await harness.post(path, ask)).text()
  expect(text).toContain('"error"')
  expect(ends).toHaveLength(1)
  expect(ends[0]).toMatchObject({ outcome: 'failed', fault: { code: 'upstream-failed' } })
  expect(ends[0]?.exchange.tally).toMatchObject({ usage: undefined, pieces: 2 })
})

test('a caller who goes away ends the call once', async () => {
  upstream.script([sseHead, event(word), { do: 'stall' }])
  const gone = new AbortController()
  const ended = nextEnd()
  const response = await harness.post(path, ask, undefined, gone.signal)
  await response.body?.getReader().read()
  gone.abort()
  const { outcome, exchange } = await ended
  expect(outcome).toBe('aborted')
  expect(exchange.tally).toMatchObject({ usage: undefined, pieces: 1 })
  await upstream.requests.at(-1)?.finished
  expect(ends).toHaveLength(1)
})

test('a caller who goes away before anything has come', async () => {
  upstream.script([{ do: 'stall' }])
  const gone = new AbortController()
  const ended = nextEnd()
  const seen = upstream.requests.length
  const asked = harness.post(path, ask, undefined, gone.signal).catch(() => undefined)
  while (upstream.requests.length === seen) await new Promise((resolve) => setImmediate(resolve))
  gone.abort()
  await asked
  expect((await ended).outcome).toBe('aborted')
})

test('a refusal of the upstream', async () => {
  upstream.script(json({ error: { message: 'slow down' } }, 429))
  expect((await harness.post(path, ask)).status).toBe(429)
  expect(ends).toHaveLength(1)
  expect(ends[0]).toMatchObject({ outcome: 'failed', fault: { code: 'rate-limited' } })
})
