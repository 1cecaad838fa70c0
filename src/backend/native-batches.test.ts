import { afterEach, beforeEach, describe, expect, test } from 'bun:test'
import { type NativeUpstream, startNativeUpstream } from '../../test/support/batches/native-upstream.ts'
import { json, type SeenRequest, type Step } from '../../test/support/fake-upstream.ts'
import type { ChatCall } from '../core/call.ts'
import { type Fault, toFault } from '../core/fault.ts'
import type { BatchOrder, NativeBatches, UpstreamLine } from '../core/reply.ts'
import { openTally } from '../core/usage/tally.ts'
import { openaiChatServer } from '../wire/openai-chat/server.ts'
import { createHttpBackend } from './http-backend.ts'
import type { Protocol } from './presets.ts'
import { createTransport } from './transport/create-transport.ts'

let upstream: NativeUpstream
const signal = new AbortController().signal
const credential = 'sk-very-secret-credential'

beforeEach(async () => {
  upstream = await startNativeUpstream()
})
afterEach(() => upstream.stop())

function open(protocol: Protocol, basePath = '/v1'): NativeBatches {
  const timeouts = { connectMs: 2_000, firstByteMs: 5_000, idleMs: 5_000, totalMs: 20_000 }
  const origin = upstream.url
  const transport = createTransport({ origin: new URL(origin), timeouts, maxConnections: 4, maxIdleMs: 1_000 })
  const backend = createHttpBackend({
    id: 'b',
    protocol,
    origin,
    basePath,
    model: 'their-model',
    transport,
    credential,
    nativeBatch: true,
  })
  return backend.batches as NativeBatches
}

function call(text: string): ChatCall {
  const body = { model: 'ours', messages: [{ role: 'user', content: text }], seed: 7 }
  const { seed: _, ...bare } = body
  // With a break and a field of nobody's: what is said in the same protocol goes on as it is.
  const whole = { text: JSON.stringify(bare, null, 2), body: bare, header: () => null }
  return openaiChatServer.readCall(whole) as ChatCall
}

const order = (more: Partial<BatchOrder> = {}): BatchOrder => ({
  tag: 'batch_0-0',
  kind: 'chat',
  count: 2,
  staged: undefined,
  orderedAt: Date.now(),
  ...more,
})

async function submit(batches: NativeBatches, tag = 'batch_0-0') {
  const names = [1, 2].map((n) => (batches.keepsCustomIds ? `"task" ${n} 🙂` : `${tag}-${n}`))
  const lines = await Promise.all(names.map((name, i) => batches.writeLine(name, call(`said-${i + 1}`))))
  const staged = await batches.stage(tag, lines, signal)
  if (staged !== undefined) expect(await batches.isStaged(staged, signal)).toBe(true)
  const sent = order({ tag, staged })
  return { names, lines, order: sent, batch: await batches.submitBatch(sent, lines, signal) }
}

async function readLines(batches: NativeBatches, name: string): Promise<(UpstreamLine | undefined)[]> {
  let text = ''
  for await (const piece of batches.readResults(name, signal)) text += Buffer.from(piece).toString()
  return text
    .split('\n')
    .filter(Boolean)
    .map((line) => batches.readLine(line))
}

async function faultOf(work: Promise<unknown>): Promise<Fault> {
  return work.then(
    () => {
      throw new Error('it was no fault')
    },
    (error) => toFault(error),
  )
}

const to = (part: string) => (request: SeenRequest) => `${request.method} ${request.path}`.includes(part)
const cut: readonly Step[] = [{ do: 'cut' }]

const protocols = [
  ['openai', '/v1', 'POST /v1/batches'],
  ['azure-openai', '', 'POST /openai/batches?api-version=2024-10-21'],
  ['anthropic', '', 'POST /v1/messages/batches'],
] as const

describe.each(protocols)('batches at an upstream that speaks %s', (protocol, basePath, orderPath) => {
  test('are ordered, asked for, and read', async () => {
    const batches = open(protocol, basePath)
    upstream.isHeld = true
    const { names, batch } = await submit(batches)
    expect(batch.state).toBe('running')
    expect(upstream.batches.map((made) => made.names)).toEqual([names])
    expect(upstream.batches[0]?.lines.map(({ body }) => body.model)).toEqual(['their-model', 'their-model'])
    expect(upstream.requests.some(to(orderPath))).toBe(true)
    expect((await batches.pollBatch(batch.id, signal))?.state).toBe('running')
    upstream.isHeld = false
    const ended = await batches.pollBatch(batch.id, signal)
    expect(ended?.state).toBe('ended')
    const lines = (await Promise.all((ended?.results ?? []).map((name) => readLines(batches, name)))).flat()
    expect(lines.map((line) => [line?.name, line?.status])).toEqual(names.map((name) => [name, 200]))
    const reply = batches.readAnswer(call('said-1'), lines[0] as UpstreamLine, openTally(), true)
    expect(reply).toMatchObject({
      kind: 'whole',
      result: { choices: [{ text: 'answer to said-1' }], usage: { promptTokens: 10 } },
    })
    for (const file of ended?.files ?? []) await batches.discard(file, signal)
    expect([...upstream.files.keys()]).toEqual([])
  })

  test('are found by what they were ordered with, among others, over pages', async () => {
    const batches = open(protocol, basePath)
    const first = await submit(batches)
    for (let i = 1; i < 6; i++) await submit(batches, `batch_${i}-0`)
    const found = await batches.findBatches(first.order, signal)
    expect(found).toMatchObject([{ id: first.batch.id }])
    expect(await batches.findBatches(order({ tag: 'batch_9-9', staged: 'file-none' }), signal)).toEqual([])
  })

  test('are cancelled; what is gone, or has ended, needs nothing', async () => {
    const batches = open(protocol, basePath)
    upstream.isHeld = true
    const { batch } = await submit(batches)
    await batches.cancelBatch(batch.id, signal)
    expect(upstream.batches[0]?.isCancelled).toBe(true)
    await batches.cancelBatch('none', signal)
    expect(await batches.pollBatch('none', signal)).toBeUndefined()
    await batches.discard('none', signal)
  })

  test('an order is sent once: a connection that ends is nothing to send it again for', async () => {
    const batches = open(protocol, basePath)
    // A connection that is open, as the one that the peer drops.
    await batches.pollBatch('none', signal)
    upstream.after = (request) => (to(orderPath)(request) ? cut : undefined)
    expect((await faultOf(submit(batches))).code).toBe('upstream-failed')
    expect(upstream.batches).toHaveLength(1)
  })

  test('429 says how long to wait', async () => {
    const batches = open(protocol, basePath)
    const refused = json({ error: { type: 'rate_limit_error', message: 'Slow.' } }, 429, { 'retry-after': '7' })
    upstream.before = (request) => (to('atches')(request) ? refused : undefined)
    const fault = await faultOf(submit(batches))
    expect([fault.code, fault.detail.retryAfterMs]).toEqual(['rate-limited', 7_000])
  })

  test('results that break off reject; no secret is in what is told', async () => {
    const batches = open(protocol, basePath)
    const { batch } = await submit(batches)
    const [name = ''] = (await batches.pollBatch(batch.id, signal))?.results ?? []
    upstream.before = () => [{ do: 'head' }, { do: 'send', text: '{"cus' }, { do: 'cut' }]
    expect((await faultOf(readLines(batches, name))).code).toBe('upstream-failed')
    upstream.before = () => json({ error: { message: `What is ${credential}?` } }, 400)
    expect(JSON.stringify(await faultOf(readLines(batches, name)))).not.toContain(credential)
  })

  test('a status that stands for a failure is that failure', async () => {
    const batches = open(protocol, basePath)
    const body = JSON.stringify({
      type: 'error',
      error: { type: 'invalid_request_error', message: `No ${credential}.` },
    })
    const read = (status: number) =>
      faultOf((async () => batches.readAnswer(call('x'), { name: 'n', status, body }, openTally(), false))())
    expect(await read(400)).toMatchObject({ code: 'upstream-rejected', message: 'No [redacted].' })
    expect((await read(500)).code).toBe('upstream-failed')
    expect((await read(429)).code).toBe('rate-limited')
  })
})

test('where the caller speaks it too, lines and answers go on as they are', () => {
  const batches = open('openai')
  const asked = call('x')
  expect(
    batches.writeLine('a', {
      ...asked,
      source: { wire: 'openai-chat', text: '{"odd":{"n":1.0},\r\n"model":"ours"}', body: { model: 'ours' } },
    }),
  ).toBe(
    '{"custom_id":"a","method":"POST","url":"/v1/chat/completions","body":{"odd":{"n":1.0}, "model":"their-model"}}',
  )
  const body = '{"choices":[],"odd":1}'
  const reply = batches.readAnswer(asked, { name: 'a', status: 200, body }, openTally(), false)
  expect(reply.kind === 'bytes' && Buffer.from(reply.body as Uint8Array).toString()).toBe(body)
})

test('what an upstream cannot be asked is refused by name', () => {
  const batches = open('anthropic', '')
  expect(() => batches.writeLine('a', { ...call('x'), n: 2 })).toThrow("'n'")
})

test('orders that cannot be told from others are not decided while those run', async () => {
  const batches = open('anthropic', '')
  upstream.isHeld = true
  const first = await submit(batches)
  expect(await batches.findBatches(first.order, signal)).toBe('unsure')
  expect(await batches.findBatches({ ...first.order, count: 3 }, signal)).toEqual([])
})

describe('what upstreams say of batches and results is read tolerantly', () => {
  const batches = () => open('openai')
  test.each([['[]'], ['null'], ['{}'], ['{"custom_id":7,"response":{}}'], ['{"custom_id":"a"'], ['"custom_id"']])(
    '%s is no result',
    (text) => {
      expect(batches().readLine(text)).toBeUndefined()
    },
  )
  test.each([
    ['{"custom_id":"a"}'],
    ['{"custom_id":"a","response":null,"error":{"code":"batch_expired"}}'],
    ['{"custom_id":"a","response":{"status_code":200}}'],
    ['{"custom_id":"a","response":{"status_code":"200","body":{}}}'],
    ['{"custom_id":"a","response":{"status_code":200,"body":"text"}}'],
    ['{"custom_id":"a","response":[]}'],
  ])('%s is no answer', (text) => {
    expect(batches().readLine(text)).toEqual({ name: 'a', status: undefined, body: '' })
  })
  test('a batch that failed says why', async () => {
    const said = {
      id: 'b',
      status: 'failed',
      errors: { data: [{ code: 'token_limit_exceeded', message: 'Too much.' }] },
    }
    upstream.before = () => json(said)
    expect(await batches().pollBatch('b', signal)).toEqual({
      id: 'b',
      state: 'failed',
      reason: 'token_limit_exceeded: Too much.',
      isLater: true,
      results: [],
      files: [],
      tag: undefined,
      staged: undefined,
      count: undefined,
      createdAt: undefined,
    } as never)
  })
  test('nor is a secret in why it failed, or a book', async () => {
    const message = `No quota for ${credential}. ${'And so on. '.repeat(1_000)}`
    upstream.before = () => json({ id: 'b', status: 'failed', errors: { data: [{ message }] } })
    const { reason = '' } = (await batches().pollBatch('b', signal)) ?? {}
    expect(reason).toStartWith('No quota for [redacted].')
    expect(reason.length).toBeLessThan(1_000)
  })
  test('an order is found also where the oldest are listed first', async () => {
    const sent = order()
    const listed = (id: string, agoMs: number, tag: string) => ({
      id,
      status: 'in_progress',
      created_at: Math.floor((sent.orderedAt - agoMs) / 1000),
      metadata: { ponto_batch: tag },
    })
    const old = [listed('a', 90 * 86_400_000, 'x'), listed('b', 80 * 86_400_000, 'y')]
    upstream.before = ({ path }) =>
      path.includes('after=b')
        ? json({ data: [listed('c', 0, sent.tag)], has_more: false })
        : json({ data: old, has_more: true })
    expect(await batches().findBatches(sent, signal)).toMatchObject([{ id: 'c' }])
  })
  test('an answer that is no batch is a failure', async () => {
    upstream.before = () => json({ hello: 1 })
    expect((await faultOf(batches().pollBatch('b', signal))).code).toBe('upstream-failed')
  })
})
