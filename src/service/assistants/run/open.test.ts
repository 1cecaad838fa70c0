import { afterEach, describe, expect, test } from 'bun:test'
import type { Event } from '../../../core/event.ts'
import type { Caller } from '../../../core/exchange.ts'
import type { JsonObject } from '../../../core/json.ts'
import type { ServiceAnswer } from '../../../core/service-route.ts'
import type { ThreadRow } from '../../../port/tables/runs/port.ts'
import type { RunParts } from '../../runs/parts.ts'
import {
  callTools,
  createLookUp,
  createModel,
  createTestRuns,
  type Model,
  say,
  sleep,
} from '../../runs/runs.fixture.ts'
import { readMessage } from '../read-message.ts'
import { writeMessage } from '../write-message.ts'
import { assistantsFace } from './face.ts'
import { openRunRoutes } from './open.ts'

const caller: Caller = { keyName: 'k', grant: undefined, expiresAt: undefined }
const owner = ''
const stops: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const stop of stops.splice(0)) await stop()
})

const addTool = { type: 'function', function: { name: 'add', parameters: { type: 'object', properties: {} } } }

async function open(model: Model, document: JsonObject = {}, more: Partial<RunParts> = {}) {
  const ask = createModel(model)
  const t = createTestRuns({ ask, faces: { run: assistantsFace }, ...more })
  stops.push(t.stop)
  const { table, makeId, now } = t
  const { routes } = openRunRoutes({
    table,
    engine: t.runs.engine,
    tools: more.tools ?? new Map(),
    now,
    makeId,
    async prepareThread(of, body) {
      const thread: ThreadRow = { id: makeId('thread_'), owner: of, kind: 'thread', metadata: {}, createdAt: now() }
      const items = ((body.messages ?? []) as JsonObject[]).map((message) =>
        readMessage(message, { id: makeId('msg_'), owner: of, homeId: thread.id, createdAt: now() }),
      )
      return { thread, items }
    },
    writeThread: ({ id }) => ({ id, object: 'thread' }),
  })
  await table.addAssistant({
    id: 'asst_1',
    owner,
    document: { model: 'stub', instructions: 'Be brief.', tools: [], ...document },
    createdAt: now(),
  })
  const threadId = makeId('thread_')
  await table.addThread({ id: threadId, owner, kind: 'thread', metadata: {}, createdAt: now() }, [
    readMessage({ role: 'user', content: 'Hello' }, { id: makeId('msg_'), owner, homeId: threadId, createdAt: now() }),
  ])

  async function request(
    path: string,
    body: JsonObject = {},
    headers: Record<string, string> = {},
    method = 'POST',
  ): Promise<ServiceAnswer> {
    const route = routes.find((one) => one.method === method && matches(one.path, `/openai/v1${path}`))
    if (!route) throw new TypeError(`no route ${method} ${path}`)
    return route.answer({
      params: readParams(route.path, `/openai/v1${path}`),
      query: new URLSearchParams(),
      body,
      caller,
      requestId: 'r',
      url: path,
      header: (name) => headers[name] ?? null,
      signal: new AbortController().signal,
    })
  }
  return { ...t, ask, threadId, request }
}

const split = (path: string): string[] => path.split('/')
const matches = (pattern: string, path: string): boolean =>
  split(pattern).length === split(path).length &&
  split(pattern).every((part, i) => part.startsWith('{') || part === split(path)[i])
const readParams = (pattern: string, path: string): Record<string, string> =>
  Object.fromEntries(
    split(pattern).flatMap((part, i) => (part.startsWith('{') ? [[part.slice(1, -1), split(path)[i] as string]] : [])),
  )

type Told = { name: string; id: string | undefined; data: JsonObject }
async function collect({ events }: ServiceAnswer): Promise<Told[]> {
  const told: Told[] = []
  for await (const { name = '', id, data } of events ?? []) {
    told.push({ name, id, data: data === '[DONE]' ? {} : (JSON.parse(data as string) as JsonObject) })
  }
  return told
}
const names = (told: readonly Told[]): string[] => told.map(({ name }) => name)

describe('a run of an assistant', () => {
  test('streams in the order of the service', async () => {
    const t = await open(() => say('Hi there'))
    const told = await collect(await t.request(`/threads/${t.threadId}/runs`, { assistant_id: 'asst_1', stream: true }))
    expect(names(told)).toEqual([
      'thread.run.created',
      'thread.run.queued',
      'thread.run.in_progress',
      'thread.run.step.created',
      'thread.run.step.in_progress',
      'thread.message.created',
      'thread.message.in_progress',
      'thread.message.delta',
      'thread.message.delta',
      'thread.message.completed',
      'thread.run.step.completed',
      'thread.run.completed',
      'done',
    ])
    expect(told[7]?.data).toMatchObject({
      object: 'thread.message.delta',
      delta: { content: [{ index: 0, type: 'text', text: { value: 'Hi ', annotations: [] } }] },
    })
    expect(told.at(-2)?.data).toMatchObject({
      object: 'thread.run',
      status: 'completed',
      usage: { prompt_tokens: 10, completion_tokens: 5, total_tokens: 15 },
      instructions: 'Be brief.',
      model: 'stub',
      expires_at: null,
    })
    expect(told.at(-3)?.data).toMatchObject({
      type: 'message_creation',
      status: 'completed',
      usage: { total_tokens: 15 },
    })
    // From any event on, as often as one likes.
    const runId = String(told[0]?.data.id)
    const again = await collect(
      await t.request(
        `/threads/${t.threadId}/runs/${runId}/events`,
        {},
        { 'last-event-id': told[8]?.id as string },
        'GET',
      ),
    )
    expect(again).toEqual(told.slice(9))
  })

  test('with a thread of its own', async () => {
    const t = await open(() => say('Hi'))
    const told = await collect(
      await t.request('/threads/runs', {
        assistant_id: 'asst_1',
        stream: true,
        thread: { messages: [{ role: 'user', content: 'Hey' }] },
      }),
    )
    expect(names(told).slice(0, 3)).toEqual(['thread.created', 'thread.run.created', 'thread.run.queued'])
    expect(t.ask.asked[0]?.messages.at(-1)?.content).toBe('Hey')
  })

  test('waits for outputs, and goes on with them in a stream', async () => {
    const t = await open(
      ({ messages }) => (messages.some(({ role }) => role === 'tool') ? say('Four.') : callTools(['add', '{"a":2}'])),
      { tools: [addTool] },
    )
    const first = await collect(
      await t.request(`/threads/${t.threadId}/runs`, { assistant_id: 'asst_1', stream: true }),
    )
    expect(names(first).slice(3)).toEqual([
      'thread.run.step.created',
      'thread.run.step.in_progress',
      'thread.run.step.delta',
      'thread.run.step.delta',
      'thread.run.requires_action',
      'done',
    ])
    const { data: run } = first.at(-2) as Told
    expect(run.required_action).toEqual({
      type: 'submit_tool_outputs',
      submit_tool_outputs: {
        tool_calls: [{ id: 'call_add_0', type: 'function', function: { name: 'add', arguments: '{"a":2}' } }],
      },
    })
    const path = `/threads/${t.threadId}/runs/${run.id}`
    await expect(
      t.request(`${path}/submit_tool_outputs`, { tool_outputs: [{ tool_call_id: 'call_x', output: '4' }] }),
    ).rejects.toThrow('Expected tool outputs for call_ids')
    const second = await collect(
      await t.request(`${path}/submit_tool_outputs`, {
        stream: true,
        tool_outputs: [{ tool_call_id: 'call_add_0', output: '4' }],
      }),
    )
    expect(names(second)).toEqual([
      'thread.run.step.completed',
      'thread.run.queued',
      'thread.run.in_progress',
      'thread.run.step.created',
      'thread.run.step.in_progress',
      'thread.message.created',
      'thread.message.in_progress',
      'thread.message.delta',
      'thread.message.completed',
      'thread.run.step.completed',
      'thread.run.completed',
      'done',
    ])
    expect(second[0]?.data).toMatchObject({
      type: 'tool_calls',
      status: 'completed',
      usage: { total_tokens: 27 },
      step_details: {
        tool_calls: [{ id: 'call_add_0', function: { name: 'add', arguments: '{"a":2}', output: '4' } }],
      },
    })
  })

  test('shows marks of sources in the text, streamed as kept', async () => {
    const mark = '【4:0†source】'
    const lookUp = createLookUp(async () => ({
      citations: [{ mark, annotation: { type: 'file_citation', file_id: 'file-1', filename: 'a.txt' } }],
    }))
    const t = await open(
      ({ messages }) =>
        messages.some(({ role }) => role === 'tool')
          ? say(`It 😀 is ${mark} so${mark} here.`)
          : callTools(['look_up', '{}']),
      { tools: [{ type: 'file_search' }], tool_resources: { file_search: { vector_store_ids: ['vs_1'] } } },
      { tools: new Map([['file_search', lookUp]]) },
    )
    const told = await collect(await t.request(`/threads/${t.threadId}/runs`, { assistant_id: 'asst_1', stream: true }))
    const message = told.find(({ name }) => name === 'thread.message.completed')?.data as JsonObject
    const shown = ((message.content as JsonObject[])[0]?.text ?? {}) as { value: string; annotations: JsonObject[] }
    expect(shown.value).toBe(`It 😀 is ${mark} so${mark} here.`)
    for (const { text, start_index: start, end_index: end } of shown.annotations) {
      expect([...shown.value].slice(start as number, end as number).join('')).toBe(text as string)
    }
    expect(shown.annotations).toHaveLength(2)
    let value = ''
    const annotations: JsonObject[] = []
    for (const { name, data } of told) {
      if (name !== 'thread.message.delta') continue
      const [part] = ((data.delta as JsonObject).content ?? []) as {
        text: { value: string; annotations?: JsonObject[] }
      }[]
      value += part?.text.value ?? ''
      annotations.push(...(part?.text.annotations ?? []))
    }
    expect(value).toBe(shown.value)
    expect(annotations.map(({ index: _, ...rest }) => rest as JsonObject)).toEqual(shown.annotations)
    expect(told.find(({ name }) => name === 'thread.run.step.completed')?.data).toMatchObject({
      step_details: { tool_calls: [{ type: 'file_search' }] },
    })
  })

  test('takes additions and overrides, and shows them', async () => {
    const t = await open(() => say('{}'))
    const answer = await t.request(`/threads/${t.threadId}/runs`, {
      assistant_id: 'asst_1',
      model: 'other',
      additional_instructions: 'Speak JSON.',
      additional_messages: [{ role: 'user', content: 'More' }],
      temperature: 0.3,
      max_completion_tokens: 300,
      tools: [addTool],
      tool_choice: { type: 'function', function: { name: 'add' } },
      response_format: { type: 'json_object' },
      metadata: { a: 'b' },
    })
    expect(answer.body).toMatchObject({
      status: 'queued',
      model: 'other',
      instructions: 'Be brief.\nSpeak JSON.',
      temperature: 0.3,
      max_completion_tokens: 300,
      tool_choice: { type: 'function', function: { name: 'add' } },
      response_format: { type: 'json_object' },
      metadata: { a: 'b' },
    })
    const run = await t.runs.engine.wait(String(answer.body?.id), new AbortController().signal)
    expect(run.status).toBe('completed')
    const [call] = t.ask.asked
    expect(call).toMatchObject({
      deployment: 'other',
      temperature: 0.3,
      maxTokens: 300,
      toolChoice: { name: 'add' },
      responseFormat: { type: 'json_object' },
    })
    expect(call?.messages.at(-1)?.content).toBe('More')
  })

  test.each([
    [{ assistant_id: 'asst_2' }, "No assistant found with id 'asst_2'."],
    [{}, 'assistant_id'],
    [{ assistant_id: 'asst_1', colour: 'red' }, 'colour'],
    [{ assistant_id: 'asst_1', temperature: 3 }, 'temperature'],
    [{ assistant_id: 'asst_1', max_prompt_tokens: 10 }, 'max_prompt_tokens'],
    [{ assistant_id: 'asst_1', tools: Array(21).fill(addTool) }, 'tools'],
    [{ assistant_id: 'asst_1', tools: [{ type: 'code_interpreter' }] }, 'not available on this server'],
    [{ assistant_id: 'asst_1', truncation_strategy: { type: 'last_messages' } }, 'truncation_strategy.last_messages'],
    [{ assistant_id: 'asst_1', additional_messages: [{ role: 'user', content: '' }] }, 'non-empty'],
  ])('refuses %j', async (body, text) => {
    const t = await open(() => say(''))
    await expect(t.request(`/threads/${t.threadId}/runs`, body as JsonObject)).rejects.toThrow(text)
  })

  test('is cancelled, and makes room for another one where that is asked for', async () => {
    const t = await open(async function* (): AsyncGenerator<Event> {
      yield { type: 'text-delta', choice: 0, text: 'I am ' }
      await new Promise(() => {})
    })
    const runs = `/threads/${t.threadId}/runs`
    const first = await t.request(runs, { assistant_id: 'asst_1' })
    await expect(t.request(runs, { assistant_id: 'asst_1' })).rejects.toThrow(
      `already has an active run ${first.body?.id}.`,
    )
    const second = await t.request(runs, { assistant_id: 'asst_1' }, { 'x-ms-cancel-active-run': 'true' })
    expect(t.get(String(first.body?.id)).status).toBe('cancelled')
    while (t.made(String(second.body?.id)).length === 0) await sleep(1)
    expect(await t.request(`${runs}/${second.body?.id}/cancel`)).toMatchObject({ body: { status: 'cancelling' } })
    const told = await collect(await t.request(`${runs}/${second.body?.id}/events`, {}, {}, 'GET'))
    expect(names(told).slice(-5)).toEqual([
      'thread.run.cancelling',
      'thread.message.incomplete',
      'thread.run.step.cancelled',
      'thread.run.cancelled',
      'done',
    ])
    await expect(t.request(`${runs}/${second.body?.id}/cancel`)).rejects.toThrow(
      "Cannot cancel run with status 'cancelled'.",
    )
    await expect(t.request(`${runs}/run_x/cancel`)).rejects.toThrow("No run found with id 'run_x'.")
    expect(await t.request(`${runs}/${second.body?.id}`, { metadata: { k: 'v' } })).toMatchObject({
      body: { metadata: { k: 'v' } },
    })
    expect(writeMessage(t.made(String(second.body?.id))[0] as never)).toMatchObject({
      status: 'incomplete',
      incomplete_details: { reason: 'run_cancelled' },
    })
    await sleep(1)
  })
})
