import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'bun:test'
import { event, type FakeUpstream, json, sse, sseHead, startFakeUpstream } from '../support/fake-upstream.ts'
import { type Harness, readPayloads, startHarness } from '../support/harness.ts'

let upstream: FakeUpstream
let ponto: Harness

beforeAll(async () => {
  upstream = await startFakeUpstream()
  ponto = await startHarness({ secrets: { PONTO_SECRET_UP: 'upstream-secret' } })
})
afterAll(async () => {
  await ponto.stop()
  await upstream.stop()
})
beforeEach(() => {
  upstream.requests.length = 0
  ponto.deploy({
    name: 'Mistral-large',
    model: { name: 'mistral-large', version: '2411' },
    backends: [
      {
        url: `${upstream.url}/v1`,
        model: 'up-model',
        credential: { env: 'PONTO_SECRET_UP' },
        timeouts: { connectMs: 1000, firstByteMs: 1000, idleMs: 300, totalMs: 10_000 },
      },
    ],
  })
})

const ask = { messages: [{ role: 'user', content: 'hi' }] }
const answer = {
  id: 'chatcmpl-1',
  object: 'chat.completion',
  created: 1,
  model: 'up-model-2411',
  vendor_field: { kept: true },
  choices: [
    {
      index: 0,
      message: { role: 'assistant', content: 'Hello é', refusal: null },
      finish_reason: 'stop',
      logprobs: null,
    },
  ],
  usage: { prompt_tokens: 3, completion_tokens: 2, total_tokens: 5 },
}
const delta = (content: string, extra = {}) => ({
  id: 'chatcmpl-1',
  object: 'chat.completion.chunk',
  created: 1,
  model: 'up-model-2411',
  choices: [{ index: 0, delta: { content }, finish_reason: null, ...extra }],
})
const finish = {
  id: 'chatcmpl-1',
  created: 1,
  model: 'up-model-2411',
  choices: [{ index: 0, delta: {}, finish_reason: 'stop' }],
}
const usage = { id: 'chatcmpl-1', created: 1, model: 'm', choices: [], usage: answer.usage }

describe('same wire at both ends', () => {
  test('request and answer pass byte for byte but for the model', async () => {
    const text = JSON.stringify(answer)
    upstream.script(json(text))
    const response = await ponto.post(
      '/openai/v1/chat/completions',
      '{ "model" : "MISTRAL-large", "messages":[{"role":"user","content":"hi"}],  "future_field": [1.50] }',
    )
    expect(response.status).toBe(200)
    expect(await response.text()).toBe(text)
    const [seen] = upstream.requests
    expect(seen?.path).toBe('/v1/chat/completions')
    expect(seen?.headers.authorization).toBe('Bearer upstream-secret')
    expect(seen?.headers['api-key']).toBeUndefined()
    expect(seen?.body).toBe(
      '{ "model" : "up-model", "messages":[{"role":"user","content":"hi"}],  "future_field": [1.50] }',
    )
  })

  test('a stream passes byte for byte', async () => {
    upstream.script(sse(delta('Hel'), delta('lo'), finish))
    const response = await ponto.post('/openai/deployments/mistral-LARGE/chat/completions?api-version=2024-10-21', {
      ...ask,
      stream: true,
    })
    expect(response.headers.get('content-type')).toBe('text/event-stream; charset=utf-8')
    expect(await response.text()).toBe(
      `${[delta('Hel'), delta('lo'), finish].map((e) => `data: ${JSON.stringify(e)}\n\n`).join('')}data: [DONE]\n\n`,
    )
  })

  test('comments, CRLF and event lines are not let through to strict clients', async () => {
    upstream.script([
      sseHead,
      { do: 'send', text: `: ping\r\n\r\nevent: x\r\ndata:${JSON.stringify(delta('a'))}\r\n\r\n` },
      { do: 'send', text: 'data: [DONE]\r\n\r\n' },
      { do: 'end' },
    ])
    const response = await ponto.post('/openai/v1/chat/completions', { ...ask, model: 'mistral-large', stream: true })
    expect(await readPayloads(response)).toEqual([JSON.stringify(delta('a')), '[DONE]'])
  })

  test('an error of null, as some servers write, is not let through to clients that stop at any', async () => {
    upstream.script(sse({ ...delta('a'), error: null }, { ...finish, error: null }))
    const response = await ponto.post('/openai/v1/chat/completions', { ...ask, model: 'mistral-large', stream: true })
    expect(await readPayloads(response)).toEqual([JSON.stringify(delta('a')), JSON.stringify(finish), '[DONE]'])
  })

  test("an upstream's refusal of the request reaches the caller with its own body", async () => {
    const body = {
      error: { message: 'bad temperature', type: 'invalid_request_error', param: 'temperature', code: 'x' },
    }
    upstream.script(json(body, 400))
    const response = await ponto.post('/openai/v1/chat/completions', { ...ask, model: 'mistral-large' })
    expect(response.status).toBe(400)
    expect(await response.json()).toEqual(body)
  })
})

describe('crossing from the inference API to an OpenAI upstream', () => {
  test('a whole answer keeps unknown fields and usage', async () => {
    upstream.script(json(answer))
    const response = await ponto.post('/models/chat/completions?api-version=2024-05-01-preview', {
      ...ask,
      model: 'mistral-large',
    })
    const body = await response.json()
    expect(body).toMatchObject({ id: 'chatcmpl-1', model: 'up-model-2411', vendor_field: { kept: true } })
    expect(body.choices[0].message).toEqual({ role: 'assistant', content: 'Hello é', tool_calls: null })
    expect(body.usage.total_tokens).toBe(5)
    expect(JSON.parse(upstream.requests[0]?.body ?? '')).toEqual({ ...ask, model: 'up-model' })
  })

  test('usage is asked for and comes inside the last chunk', async () => {
    upstream.script(sse(delta('Hel'), delta('lo'), finish, usage))
    const response = await ponto.post('/models/chat/completions?api-version=2024-05-01-preview', {
      ...ask,
      model: 'mistral-large',
      stream: true,
    })
    const payloads = await readPayloads(response)
    const chunks = payloads.slice(0, -1).map((payload) => JSON.parse(payload))
    expect(payloads.at(-1)).toBe('[DONE]')
    expect(chunks.map((chunk) => chunk.choices[0].delta.content)).toEqual(['', 'Hel', 'lo', ''])
    expect(chunks[0].choices[0].delta.role).toBe('assistant')
    expect(chunks.at(-1)).toMatchObject({ choices: [{ finish_reason: 'stop' }], usage: { total_tokens: 5 } })
    expect(chunks.slice(0, -1).some((chunk) => 'usage' in chunk)).toBe(false)
    expect(JSON.parse(upstream.requests[0]?.body ?? '').stream_options).toEqual({ include_usage: true })
  })

  test('extra parameters: refused, dropped, passed through', async () => {
    upstream.script(json(answer))
    const send = (mode?: string) =>
      ponto.post(
        '/models/chat/completions?api-version=2024-05-01-preview',
        { ...ask, model: 'mistral-large', n: 1, safe_prompt: true },
        { authorization: 'Bearer test-key-0123456789', ...(mode && { 'extra-parameters': mode }) },
      )
    const refused = await send()
    expect(refused.status).toBe(400)
    expect((await refused.json()).detail).toStartWith("Extra parameters ['n', 'safe_prompt'] are not allowed")
    expect((await send('drop')).status).toBe(200)
    expect(JSON.parse(upstream.requests[0]?.body ?? '')).not.toHaveProperty('safe_prompt')
    expect((await send('pass-through')).status).toBe(200)
    expect(JSON.parse(upstream.requests[1]?.body ?? '')).toHaveProperty('safe_prompt', true)
    expect((await send('allow')).status).toBe(400)
  })
})

describe('upstream trouble', () => {
  const call = (path = '/openai/v1/chat/completions?api-version=v1', stream = false, signal?: AbortSignal) =>
    ponto.post(path, { ...ask, model: 'mistral-large', stream }, undefined, signal)

  test('429 keeps its retry time in all three spellings', async () => {
    upstream.script(json({ error: { message: 'slow down', code: 'rate_limit_exceeded' } }, 429, { 'retry-after': '7' }))
    const response = await call()
    expect(response.status).toBe(429)
    expect(response.headers.get('retry-after')).toBe('7')
    expect(response.headers.get('retry-after-ms')).toBe('7000')
    expect(response.headers.get('x-ms-retry-after-ms')).toBe('7000')
  })

  test.each([
    [500, 502],
    [503, 503],
    [504, 504],
    [401, 502],
    [404, 502],
  ])('%d becomes %d, without a retry header or the upstream secret', async (given, expected) => {
    upstream.script(json({ error: { message: 'Incorrect API key provided: upstream-secret' } }, given))
    const response = await call()
    expect(response.status).toBe(expected)
    expect(response.headers.get('retry-after')).toBeNull()
    const text = await response.text()
    expect(text).not.toContain('upstream-secret')
    expect(JSON.parse(text).error.message).toBeString()
  })

  test('a cut in mid-stream ends with an error event, in both dialects', async () => {
    for (const path of ['/openai/v1/chat/completions', '/models/chat/completions?api-version=2024-05-01-preview']) {
      upstream.script([
        sseHead,
        event(delta('Hel')),
        { do: 'wait', ms: 30 },
        { do: 'send', text: 'data: {"cho' },
        { do: 'cut' },
      ])
      const payloads = await readPayloads(await call(path, true))
      const last = JSON.parse(payloads.at(-1) ?? '')
      expect(payloads.join()).toContain('"Hel"')
      expect(last.error.message).toBeString()
    }
  })

  test('a stall is cut off: before the first byte as 504, later as an error event', async () => {
    upstream.script([{ do: 'stall' }])
    expect((await call()).status).toBe(504)
    upstream.script([sseHead, event(delta('Hel')), { do: 'stall' }])
    const payloads = await readPayloads(await call(undefined, true))
    expect(JSON.parse(payloads.at(-1) ?? '').error.code).toBe('Timeout')
  })

  test('garbage is a 502', async () => {
    for (const script of [json('<html>'), json('{"choices'), sse('{"choices": not json')]) {
      upstream.script(script)
      const isStream = script[0] === sseHead
      const response = await call('/models/chat/completions?api-version=2024-05-01-preview', isStream)
      expect(response.status).toBe(502)
    }
  })

  test('a caller that goes away ends the work upstream', async () => {
    upstream.script([sseHead, event(delta('Hel')), { do: 'stall' }])
    const abort = new AbortController()
    const response = await call(undefined, true, abort.signal)
    await response.body?.getReader().read()
    abort.abort()
    expect(await upstream.requests[0]?.finished).toBe(false)
  })

  test('a caller that goes away before the answer ends the work upstream', async () => {
    upstream.script([{ do: 'stall' }])
    const abort = new AbortController()
    const pending = call(undefined, false, abort.signal).catch(() => 'gone')
    while (upstream.requests.length === 0) await new Promise((resolve) => setTimeout(resolve, 5))
    abort.abort()
    expect(await pending).toBe('gone')
    expect(await upstream.requests[0]?.finished).toBe(false)
  })
})
