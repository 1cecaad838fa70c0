import { expect, test } from 'bun:test'
import { makeChatCall, makeExchange } from '../../core/exchange.fixture.ts'
import { openRecord, type RequestRecord } from '../../core/usage/request-record.ts'
import { writeCallSpans } from './call-spans.ts'

const trace = { traceId: '4bf92f3577b34da6a3ce929d0e0e4736', spanId: '00f067aa0ba902b7', flags: 1, state: undefined }

function spansOf(more: Partial<RequestRecord>) {
  const record: RequestRecord = {
    ...openRecord('r', 1_000_000, 5_000),
    ...{
      trace,
      isTraced: true,
      operation: 'chat',
      deployment: 'gpt',
      model: 'gpt-4o',
      modelVersion: '1',
      totalMs: 500,
    },
    ...more,
  }
  const call = makeChatCall({ temperature: 0.5, n: 2, messages: [{ role: 'user', content: 'a secret question' }] })
  return writeCallSpans(makeExchange({ record, call }))
}

const attempt = {
  backend: 'http://a:81/v1#x',
  spanId: 'aaaaaaaaaaaaaaaa',
  startedMs: 100,
  ms: 50,
  status: 503,
  code: 'upstream-unavailable',
} as const

test('a call is a span, and what it waited for are its children, in the times they took', () => {
  const captured = {
    prompt: 'a secret question',
    answer: [{ type: 'text-delta' as const, choice: 0, text: 'a secret' }],
    sent: '',
    isCut: false,
    hasPrompt: true,
    isRedacted: false,
    retentionDays: 1,
  }
  const spans = spansOf({
    status: 200,
    parentSpanId: 'bbbbbbbbbbbbbbbb',
    queuedMs: 10,
    queueMs: 20,
    filterPolicy: 'p',
    filterFromMs: 30,
    filterMs: 5,
    attempts: [attempt, { ...attempt, spanId: 'cccccccccccccccc', startedMs: 150, ms: 60, status: 200, code: '' }],
    captured,
  })
  expect(spans.map(({ name, kind, startMs, endMs, error }) => [name, kind, startMs - 1e6, endMs - 1e6, error])).toEqual(
    [
      ['chat gpt', 'server', 0, 500, undefined],
      ['queue', 'internal', 10, 30, undefined],
      ['filter prompt', 'internal', 30, 35, undefined],
      ['chat gpt-4o', 'client', 100, 150, 'upstream-unavailable'],
      ['chat gpt-4o', 'client', 150, 500, undefined],
    ],
  )
  const [server, ...children] = spans
  expect(server).toMatchObject({ context: trace, parentSpanId: 'bbbbbbbbbbbbbbbb', isParentRemote: true })
  for (const { parentSpanId, context } of children)
    expect([parentSpanId, context.traceId]).toEqual([trace.spanId, trace.traceId])
  expect(children.slice(2).map(({ context }) => context.spanId)).toEqual(['aaaaaaaaaaaaaaaa', 'cccccccccccccccc'])
  expect(server?.attributes).toMatchObject({ 'gen_ai.request.temperature': 0.5, 'gen_ai.request.choice.count': 2 })
  expect(JSON.stringify(spans)).not.toContain('secret')
})

test.each<[string, Partial<RequestRecord>, string | undefined]>([
  ['a caller', { status: 400, code: 'invalid-request' }, undefined],
  ['a limit', { status: 429, code: 'rate-limited' }, undefined],
  ['a backend', { status: 503, code: 'upstream-unavailable' }, 'upstream-unavailable'],
  ['a stream that breaks off', { status: 200, code: 'upstream-failed' }, 'upstream-failed'],
])('whose fault it was: %s', (_who, more, error) => {
  const [server] = spansOf(more)
  expect(server?.error).toBe(error)
  expect(server?.attributes['error.type']).toBe(more.code as string)
})

test('without a trace there is nothing to tell', () => {
  expect(spansOf({ trace: undefined })).toEqual([])
})
