import { expect, test } from 'bun:test'
import OpenAI from 'openai'
import type { Transport, UpstreamRequest } from '../../../backend/transport/transport.ts'
import { Fault } from '../../../core/fault.ts'
import type { JsonObject } from '../../../core/json.ts'
import type { JobHandler, JobOutcome, NewJob } from '../../../port/jobs/port.ts'
import type { BatchRow } from '../../../port/tables/batches/port.ts'
import type { WebhookSpec } from '../../../snapshot/file/webhook-section.ts'
import { createWebhooks } from './open.ts'

const secret = `whsec_${Buffer.alloc(32, 9).toString('base64')}`
const otherSecret = `whsec_${Buffer.alloc(32, 8).toString('base64')}`
const client = new OpenAI({ apiKey: 'unused' })
const hourMs = 3_600_000

const spec = (some: Partial<WebhookSpec> = {}): WebhookSpec => ({
  name: 'ops',
  url: 'https://hooks.example/x?sig=s3cret',
  secret: { env: 'PONTO_SECRET_HOOK' },
  events: ['batch.completed', 'batch.failed'],
  ...some,
})
const batch = (some: Partial<BatchRow> = {}) => ({ id: 'batch_1', owner: '', status: 'completed', ...some }) as BatchRow

type Answer = { readonly status: number; readonly headers?: Record<string, string> } | Fault

function openWorld(...specs: WebhookSpec[]) {
  let time = Date.now()
  let answer: Answer = { status: 200 }
  let hooks: readonly WebhookSpec[] = specs
  const secrets: Record<string, string> = { PONTO_SECRET_HOOK: secret }
  const jobs: NewJob[] = []
  const sent: { readonly origin: string; readonly request: UpstreamRequest }[] = []
  const logs: { readonly level: string; readonly fields: object; readonly message: string }[] = []
  const note = (level: string) => (fields: object, message: string) => void logs.push({ level, fields, message })
  const openTransport = (origin: URL): Transport => ({
    async request(request, signal) {
      signal.throwIfAborted()
      sent.push({ origin: origin.href, request })
      if (answer instanceof Fault) throw answer
      return {
        status: answer.status,
        headers: answer.headers ?? {},
        body: (async function* () {
          yield Buffer.from('thanks')
        })(),
      }
    },
    close() {},
  })
  const webhooks = createWebhooks({
    jobs: {
      async add(job) {
        if (jobs.some(({ id }) => id === job.id)) return false
        jobs.push(job)
        return true
      },
    },
    list: () => hooks,
    readSecret: (name) => secrets[name],
    openTransport,
    nudge() {},
    now: () => time,
    random: () => 1,
    log: { debug: note('debug'), info: note('info'), warn: note('warn'), error: note('error') },
  })
  const handler = webhooks.handlers.webhook as JobHandler
  return {
    webhooks,
    jobs,
    sent,
    logs,
    secrets,
    answerWith(next: Answer) {
      answer = next
    },
    configure(...next: WebhookSpec[]) {
      hooks = next
    },
    pass(ms: number) {
      time += ms
    },
    now: () => time,
    run(state: JsonObject, signal = new AbortController().signal): Promise<JobOutcome> {
      const job = { kind: 'webhook', id: 'x', state, owner: 'worker', attempt: 1 }
      return handler.run(job, { signal, failures: 0, async note() {} })
    },
  }
}

type World = ReturnType<typeof openWorld>

/** Runs the one job until it is done; how long it waited each time. */
async function runOut(world: World): Promise<number[]> {
  let state = (world.jobs[0] as NewJob).state
  const waits: number[] = []
  for (;;) {
    const outcome = await world.run(state)
    if (outcome.kind === 'done') return waits
    const waitMs = outcome.at - world.now()
    waits.push(waitMs)
    world.pass(waitMs)
    state = outcome.state
  }
}

const bodiesOf = ({ sent }: World) => sent.map(({ request }) => request.body as string)

test('the clients of OpenAI take what is sent for what it is', async () => {
  const world = openWorld(spec())
  await world.webhooks.announceEnd(batch())
  await runOut(world)
  const [{ origin, request } = {} as never] = world.sent
  expect([origin, request.method, request.path]).toEqual(['https://hooks.example/', 'POST', '/x?sig=s3cret'])
  const body = request.body as string
  const event = await client.webhooks.unwrap(body, request.headers, secret)
  expect(event).toEqual({
    id: request.headers['webhook-id'] as string,
    object: 'event',
    type: 'batch.completed',
    created_at: Math.floor(world.now() / 1000),
    data: { id: 'batch_1' },
  })
  for (const [text, headers, key] of [
    [body.replace('batch_1', 'batch_2'), request.headers, secret],
    [body, request.headers, otherSecret],
    [body, { ...request.headers, 'webhook-timestamp': String(Math.floor(Date.now() / 1000) - 1) }, secret],
    [body, { ...request.headers, 'webhook-id': 'evt_other' }, secret],
  ] as const) {
    await expect(client.webhooks.unwrap(text, headers, key)).rejects.toThrow('signature')
  }
})

test('who is told: those who want this event, of this owner', async () => {
  const world = openWorld(
    spec({ name: 'all' }),
    spec({ name: 'cancels', events: ['batch.cancelled'] }),
    spec({ name: 'Own', owner: 'key2' }),
    spec({ name: 'ci', owner: 'CI' }),
  )
  await world.webhooks.announceEnd(batch())
  await world.webhooks.announceEnd(batch({ id: 'batch_2', owner: 'ci', status: 'failed' }))
  await world.webhooks.announceEnd(batch({ id: 'batch_3', status: 'cancelled' }))
  await world.webhooks.announceEnd(batch({ id: 'batch_3', status: 'expired' }))
  expect(world.jobs.map(({ id }) => id)).toEqual([
    'all/batch_1',
    'own/batch_1',
    'all/batch_2',
    'ci/batch_2',
    'cancels/batch_3',
  ])
})

test('told twice by a server that died, it is noted once, and the same message if it was sent', async () => {
  const world = openWorld(spec())
  await world.webhooks.announceEnd(batch())
  await world.webhooks.announceEnd(batch())
  expect(world.jobs).toHaveLength(1)
  await runOut(world)
  world.jobs.length = 0
  await world.webhooks.announceEnd(batch())
  await runOut(world)
  expect(world.sent.map(({ request }) => request.headers['webhook-id'])).toEqual(
    Array(2).fill(world.sent[0]?.request.headers['webhook-id']),
  )
})

test.each([
  ['an error', { status: 500 }],
  ['a refusal', { status: 404 }],
  ['a redirect, which is not followed', { status: 302, headers: { location: 'http://169.254.169.254/' } }],
  ['no connection', new Fault('upstream-unavailable', 'no connection to https://hooks.example')],
] as const)('%s: sent again less and less often, for a day, then given up', async (_name, answer) => {
  const world = openWorld(spec())
  world.answerWith(answer)
  await world.webhooks.announceEnd(batch())
  const begin = world.now()
  const waits = await runOut(world)
  expect(waits.slice(0, 4)).toEqual([5_000, 10_000, 20_000, 40_000])
  expect(Math.max(...waits)).toBe(hourMs)
  expect(world.now() - begin).toBeGreaterThan(22 * hourMs)
  expect(world.now() - begin).toBeLessThanOrEqual(24 * hourMs)
  expect(new Set(world.sent.map(({ origin }) => origin))).toEqual(new Set(['https://hooks.example/']))
  expect(new Set(bodiesOf(world)).size).toBe(1)
  // Signed anew each time, since receivers take nothing old.
  const stamps = world.sent.map(({ request }) => request.headers['webhook-timestamp'])
  expect(new Set(stamps).size).toBe(stamps.length)
  expect(world.logs.at(-1)).toMatchObject({ level: 'error', fields: { webhook: 'ops', batch: 'batch_1' } })
  expect(world.logs.at(-1)?.message).toContain('given up')
  expect(JSON.stringify(world.logs)).not.toMatch(/s3cret|whsec_/)
  expect(JSON.stringify(world.jobs)).not.toMatch(/s3cret|whsec_/)
})

test('after failures it is delivered; what the configuration says by then counts', async () => {
  const world = openWorld(spec())
  world.answerWith({ status: 503, headers: { 'retry-after': '120' } })
  await world.webhooks.announceEnd(batch())
  const first = await world.run((world.jobs[0] as NewJob).state)
  if (first.kind !== 'again') throw new Error('it was not to be sent again')
  expect(first.at - world.now()).toBe(120_000)
  world.configure()
  const second = await world.run(first.state)
  if (second.kind !== 'again') throw new Error('a name that may come back was given up')
  expect(world.sent).toHaveLength(1)
  world.configure(spec({ name: 'OPS', url: 'https://new.example/y', secret: { env: 'PONTO_SECRET_NEW' } }))
  world.secrets.PONTO_SECRET_NEW = otherSecret
  world.answerWith({ status: 204 })
  expect(await world.run(second.state)).toEqual({ kind: 'done' })
  const { origin, request } = world.sent[1] as (typeof world.sent)[number]
  expect(origin).toBe('https://new.example/')
  await client.webhooks.verifySignature(request.body as string, request.headers, otherSecret)
})

test('a receiver that is gone is not asked again', async () => {
  const world = openWorld(spec())
  world.answerWith({ status: 410 })
  await world.webhooks.announceEnd(batch())
  expect(await runOut(world)).toEqual([])
  expect(world.sent).toHaveLength(1)
})

test('a server that stops leaves the job to the next one', async () => {
  const world = openWorld(spec())
  await world.webhooks.announceEnd(batch())
  const stopping = new AbortController()
  stopping.abort(new Fault('conflict', 'stops'))
  await expect(world.run((world.jobs[0] as NewJob).state, stopping.signal)).rejects.toThrow('stops')
  expect(world.logs).toEqual([])
})

test('a receiver can be tried: a signed message about nothing, once, and what came back', async () => {
  const world = openWorld(spec())
  const trial = await world.webhooks.test('OPS', new AbortController().signal)
  expect(trial).toMatchObject({ isTaken: true, status: 200, said: 'thanks', reason: undefined })
  const [{ request } = {} as never] = world.sent
  const event = (await client.webhooks.unwrap(request.body as string, request.headers, secret)) as { id: string }
  expect(event).toMatchObject({
    id: trial?.messageId,
    type: 'webhook.test',
    data: { id: expect.stringMatching(/^test_/) },
  })
  world.answerWith({ status: 410 })
  expect(await world.webhooks.test('ops', new AbortController().signal)).toMatchObject({
    isTaken: false,
    status: 410,
    reason: 'the receiver answered with status 410',
  })
  world.answerWith(new Fault('upstream-unavailable', 'no connection to https://hooks.example'))
  expect(await world.webhooks.test('ops', new AbortController().signal)).toMatchObject({
    isTaken: false,
    status: undefined,
    reason: 'no connection to https://hooks.example',
  })
  delete world.secrets.PONTO_SECRET_HOOK
  expect((await world.webhooks.test('ops', new AbortController().signal))?.reason).toContain('PONTO_SECRET_HOOK')
  expect(await world.webhooks.test('other', new AbortController().signal)).toBeUndefined()
  expect(world.sent).toHaveLength(3)
  expect(world.jobs).toEqual([])
  expect(JSON.stringify(world.logs)).not.toMatch(/s3cret|whsec_/)
})
