import { afterEach, describe, expect, test } from 'bun:test'
import type { Event } from '../../core/event.ts'
import { Fault } from '../../core/fault.ts'
import type { JsonObject } from '../../core/json.ts'
import type { ItemRow } from '../../port/tables/runs/port.ts'
import { besideOf } from './kept-beside.ts'
import {
  callTools,
  createLookUp,
  createModel,
  createTestRuns,
  owner,
  say,
  sleep,
  type TestRuns,
} from './runs.fixture.ts'

const functionTool: JsonObject = {
  type: 'function',
  name: 'add',
  parameters: { type: 'object', properties: {} },
  strict: false,
}
const searchTool: JsonObject = { type: 'file_search', vector_store_ids: [] }
const opened: TestRuns[] = []
const open = (...given: Parameters<typeof createTestRuns>): TestRuns => {
  const test = createTestRuns(...given)
  opened.push(test)
  return test
}
afterEach(async () => {
  for (const test of opened.splice(0)) await test.stop()
})

const textOf = ({ document }: ItemRow): unknown => (document.content as JsonObject[])[0]?.text

describe('a run', () => {
  test('of words: tells in order, and is kept', async () => {
    const model = createModel(() => say('Hello to you'))
    const t = open({ ask: model })
    const run = t.newRun()
    expect(await t.tell(run)).toEqual([
      'run-changed queued',
      'run-changed in_progress',
      'item-added message in_progress',
      'text-delta message in_progress',
      'text-delta message in_progress',
      'text-delta message in_progress',
      'item-done message completed',
      'run-changed completed',
    ])
    const [message] = t.made(run.run.id)
    expect(message && textOf(message)).toBe('Hello to you')
    expect(t.get(run.run.id)).toMatchObject({
      status: 'completed',
      usage: { input_tokens: 10, output_tokens: 5, total_tokens: 15 },
    })
    expect(model.asked[0]?.messages).toEqual([
      { role: 'system', content: 'Be brief.' },
      { role: 'user', content: 'Hello' },
    ])
    expect((await t.hear(run.run.id)).map(({ seq }) => seq)).toEqual(
      [...(t.rows.events.get(run.run.id) ?? [])].map(({ seq }) => seq),
    )
    await sleep(20)
    expect(t.rows.jobs.has(`run ${run.run.id}`)).toBe(false)
  })

  test('sees what was said in its thread before, and not what was done on the way', async () => {
    const model = createModel(({ messages }) => (messages.length > 3 ? 'Again.' : callTools(['add', '{}'])))
    const t = open({ ask: model })
    const first = t.newRun({ request: { tools: [functionTool] } })
    await t.tell(first)
    await t.runs.engine.submit(owner, first.run.id, new Map([['call_add_0', '3']]))
    await t.hear(first.run.id)
    const second = t.newRun({ text: 'And now?' })
    await t.tell(second)
    expect(model.asked.at(-1)?.messages.map(({ role, content }) => `${role}: ${content}`)).toEqual([
      'system: Be brief.',
      'user: Hello',
      'assistant: Again.',
      'user: And now?',
    ])
  })

  test('one at a time in a thread', async () => {
    const hold = Promise.withResolvers<void>()
    const t = open({
      ask: createModel(async function* (): AsyncGenerator<Event> {
        await hold.promise
        yield* say('late')
      }),
    })
    const first = t.newRun()
    await t.runs.engine.start(first)
    const refused = t.runs.engine.start(t.newRun())
    await expect(refused).rejects.toThrow(`already has an active run ${first.run.id}.`)
    hold.resolve()
    expect((await t.hear(first.run.id)).at(-1)?.data.status).toBe('completed')
  })

  test('a follower goes on from where another one was cut off', async () => {
    const t = open({ ask: createModel(() => say('one two three four five')) })
    const run = t.newRun()
    await t.tell(run)
    const all = await t.hear(run.run.id)
    expect(await t.hear(run.run.id, 3)).toEqual(all.slice(4))
  })
})

describe('tools of the server', () => {
  test('of one turn run together; the model reads what they found', async () => {
    let running = 0
    let most = 0
    const lookUp = createLookUp(async () => {
      most = Math.max(most, ++running)
      await sleep(5)
      running--
      return {}
    })
    const model = createModel(({ messages }) =>
      messages.some(({ role }) => role === 'tool')
        ? 'Found both.'
        : callTools(['look_up', '{"q":"a"}'], ['look_up', '{"q":"b"}']),
    )
    const t = open({ ask: model, tools: new Map([['file_search', lookUp]]) })
    const run = t.newRun({ request: { tools: [searchTool] } })
    expect(await t.tell(run)).toEqual([
      'run-changed queued',
      'run-changed in_progress',
      'item-added file_search_call in_progress',
      'item-added file_search_call in_progress',
      'tool-progress file_search_call in_progress',
      'tool-progress file_search_call in_progress',
      'item-done file_search_call completed',
      'item-done file_search_call completed',
      'item-added message in_progress',
      'text-delta message in_progress',
      'text-delta message in_progress',
      'item-done message completed',
      'run-changed completed',
    ])
    expect(most).toBe(2)
    expect(lookUp.open_).toBe(0)
    expect(model.asked[1]?.messages.slice(2)).toEqual([
      {
        role: 'assistant',
        content: null,
        toolCalls: [
          { id: 'call_look_up_0', name: 'look_up', arguments: '{"q":"a"}' },
          { id: 'call_look_up_1', name: 'look_up', arguments: '{"q":"b"}' },
        ],
      },
      { role: 'tool', toolCallId: 'call_look_up_0', content: 'found {"q":"a"}' },
      { role: 'tool', toolCallId: 'call_look_up_1', content: 'found {"q":"b"}' },
    ] as never)
    expect(model.asked[0]?.messages[0]?.content).toBe('Be brief.\n\nLook things up.')
    const steps = new Set(t.made(run.run.id).map(({ stepId }) => stepId))
    expect(steps.size).toBe(2)
    expect(t.get(run.run.id).usage).toMatchObject({ input_tokens: 30, output_tokens: 12 })
  })

  test('marks of sources become annotations, wherever the text is cut', async () => {
    const mark = '【4:0†source】'
    const lookUp = createLookUp(async () => ({
      citations: [{ mark, annotation: { type: 'file_citation', file_id: 'file-1', filename: 'a.txt' } }],
    }))
    const text = `So 😀 it is${mark}, and${mark}【4:1†source】.`
    const model = createModel(({ messages }) => {
      if (!messages.some(({ role }) => role === 'tool')) return callTools(['look_up', '{}'])
      const pieces = text.match(/.{1,2}/gsu) ?? []
      return [
        ...pieces.map((piece): Event => ({ type: 'text-delta', choice: 0, text: piece })),
        { type: 'choice-end', choice: 0, reason: 'stop' },
      ]
    })
    const t = open({ ask: model, tools: new Map([['file_search', lookUp]]) })
    const run = t.newRun({ request: { tools: [searchTool] } })
    await t.tell(run)
    const message = t.made(run.run.id).at(-1) as ItemRow
    expect(textOf(message)).toBe('So 😀 it is, and【4:1†source】.')
    expect((message.document.content as JsonObject[])[0]?.annotations).toEqual([
      { type: 'file_citation', file_id: 'file-1', filename: 'a.txt', index: 10 },
      { type: 'file_citation', file_id: 'file-1', filename: 'a.txt', index: 15 },
    ])
    expect(besideOf(message).marks).toEqual([mark, mark])
  })

  test('are offered no more when their calls are used up', async () => {
    const lookUp = createLookUp(async () => ({}))
    const model = createModel(({ tools }) =>
      tools ? callTools(['look_up', '1'], ['look_up', '2'], ['look_up', '3']) : 'Enough.',
    )
    const t = open({ ask: model, tools: new Map([['file_search', lookUp]]) })
    const run = t.newRun({ request: { tools: [searchTool], max_tool_calls: 2 } })
    expect((await t.tell(run)).at(-1)).toBe('run-changed completed')
    expect(lookUp.done).toEqual(['1', '2'])
  })
})

describe("the caller's functions", () => {
  const asks = () =>
    createModel(({ messages }) => {
      const output = messages.find(({ role }) => role === 'tool')
      return output ? `It is ${output.content}.` : callTools(['add', '{"a":1}'])
    })

  test('are waited for, and their outputs are taken once', async () => {
    const t = open({ ask: asks() })
    const run = t.newRun({ request: { tools: [functionTool] } })
    expect(await t.tell(run)).toEqual([
      'run-changed queued',
      'run-changed in_progress',
      'item-added function_call in_progress',
      'arguments-delta function_call in_progress',
      'run-changed requires_action',
    ])
    const { engine } = t.runs
    await expect(engine.submit(owner, run.run.id, new Map())).rejects.toThrow('Expected tool outputs')
    await expect(engine.submit(owner, run.run.id, new Map([['other', '1']]))).rejects.toThrow("got ['other']")
    await expect(engine.submit('somebody', run.run.id, new Map())).rejects.toThrow('No run found')
    const last = (await t.hear(run.run.id)).at(-1)?.seq as number
    const outputs = new Map([['call_add_0', '3']])
    const both = await Promise.allSettled([
      engine.submit(owner, run.run.id, outputs),
      engine.submit(owner, run.run.id, outputs),
    ])
    expect(both.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected'])
    const heard = await t.hear(run.run.id, last)
    expect(heard.map(({ name, data }) => `${name} ${data.status}`)).toEqual([
      'item-done completed',
      'run-changed queued',
      'run-changed in_progress',
      'item-added in_progress',
      ...Array(3).fill('text-delta in_progress'),
      'item-done completed',
      'run-changed completed',
    ])
    expect(textOf(t.made(run.run.id).at(-1) as ItemRow)).toBe('It is 3.')
  })

  test('end a response', async () => {
    const model = asks()
    const t = open({ ask: model })
    const first = t.newRun({
      state: { functions: 'end' },
      request: { tools: [functionTool] },
      run: { kind: 'response', threadId: undefined, id: 'resp_1' },
    })
    expect((await t.tell(first)).slice(-2)).toEqual(['item-done function_call completed', 'run-changed completed'])
    const second = t.newRun({
      state: { functions: 'end' },
      request: { tools: [functionTool] },
      run: { kind: 'response', threadId: undefined, previousId: 'resp_1', id: 'resp_2' },
    })
    const [message] = second.items
    const output: ItemRow = {
      ...(message as ItemRow),
      id: t.makeId('fco_'),
      type: 'function_call_output',
      document: { type: 'function_call_output', call_id: 'call_add_0', output: '3' },
    }
    expect((await t.tell({ ...second, items: [output] })).at(-1)).toBe('run-changed completed')
    expect(model.asked[1]?.messages.map(({ role }) => role)).toEqual(['system', 'user', 'assistant', 'tool'])
  })

  test('with calls of ours beside them: ours are done first', async () => {
    const lookUp = createLookUp(async () => ({}))
    const model = createModel(({ messages }) =>
      messages.some(({ role }) => role === 'tool') ? 'Done.' : callTools(['look_up', '{}'], ['add', '{}']),
    )
    const t = open({ ask: model, tools: new Map([['file_search', lookUp]]) })
    const run = t.newRun({ request: { tools: [searchTool, functionTool] } })
    expect((await t.tell(run)).at(-1)).toBe('run-changed requires_action')
    expect(lookUp.done).toEqual(['{}'])
    await t.runs.engine.submit(owner, run.run.id, new Map([['call_add_1', '3']]))
    expect((await t.hear(run.run.id)).at(-1)?.data.status).toBe('completed')
    expect(lookUp.done).toEqual(['{}'])
    expect(model.asked[1]?.messages.map(({ role }) => role)).toEqual(['system', 'user', 'assistant', 'tool', 'tool'])
  })
})

describe('an end before the end', () => {
  const never = async function* (): AsyncGenerator<Event> {
    yield { type: 'text-delta', choice: 0, text: 'I am ' }
    await new Promise(() => {})
  }

  test('cancelled while it speaks: what was said stays, incomplete', async () => {
    const t = open({ ask: createModel(never) })
    const run = t.newRun()
    await t.runs.engine.start(run)
    while (t.made(run.run.id).length === 0) await sleep(2)
    expect(await t.runs.engine.cancel(owner, run.run.id)).toMatchObject({ status: 'cancelling' })
    expect((await t.hear(run.run.id)).slice(-3).map(({ name, data }) => `${name} ${data.status}`)).toEqual([
      'run-changed cancelling',
      'item-done incomplete',
      'run-changed cancelled',
    ])
    const [message] = t.made(run.run.id)
    expect(message && textOf(message)).toBe('I am ')
    expect(besideOf(message as ItemRow).incomplete_details).toEqual({ reason: 'run_cancelled' })
    await expect(t.runs.engine.cancel(owner, run.run.id)).rejects.toThrow("status 'cancelled'")
  })

  test('cancelled through another server', async () => {
    const t = open({ ask: createModel(never) })
    const run = t.newRun()
    await t.runs.engine.start(run)
    while (t.made(run.run.id).length === 0) await sleep(2)
    const other = t.another({}, false)
    await other.runs.engine.cancel(owner, run.run.id)
    expect(await t.runs.engine.wait(run.run.id, new AbortController().signal)).toMatchObject({ status: 'cancelled' })
  })

  test('cancelled while it waits, at once', async () => {
    const t = open({ ask: createModel(() => callTools(['add', '{}'])) })
    const run = t.newRun({ request: { tools: [functionTool] } })
    await t.tell(run)
    expect(await t.runs.engine.cancel(owner, run.run.id)).toMatchObject({ status: 'cancelled' })
    expect(t.made(run.run.id)[0]).toMatchObject({ status: 'cancelled' })
    expect((await t.hear(run.run.id)).at(-1)?.data.status).toBe('cancelled')
    await expect(t.runs.engine.submit(owner, run.run.id, new Map([['call_add_0', '']]))).rejects.toThrow(
      'do not accept',
    )
  })

  test('cancelled while a tool works', async () => {
    const lookUp = createLookUp(() => new Promise(() => {}))
    const t = open({ ask: createModel(() => callTools(['look_up', '{}'])), tools: new Map([['file_search', lookUp]]) })
    const run = t.newRun({ request: { tools: [searchTool] } })
    await t.runs.engine.start(run)
    while (t.made(run.run.id).length === 0) await sleep(2)
    await t.runs.engine.cancel(owner, run.run.id)
    expect((await t.hear(run.run.id)).at(-1)?.data.status).toBe('cancelled')
    expect(t.made(run.run.id)[0]).toMatchObject({ status: 'cancelled' })
    expect(lookUp.open_).toBe(0)
  })

  test('expired while it waits', async () => {
    const t = open({ ask: createModel(() => callTools(['add', '{}'])) })
    const run = t.newRun({ request: { tools: [functionTool] } })
    await t.tell(run)
    t.skip(600_001)
    const chore = t.runs.handlers['run-expiry']
    await chore?.run(
      { kind: 'run-expiry', id: 'chore', state: {}, owner: '', attempt: 1 },
      {
        signal: new AbortController().signal,
        failures: 0,
        note: async () => {},
      },
    )
    expect(t.get(run.run.id).status).toBe('expired')
    expect(t.made(run.run.id)[0]).toMatchObject({ status: 'expired' })
    expect((await t.tell(t.newRun())).at(-1)).toBe('run-changed requires_action')
  })

  test('expired while it speaks', async () => {
    const t = open({ ask: createModel(never) })
    const run = t.newRun({ run: { expiresAt: Date.now() + 40 } })
    expect((await t.tell(run)).at(-1)).toBe('run-changed expired')
    expect(besideOf(t.made(run.run.id)[0] as ItemRow).incomplete_details).toEqual({ reason: 'run_expired' })
  })

  const cut = (reason: 'length' | 'content_filter'): Event[] => [
    { type: 'text-delta', choice: 0, text: 'half' },
    { type: 'choice-end', choice: 0, reason },
    { type: 'usage', usage: { promptTokens: 10, completionTokens: 5 } },
  ]
  const busy = new Fault('rate-limited', 'Too many requests.', { retryAfterMs: 60_000 })
  test.each([
    [
      'the answer is too long',
      () => cut('length'),
      'incomplete',
      { incompleteDetails: { reason: 'max_completion_tokens' } },
    ],
    [
      'a filter keeps the answer back',
      () => cut('content_filter'),
      'incomplete',
      { incompleteDetails: { reason: 'content_filter' } },
    ],
    [
      'a filter keeps the prompt back',
      () => new Fault('content-filtered', 'Kept back.'),
      'failed',
      { lastError: { code: 'invalid_prompt', message: 'Kept back.' } },
    ],
    [
      'the model is busy for long',
      () => busy,
      'failed',
      { lastError: { code: 'rate_limit_exceeded', message: 'Too many requests.' } },
    ],
    [
      'there is no model',
      () => new Fault('deployment-not-found', 'None.'),
      'failed',
      { lastError: { code: 'invalid_prompt', message: 'None.' } },
    ],
    [
      'the upstream dies',
      async function* (): AsyncGenerator<Event> {
        yield { type: 'text-delta', choice: 0, text: 'half' }
        throw new Fault('upstream-failed', 'secret address')
      },
      'failed',
      { lastError: { code: 'server_error' } },
    ],
    [
      'the answer just stops',
      (): Event[] => [{ type: 'text-delta', choice: 0, text: 'half' }],
      'failed',
      { lastError: { code: 'server_error' } },
    ],
    [
      'something breaks',
      () => {
        throw new TypeError('secret')
      },
      'failed',
      { lastError: { code: 'server_error' } },
    ],
  ] as const)('%s', async (_, model, status, details) => {
    const t = open({ ask: createModel(model as never) })
    const run = t.newRun()
    expect((await t.tell(run)).at(-1)).toBe(`run-changed ${status}`)
    expect(t.get(run.run.id)).toMatchObject(details)
    expect(JSON.stringify(t.get(run.run.id))).not.toContain('secret')
    for (const item of t.made(run.run.id)) {
      expect(item.status).toBe('incomplete')
      expect(textOf(item)).toBe('half')
    }
    // The thread is free.
    await t.runs.engine.start(t.newRun())
  })

  test('a model that is busy for a moment is asked again', async () => {
    let times = 0
    const t = open({
      ask: createModel(() => (times++ < 2 ? new Fault('rate-limited', 'Later.', { retryAfterMs: 5 }) : 'Now.')),
    })
    expect((await t.tell(t.newRun())).at(-1)).toBe('run-changed completed')
    expect(times).toBe(3)
  })

  test.each([
    ['prompt tokens', { max_prompt_tokens: 300 }, 'max_prompt_tokens'],
    ['answer tokens', { max_completion_tokens: 256 }, 'max_completion_tokens'],
  ])('budgets over all turns: %s', async (_, state, reason) => {
    const lookUp = createLookUp(async () => ({}))
    const model = createModel(() => [
      ...callTools(['look_up', '{}']).slice(0, -1),
      { type: 'usage', usage: { promptTokens: 150, completionTokens: 128 } },
    ])
    const t = open({ ask: model, tools: new Map([['file_search', lookUp]]) })
    const run = t.newRun({ state, request: { tools: [searchTool] } })
    await t.tell(run)
    expect(t.get(run.run.id)).toMatchObject({ status: 'incomplete', incompleteDetails: { reason } })
    expect(model.asked.length).toBe(2)
    if (reason === 'max_completion_tokens') expect(model.asked.map(({ maxTokens }) => maxTokens)).toEqual([256, 128])
  })

  test('a run that goes round in circles', async () => {
    const lookUp = createLookUp(async () => ({}))
    const t = open(
      { ask: createModel(() => callTools(['look_up', '{}'])), tools: new Map([['file_search', lookUp]]) },
      { maxTurns: 3 },
    )
    const run = t.newRun({ request: { tools: [searchTool] } })
    expect((await t.tell(run)).at(-1)).toBe('run-changed failed')
    expect(t.get(run.run.id).lastError).toMatchObject({ code: 'server_error' })
    expect(lookUp.done.length).toBe(3)
  })
})
