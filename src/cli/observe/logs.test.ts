import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import type { RequestView } from '../../control/api.ts'
import type { LiveView } from '../../telemetry/live-counts.ts'
import { type ProgramFixture, startProgram } from '../program.fixture.ts'
import { explainDecisions, explainEnd, wayOut } from './explain.ts'
import { drawWaterfall, listSpans } from './show-request.ts'

let program: ProgramFixture
const ponto = (...args: string[]) => program.run(args)
beforeAll(async () => {
  program = await startProgram()
})
afterAll(() => program.stop())

const request = (more: Partial<RequestView> = {}): RequestView => ({
  id: '01a20e70-7dd6-7d0c-8e25-ea89a7c6b481',
  time: '2026-11-24T12:00:00.000Z',
  at: 1,
  outcome: 'done',
  status: 200,
  caller: 'ci',
  callerKind: 'key',
  address: '10.0.0.1',
  method: 'POST',
  path: '/openai/v1/chat/completions',
  operation: 'chat',
  asked: 'gpt',
  deployment: 'gpt',
  model: 'gpt-4o',
  modelVersion: '1',
  tokens: { prompt: 10, cached: 4, completion: 5, reasoning: 2 },
  timings: { upstreamMs: 80, totalMs: 100 },
  attempts: [
    { backend: 'a', startedMs: 1, ms: 9, status: 503, code: 'upstream-unavailable' },
    { backend: 'b', startedMs: 10, ms: 70, status: 200 },
  ],
  requestBytes: 1_100,
  responseBytes: 700,
  ...more,
})
const counter = { owner: 'deployment', measure: 'tokens', limit: 1_000, used: 900, cost: 300, resetMs: 12_000 } as const
const decision = {
  deployment: 'gpt',
  promptTokens: 200,
  completionTokens: 100,
  isGuess: true,
  counters: [counter],
} as const
const limited = request({
  ...{ outcome: 'refused', status: 429, code: 'rate-limited', isLimited: true, retryAfterMs: 12_000, attempts: [] },
  limits: [{ ...decision, action: 'refused', refusedBy: 0 }],
  message: 'Requests ... have exceeded',
})

describe('ponto logs', () => {
  test('a table, of what the flags ask for', async () => {
    program.script(() => ({
      status: 200,
      body: {
        value: [
          request(),
          limited,
          request({ deployment: undefined as never, asked: 'gtp', status: 404, code: 'deployment-not-found' }),
        ],
      },
    }))
    const flags = [
      '--deployment',
      'gpt',
      '--status',
      '4xx',
      '--min-ms',
      '5',
      '--limited',
      '--text',
      'a b',
      '--since',
      '2026-11-01',
    ]
    const { code, out } = await ponto('logs', ...flags, '--top', '5')
    expect(code).toBe(0)
    expect(out).toContain('STATUS  CODE')
    expect(out).toMatch(/429 +rate-limited +ci +gpt +chat +10\+5 +100 +01a20e70/)
    expect(out).toContain('gtp?')
    const query = new URLSearchParams(program.seen[0]?.path.split('?')[1])
    expect(Object.fromEntries(query)).toEqual({
      ...{ from: '2026-11-01T00:00:00.000Z', deployment: 'gpt', status: '4xx', minMs: '5', limited: 'true' },
      ...{ text: 'a b', top: '5' },
    })
  })

  test('goes on where a page ends, also where it holds nothing, and stops at as many as are wanted', async () => {
    let page = 0
    program.script(() => {
      page++
      const next = { nextLink: `/management/requests?after=${page}.5` }
      return { status: 200, body: { value: page === 2 ? [] : [request()], ...(page < 4 && next) } }
    })
    const { out } = await ponto('logs', '--top', '2', '--json')
    expect(out.trimEnd().split('\n')).toHaveLength(2)
    expect(program.seen.map(({ path }) => new URLSearchParams(path.split('?')[1]).get('after'))).toEqual([
      null,
      '1.5',
      '2.5',
    ])
  })

  test('nothing found, and flags that cannot be', async () => {
    program.script(() => ({ status: 200, body: { value: [] } }))
    expect((await ponto('logs')).out).toStartWith('No requests were found.')
    expect((await ponto('logs', '--top', 'all')).code).toBe(2)
    expect((await ponto('logs', '--min-ms', 'long')).err).toContain('whole number of milliseconds')
    expect((await ponto('logs', '--follow', '--since', '1h')).err).toContain('--follow shows what ends from now on')
  })

  test('one request in full, and texts of strangers do nothing to the terminal', async () => {
    const content = {
      prompt: '{"messages":[{"content":"\\u001b[31mred"}]}',
      answer: 'plain \u001b[2J',
      expiresAt: '2026-12-01T00:00:00.000Z',
    }
    const sent = {
      method: 'POST',
      url: 'https://up/v1/chat',
      headers: { authorization: '[masked]' },
      fields: ['model', 'messages'],
    }
    program.script(() => ({
      status: 200,
      body: { ...limited, attempts: request().attempts, sent, sentBytes: 1_090, content, isCaptured: true },
    }))
    const { out } = await ponto('logs', 'show', limited.id)
    expect(program.seen[0]?.path).toBe(`/management/requests/${limited.id}`)
    for (const text of [
      '10 of prompt (4 cached), 5 of answer (2 to think)',
      'authorization: [masked]',
      'with the fields model, messages',
      'Prompt',
      'in all',
    ]) {
      expect(out).toContain(text)
    }
    expect(out).not.toContain('\u001b[31m')
    expect(out).not.toContain('\u001b[2J')
    const { out: json } = await ponto('logs', 'show', limited.id, '--output', 'json')
    expect(JSON.parse(json)).toMatchObject({ id: limited.id })
  })
})

describe('in words', () => {
  test('a limit, and the way out', () => {
    expect(explainDecisions(limited)).toEqual([
      "The limit of 'gpt' refused it: 900 of 1,000 tokens were taken, for 12 s more, and it would take 300. It was estimated at 200 tokens of prompt and 100 of answer, which is what answers here usually have.",
    ])
    expect(wayOut(limited)).toBe('Wait 12 s, or give it more: ponto deployment update gpt --capacity ...')
    const ofKey = {
      ...limited,
      limits: [
        { ...decision, action: 'refused' as const, refusedBy: 0, counters: [{ ...counter, owner: 'key' as const }] },
      ],
    }
    expect(explainDecisions(ofKey)[0]).toContain("900 of the key's 1,000 tokens")
    expect(wayOut(ofKey)).toContain('ponto key update ci --tokens-per-minute')
  })

  test('what a filter found, and where', () => {
    const finding: NonNullable<RequestView['findings']>[number] = {
      ...{
        source: 'Prompt',
        category: 'hate',
        filtered: true,
        severity: 'high',
        threshold: 'medium',
        policy: 'Strict',
      },
      ...{ engine: 'builtin', span: { at: 'messages[0].content', start: 3, end: 9 } },
    }
    const filtered = request({
      status: 400,
      code: 'content-filtered',
      findings: [finding],
      isFiltered: true,
      outcome: 'refused',
    })
    expect(explainDecisions(filtered)).toEqual([
      "Prompt: 'Strict' kept back hate (high, which is kept back from medium on), found by builtin in messages[0].content, characters 3 to 9.",
    ])
    expect(wayOut(filtered)).toContain('ponto filter policy update Strict')
  })

  test('how it ended', () => {
    expect(explainEnd(request())).toBeUndefined()
    expect(explainEnd(request({ outcome: 'aborted', responseBytes: 0 }))).toContain('before there was an answer')
    expect(explainEnd(request({ outcome: 'failed', code: 'upstream-failed' }))).toBe(
      'The answer had begun and then broke off: upstream-failed.',
    )
    const wrong = request({ status: 400, code: 'invalid-request', param: 'messages', outcome: 'refused' })
    expect(explainEnd(wrong)).toBe('It ended with 400: invalid-request at messages.')
    expect(wayOut(wrong)).toContain('so it is not kept here')
  })

  test('time as bars that stay within their width', () => {
    const lines = drawWaterfall(
      listSpans(request({ isStream: true, timings: { upstreamMs: 80, firstTokenMs: 85, totalMs: 100 } })),
      100,
    )
    expect(lines.map((line) => line.replace(/ +\|.*\| */, ' ').replace(/^in all +/, 'in all '))).toEqual([
      'before any backend 1.0 ms',
      'a 9.0 ms  503 upstream-unavailable',
      'b 70.0 ms  200',
      'until the first piece 5.0 ms',
      'stream 15.0 ms',
      'in all 100.0 ms',
    ])
    expect(new Set(lines.slice(0, -1).map((line) => line.lastIndexOf('|')))).toHaveProperty('size', 1)
    expect(drawWaterfall(listSpans(request({ attempts: [], timings: { totalMs: 0 } })), 0)[0]).toContain('#')
  })
})

describe('ponto top', () => {
  const view = (more: Partial<LiveView> = {}): LiveView => ({
    ...{
      resource: 'ponto',
      deployment: 'gpt',
      model: 'm',
      inFlight: 3,
      requestsPerSecond: 1.26,
      tokensPerMinute: 12_345,
    },
    ...{
      p50Ms: 100,
      p95Ms: 900,
      limited: 2,
      filtered: 0,
      failed: 1,
      limits: [{ measure: 'tokens', limit: 1_000, used: 250 }],
    },
    ...more,
  })

  test('once, as a table or as JSON', async () => {
    program.script(() => ({ status: 200, body: { value: [view()] } }))
    expect((await ponto('top', '--once')).out).toBe(
      [
        'DEPLOYMENT  MODEL  IN FLIGHT  REQ/S  TOKENS/MIN  P50 MS  P95 MS  429  ERRORS  LIMITS IN USE',
        'gpt         m      3          1.3    12,345      100     900     2    1       tokens 25%',
        '',
      ].join('\n'),
    )
    expect(JSON.parse((await ponto('top', '--once', '--json')).out)).toEqual([view()])
  })

  test('a server that is not there, and a pace that is none', async () => {
    program.script(() => ({ status: 500, body: { error: { code: 'x', message: 'no' } } }))
    expect((await ponto('top')).code).toBe(1)
    expect((await ponto('top', '--every', '0')).err).toContain('0.5 at least')
  })
})
