import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'bun:test'
import { spawnSync } from 'node:child_process'
import { readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { readExposition, sumOf } from '../support/exposition.ts'
import { listExpressions } from '../support/expressions.ts'
import { type FakeUpstream, json, sse, startFakeUpstream } from '../support/fake-upstream.ts'
import { findProgram, withProgram } from '../support/find-program.ts'
import { type OtlpReceiver, type ReceivedSpan, startOtlpReceiver } from '../support/otlp-receiver.ts'
import { readSelectors } from '../support/promql.ts'
import { type ServerProcess, startServer } from '../support/server-process.ts'

/** What the whole server tells of itself: to Prometheus, to a collector, and to upstreams of a trace. */

const answer = json({
  choices: [{ index: 0, message: { role: 'assistant', content: 'the secret answer' }, finish_reason: 'stop' }],
  usage: { prompt_tokens: 10, completion_tokens: 5, total_tokens: 15 },
})
const busy = json({ error: { message: 'busy' } }, 503)
const piece = (content: string) => ({ choices: [{ index: 0, delta: { content }, finish_reason: null }] })
const lastPiece = { choices: [], usage: { prompt_tokens: 10, completion_tokens: 3, total_tokens: 13 } }
const stream = sse(piece('a'), piece('b'), piece('c'), lastPiece)

let upstream: FakeUpstream
let collector: OtlpReceiver
let ponto: ServerProcess

const otel = () => ({
  OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
  OTEL_EXPORTER_OTLP_HEADERS: 'x-tenant=blue',
  OTEL_EXPORTER_OTLP_COMPRESSION: 'gzip',
  OTEL_RESOURCE_ATTRIBUTES: 'deployment.environment=test',
  OTEL_BSP_SCHEDULE_DELAY: '50',
  OTEL_METRIC_EXPORT_INTERVAL: '200',
  OTEL_METRIC_EXPORT_TIMEOUT: '200',
})

const deployments = () => [
  { name: 'gpt', model: { name: 'gpt-4o', version: '2024-11-20' }, backends: [{ url: `${upstream.url}/v1` }] },
  {
    name: 'second',
    model: { name: 'gpt-4o' },
    backends: [
      { url: `${upstream.url}/v1`, priority: 0 },
      { url: `${upstream.url}/openai/v1`, priority: 1 },
    ],
  },
]

async function start(env: Record<string, string>): Promise<ServerProcess> {
  const started = await startServer({ env })
  for (const { name, model, backends } of deployments()) {
    const flags = backends.flatMap(({ url }) => ['--backend', url])
    const args = ['deployment', 'create', name, '--model', model.name, ...flags, '--rai-policy', 'Microsoft.DefaultV2']
    const { code, stderr } = await started.run(args)
    expect([code, stderr]).toEqual([0, expect.any(String)])
  }
  return started
}

beforeAll(async () => {
  upstream = await startFakeUpstream()
  collector = await startOtlpReceiver()
  ponto = await start(otel())
})
afterAll(async () => {
  await ponto.stop()
  await upstream.stop()
  await collector.stop()
})
beforeEach(() => {
  collector.answer(200)
  collector.spans.length = 0
  upstream.requests.length = 0
})

function call(
  model: string,
  headers: Record<string, string> = {},
  more: object = {},
  server = ponto,
): Promise<Response> {
  return fetch(`${server.httpUrl}/openai/v1/chat/completions`, {
    method: 'POST',
    headers: { 'api-key': server.key, ...headers },
    body: JSON.stringify({
      model,
      max_tokens: 5,
      messages: [{ role: 'user', content: 'a private question' }],
      ...more,
    }),
  })
}

const metricsKey = () => readFileSync(join(ponto.dataFolder, 'metrics.key'), 'utf8').trim()
const scrape = (authorization: string, query = '', init: RequestInit = {}) =>
  fetch(`${ponto.httpUrl}/metrics${query}`, { headers: authorization ? { authorization } : {}, ...init })
const read = async (query = '') => (await scrape(`Bearer ${metricsKey()}`, query)).text()

async function eventually<T>(look: () => T | undefined | Promise<T | undefined>): Promise<T> {
  for (;;) {
    const found = await look()
    if (found !== undefined) return found
    await Bun.sleep(10)
  }
}

/** All spans of the trace that has one of this name, once the one of the request is there. */
const spansOf = (traceId: string): Promise<ReceivedSpan[]> =>
  eventually(() => {
    const spans = collector.spans.filter((span) => span.traceId === traceId)
    return spans.some(({ kind }) => kind === 2) ? spans : undefined
  })

describe('/metrics', () => {
  test('is closed to all but its own credential and that of the management', async () => {
    expect((await scrape('')).status).toBe(401)
    expect((await scrape('')).headers.get('www-authenticate')).toBe('Bearer')
    for (const wrong of ['Bearer x', `Bearer ${metricsKey()}x`, `Basic ${metricsKey()}`, metricsKey()]) {
      expect([wrong.slice(0, 8), (await scrape(wrong)).status]).toEqual([wrong.slice(0, 8), 401])
    }
    const withKey = await scrape(`Bearer ${ponto.key}`)
    expect([withKey.status, await withKey.text()]).toEqual([403, expect.stringContaining('resource key does not open')])
    expect((await scrape('', '', { headers: { 'api-key': ponto.key } })).status).toBe(403)
    const management = readFileSync(join(ponto.dataFolder, 'management.key'), 'utf8').trim()
    expect((await scrape(`Bearer ${management}`)).status).toBe(200)
    expect((await scrape(`Bearer ${metricsKey()}`)).headers.get('content-type')).toContain('text/plain; version=0.0.4')
    expect(statSync(join(ponto.dataFolder, 'metrics.key')).mode & 0o777).toBe(0o600)
  })

  test('opens nothing else', async () => {
    const authorization = `Bearer ${metricsKey()}`
    expect((await fetch(`${ponto.httpUrl}/management/status`, { headers: { authorization } })).status).toBe(401)
    const body = JSON.stringify({ model: 'gpt', messages: [{ role: 'user', content: 'hi' }] })
    const asKey = await fetch(`${ponto.httpUrl}/openai/v1/chat/completions`, {
      method: 'POST',
      headers: { authorization },
      body,
    })
    expect(asKey.status).toBe(401)
  })

  test('says what is wrong with a request', async () => {
    const authorization = `Bearer ${metricsKey()}`
    const posted = await scrape('', '', { method: 'POST', headers: { authorization } })
    expect([posted.status, posted.headers.get('allow')]).toEqual([405, 'GET, HEAD'])
    const named = await scrape(authorization, '?names=ponto,foo')
    expect([named.status, await named.text()]).toEqual([400, expect.stringContaining('names: \\"foo\\" is not known')])
    expect(await read('?names=gen_ai')).not.toContain('ponto_')
  })

  test('tells of calls in all three tongues', async () => {
    upstream.script(answer, stream)
    const headers = (await call('gpt')).headers
    expect([headers.get('x-ms-rai-invoked'), headers.get('x-ms-is-spilled-over')]).toEqual(['true', 'false'])
    await (await call('gpt', {}, { stream: true, stream_options: { include_usage: true } })).text()
    upstream.script(busy)
    expect((await call('second')).status).toBe(503)
    expect((await call('no-such-model')).status).toBe(404)
    const text = await read()
    expect(text).not.toContain('no-such-model')
    const told = readExposition(text)
    const counts: [string, Record<string, string>, number][] = [
      ['ponto_requests_total', { deployment: 'gpt', operation: 'chat', stream: 'true', status: '200', code: '' }, 1],
      ['ponto_requests_total', { deployment: 'second', status: '503', code: 'upstream-unavailable' }, 1],
      ['ponto_requests_total', { deployment: '', status: '404', code: 'deployment-not-found' }, 1],
      ['ponto_requests_running', { deployment: 'gpt' }, 0],
      ['ponto_first_token_duration_seconds_count', { deployment: 'gpt' }, 1],
      ['ponto_tokens_total', { deployment: 'gpt', kind: 'prompt' }, 20],
      ['ponto_backend_attempts_total', { deployment: 'second', code: 'upstream-unavailable' }, 2],
      ['ponto_deployments', {}, 3],
      ['gen_ai_client_token_usage_sum', { gen_ai_request_model: 'gpt', gen_ai_token_type: 'output' }, 8],
      ['gen_ai_server_time_to_first_token_seconds_count', { gen_ai_operation_name: 'chat' }, 1],
      ['azure_ModelRequests', { ModelDeploymentName: 'gpt', StreamType: 'Streaming', StatusCode: '200' }, 1],
      ['azure_InputTokens', { ModelDeploymentName: 'gpt' }, 20],
      ['azure_RAITotalRequests', { ModelDeploymentName: 'gpt' }, 2],
    ]
    for (const [name, labels, value] of counts) expect([name, sumOf(told, name, labels)]).toEqual([name, value])
    expect(sumOf(told, 'ponto_backend_breaker', { state: 'closed' })).toBeGreaterThan(1)
    expect(sumOf(told, 'process_resident_memory_bytes')).toBeGreaterThan(1e6)
  })
})

test('what dashboard, alerts and rules ask for is there', async () => {
  const told = readExposition(await read())
  const given = ['up', 'azure_ModelAvailabilityRate']
  for (const [where, expression] of listExpressions()) {
    for (const { name, labels } of readSelectors(expression).metrics) {
      const family = told.families.has(name) ? name : name.replace(/_(bucket|sum|count)$/, '')
      expect([where, name, told.families.has(family) || given.includes(name)]).toEqual([where, name, true])
      const sample = told.samples.find((one) => one.name === name)
      if (sample)
        expect([where, ...labels.filter((label) => !(label in sample.labels) && label !== 'job')]).toEqual([where])
    }
  }
})

const promtool = findProgram('PROMTOOL', 'promtool')
withProgram('the scrape, by Prometheus itself', promtool, 'promtool', () => {
  test('promtool check metrics', async () => {
    const check = async (query: string) => {
      const input = await read(query)
      return spawnSync(promtool as string, ['check', 'metrics'], { input, encoding: 'utf8' })
    }
    const own = await check('?names=ponto,gen_ai,process')
    expect([own.stdout + own.stderr, own.status]).toEqual(['', 0])
    // Names of Azure are not spelt as Prometheus advises, which is all that may be wrong with them.
    const { stderr } = await check('?names=azure')
    expect(stderr.split('\n').filter((line) => line !== '' && !/snake_case|"_total" suffix|unit/.test(line))).toEqual(
      [],
    )
  })
})

describe('traces', () => {
  test("a request continues its caller's, and takes it on to the upstream", async () => {
    upstream.script(answer)
    const traceId = '4bf92f3577b34da6a3ce929d0e0e4736'
    const traceparent = `00-${traceId}-00f067aa0ba902b7-01`
    await call('gpt', { traceparent, tracestate: 'vendor=1' })
    const spans = await spansOf(traceId)
    const server = spans.find(({ kind }) => kind === 2) as ReceivedSpan
    const client = spans.find(({ kind }) => kind === 3) as ReceivedSpan
    expect([server.name, server.parentSpanId]).toEqual(['chat gpt', '00f067aa0ba902b7'])
    expect([client.name, client.parentSpanId]).toEqual(['chat gpt-4o', server.spanId])
    expect(server.attributes).toMatchObject({
      'gen_ai.operation.name': 'chat',
      'gen_ai.request.model': 'gpt',
      'gen_ai.request.max_tokens': 5,
      'gen_ai.usage.input_tokens': 10,
      'gen_ai.usage.output_tokens': 5,
      'http.response.status_code': 200,
    })
    const { hostname, port } = new URL(upstream.url)
    expect(client.attributes).toMatchObject({ 'server.address': hostname, 'server.port': Number(port) })
    expect(spans.find(({ name }) => name === 'filter prompt')?.parentSpanId).toBe(server.spanId)
    const [seen] = upstream.requests
    expect(seen?.headers).toMatchObject({ traceparent: `00-${traceId}-${client.spanId}-01`, tracestate: 'vendor=1' })
    expect(server.resource).toMatchObject({ 'service.name': 'ponto', 'deployment.environment': 'test' })
    expect(collector.headers.at(-1)).toMatchObject({ 'x-tenant': 'blue' })
    for (const child of spans) expect(child.start >= server.start && child.end <= server.end + 1_000_000n).toBe(true)
    expect(Bun.inspect(spans, { depth: 9 })).not.toMatch(/private|secret answer/)
  })

  test('each attempt is a span of its own, and failures are told', async () => {
    upstream.script(busy, busy)
    expect((await call('second')).status).toBe(503)
    const traceparents = upstream.requests.map(({ headers }) => headers.traceparent as string)
    const traceId = traceparents[0]?.split('-')[1] as string
    const spans = await spansOf(traceId)
    const clients = spans.filter(({ kind }) => kind === 3)
    expect(clients.map(({ spanId }) => `00-${traceId}-${spanId}-01`).toSorted()).toEqual(traceparents.toSorted())
    for (const { attributes, status } of clients) {
      expect([status, attributes['error.type'], attributes['http.response.status_code']]).toEqual([
        2,
        'upstream-unavailable',
        503,
      ])
    }
    expect(spans.find(({ kind }) => kind === 2)).toMatchObject({ status: 2, parentSpanId: '' })
  })

  test('what the caller does not sample is passed on, and not sent', async () => {
    upstream.script(answer)
    const traceId = 'aaf92f3577b34da6a3ce929d0e0e4736'
    await call('gpt', { traceparent: `00-${traceId}-00f067aa0ba902b7-00` })
    expect(upstream.requests[0]?.headers.traceparent).toMatch(new RegExp(`^00-${traceId}-[0-9a-f]{16}-00$`))
    // One that is sampled comes after it, and alone.
    await call('gpt', { traceparent: '00-bbf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01' })
    await spansOf('bbf92f3577b34da6a3ce929d0e0e4736')
    expect(collector.spans.some((span) => span.traceId === traceId)).toBe(false)
  })

  test('metrics reach the collector under the names of the conventions', async () => {
    const metric = await eventually(() =>
      collector.metrics().find(({ name }) => name === 'gen_ai.server.request.duration'),
    )
    expect([metric.kind, metric.unit]).toEqual(['histogram', 's'])
    expect(metric.points.some(({ attributes }) => attributes['gen_ai.request.model'] === 'gpt')).toBe(true)
    const requests = collector.metrics().find(({ name }) => name === 'ponto.requests')
    expect(requests?.kind).toBe('sum')
    expect(requests?.points.reduce((sum, { value }) => sum + value, 0)).toBeGreaterThan(3)
  })

  test.each([503, 'never'] as const)('a collector that answers %p harms nobody', async (status) => {
    upstream.script(answer)
    collector.answer(status)
    const answers = await Promise.all(Array.from({ length: 50 }, () => call('gpt')))
    expect(answers.every(({ status }) => status === 200)).toBe(true)
    expect((await scrape(`Bearer ${metricsKey()}`)).status).toBe(200)
  })
})

describe('without a collector', () => {
  let bare: ServerProcess
  beforeAll(async () => {
    bare = await start({ PONTO_SECRET_METRICS_TOKEN: 'a-token-of-my-own-1234' })
  })
  afterAll(() => bare.stop())

  test('what the caller says of its trace goes on to the upstream as it is, and nothing is made up', async () => {
    upstream.script(answer)
    const traceparent = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01'
    await call('gpt', { traceparent, tracestate: 'vendor=1' }, {}, bare)
    await call('gpt', {}, {}, bare)
    await call('gpt', { traceparent: 'nonsense', tracestate: 'vendor=1' }, {}, bare)
    const [passed, ...others] = upstream.requests
    expect(passed?.headers).toMatchObject({ traceparent, tracestate: 'vendor=1' })
    for (const { headers } of others) {
      expect(headers).not.toHaveProperty('traceparent')
      expect(headers).not.toHaveProperty('tracestate')
    }
  })

  test("an operator's own token opens the metrics, and no other is made", async () => {
    const response = await fetch(`${bare.httpUrl}/metrics`, {
      headers: { authorization: 'Bearer a-token-of-my-own-1234' },
    })
    expect([response.status, await response.text()]).toEqual([200, expect.stringContaining('ponto_info{')])
    expect(() => statSync(join(bare.dataFolder, 'metrics.key'))).toThrow('ENOENT')
  })
})

test.each([
  ['OTEL_EXPORTER_OTLP_PROTOCOL', 'grpc', 'It must be http/protobuf'],
  ['OTEL_EXPORTER_OTLP_ENDPOINT', 'collector:4317', 'an address that begins with http'],
  ['PONTO_SECRET_METRICS_TOKEN', 'short', 'must have 16 characters'],
])('%s=%s stops the start and says why', async (name, value, why) => {
  const env = { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:4318', [name]: value }
  await expect(startServer({ env })).rejects.toThrow(why)
})
