import { expect, test } from 'bun:test'
import type { Deployment } from '../../core/deployment.ts'
import { makeDeployment } from '../../core/exchange.fixture.ts'
import type { Caller, Exchange, Outcome } from '../../core/exchange.ts'
import { Fault } from '../../core/fault.ts'
import type { NativeBatches, Reply } from '../../core/reply.ts'
import type { Policy } from '../../policy/pipeline.ts'
import type { LineRun } from '../../service/batches/parts.ts'
import { openaiChatServer } from '../../wire/openai-chat/server.ts'
import { createNativeLines } from './native-lines.ts'

const kinds = new Set(['chat'] as const)
const grant = { deployments: undefined, tokensPerMinute: undefined, requestsPerMinute: undefined, budgets: [] }

/** Batches whose lines say what they were made of. */
const batches = {
  home: 'there',
  kinds,
  writeLine: (name: string, call: { readonly kind: string }) => `${name}:${call.kind}`,
  readAnswer(_call: unknown, { status, body }: { readonly status: number; readonly body: string }): Reply {
    if (status !== 200) throw new Fault('upstream-failed', 'It failed there.')
    return { kind: 'bytes', wire: 'openai-chat', body: Buffer.from(body) }
  },
} as unknown as NativeBatches

function openWorld(caller: Caller = { keyName: 'ci', grant, expiresAt: undefined }, first?: Policy) {
  const releases: Outcome[] = []
  const ended: string[] = []
  const hold: Policy = (exchange, next) => {
    exchange.holds.push({ release: (_tally, outcome) => void releases.push(outcome) })
    return first ? first(exchange, next) : next(exchange)
  }
  const backend = { id: 'b', kinds, batches } as unknown as Deployment['routes'][number]['backend']
  const deployment = {
    ...makeDeployment(),
    name: 'gpt',
    kinds,
    routes: [{ backend, priority: 0, weight: 1 }],
  } as Deployment
  const lines = createNativeLines({
    before: [hold],
    after: [],
    listeners: [({ call }: Exchange, outcome: Outcome) => void ended.push(`${call.kind} ${outcome}`)],
    find: () => deployment,
    findCaller: () => caller,
    now: () => 1_790_000_000_000,
  })
  return { lines, releases, ended }
}

const run = (body: object = {}): LineRun => ({
  end: openaiChatServer,
  endpoint: '/chat/completions',
  body: { model: 'gpt', messages: [{ role: 'user', content: 'hi' }], ...body },
  deployment: 'gpt',
  owner: 'ci',
  batchId: 'batch_1',
  customId: 'a',
  runId: 'batch_1-1',
  signal: new AbortController().signal,
})

test('a line that goes upstream has met what is before a model, and has not ended', async () => {
  const { lines, releases, ended } = openWorld()
  expect(await lines.prepare(run(), batches, 'name')).toEqual({ text: 'name:chat' })
  expect(releases).toEqual(['done'])
  expect(ended).toEqual([])
})

test.each([
  ['refused by a policy', {}, new Fault('content-filtered', 'No.', { filter: { results: {} } }), 400, false],
  ['told to come later', {}, new Fault('rate-limited', 'Later.', { retryAfterMs: 5_000 }), 429, true],
  ['no request', { messages: 5 }, undefined, 400, false],
] as const)('a line that is %s does not', async (_name, body, fault, status, isRepeatable) => {
  const { lines, ended } = openWorld(undefined, fault && (() => Promise.reject(fault)))
  expect(await lines.prepare(run(body), batches, 'name')).toMatchObject({ status, isRepeatable })
  expect(ended).toEqual(fault ? ['chat failed'] : [])
})

test('an answer ends the call, with what the upstream said', async () => {
  const { lines, releases, ended } = openWorld()
  const body = '{"choices":[]}'
  expect(await lines.answer(run(), batches, { name: 'n', status: 200, body })).toMatchObject({ status: 200, body })
  const failed = await lines.answer(run(), batches, { name: 'n', status: 500, body: '' })
  expect(failed).toMatchObject({ status: 502, isRepeatable: true })
  expect(ended).toEqual(['chat done', 'chat failed'])
  // What is before a model it has met already.
  expect(releases).toEqual([])
})

test('batches of a key with a budget are not ordered; what was ordered is followed', () => {
  const budgets = [{ unit: 'tokens', period: 'day', limit: 5 }] as const
  const { lines } = openWorld({ keyName: 'ci', grant: { ...grant, budgets }, expiresAt: undefined })
  expect(lines.find('gpt', 'ci', 'chat')).toBeUndefined()
  expect(lines.find('gpt', 'ci', 'chat', 'there')).toBe(batches)
  expect(lines.find('gpt', 'ci', 'chat', 'elsewhere')).toBeUndefined()
  const free = openWorld()
  expect(free.lines.find('gpt', 'ci', 'chat')).toBe(batches)
  expect(free.lines.find('gpt', 'ci', 'embed')).toBeUndefined()
})
