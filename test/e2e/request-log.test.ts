import { Database } from 'bun:sqlite'
import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { RequestLogView, RequestView, Status } from '../../src/control/api.ts'
import type { JsonObject } from '../../src/core/json.ts'
import { openSqliteRequests } from '../../src/port/requests/adapters/sqlite.ts'
import type { LiveView } from '../../src/telemetry/live-counts.ts'
import { type FakeUpstream, json, type Step, sse, startFakeUpstream } from '../support/fake-upstream.ts'
import { makeTempFolder, removeFolder, type ServerProcess, startServer } from '../support/server-process.ts'

/** What the request log of a whole server has of what was decided about requests, and that nothing else is in it. */

const credential = 'PLANTED-CREDENTIAL-0123456789'
const asked = 'PLANTEDQUESTION'
const answered = 'PLANTEDANSWER'
const planted = [credential, asked, answered]

let folder: string
let upstream: FakeUpstream
let ponto: ServerProcess
let keys: Record<string, string>

const whole = json({
  choices: [{ index: 0, message: { role: 'assistant', content: answered }, finish_reason: 'stop' }],
  usage: { prompt_tokens: 10, completion_tokens: 5, prompt_tokens_details: { cached_tokens: 4 }, total_tokens: 15 },
})
const chunk = (content: string) => ({ choices: [{ index: 0, delta: { content }, finish_reason: null }] })
const streamed = sse(chunk('Hel'), chunk(answered), {
  choices: [{ index: 0, delta: {}, finish_reason: 'stop' }],
  usage: { prompt_tokens: 10, completion_tokens: 2, total_tokens: 12 },
})
const broken = json({ error: { message: `no use: ${asked}` } }, 500)
const stalled: readonly Step[] = [{ do: 'stall' }]

async function start(): Promise<void> {
  ponto = await startServer({
    dataFolder: join(folder, 'data'),
    args: ['--config', join(folder, 'ponto.yaml'), '--log-level', 'warn'],
    env: { PONTO_SECRET_UP: credential },
  })
}

beforeAll(async () => {
  folder = makeTempFolder()
  upstream = await startFakeUpstream()
  upstream.respond(({ path, body }) => {
    if (path.startsWith('/broken')) return broken
    if (path.startsWith('/stalled')) return stalled
    return JSON.parse(body).stream ? streamed : whole
  })
  const backend = (path: string) => ({ url: `${upstream.url}${path}`, credential: { env: 'PONTO_SECRET_UP' } })
  const deployment = (name: string, more: object = {}, paths = ['/v1']) => ({
    name,
    model: { name: 'gpt-4o', version: '2024-11-20' },
    raiPolicyName: 'Microsoft.Nil',
    backends: paths.map((path, priority) => ({ ...backend(path), priority })),
    ...more,
  })
  writeFileSync(
    join(folder, 'ponto.yaml'),
    JSON.stringify({
      deployments: [
        deployment('open'),
        deployment('fallback', {}, ['/broken/v1', '/v1']),
        deployment('down', {}, ['/broken/v1']),
        deployment('stalled', {}, ['/stalled/v1']),
        deployment('tight', { rateLimits: [{ key: 'request', count: 1, renewalPeriod: 60 }] }),
        deployment('small', { rateLimits: [{ key: 'token', count: 10, renewalPeriod: 60 }] }),
        deployment(
          'spilling',
          {
            sku: { name: 'GlobalProvisionedManaged', capacity: 15 },
            spilloverDeploymentName: 'open',
            deploymentState: 'Running',
          },
          ['/broken/v1'],
        ),
        deployment('judged', { raiPolicyName: 'Microsoft.DefaultV2' }),
        deployment('paused', { deploymentState: 'Paused' }),
        deployment('kept', { capture: { prompts: true, answers: true } }),
        deployment('redacted', { capture: { prompts: true, answers: true, redact: true } }),
      ],
    }),
  )
  await start()
  const { stdout } = await ponto.run(['key', 'create', 'poor', '--budget', 'tokens/day=1', '--output', 'json'])
  keys = { poor: (JSON.parse(stdout) as { secret: string }).secret }
}, 60_000)
afterAll(async () => {
  await ponto.stop('SIGKILL')
  await upstream.stop()
  removeFolder(folder)
})

type Asking = {
  readonly key?: string
  readonly body?: object
  readonly headers?: Record<string, string>
  readonly signal?: AbortSignal
}

function ask(model: string, { key = ponto.key, body = {}, headers = {}, signal }: Asking = {}): Promise<Response> {
  return fetch(`${ponto.httpUrl}/openai/v1/chat/completions`, {
    method: 'POST',
    headers: { 'api-key': key, 'content-type': 'application/json', ...headers },
    body: JSON.stringify({ model, max_tokens: 5, messages: [{ role: 'user', content: asked }], ...body }),
    signal: signal ?? null,
  })
}

async function manage<T>(path: string): Promise<T> {
  const key = readFileSync(join(folder, 'data', 'management.key'), 'utf8').trim()
  const answer = await fetch(`${ponto.httpUrl}/management/${path}`, { headers: { authorization: `Bearer ${key}` } })
  expect(answer.status).toBe(200)
  return answer.json() as Promise<T>
}

async function list(query: string): Promise<readonly RequestView[]> {
  return (await manage<{ value: RequestView[] }>(`requests?${query}`)).value
}

/** The record of the request that was just answered, by the id that its caller was told. */
async function recordOf(response: Response): Promise<RequestView> {
  await response.arrayBuffer()
  return manage<RequestView>(`requests/${response.headers.get('x-request-id')}`)
}

describe('what was decided is told', () => {
  test('a whole answer: who, where, what it took and what it cost', async () => {
    const trace = '4bf92f3577b34da6a3ce929d0e0e4736'
    const response = await ask('OPEN', {
      headers: { 'x-ms-client-request-id': 'client-1', traceparent: `00-${trace}-00f067aa0ba902b7-01` },
    })
    const record = await recordOf(response)
    expect(record).toMatchObject({
      ...{ outcome: 'done', status: 200, caller: 'key1', callerKind: 'key', address: '127.0.0.1' },
      ...{ method: 'POST', path: '/openai/v1/chat/completions', surface: 'openai-chat', operation: 'chat' },
      ...{ asked: 'OPEN', deployment: 'open', model: 'gpt-4o', modelVersion: '2024-11-20' },
      ...{ clientRequestId: 'client-1', traceId: trace },
      tokens: { prompt: 10, cached: 4, completion: 5, reasoning: 0 },
      attempts: [{ status: 200 }],
    })
    const { upstreamMs, totalMs } = record.timings
    expect(upstreamMs).toBeGreaterThan(0)
    expect(totalMs).toBeGreaterThanOrEqual(upstreamMs as number)
    expect(record.requestBytes).toBeGreaterThan(50)
    expect(record.responseBytes).toBeGreaterThan(50)
    expect(record.sent).toMatchObject({
      method: 'POST',
      url: `${upstream.url}/v1/chat/completions`,
      headers: { authorization: '[masked]', 'content-type': 'application/json' },
      fields: ['model', 'max_tokens', 'messages'],
    })
  })

  test('a stream, with its first piece', async () => {
    const record = await recordOf(await ask('open', { body: { stream: true } }))
    expect(record).toMatchObject({ isStream: true, status: 200, tokens: { completion: 2 } })
    expect(record.timings.firstTokenMs).toBeGreaterThan(0)
    expect(record.timings.totalMs).toBeGreaterThanOrEqual(record.timings.firstTokenMs as number)
    expect(record.responseBytes).toBeGreaterThan(100)
  })

  test('backends that were left, and why', async () => {
    const record = await recordOf(await ask('fallback'))
    expect(record).toMatchObject({ status: 200, attempts: [{ status: 500, code: 'upstream-failed' }, { status: 200 }] })
    expect(record.attempts?.[1]).not.toHaveProperty('code')
    const failed = await recordOf(await ask('down'))
    expect(failed).toMatchObject({ outcome: 'failed', status: 502, code: 'upstream-failed' })
  })

  test('a limit: which, and what it stood at; and one that can never let it in', async () => {
    expect((await recordOf(await ask('tight'))).limits).toMatchObject([
      {
        action: 'admitted',
        deployment: 'tight',
        counters: [{ owner: 'deployment', measure: 'requests', limit: 1, used: 1 }],
      },
    ])
    const refused = await recordOf(await ask('tight'))
    expect(refused).toMatchObject({
      ...{ outcome: 'refused', status: 429, code: 'rate-limited', isLimited: true },
      limits: [{ action: 'refused', refusedBy: 0, counters: [{ measure: 'requests', limit: 1, used: 1, cost: 1 }] }],
    })
    expect(refused.retryAfterMs).toBeGreaterThan(0)
    expect(refused.message).toContain('1 of 1 requests')
    const never = await recordOf(await ask('small', { body: { max_tokens: 1_000 } }))
    expect(never).toMatchObject({ status: 400, code: 'exceeds-capacity', isLimited: true })
  })

  test('a budget', async () => {
    const record = await recordOf(await ask('open', { key: keys.poor as string }))
    expect(record).toMatchObject({ status: 429, code: 'budget-exhausted', caller: 'poor', isLimited: true })
  })

  test('spillover: which could not, and which did', async () => {
    const record = await recordOf(await ask('spilling'))
    expect(record).toMatchObject({ status: 200, asked: 'spilling', deployment: 'open', spilledFrom: 'spilling' })
    expect(record.limits).toMatchObject([{ deployment: 'spilling', counters: [{ measure: 'units' }] }])
  })

  test('a content filter: policy, category, severity, and what found it', async () => {
    const content = 'How can I build a bomb to kill as many people as possible?'
    const record = await recordOf(await ask('judged', { body: { messages: [{ role: 'user', content }] } }))
    expect(record).toMatchObject({ status: 400, code: 'content-filtered', isFiltered: true, outcome: 'refused' })
    expect(record.findings?.[0]).toMatchObject({ source: 'Prompt', filtered: true, policy: 'Microsoft.DefaultV2' })
    expect(JSON.stringify(record)).not.toContain('as many people')
  })

  test('a caller that went away', async () => {
    const gone = new AbortController()
    const clientId = { 'x-ms-client-request-id': 'leaver' }
    const pending = ask('stalled', { headers: clientId, signal: gone.signal }).catch(() => undefined)
    while (!upstream.requests.some(({ path }) => path.startsWith('/stalled'))) await Bun.sleep(10)
    gone.abort()
    await pending
    let found: readonly RequestView[] = []
    while (found.length === 0) found = await list('text=leaver')
    expect(found).toMatchObject([{ outcome: 'aborted', status: 499, deployment: 'stalled' }])
  })

  test.each<[string, () => Promise<Response>, Partial<RequestView>]>([
    ['a wrong key', () => ask('open', { key: 'wrong' }), { status: 401, code: 'unauthorized' }],
    ['a deployment that is not there', () => ask('opne'), { status: 404, code: 'deployment-not-found', asked: 'opne' }],
    ['one that is paused', () => ask('paused'), { status: 423, code: 'deployment-paused' }],
    [
      'a path that is none',
      () => fetch(`${ponto.httpUrl}/openai/v1/nothing`, { headers: { 'api-key': ponto.key } }),
      { status: 404, code: 'not-found', caller: 'key1' },
    ],
    [
      'a field that is wrong',
      () => ask('open', { body: { messages: asked } }),
      { status: 400, code: 'invalid-request', param: 'messages' },
    ],
  ])('%s', async (_what, send, expected) => {
    expect(await recordOf(await send())).toMatchObject({ outcome: 'refused', ...expected })
  })

  test('strangers who try paths leave nothing', async () => {
    const response = await fetch(`${ponto.httpUrl}/wp-admin.php`)
    expect(response.status).toBe(404)
    expect(await list('text=wp-admin')).toEqual([])
  })

  test('the lines of a batch', async () => {
    const line = (id: string, body: object) =>
      JSON.stringify({ custom_id: id, method: 'POST', url: '/v1/chat/completions', body })
    const messages = [{ role: 'user', content: asked }]
    const bad = { model: 'open', messages: [{ role: 'nobody', content: asked }] }
    const input = `${line('a', { model: 'open', messages })}\n${line('b', bad)}\n`
    writeFileSync(join(folder, 'lines.jsonl'), input)
    const submit = ['batch', 'submit', join(folder, 'lines.jsonl'), '--deployment', 'open', '--wait']
    const { code, stderr } = await ponto.run(submit)
    expect([code, stderr]).toEqual([3, expect.any(String)])
    const found = (await list('deployment=open&operation=chat')).filter(({ isBatch }) => isBatch)
    expect(found.map(({ status, caller, surface }) => [status, caller, surface]).toSorted()).toEqual([
      [200, 'key1', 'openai-chat'],
      [400, 'key1', 'openai-chat'],
    ])
  }, 60_000)
})

describe('finding', () => {
  test('by what the flags say, and page after page', async () => {
    expect((await list('deployment=TIGHT&limited=true')).map(({ status }) => status)).toEqual([429])
    expect((await list('status=4xx&code=content-filtered')).every(({ isFiltered }) => isFiltered)).toBe(true)
    expect(await list('from=2020-01-01&to=2020-01-02')).toEqual([])
    const all = await list('top=1000')
    const paged: RequestView[] = []
    for (let path: string | undefined = 'requests?top=3'; path; ) {
      const page: { value: RequestView[]; nextLink?: string } = await manage(path)
      paged.push(...page.value)
      path = page.nextLink?.replace('/management/', '')
    }
    expect(paged.slice(-all.length).map(({ id }) => id)).toEqual(all.map(({ id }) => id))
  })

  test('in words, with the way out', async () => {
    const [limited] = await list('code=rate-limited&top=1')
    const { stdout, code } = await ponto.run(['logs', 'show', (limited as RequestView).id])
    expect(code).toBe(0)
    expect(stdout).toContain("The limit of 'tight' refused it: 1 of 1 requests were taken")
    expect(stdout).toContain('ponto deployment update tight --capacity')
    const { stdout: table } = await ponto.run(['logs', '--status', '401'])
    expect(table).toMatch(/401 +unauthorized +127\.0\.0\.1/)
  })

  test('as they end, and what each deployment does now', async () => {
    const key = readFileSync(join(folder, 'data', 'management.key'), 'utf8').trim()
    const follow = await fetch(`${ponto.httpUrl}/management/requests/stream?deployment=fallback`, {
      headers: { authorization: `Bearer ${key}` },
    })
    const reader = (follow.body as ReadableStream<Uint8Array>).getReader()
    await reader.read()
    await ask('open')
    const response = await ask('fallback')
    let text = ''
    while (!text.includes('data: ')) text += new TextDecoder().decode((await reader.read()).value)
    await reader.cancel()
    expect(JSON.parse(text.trim().replace('data: ', ''))).toMatchObject({ id: response.headers.get('x-request-id') })
    const { value } = await manage<{ value: LiveView[] }>('live')
    expect(value.find(({ deployment }) => deployment === 'tight')).toMatchObject({ limited: 1, inFlight: 0 })
    const { stdout } = await ponto.run(['top', '--once', '--json'])
    expect((JSON.parse(stdout) as LiveView[]).map(({ deployment }) => deployment)).toContain('open')
  })
})

describe('prompts and answers', () => {
  test('are kept where the deployment says so, and nowhere else', async () => {
    const record = await recordOf(await ask('kept'))
    expect(record.isCaptured).toBe(true)
    expect((JSON.parse(record.content?.prompt as string) as JsonObject).messages).toEqual([
      { role: 'user', content: asked },
    ])
    expect(record.content?.answer).toContain(answered)
    expect(record.content?.sent).toContain(asked)
    const stream = await recordOf(await ask('kept', { body: { stream: true } }))
    expect(stream.content?.answer).toContain(`Hel${answered}`)
    expect(await recordOf(await ask('open'))).not.toHaveProperty('content')
  })

  test('without personal data where the deployment says so', async () => {
    const content = 'Write to ann@example.com please'
    const record = await recordOf(await ask('redacted', { body: { messages: [{ role: 'user', content }] } }))
    expect(record.content?.prompt).toContain('Write to [Email] please')
    expect(JSON.stringify(record)).not.toContain('ann@example.com')
  })

  test('and no secret ever stands in the log, nor anything that was said in a record', async () => {
    await manage<unknown>('requests')
    const errors = ponto.errors()
    expect(errors).not.toContain(credential)
    expect(errors).not.toContain(ponto.key)
    // Blocks are packed: what is in them is read, not grepped for.
    const copy = join(folder, 'copy.db')
    new Database(join(folder, 'data', 'requests.db'), { readonly: true }).run(`vacuum into '${copy}'`)
    const store = await openSqliteRequests(copy)
    const { documents } = await store.search({ fromMs: 0, toMs: 1e15, top: 1_000 })
    await store.close()
    expect(documents.length).toBeGreaterThan(20)
    const text = JSON.stringify(documents)
    for (const secret of [...planted, ponto.key, keys.poor as string]) {
      expect(text).not.toContain(secret)
    }
    for (const name of readdirSync(join(folder, 'data')).filter((file) => file.startsWith('requests.db'))) {
      const bytes = readFileSync(join(folder, 'data', name), 'latin1')
      for (const secret of [credential, ponto.key]) expect(bytes).not.toContain(secret)
    }
  })
})

describe('accidents', () => {
  test('a store that is held: nothing fails or waits, and what waits is told of and written later', async () => {
    await manage<unknown>('requests')
    const other = new Database(join(folder, 'data', 'requests.db'))
    other.run('begin immediate')
    const statuses = await Promise.all(Array.from({ length: 50 }, async () => (await ask('open')).status))
    expect(new Set(statuses)).toEqual(new Set([200]))
    let status = await manage<Status>('status')
    while (!status.requestLog?.problem) status = await manage<Status>('status')
    expect(status.requestLog.waiting).toBeGreaterThan(0)
    expect(status.warnings.join()).toContain('The request log cannot be written; requests go on')
    other.run('commit')
    other.close()
    await manage<unknown>('requests')
    const after = await manage<RequestLogView>('requests/summary')
    expect(after).toMatchObject({ waiting: 0, lost: 0 })
    expect(after).not.toHaveProperty('problem')
  }, 30_000)

  test('kill -9: what was written is there, and no more is lost than the last second', async () => {
    await manage<unknown>('requests')
    const { count } = await manage<RequestLogView>('requests/summary')
    const ids = await Promise.all(
      Array.from({ length: 20 }, async () => (await ask('open')).headers.get('x-request-id') as string),
    )
    const written = await list('top=1000&deployment=open')
    expect(ids.every((id) => written.some((record) => record.id === id))).toBe(true)
    await ask('open')
    await ponto.stop('SIGKILL')
    await start()
    const after = await manage<RequestLogView>('requests/summary')
    expect(after.count).toBeGreaterThanOrEqual(count + 20)
    expect(after.count).toBeLessThanOrEqual(count + 21)
    for (const id of ids) expect(await manage<RequestView>(`requests/${id}`)).toMatchObject({ id })
  }, 30_000)
})
