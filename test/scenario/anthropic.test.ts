import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'bun:test'
import { event, type FakeUpstream, json, type Step, sse, sseHead, startFakeUpstream } from '../support/fake-upstream.ts'
import { type Harness, readPayloads, startHarness, testKey } from '../support/harness.ts'

/** The Messages API at either end of a request. */

let upstream: FakeUpstream
let ponto: Harness

const timeouts = { connectMs: 1000, firstByteMs: 1000, idleMs: 300, totalMs: 10_000 }
const credential = { env: 'PONTO_SECRET_UP' }

beforeAll(async () => {
  upstream = await startFakeUpstream()
  ponto = await startHarness({ maxBodyBytes: 64 * 1024, secrets: { PONTO_SECRET_UP: 'upstream-secret' } })
})
afterAll(async () => {
  await ponto.stop()
  await upstream.stop()
})
beforeEach(() => {
  upstream.requests.length = 0
  const anthropic = { url: `${upstream.url}/anthropic/`, protocol: 'anthropic', credential, timeouts } as const
  const model = { name: 'claude-x' }
  ponto.deploy(
    { name: 'Claude', model, backends: [{ ...anthropic, model: 'up-model' }] },
    { name: 'Claude-new', model, backends: [{ ...anthropic, apiVersion: '2026-10-21', auth: 'bearer' }] },
    { name: 'Gpt', model: { name: 'gpt-4o' }, backends: [{ url: `${upstream.url}/v1`, credential, timeouts }] },
  )
})

const path = '/anthropic/v1/messages'
const key = { 'x-api-key': testKey }
const ask = { model: 'claude', max_tokens: 100, messages: [{ role: 'user', content: 'hi' }] }
const askOpenAI = { model: 'claude', messages: [{ role: 'user', content: 'hi' }] }

const message = {
  id: 'msg_1',
  type: 'message',
  role: 'assistant',
  model: 'up-model-1',
  content: [{ type: 'text', text: 'Hello é' }],
  stop_reason: 'end_turn',
  stop_sequence: null,
  usage: { input_tokens: 3, output_tokens: 2 },
}

function named(data: { readonly type: string }): Step {
  return { do: 'send', text: `event: ${data.type}\ndata: ${JSON.stringify(data)}\n\n` }
}

const begin = named({ type: 'message_start', message: { ...message, content: [], stop_reason: null } } as never)
const open = named({ type: 'content_block_start', index: 0, content_block: { type: 'text', text: '' } } as never)
const say = (text: string): Step =>
  named({ type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text } } as never)
const close = [
  named({ type: 'content_block_stop', index: 0 } as never),
  named({
    type: 'message_delta',
    delta: { stop_reason: 'end_turn', stop_sequence: null },
    usage: { output_tokens: 2 },
  } as never),
  named({ type: 'message_stop' }),
]
const overloaded = { type: 'error', error: { type: 'overloaded_error', message: 'Overloaded' }, request_id: 'req_up' }

const textOf = (steps: readonly Step[]): string => steps.map((step) => (step.do === 'send' ? step.text : '')).join('')

type NamedEvent = { readonly name: string; readonly data: { readonly type: string; readonly [key: string]: unknown } }

async function readNamed(response: Response): Promise<NamedEvent[]> {
  const events = (await response.text()).split('\n\n').filter(Boolean)
  return events.map((event) => {
    const [, name, data] = /^event: (.*)\ndata: (.*)$/.exec(event) ?? []
    return { name: name as string, data: JSON.parse(data as string) }
  })
}

describe('who may call', () => {
  test.each([
    ['x-api-key', key, 200],
    ['Bearer, as newer clients send it', { authorization: `Bearer ${testKey}` }, 200],
    ['api-key', { 'api-key': testKey }, 200],
    ['a wrong x-api-key', { 'x-api-key': 'wrong' }, 401],
    ['none', {}, 401],
  ])('%s', async (_name, headers, status) => {
    upstream.script(json(message))
    const response = await ponto.post(path, ask, headers)
    expect(response.status).toBe(status)
    if (status !== 401) return
    const body = await response.json()
    expect(body).toMatchObject({ type: 'error', error: { type: 'authentication_error' } })
    expect(body.request_id).toBe(response.headers.get('request-id'))
    expect(upstream.requests).toEqual([])
  })

  test('the same header opens the other surfaces', async () => {
    upstream.script(json(message))
    expect((await ponto.post('/openai/v1/chat/completions', askOpenAI, key)).status).toBe(200)
  })
})

describe('refusals', () => {
  type Row = readonly [name: string, path: string, body: unknown, status: number, type: string, text: string]
  const rows: readonly Row[] = [
    ['unknown deployment', path, { ...ask, model: 'claud' }, 404, 'not_found_error', "'Claude'"],
    ['no model', path, { ...ask, model: undefined }, 400, 'invalid_request_error', "'model'"],
    ['no max_tokens', path, { ...ask, max_tokens: undefined }, 400, 'invalid_request_error', "'max_tokens'"],
    ['no messages', path, { ...ask, messages: [] }, 400, 'invalid_request_error', "'messages'"],
    [
      'an unknown role',
      path,
      { ...ask, messages: [{ role: 'robot', content: '' }] },
      400,
      'invalid_request_error',
      "'messages[0].role'",
    ],
    [
      'a text block without text',
      path,
      { ...ask, messages: [{ role: 'user', content: [{ type: 'text' }] }] },
      400,
      'invalid_request_error',
      "'messages[0].content[0].text'",
    ],
    [
      'a wrong block in a result',
      path,
      {
        ...ask,
        messages: [
          { role: 'user', content: [{ type: 'tool_result', tool_use_id: 't', content: [{ type: 'text', text: 5 }] }] },
        ],
      },
      400,
      'invalid_request_error',
      "'messages[0].content[0].content[0].text'",
    ],
    ['temperature out of range', path, { ...ask, temperature: 1.5 }, 400, 'invalid_request_error', "'temperature'"],
    [
      'a tool without a schema',
      path,
      { ...ask, tools: [{ name: 'f' }] },
      400,
      'invalid_request_error',
      "'tools[0].input_schema'",
    ],
    [
      'a choice without a name',
      path,
      { ...ask, tool_choice: { type: 'tool' } },
      400,
      'invalid_request_error',
      "'tool_choice.name'",
    ],
    ['malformed JSON', path, '{', 400, 'invalid_request_error', 'JSON'],
    ['too large', path, { ...ask, system: 'x'.repeat(70_000) }, 413, 'request_too_large', ''],
    ['a field that cannot cross', path, { ...ask, model: 'gpt', top_k: 5 }, 400, 'invalid_request_error', 'top_k'],
    ['an unknown path', '/anthropic/v1/nothing', ask, 404, 'not_found_error', '/anthropic/v1/nothing'],
  ]
  test.each(rows)('%s', async (_name, at, body, status, type, text) => {
    const response = await ponto.post(at, body, key)
    expect(response.status).toBe(status)
    const answer = await response.json()
    expect(answer).toEqual({
      type: 'error',
      error: { type, message: expect.stringContaining(text) },
      request_id: response.headers.get('x-request-id'),
    })
    expect(upstream.requests).toEqual([])
  })

  test('another method', async () => {
    const response = await ponto.get(path, key)
    expect(response.status).toBe(405)
    expect((await response.json()).error.type).toBe('invalid_request_error')
  })
})

describe('same wire at both ends', () => {
  const text =
    '{ "max_tokens":100, "model" : "CLAUDE", "messages":[{"role":"user","content":"hi"}],  "future": [1.50] }'

  test('request and answer pass byte for byte but for the model, with the version they are written for', async () => {
    upstream.script(json(JSON.stringify(message, null, 1)))
    const headers = { ...key, 'anthropic-version': '2026-10-21', 'anthropic-beta': 'some-2026-01-01' }
    const response = await ponto.post(path, text, headers)
    expect(await response.text()).toBe(JSON.stringify(message, null, 1))
    const [seen] = upstream.requests
    expect(seen?.path).toBe('/anthropic/v1/messages')
    expect(seen?.body).toBe(text.replace('CLAUDE', 'up-model'))
    expect(seen?.headers['anthropic-version']).toBe('2026-10-21')
    expect(seen?.headers['anthropic-beta']).toBe('some-2026-01-01')
    expect(seen?.headers['x-api-key']).toBe('upstream-secret')
    expect(seen?.headers.authorization).toBeUndefined()
  })

  test('a stream passes byte for byte, pings and unknown events too', async () => {
    const steps = [
      begin,
      open,
      named({ type: 'ping' }),
      say('Hel'),
      named({ type: 'future_event' }),
      say('lo'),
      ...close,
    ]
    upstream.script([sseHead, ...steps, { do: 'end' }])
    const response = await ponto.post(path, { ...ask, stream: true }, key)
    expect(response.headers.get('content-type')).toBe('text/event-stream; charset=utf-8')
    expect(await response.text()).toBe(textOf(steps))
  })

  test('an event that comes in pieces is passed on whole', async () => {
    const whole = textOf([begin, open, say('Héllo'), ...close])
    const pieces = whole.match(/.{1,50}/gsu)?.map((piece): Step => ({ do: 'send', text: piece })) ?? []
    upstream.script([sseHead, ...pieces, { do: 'end' }])
    expect(await (await ponto.post(path, { ...ask, stream: true }, key)).text()).toBe(whole)
  })

  test.each([
    ['in the middle of an event', [{ do: 'send', text: 'event: content_b' }, { do: 'cut' }]],
    ['between two events', [{ do: 'cut' }]],
    ['by an end without a last event', [{ do: 'end' }]],
  ] as [string, Step[]][])('a stream that is cut off %s ends with an error event', async (_name, ending) => {
    upstream.script([sseHead, begin, open, say('Hel'), ...ending])
    const events = await readNamed(await ponto.post(path, { ...ask, stream: true }, key))
    expect(events.map(({ name }) => name)).toEqual([
      'message_start',
      'content_block_start',
      'content_block_delta',
      'error',
    ])
    const last = events.at(-1)?.data
    expect(last).toMatchObject({ type: 'error', error: { type: 'api_error' }, request_id: expect.any(String) })
  })

  test("the upstream's own error event is the last one", async () => {
    upstream.script([sseHead, begin, named(overloaded), { do: 'end' }])
    const response = await ponto.post(path, { ...ask, stream: true }, key)
    expect(await response.text()).toBe(textOf([begin, named(overloaded)]))
  })

  test("an upstream's refusal of the request, and its overload, reach the caller with their own body", async () => {
    const refusal = {
      type: 'error',
      error: { type: 'invalid_request_error', message: 'top_p: no' },
      request_id: 'req_up',
    }
    for (const [body, status] of [
      [refusal, 400],
      [overloaded, 529],
    ] as const) {
      upstream.script(json(body, status))
      const response = await ponto.post(path, ask, key)
      expect(response.status).toBe(status)
      expect(await response.json()).toEqual(body)
    }
  })

  test('a caller that goes away ends the work upstream', async () => {
    upstream.script([sseHead, begin, { do: 'stall' }])
    const abort = new AbortController()
    const response = await ponto.post(path, { ...ask, stream: true }, key, abort.signal)
    await response.body?.getReader().read()
    abort.abort()
    expect(await upstream.requests[0]?.finished).toBe(false)
  })
})

describe('an upstream that speaks the Messages API, for callers of others', () => {
  const v1 = '/openai/v1/chat/completions'
  const inference = '/models/chat/completions?api-version=2024-05-01-preview'

  test('a whole answer', async () => {
    upstream.script(json(message))
    for (const at of [v1, inference]) {
      const body = await (await ponto.post(at, askOpenAI)).json()
      expect(body.choices[0]).toMatchObject({ finish_reason: 'stop', message: { content: 'Hello é' } })
      expect(body.usage).toMatchObject({ prompt_tokens: 3, completion_tokens: 2, total_tokens: 5 })
      expect(body.model).toBe('up-model-1')
    }
    const [seen] = upstream.requests
    expect(seen?.path).toBe('/anthropic/v1/messages')
    expect(seen?.headers['anthropic-version']).toBe('2023-06-01')
    expect(seen?.headers['x-api-key']).toBe('upstream-secret')
    expect(JSON.parse(seen?.body ?? '')).toEqual({ model: 'up-model', max_tokens: 4096, messages: ask.messages })
  })

  test('version and authentication can be set', async () => {
    upstream.script(json(message))
    expect((await ponto.post(v1, { ...askOpenAI, model: 'claude-new' })).status).toBe(200)
    const headers = upstream.requests[0]?.headers
    expect(headers?.['anthropic-version']).toBe('2026-10-21')
    expect(headers?.authorization).toBe('Bearer upstream-secret')
    expect(headers?.['x-api-key']).toBeUndefined()
  })

  test('a stream', async () => {
    upstream.script([sseHead, begin, open, say('Hel'), named({ type: 'ping' }), say('lo'), ...close, { do: 'end' }])
    const body = { ...askOpenAI, stream: true, stream_options: { include_usage: true } }
    const payloads = await readPayloads(await ponto.post(v1, body))
    expect(payloads.at(-1)).toBe('[DONE]')
    const chunks = payloads.slice(0, -1).map((payload) => JSON.parse(payload))
    expect(chunks.map((chunk) => chunk.choices[0]?.delta.content ?? '').join('')).toBe('Hello')
    expect(chunks.at(-2).choices[0].finish_reason).toBe('stop')
    expect(chunks.at(-1).usage.total_tokens).toBe(5)
  })

  test('a field that cannot cross is refused by its name before anything is sent', async () => {
    const response = await ponto.post(v1, { ...askOpenAI, seed: 7 })
    expect(response.status).toBe(400)
    expect((await response.json()).error).toMatchObject({ param: 'seed', message: expect.stringContaining("'seed'") })
    expect((await ponto.post(inference, { ...askOpenAI, seed: 7 })).status).toBe(422)
    expect(upstream.requests).toEqual([])
  })

  const error = (type: string, text = 'upstream-secret is wrong'): object => ({
    type: 'error',
    error: { type, message: text },
  })
  test.each([
    ['overloaded', 529, error('overloaded_error'), 503, ''],
    ['its key refused', 401, error('authentication_error'), 502, ''],
    ['no credit', 402, error('billing_error'), 502, ''],
    ['an unknown model', 404, error('not_found_error'), 502, ''],
    [
      'too long',
      400,
      error('invalid_request_error', 'prompt is too long: 9 tokens > 8'),
      400,
      'context_length_exceeded',
    ],
    ['too large', 413, error('request_too_large', 'too large'), 413, ''],
    ['broken', 500, error('api_error'), 502, ''],
    ['no JSON', 500, '<html>', 502, ''],
  ] as const)('%s', async (_name, given, body, expected, code) => {
    upstream.script(json(body, given))
    const response = await ponto.post(v1, askOpenAI)
    expect(response.status).toBe(expected)
    const text = await response.text()
    expect(text).not.toContain('upstream-secret')
    if (code) expect(JSON.parse(text).error.code).toBe(code)
  })

  test('429 keeps its retry time', async () => {
    upstream.script(json(error('rate_limit_error', 'slow down'), 429, { 'retry-after': '7' }))
    for (const at of [v1, path]) {
      const response = await ponto.post(at, { ...ask, max_tokens: 5 })
      expect(response.status).toBe(429)
      expect(response.headers.get('retry-after')).toBe('7')
      expect(response.headers.get('retry-after-ms')).toBe('7000')
    }
  })

  test('an error event before the answer is a status, and one within it an error event', async () => {
    upstream.script([sseHead, named(overloaded), { do: 'end' }])
    expect((await ponto.post(v1, { ...askOpenAI, stream: true })).status).toBe(503)
    upstream.script([sseHead, begin, open, say('Hel'), named(overloaded), { do: 'end' }])
    const payloads = await readPayloads(await ponto.post(v1, { ...askOpenAI, stream: true }))
    expect(JSON.parse(payloads.at(-1) ?? '').error.code).toBe('ServiceUnavailable')
  })

  test('garbage is a 502', async () => {
    for (const script of [json('{"content"'), json('{}'), sse('{"type": not json')]) {
      upstream.script(script)
      expect((await ponto.post(v1, { ...askOpenAI, stream: script[0] === sseHead })).status).toBe(502)
    }
  })
})

describe('callers of the Messages API, for an upstream that speaks another', () => {
  const chunk = (delta: object, finish_reason: string | null = null): object => {
    return { id: 'chatcmpl-1', model: 'gpt-1', created: 1, choices: [{ index: 0, delta, finish_reason }] }
  }
  const usage = { prompt_tokens: 3, completion_tokens: 2, total_tokens: 5 }

  test('a whole answer', async () => {
    const choices = [{ index: 0, message: { role: 'assistant', content: 'Hello é' }, finish_reason: 'length' }]
    upstream.script(json({ id: 'chatcmpl-1', model: 'gpt-1', choices, usage }))
    const response = await ponto.post(path, { ...ask, model: 'gpt' }, key)
    expect(await response.json()).toMatchObject({
      type: 'message',
      role: 'assistant',
      model: 'gpt-1',
      content: [{ type: 'text', text: 'Hello é' }],
      stop_reason: 'max_tokens',
      usage: { input_tokens: 3, output_tokens: 2 },
    })
    expect(JSON.parse(upstream.requests[0]?.body ?? '')).toMatchObject({ model: 'gpt-4o', max_tokens: 100 })
  })

  test('a stream, with usage', async () => {
    upstream.script(sse(chunk({ content: 'Hel' }), chunk({ content: 'lo' }), chunk({}, 'stop'), { choices: [], usage }))
    const events = await readNamed(await ponto.post(path, { ...ask, model: 'gpt', stream: true }, key))
    expect(events.map(({ name }) => name)).toEqual([
      'message_start',
      'content_block_start',
      'content_block_delta',
      'content_block_delta',
      'content_block_stop',
      'message_delta',
      'message_stop',
    ])
    expect(events.at(-2)?.data).toMatchObject({
      delta: { stop_reason: 'end_turn' },
      usage: { input_tokens: 3, output_tokens: 2 },
    })
  })

  test('a cut in mid-stream ends with an error event', async () => {
    upstream.script([sseHead, event(chunk({ content: 'Hel' })), { do: 'wait', ms: 30 }, { do: 'cut' }])
    const events = await readNamed(await ponto.post(path, { ...ask, model: 'gpt', stream: true }, key))
    expect(events.at(-1)).toMatchObject({ name: 'error', data: { type: 'error', error: { type: 'api_error' } } })
    expect(JSON.stringify(events)).toContain('"Hel"')
  })

  test('a stall is a 504 before the first byte, and an error event later', async () => {
    upstream.script([{ do: 'stall' }])
    const early = await ponto.post(path, { ...ask, model: 'gpt' }, key)
    expect(early.status).toBe(504)
    expect((await early.json()).error.type).toBe('timeout_error')
    upstream.script([sseHead, event(chunk({ content: 'Hel' })), { do: 'stall' }])
    const events = await readNamed(await ponto.post(path, { ...ask, model: 'gpt', stream: true }, key))
    expect(events.at(-1)?.data).toMatchObject({ error: { type: 'timeout_error' } })
  })
})
