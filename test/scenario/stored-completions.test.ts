import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'bun:test'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Event } from '../../src/core/event.ts'
import type { Caller } from '../../src/core/exchange.ts'
import { Fault } from '../../src/core/fault.ts'
import type { Backend } from '../../src/core/reply.ts'
import { collectResult } from '../../src/core/result.ts'
import { openSqliteTables } from '../../src/port/tables/adapters/sqlite/open-sqlite-tables.ts'
import type { Tables } from '../../src/port/tables/port.ts'
import { openStoredCompletions, type StoredCompletions } from '../../src/service/stored-completions/open.ts'
import { event, type FakeUpstream, json, sse, sseHead, startFakeUpstream } from '../support/fake-upstream.ts'
import { type Harness, type LogLine, readPayloads, startHarness } from '../support/harness.ts'

/** A model in the server itself, which gives its answers no ids. */
const builtin: Backend = {
  id: 'builtin:m',
  kinds: new Set(['chat']),
  async send(call) {
    if (call.kind !== 'chat') throw new Fault('operation-not-supported', 'no')
    if (call.rest) throw new Fault('unsupported-value', `Unknown: ${Object.keys(call.rest.fields)}`)
    const events = say(call.n)
    return call.stream ? { kind: 'stream', events } : { kind: 'whole', result: await collectResult('chat', events) }
  },
  probe: async () => ({ ok: true, detail: '' }),
}

async function* say(n: number): AsyncGenerator<Event> {
  for (let choice = 0; choice < n; choice++) {
    yield { type: 'text-delta', choice, text: 'Grüße ' }
    yield { type: 'text-delta', choice, text: `${choice} 🙂` }
    yield { type: 'tool-call-start', choice, index: 0, id: `call_${choice}`, name: 'f' }
    yield { type: 'tool-call-delta', choice, index: 0, arguments: '{"a":1}' }
    yield { type: 'choice-end', choice, reason: 'tool_calls' }
  }
  yield { type: 'usage', usage: { promptTokens: 5, completionTokens: 7 } }
}

const v1 = '/openai/v1/chat/completions'
const dated = '/openai/chat/completions'
const version = '?api-version=2025-02-01-preview'
const callers: Record<string, Caller> = Object.fromEntries(
  ['red', 'blue'].map((keyName) => {
    const grant = { deployments: undefined, tokensPerMinute: undefined, requestsPerMinute: undefined, budgets: [] }
    return [`key-of-${keyName}`, { keyName, grant, expiresAt: undefined }]
  }),
)
callers['second-key'] = { keyName: 'key2', grant: undefined, expiresAt: undefined }

let upstream: FakeUpstream
let folder: string
let tables: Tables
let stored: StoredCompletions
let ponto: Harness
let time = Date.UTC(2026, 0, 1)

beforeAll(async () => {
  upstream = await startFakeUpstream()
})
afterAll(() => upstream.stop())
beforeEach(async () => {
  upstream.requests.length = 0
  folder = mkdtempSync(join(tmpdir(), 'ponto-stored-'))
  tables = await openSqliteTables(join(folder, 'ponto.db'))
  const logs: LogLine[] = []
  const note = (level: string) => (fields: object, message: string) => void logs.push({ level, fields, message })
  stored = openStoredCompletions({
    table: tables.storedCompletions,
    keepMs: 30 * 86_400_000,
    now: () => ++time,
    log: { debug: note('debug'), info: note('info'), warn: note('warn'), error: note('error') },
  })
  const started = await startHarness({ builtin, policies: [stored.policy], services: stored.routes, callers })
  ponto = { ...started, logs }
  const model = { name: 'gpt-4o', version: '2024-08-06' }
  const timeouts = { connectMs: 1000, firstByteMs: 1000, idleMs: 1000, totalMs: 10_000 }
  ponto.deploy(
    { name: 'Relay', model, backends: [{ url: `${upstream.url}/v1`, model: 'up-model', timeouts }] },
    { name: 'Messages', model, backends: [{ url: upstream.url, protocol: 'anthropic', timeouts }] },
    { name: 'Own', model },
  )
})
afterEach(async () => {
  await ponto.stop()
  await stored.close()
  await tables.close()
  rmSync(folder, { recursive: true })
})

const user = (content: unknown) => ({ role: 'user', content })
const answer = (id: string, content = 'Hello é') => ({
  id,
  object: 'chat.completion',
  created: 1,
  model: 'up-model-2411',
  vendor_field: { kept: 1.5 },
  choices: [
    { index: 0, message: { role: 'assistant', content, refusal: null }, finish_reason: 'stop', logprobs: null },
  ],
  usage: { prompt_tokens: 3, completion_tokens: 2, total_tokens: 5 },
})
const chunk = (delta: object, finish_reason: string | null = null, index = 0) => ({
  id: 'chatcmpl-s',
  object: 'chat.completion.chunk',
  created: 1,
  model: 'up-model-2411',
  choices: [{ index, delta, finish_reason }],
})

async function read(response: Response | Promise<Response>, status = 200) {
  const answered = await response
  const body = await answered.json()
  expect({ status: answered.status, body }).toMatchObject({ status })
  return body
}

const send = (method: string, path: string, key = 'test-key-0123456789', body?: unknown) =>
  fetch(ponto.url + path, {
    method,
    headers: { 'api-key': key },
    body: body === undefined ? null : JSON.stringify(body),
  })

const ask = (body: object, headers?: Record<string, string>) =>
  ponto.post(v1, { model: 'Relay', messages: [user('hi')], store: true, ...body }, headers)

async function storeOne(id: string, body: object = {}, headers?: Record<string, string>) {
  upstream.script(json(answer(id)))
  await read(ask(body, headers))
}

const listIds = async (query = '') => (await read(ponto.get(`${v1}${query}`))).data.map(({ id }: { id: string }) => id)

describe('what is stored', () => {
  test('a relayed answer, with what the request asked for; the upstream is told nothing of it', async () => {
    upstream.script(json(answer('chatcmpl-1')))
    const response = await ponto.post(
      v1,
      '{"store":true, "model":"relay", "metadata":{"k":"v"}, "seed":9007199254740993, "user":"u", "temperature":0.5, "messages":[{"role":"user","content":"hi"}]}',
    )
    const requestId = response.headers.get('apim-request-id')
    expect(await read(response)).toEqual(answer('chatcmpl-1'))
    expect(upstream.requests[0]?.body).toBe(
      '{"model":"up-model","seed":9007199254740993,"user":"u","temperature":0.5,"messages":[{"role":"user","content":"hi"}]}',
    )
    expect(await read(ponto.get(`${v1}/chatcmpl-1`))).toEqual({
      ...answer('chatcmpl-1'),
      metadata: { k: 'v' },
      request_id: requestId,
      input_user: 'u',
      temperature: 0.5,
      top_p: 1,
      presence_penalty: 0,
      frequency_penalty: 0,
      seed: 9007199254740992,
      tools: null,
      tool_choice: null,
      response_format: null,
      service_tier: null,
    })
  })

  test('a relayed stream, as one answer, with its usage though the caller did not ask for that', async () => {
    const usage = { id: 'chatcmpl-s', created: 1, model: 'up-model-2411', choices: [], usage: answer('').usage }
    upstream.script(
      sse(
        chunk({ role: 'assistant', content: '' }),
        chunk({ content: 'Grü' }),
        chunk({ content: 'zwei' }, null, 1),
        chunk({ content: 'ße' }),
        chunk(
          { tool_calls: [{ index: 0, id: 'c', type: 'function', function: { name: 'f', arguments: '{' } }] },
          null,
          1,
        ),
        chunk({ tool_calls: [{ index: 0, function: { arguments: '}' } }] }, null, 1),
        chunk({}, 'stop'),
        chunk({}, 'tool_calls', 1),
        usage,
      ),
    )
    const payloads = await readPayloads(await ask({ stream: true, n: 2, metadata: { k: 'v' } }))
    expect(payloads.at(-1)).toBe('[DONE]')
    const found = await read(ponto.get(`${v1}/chatcmpl-s`))
    expect(found).toMatchObject({
      object: 'chat.completion',
      model: 'up-model-2411',
      created: 1,
      metadata: { k: 'v' },
      usage: { prompt_tokens: 3, completion_tokens: 2, total_tokens: 5 },
      choices: [
        { index: 0, finish_reason: 'stop', message: { role: 'assistant', content: 'Grüße' } },
        {
          index: 1,
          finish_reason: 'tool_calls',
          message: {
            content: 'zwei',
            tool_calls: [{ id: 'c', type: 'function', function: { name: 'f', arguments: '{}' } }],
          },
        },
      ],
    })
  })

  test.each([false, true])(
    'an answer that had no id is stored under the one that the caller reads (stream %p)',
    async (stream) => {
      const response = await ask({ model: 'own', n: 2, stream, metadata: { k: 'v' } })
      const seen = stream ? JSON.parse((await readPayloads(response))[0] as string) : await read(response)
      expect(seen.id).toMatch(/^chatcmpl-[A-Za-z0-9]{29}$/)
      const found = await read(ponto.get(`${v1}/${seen.id}`))
      expect(found).toMatchObject({
        id: seen.id,
        model: 'gpt-4o-2024-08-06',
        created: seen.created,
        metadata: { k: 'v' },
        usage: { prompt_tokens: 5, completion_tokens: 7, total_tokens: 12 },
      })
      const said = (choice: number) => ({
        index: choice,
        finish_reason: 'tool_calls',
        message: {
          content: `Grüße ${choice} 🙂`,
          tool_calls: [{ id: `call_${choice}`, function: { arguments: '{"a":1}' } }],
        },
      })
      expect(found.choices).toMatchObject([said(0), said(1)])
      if (!stream) expect(found).toMatchObject(seen)
    },
  )

  test('an answer of another protocol', async () => {
    const message = { id: 'msg_1', type: 'message', role: 'assistant', model: 'up', stop_reason: 'end_turn' }
    const content = [{ type: 'text', text: 'Bonjour' }]
    upstream.script(json({ ...message, content, usage: { input_tokens: 3, output_tokens: 2 } }))
    const seen = await read(ask({ model: 'messages', metadata: { k: 'v' }, max_tokens: 5 }))
    expect(upstream.requests[0]?.body).not.toContain('metadata')
    expect(await read(ponto.get(`${v1}/${seen.id}`))).toMatchObject({ ...seen, metadata: { k: 'v' } })
  })

  test('on the deployment route too', async () => {
    upstream.script(json(answer('chatcmpl-d')))
    const body = { messages: [user('hi')], store: true }
    await read(ponto.post(`/openai/deployments/RELAY/chat/completions${version}`, body))
    expect(await listIds()).toEqual(['chatcmpl-d'])
  })

  test('nothing when the request does not ask for it, and every byte of that goes on', async () => {
    upstream.script(json(answer('chatcmpl-1')))
    const text = '{"model":"Relay","store":false,"metadata":{"k":"v"},"messages":[{"role":"user","content":"hi"}]}'
    await read(ponto.post(v1, text))
    expect(upstream.requests[0]?.body).toBe(text.replace('Relay', 'up-model'))
    await read(ask({ store: undefined }))
    await read(ask({ store: null }))
    expect(await listIds()).toEqual([])
  })

  test('nothing of an answer that fails, before or within a stream', async () => {
    upstream.script(json({ error: { message: 'no', code: 'c' } }, 400))
    await read(ask({}), 400)
    upstream.script([sseHead, event(chunk({ content: 'half' })), { do: 'cut' }])
    const broken = await readPayloads(await ask({ stream: true }))
    expect(JSON.parse(broken.at(-1) as string).error).toBeDefined()
    upstream.script(sse(chunk({ content: 'half' }), { error: { message: 'overloaded' } }))
    await readPayloads(await ask({ stream: true }))
    expect(await listIds()).toEqual([])
  })

  test('nothing of an answer that the caller does not read to its end', async () => {
    upstream.script([sseHead, event(chunk({ content: 'half' })), { do: 'stall' }])
    const abort = new AbortController()
    const body = { model: 'Relay', messages: [user('hi')], store: true, stream: true }
    const response = await ponto.post(v1, body, undefined, abort.signal)
    await response.body?.getReader().read()
    abort.abort()
    expect(await upstream.requests[0]?.finished).toBe(false)
    expect(await listIds()).toEqual([])
  })

  test('an answer that ended for the caller, whatever the upstream does then', async () => {
    upstream.script([sseHead, event(chunk({ content: 'all' }, 'stop')), event('[DONE]'), { do: 'stall' }])
    const abort = new AbortController()
    const body = { model: 'Relay', messages: [user('hi')], store: true, stream: true }
    const response = await ponto.post(v1, body, undefined, abort.signal)
    let text = ''
    for await (const piece of response.body as ReadableStream<Uint8Array>) {
      text += new TextDecoder().decode(piece)
      if (text.endsWith('data: [DONE]\n\n')) break
    }
    abort.abort()
    expect(await listIds()).toEqual(['chatcmpl-s'])
  })

  test.each([false, true])(
    'an answer that is too large goes out and is not stored, and the log says so (stream %p)',
    async (stream) => {
      const text = 'x'.repeat(5 * 1024 * 1024)
      upstream.script(
        stream
          ? sse(...Array.from({ length: 5 }, () => chunk({ content: text.slice(0, 1 << 20) })))
          : json(answer('a', text)),
      )
      const response = await ask({ stream })
      expect((await response.text()).length).toBeGreaterThan(text.length)
      expect(await listIds()).toEqual([])
      expect(ponto.logs).toMatchObject([
        { level: 'warn', message: 'a completion was not stored: with its request it is larger than 4194304 bytes' },
      ])
    },
  )

  test('an answer whose id no path could hold is told in the log', async () => {
    await storeOne('a\u0000b')
    expect(await listIds()).toEqual([])
    expect(ponto.logs[0]?.message).toContain('an id that cannot be looked up')
  })

  test('what cannot be written costs the caller nothing, and reading says nothing of where it lies', async () => {
    await tables.close()
    await storeOne('chatcmpl-1')
    const { error } = await read(ponto.get(`${v1}/chatcmpl-1`), 500)
    expect(error.message).not.toContain(folder)
    expect(ponto.logs).toMatchObject([{ level: 'warn', message: expect.stringContaining('was not stored') }])
    tables = await openSqliteTables(join(folder, 'ponto.db'))
  })
})

describe('the routes', () => {
  test('pages, in both orders, on both surfaces', async () => {
    for (let i = 0; i < 5; i++) await storeOne(`id-${i}`)
    expect(await read(ponto.get(`${v1}?limit=2`))).toMatchObject({
      object: 'list',
      data: [{ id: 'id-0' }, { id: 'id-1' }],
      first_id: 'id-0',
      last_id: 'id-1',
      has_more: true,
    })
    expect(await listIds('?limit=2&after=id-3')).toEqual(['id-4'])
    expect(await listIds('?limit=2&after=id-3&order=desc')).toEqual(['id-2', 'id-1'])
    const page = await read(ponto.get(`${dated}${version}&limit=2&after=id-0`))
    expect(page).toMatchObject({ data: [{ id: 'id-1' }, { id: 'id-2' }], has_more: true, total: 5 })
    expect(await read(ponto.get(v1))).not.toHaveProperty('total')
    expect(await read(ponto.get(`${v1}?model=other`))).toEqual({
      object: 'list',
      data: [],
      first_id: null,
      last_id: null,
      has_more: false,
    })
  })

  test('a list narrowed to a model or to metadata', async () => {
    await storeOne('a', { metadata: { team: 'red', 'a key': 'ü&=' } })
    await storeOne('b', { metadata: { team: 'red' } })
    await storeOne('c')
    expect(await listIds('?metadata[team]=red')).toEqual(['a', 'b'])
    expect(
      await listIds(`?${encodeURIComponent('metadata[a key]')}=${encodeURIComponent('ü&=')}&metadata[team]=red`),
    ).toEqual(['a'])
    expect(await listIds('?model=up-model-2411')).toEqual(['a', 'b', 'c'])
    expect(await listIds('?model=RELAY&metadata[team]=red')).toEqual(['a', 'b'])
    expect((await read(ponto.get(`${dated}${version}&metadata[team]=red`))).total).toBe(2)
  })

  test.each([v1, dated])('update, messages and delete: %s', async (base) => {
    const query = base === dated ? version : ''
    const parts = [
      { type: 'text', text: 'what is this?' },
      { type: 'image_url', image_url: { url: 'https://example.com/a.png' } },
    ]
    const messages = [{ role: 'system', content: 'be brief' }, { ...user(parts), name: 'ann' }, user('well?')]
    await storeOne('a', { messages, metadata: { old: 'x' } })
    const changed = await read(send('POST', `${base}/a${query}`, undefined, { metadata: { new: 'y' } }))
    expect(changed).toMatchObject({ id: 'a', object: 'chat.completion', metadata: { new: 'y' } })
    expect(changed.metadata).toEqual({ new: 'y' })
    expect(await read(ponto.get(`${base}/a${query}`))).toEqual(changed)
    expect(await listIds('?metadata[old]=x')).toEqual([])

    const first = { id: 'a-0', role: 'system', content: 'be brief', content_parts: null, name: null, refusal: null }
    const second = { id: 'a-1', role: 'user', content: null, content_parts: parts, name: 'ann', refusal: null }
    const third = { id: 'a-2', role: 'user', content: 'well?', content_parts: null, name: null, refusal: null }
    const page = (data: { id: string }[], has_more = false) => ({
      object: 'list',
      data,
      first_id: data[0]?.id,
      last_id: data.at(-1)?.id,
      has_more,
    })
    const more = `${base}/a/messages${query}${query ? '&' : '?'}`
    expect(await read(ponto.get(more))).toEqual(page([first, second, third]))
    expect(await read(ponto.get(`${more}limit=2`))).toEqual(page([first, second], true))
    expect(await read(ponto.get(`${more}limit=2&order=desc&after=a-2`))).toEqual(page([second, first]))

    expect(await read(send('DELETE', `${base}/a${query}`))).toEqual({
      object: 'chat.completion.deleted',
      id: 'a',
      deleted: true,
    })
    for (const path of ['/a', '/a/messages']) await read(ponto.get(`${base}${path}${query}`), 404)
    await read(send('DELETE', `${base}/a${query}`), 404)
    await read(send('POST', `${base}/a${query}`, undefined, { metadata: {} }), 404)
  })

  test('a named key finds what it stored itself; the two keys of the resource stand in for each other', async () => {
    await storeOne('own')
    await storeOne('reds', {}, { 'api-key': 'key-of-red' })
    const idsOf = async (key: string) => (await read(send('GET', v1, key))).data.map(({ id }: { id: string }) => id)
    expect(await idsOf('second-key')).toEqual(['own'])
    expect(await idsOf('key-of-red')).toEqual(['reds'])
    expect(await idsOf('key-of-blue')).toEqual([])
    for (const key of ['key-of-blue', 'second-key']) {
      await read(send('GET', `${v1}/reds`, key), 404)
      await read(send('GET', `${v1}/reds/messages`, key), 404)
      await read(send('POST', `${v1}/reds`, key, { metadata: {} }), 404)
      await read(send('DELETE', `${v1}/reds`, key), 404)
      await read(send('GET', `${v1}?after=reds`, key), 400)
    }
    await read(send('DELETE', `${v1}/own`, 'second-key'))
  })

  test('refusals name what is wrong', async () => {
    await storeOne('a')
    const tooMany = Object.fromEntries(Array.from({ length: 17 }, (_, i) => [`k${i}`, 'v']))
    const cases = [
      ['GET', `${v1}?limit=0`, undefined, 400, 'limit'],
      ['GET', `${v1}?limit=101`, undefined, 400, 'limit'],
      ['GET', `${v1}?limit=x`, undefined, 400, 'limit'],
      ['GET', `${v1}?order=up`, undefined, 400, 'order'],
      ['GET', `${v1}?after=nothing`, undefined, 400, 'after'],
      ['GET', `${v1}?metadata[k]=${'v'.repeat(513)}`, undefined, 400, 'metadata.k'],
      ['GET', `${v1}/a/messages?after=a-7`, undefined, 400, 'after'],
      ['POST', `${v1}/a`, { metadata: { k: 1 } }, 400, 'metadata.k'],
      ['POST', `${v1}/a`, { metadata: tooMany }, 400, 'metadata'],
      ['POST', `${v1}/a`, {}, 400, 'metadata'],
      ['POST', `${v1}/a`, undefined, 400, 'metadata'],
      ['POST', `${v1}/a`, { metadata: {}, model: 'm' }, 400, 'model'],
      ['POST', `${v1}/a`, [], 400, null],
      ['GET', `${v1}?after=%00`, undefined, 400, 'after'],
      ['GET', `${v1}/nothing`, undefined, 404, null],
      ['GET', `${v1}/a%00b`, undefined, 404, null],
      ['DELETE', `${v1}/${'x'.repeat(257)}`, undefined, 404, null],
      ['GET', dated, undefined, 404, 'api-version'],
      ['PUT', `${v1}/a`, {}, 405, null],
    ] as const
    for (const [method, path, body, status, param] of cases) {
      const { error } = await read(send(method, path, undefined, body), status)
      expect({ path, param: error.param }).toEqual({ path, param })
    }
    await read(send('GET', v1, 'wrong'), 401)
    expect((await send('PUT', `${v1}/a`)).headers.get('allow')).toBe('GET, POST, DELETE, OPTIONS')
  })

  test('metadata beyond the rules is refused where it is given', async () => {
    const { error } = await read(ask({ metadata: { k: 'v'.repeat(513) } }), 400)
    expect(error.param).toBe('metadata.k')
  })

  test('what was stored is there after the server has ended', async () => {
    await storeOne('a')
    await stored.close()
    await tables.close()
    tables = await openSqliteTables(join(folder, 'ponto.db'))
    expect(await tables.storedCompletions.get('', 'a')).toMatchObject({ id: 'a' })
  })
})
