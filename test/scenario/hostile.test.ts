import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { connect } from 'node:net'
import { event, type FakeUpstream, json, sseHead, startFakeUpstream } from '../support/fake-upstream.ts'
import { type Harness, readPayloads, startHarness } from '../support/harness.ts'

/** What fuzzing once brought down: requests and upstream answers that nobody sends by mistake. */

const secret = 'sk-upstream-0123456789'
let upstream: FakeUpstream
let ponto: Harness

beforeAll(async () => {
  upstream = await startFakeUpstream()
  ponto = await startHarness({ secrets: { PONTO_SECRET_U: secret } })
  const declare = (name: string, protocol: 'openai' | 'foundry' | 'anthropic') => ({
    name,
    model: { name },
    backends: [{ url: upstream.url, protocol, credential: { env: 'PONTO_SECRET_U' } }],
  })
  ponto.deploy(declare('plain', 'openai'), declare('foundry', 'foundry'), declare('claude', 'anthropic'))
})
afterAll(async () => {
  await ponto.stop()
  await upstream.stop()
})

const chat = '/openai/v1/chat/completions'
const inference = '/models/chat/completions?api-version=2024-05-01-preview'
const messages = [{ role: 'user', content: 'hi' }]
const good = json({ choices: [{ index: 0, message: { role: 'assistant', content: 'ok' }, finish_reason: 'stop' }] })

describe('requests', () => {
  test('nested deeper than anybody can walk', async () => {
    upstream.script(good)
    const nest = (depth: number) => `${'{"a":'.repeat(depth)}1${'}'.repeat(depth)}`
    const body = (depth: number) =>
      `{"model":"foundry","messages":${JSON.stringify(messages)},"metadata":{"a":"b"},"x":${nest(depth)}}`
    expect((await ponto.post(chat, body(900).replace('foundry', 'plain'))).status).toBe(200)
    for (const depth of [1000, 20_000, 100_000]) {
      const response = await ponto.post(chat, body(depth))
      expect(response.status).toBe(400)
      expect((await response.json()).error.message).toMatch(/nested deeper than 1000 levels|not valid JSON/)
    }
  })

  test.each(['__proto__', 'constructor', 'toString'])('a content block of type %s', async (type) => {
    upstream.script(json({ type: 'message', content: [{ type: 'text', text: 'ok' }], stop_reason: 'end_turn' }))
    const body = { model: 'claude', max_tokens: 5, messages: [{ role: 'user', content: [{ type, text: 'x' }] }] }
    expect((await ponto.post('/anthropic/v1/messages', body)).status).toBe(200)
  })
})

describe("an upstream's whole answer", () => {
  test('that is broken JSON is no answer, also where it would be relayed', async () => {
    upstream.script(json('{"choices":[],"id":"x'))
    const response = await ponto.post(chat, { model: 'plain', messages })
    expect([response.status, (await response.json()).error.code]).toEqual([502, 'BadGateway'])
  })

  test('with fields named __proto__ still gives JSON', async () => {
    const delta = { choices: [{ index: 0, delta: { content: 'a' } }] }
    upstream.script([sseHead, event(delta), event('{"__proto__":{"a":1}}'), event('[DONE]'), { do: 'end' }])
    const response = await ponto.post(inference, { model: 'plain', messages, stream: true })
    const payloads = await readPayloads(response)
    for (const payload of payloads.slice(0, -1)) expect(JSON.parse(payload)).toBeObject()
    expect(payloads.at(-1)).toBe('[DONE]')
  })

  test('with numbers that no JSON can hold still gives JSON', async () => {
    const chunk = '{"id":"x","created":1e999,"choices":[{"index":1e999,"delta":{"content":"a"}}]}'
    upstream.script([sseHead, event(chunk), event('[DONE]'), { do: 'end' }])
    for (const [path, model] of [
      [inference, 'plain'],
      [chat, 'foundry'],
    ] as const) {
      const payloads = await readPayloads(await ponto.post(path, { model, messages, stream: true }))
      for (const payload of payloads.slice(0, -1)) expect(JSON.parse(payload)).toBeObject()
    }
  })

  test('ending for a reason called constructor ends normally', async () => {
    upstream.script(json({ type: 'message', content: [{ type: 'text', text: 'ok' }], stop_reason: 'constructor' }))
    const { choices } = await (await ponto.post(chat, { model: 'claude', messages })).json()
    expect(choices[0].finish_reason).toBe('stop')
  })
})

describe("an upstream's error", () => {
  test.each([chat, inference, '/anthropic/v1/messages'])('never says the credential again, at %s', async (path) => {
    const model = path === chat ? 'plain' : path === inference ? 'foundry' : 'claude'
    const error = { message: `Incorrect API key provided: ${secret}.`, type: 'invalid_request_error', code: secret }
    upstream.script(json({ type: 'error', error }, 400))
    const response = await ponto.post(path, { model, messages, max_tokens: 5 })
    const text = await response.text()
    expect(response.status).toBe(400)
    expect(text).toContain('Incorrect API key provided: [redacted].')
    expect(text + JSON.stringify([...response.headers])).not.toContain(secret)
  })

  test.each([
    [{ error: { message: 'no' } }, { code: null, message: 'no', param: null, type: null }],
    [{ error: { message: 'no', code: 7, param: {}, type: [] } }, { code: '7', message: 'no', param: null, type: null }],
    [{ error: 'no' }, { code: null, param: null, type: 'invalid_request_error' }],
    [{ error: { message: 5 } }, { code: null, param: null, type: 'invalid_request_error' }],
  ])('%j has all four fields for clients of typed languages', async (given, expected) => {
    upstream.script(json(given, 400))
    const { error } = await (await ponto.post(chat, { model: 'plain', messages })).json()
    expect(error).toMatchObject(expected)
    expect(error.message).toBeString()
  })

  test.each([[{ error: [] }], [{ error: 'no' }], [{ error: { message: 'no' } }]])(
    '%j is told in the words of the inference API',
    async (given) => {
      upstream.script(json(given, 415))
      const response = await ponto.post(inference, { model: 'foundry', messages })
      const { error } = await response.json()
      expect([response.status, error.code, typeof error.message]).toEqual([415, 'invalid_request', 'string'])
    },
  )

  test.each([[{ error: { message: 'no' } }], [{ error: { type: 5, message: 'no' } }], [{ error: null }]])(
    '%j is told in the words of the Messages API',
    async (given) => {
      upstream.script(json(given, 400))
      const response = await ponto.post('/anthropic/v1/messages', { model: 'claude', messages, max_tokens: 5 })
      const body = await response.json()
      expect([body.type, body.error.type, typeof body.error.message]).toEqual([
        'error',
        'invalid_request_error',
        'string',
      ])
    },
  )
})

test('an upstream that breaks off what is passed on leaves the caller with a whole head', async () => {
  // It fails in the moment in which it begins: nobody asked for an encoding, and it is not the one it says.
  upstream.script([
    { do: 'head', headers: { 'content-type': 'audio/mpeg', 'content-encoding': 'deflate' } },
    { do: 'send', text: '{}' },
    { do: 'end' },
  ])
  const body = JSON.stringify({ model: 'plain', input: 'Hello', voice: 'alloy' })
  const received = await sendRaw(new URL(ponto.url).port, '/openai/v1/audio/speech', body)
  expect(received).toMatch(/^HTTP\/1\.1 200 OK\r\n[\s\S]*\r\n\r\n/)
  expect(received).not.toMatch(/\r\n0\r\n\r\n$/)
})

function sendRaw(port: string, path: string, body: string): Promise<string> {
  return new Promise((resolve) => {
    let received = ''
    const socket = connect({ port: Number(port), host: '127.0.0.1' })
    socket.on('data', (chunk) => {
      received += chunk.toString('latin1')
    })
    socket.once('close', () => resolve(received))
    socket.write(
      `POST ${path} HTTP/1.1\r\nHost: localhost\r\napi-key: test-key-0123456789\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
    )
  })
}
