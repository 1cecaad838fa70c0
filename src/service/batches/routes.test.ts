import { afterEach, beforeEach, describe, expect, test } from 'bun:test'
import { Fault } from '../../core/fault.ts'
import type { JsonObject } from '../../core/json.ts'
import {
  type AskOptions,
  ask,
  createBatch,
  type Home,
  openHome,
  type Process,
  task,
  tasks,
  team,
} from './batches.fixture.ts'

let home: Home
let server: Process

beforeEach(async () => {
  home = await openHome()
  server = home.open()
})
afterEach(() => home.remove())

const put = (content = tasks(2), some = {}) => home.store.put(content, some)
const wanted = (inputFileId: string, more: JsonObject = {}): JsonObject => ({
  input_file_id: inputFileId,
  endpoint: '/chat/completions',
  completion_window: '24h',
  ...more,
})
const create = (body: JsonObject, some: AskOptions = {}) => ask(server, '', { method: 'POST', body, ...some })
const get = (id: string, some: AskOptions = {}) => ask(server, '/{batch_id}', { params: { batch_id: id }, ...some })
const cancel = (id: string, some: AskOptions = {}) =>
  ask(server, '/{batch_id}/cancel', { method: 'POST', params: { batch_id: id }, ...some })
const list = async (query: Record<string, string> = {}, some: AskOptions = {}) =>
  (await ask(server, '', { query, ...some })).body as JsonObject
const idsOf = (page: JsonObject) => (page.data as { id: string }[]).map(({ id }) => id)

async function faultOf(answer: Promise<unknown>): Promise<Fault> {
  const error = await answer.then(
    () => undefined,
    (reason: unknown) => reason,
  )
  if (error instanceof Fault) return error
  throw new Error('it was answered')
}

const work = async () => {
  let isDone = false
  void server.work().then(() => {
    isDone = true
  })
  await home.clock.until(() => isDone)
}

describe('a batch is made', () => {
  test('with 201 and what is taken of the quota on the dated surface', async () => {
    const now = Math.floor(home.clock.now() / 1000)
    const answer = await create(wanted(put(), { metadata: { of: 'Zoë' } }))
    expect(answer.status).toBe(201)
    expect(answer.headers).toEqual({
      'deployment-enqueued-tokens': '0',
      'deployment-maximum-enqueued-tokens': '200000000',
    })
    expect(answer.body).toEqual({
      object: 'batch',
      id: expect.stringMatching(/^batch_[0-9a-f]{32}$/),
      endpoint: '/chat/completions',
      errors: null,
      input_file_id: 'file-in-0',
      completion_window: '24h',
      status: 'validating',
      output_file_id: null,
      error_file_id: null,
      created_at: now,
      in_progress_at: null,
      expires_at: now + 86_400,
      finalizing_at: null,
      completed_at: null,
      failed_at: null,
      expired_at: null,
      cancelling_at: null,
      cancelled_at: null,
      request_counts: { total: 0, completed: 0, failed: 0 },
      usage: {
        input_tokens: 0,
        input_tokens_details: { cached_tokens: 0 },
        output_tokens: 0,
        output_tokens_details: { reasoning_tokens: 0 },
        total_tokens: 0,
      },
      metadata: { of: 'Zoë' },
    })
  })

  test('with 200 on v1, and below the path of a deployment', async () => {
    const v1 = await create(wanted(put(), { endpoint: '/v1/chat/completions' }), { base: '/openai/v1/batches' })
    expect(v1).toMatchObject({ status: 200, body: { endpoint: '/v1/chat/completions', metadata: null } })
    expect(v1.headers).toBeUndefined()
    const base = '/openai/deployments/{deployment}/batches'
    const below = await create(wanted(put(), { model: 'gpt' }), { base, params: { deployment: 'GPT' } })
    expect(below.status).toBe(201)
    expect((await faultOf(create(wanted(put()), { base, params: { deployment: 'none' } }))).code).toBe(
      'deployment-not-found',
    )
  })

  test('tells of the quota of a deployment for batches, and nothing where the deployment is not known yet', async () => {
    const line = task('a', {}, { model: 'gpt-batch' })
    expect((await create(wanted(put(`\n${line}`)))).headers).toEqual({
      'deployment-enqueued-tokens': '0',
      'deployment-maximum-enqueued-tokens': '1000',
    })
    expect((await create(wanted(put('{')))).headers).toEqual({})
    expect((await create(wanted(put(task('a', {}, { user: 'x'.repeat(70_000) }))))).headers).toEqual({})
    expect((await create(wanted(put(line, { owner: 'team' })), { caller: team })).headers).toEqual({})
  })

  test('and is shown as it goes on', async () => {
    const id = await createBatch(server, put(`${tasks(3)}`), { endpoint: '/v1/chat/completions' })
    await work()
    const { body } = await get(id)
    expect(body).toMatchObject({
      status: 'completed',
      model: 'gpt',
      request_counts: { total: 3, completed: 3, failed: 0 },
      usage: {
        input_tokens: 30,
        input_tokens_details: { cached_tokens: 12 },
        output_tokens: 6,
        output_tokens_details: { reasoning_tokens: 3 },
        total_tokens: 36,
      },
      output_file_id: expect.stringMatching(/^file-/),
      error_file_id: expect.stringMatching(/^file-/),
    })
    for (const name of ['in_progress_at', 'finalizing_at', 'completed_at'])
      expect((body as JsonObject)[name]).toBeGreaterThan(1_000_000_000)
  })

  test('one that fails shows why', async () => {
    const id = await createBatch(server, put('{'))
    await work()
    expect((await get(id)).body).toMatchObject({
      status: 'failed',
      errors: {
        object: 'list',
        data: [{ code: 'invalid_json_line', message: expect.any(String), param: null, line: 1 }],
      },
      output_file_id: null,
      error_file_id: null,
    })
  })

  const refused: readonly (readonly [string, JsonObject, string])[] = [
    ['no file', { input_file_id: null }, 'input_file_id'],
    ['a file that there is not', { input_file_id: 'file-none' }, 'input_file_id'],
    ['no endpoint', { endpoint: null }, 'endpoint'],
    ['another endpoint', { endpoint: '/v1/images/generations' }, 'endpoint'],
    ['no window', { completion_window: null }, 'completion_window'],
    ['another window', { completion_window: '1h' }, 'completion_window'],
    ['metadata that is no object', { metadata: 'x' }, 'metadata'],
    ['metadata with a number', { metadata: { a: 1 } }, 'metadata.a'],
    [
      'too much metadata',
      { metadata: Object.fromEntries(Array.from({ length: 17 }, (_, i) => [`k${i}`, 'v'])) },
      'metadata',
    ],
    ['a key that is too long', { metadata: { ['k'.repeat(65)]: 'v' } }, 'metadata'],
    ['a value that is too long', { metadata: { k: 'v'.repeat(513) } }, 'metadata.k'],
    ['an address to read from', { input_blob: 'https://example.com/x' }, 'input_blob'],
    ['an address to write to', { output_folder: { url: 'https://example.com' } }, 'output_folder'],
    ['any other field', { webhook_url: 'https://example.com' }, 'webhook_url'],
    [
      'files that last too short',
      { output_expires_after: { anchor: 'created_at', seconds: 60 } },
      'output_expires_after.seconds',
    ],
    [
      'files that last from another time on',
      { output_expires_after: { anchor: 'last_active_at', seconds: 7_200 } },
      'output_expires_after.anchor',
    ],
  ]
  for (const [what, more, param] of refused) {
    test(`not with ${what}`, async () => {
      const fault = await faultOf(create(wanted(put(), more)))
      expect([fault.code, fault.detail.param]).toEqual(['invalid-request', param])
      expect(fault.message).toContain(param)
      expect(fault.message).not.toContain('example.com')
      expect(await home.jobs.nextDueAt(['batch'])).toBeUndefined()
    })
  }

  test('not of a file of somebody else, for something else, that is being taken away, or too large', async () => {
    const files = [
      put(tasks(1), { owner: 'team' }),
      put(tasks(1), { purpose: 'fine-tune' }),
      put(tasks(1), { status: 'error' }),
      put(tasks(1), { bytes: 300 * 1024 * 1024 }),
    ]
    const messages: string[] = []
    for (const file of files) {
      const fault = await faultOf(create(wanted(file)))
      expect([fault.code, fault.detail.param]).toEqual(['invalid-request', 'input_file_id'])
      messages.push(fault.message)
    }
    expect(new Set(messages).size).toBe(4)
  })

  test('one whose maker died before it was there is no work', async () => {
    await home.jobs.add({ kind: 'batch', id: 'batch_x', state: {}, runAt: home.clock.now() })
    expect(await server.work()).toEqual({ kind: 'done' })
    expect(await server.work()).toBeUndefined()
  })

  test('one that was not announced is worked on soon', async () => {
    const { jobs } = home
    const deaf = home.open({ jobs: { add: jobs.add, wake: async () => {} } })
    await createBatch(deaf, put())
    expect(await server.work()).toBeUndefined()
    await home.clock.pass(31_000)
    await work()
    expect((await home.table.list('', { limit: 1, order: 'desc' }))[0]?.status).toBe('completed')
  })
})

describe('lists', () => {
  test('the newest first, in pages', async () => {
    expect(await list()).toEqual({ object: 'list', data: [], first_id: null, last_id: null, has_more: false })
    const ids: string[] = []
    for (let i = 0; i < 5; i++) {
      ids.unshift(await createBatch(server, put()))
      await home.clock.pass(10)
    }
    const first = await list({ limit: '2' })
    expect(idsOf(first)).toEqual(ids.slice(0, 2))
    expect(first).toMatchObject({ first_id: ids[0] as string, last_id: ids[1] as string, has_more: true })
    expect(idsOf(await list({ limit: '2', after: ids[1] as string }))).toEqual(ids.slice(2, 4))
    expect(await list({ limit: '3', after: ids[1] as string })).toMatchObject({ has_more: false })
    expect(idsOf(await list({ limit: '100' }, { base: '/openai/v1/batches' }))).toEqual(ids)
  })

  test('not with what cannot be', async () => {
    const id = await createBatch(server, put())
    for (const query of [
      { limit: '0' },
      { limit: '101' },
      { limit: 'x' },
      { after: 'batch_none' },
      { after: `batch_${'0'.repeat(32)}` },
      { $filter: "status eq 'Completed'" },
      { $orderby: 'created_at asc' },
    ]) {
      const fault = await faultOf(list(query as unknown as Record<string, string>))
      expect([fault.code, fault.detail.param]).toEqual(['invalid-request', Object.keys(query)[0] as string])
    }
    expect((await faultOf(list({ after: id }, { caller: team }))).detail.param).toBe('after')
  })
})

describe('an owner', () => {
  test('finds his own; others find nothing there, whatever they ask', async () => {
    const own = await createBatch(server, put(tasks(1), { owner: 'team' }), {}, team)
    const other = await createBatch(server, put())
    expect(idsOf(await list({}, { caller: team }))).toEqual([own])
    expect(idsOf(await list())).toEqual([other])
    const unknown = await faultOf(get(`batch_${'0'.repeat(32)}`))
    for (const answer of [get(own), cancel(own), get(other, { caller: team }), cancel(other, { caller: team })]) {
      const fault = await faultOf(answer)
      expect(fault.code).toBe(unknown.code)
      expect(fault.code).toBe('not-found')
    }
    expect((await get(own, { caller: team })).body).toMatchObject({ status: 'validating' })
    expect((await get(other)).body).toMatchObject({ status: 'validating' })
  })

  test('ids that cannot be are not looked for', async () => {
    for (const id of ['x', "batch_' or 1=1", `batch_${'A'.repeat(32)}`, 'batch_'.repeat(5_000)]) {
      const fault = await faultOf(get(id))
      expect(fault.code).toBe('not-found')
      expect(fault.message.length).toBeLessThan(200)
    }
  })
})

describe('cancelling', () => {
  test('is asked for again without harm, and has no sense when all is over', async () => {
    const id = await createBatch(server, put())
    const first = (await cancel(id)).body as JsonObject
    await home.clock.pass(5_000)
    const second = (await cancel(id)).body as JsonObject
    expect(first.status).toBe('cancelling')
    expect(second).toEqual(first)
    await work()
    expect((await cancel(id)).body).toMatchObject({ status: 'cancelled' })

    const other = await createBatch(server, put())
    await work()
    const fault = await faultOf(cancel(other))
    expect([fault.code, fault.status]).toEqual(['conflict', 409])
    expect(fault.message).toContain('completed')
  })
})

test('the worker of this server is told when there is something to do', async () => {
  let nudges = 0
  const told = home.open({ nudge: () => nudges++ })
  const id = await createBatch(told, put())
  expect(nudges).toBe(1)
  await ask(told, '/{batch_id}/cancel', { method: 'POST', params: { batch_id: id } })
  expect(nudges).toBe(2)
})
