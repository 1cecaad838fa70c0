import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'bun:test'
import type { Usage } from '../../src/core/usage/usage.ts'
import { deploymentSpecSchema } from '../../src/snapshot/deployment-spec.ts'
import { type FakeUpstream, json, type Step, sseHead, startFakeUpstream } from '../support/fake-upstream.ts'
import { type Harness, startHarness } from '../support/harness.ts'
import { responseStream, responseWhole, sayEverywhere, writeChunks, writeWhole } from '../support/told-answers.ts'

/** The Responses API at either end of a request, or at both. Nothing is kept. */

let upstream: FakeUpstream
let ponto: Harness
const counted: (Usage | undefined)[] = []

const timeouts = { connectMs: 1000, firstByteMs: 1000, idleMs: 300, totalMs: 10_000 }

beforeAll(async () => {
  upstream = await startFakeUpstream()
  ponto = await startHarness({ listeners: [({ tally }) => void counted.push(tally.usage)] })
})
afterAll(async () => {
  await ponto.stop()
  await upstream.stop()
})
beforeEach(() => {
  upstream.requests.length = 0
  counted.length = 0
  const model = { name: 'gpt-4o' }
  const openai = { url: `${upstream.url}/v1`, model: 'up-model', timeouts }
  const azure = { url: upstream.url, protocol: 'azure-openai', model: 'up-model', timeouts } as const
  ponto.deploy(
    { name: 'Chat', model, backends: [openai] },
    { name: 'Native', model, backends: [{ ...openai, chatApis: ['responses'] }] },
    { name: 'Both', model, backends: [{ ...openai, chatApis: ['chat-completions', 'responses'] }] },
    { name: 'Dated', model, backends: [{ ...azure, chatApis: ['responses'] }] },
    { name: 'Newest', model, backends: [{ ...azure, apiVersion: 'v1', chatApis: ['responses'] }] },
    { name: 'Claude', model, backends: [{ url: upstream.url, protocol: 'anthropic', model: 'up-model', timeouts }] },
  )
})

const path = '/openai/v1/responses'
const dated = '/openai/responses?api-version=2025-03-01-preview'
const ask = { model: 'chat', input: 'hi' }
const lastBody = (): Record<string, unknown> => JSON.parse(upstream.requests.at(-1)?.body ?? '{}')

type Named = { readonly type: string; readonly [key: string]: unknown }

async function readNamed(response: Response): Promise<Named[]> {
  expect(response.headers.get('content-type')).toBe('text/event-stream; charset=utf-8')
  const events = (await response.text()).split('\n\n').filter(Boolean)
  return events.map((event) => {
    const [, name, data] = /^event: (.*)\ndata: (.*)$/.exec(event) ?? []
    const payload = JSON.parse(data as string)
    expect(payload.type).toBe(name)
    return payload
  })
}

describe('refusals', () => {
  const call = { type: 'function_call', call_id: 'c1', name: 'f', arguments: '{}' }
  type Row = readonly [name: string, change: object, param: string | null, text: string]
  const rows: readonly Row[] = [
    ['a response to go on from', { previous_response_id: 'resp_1' }, 'previous_response_id', '"resp_1"'],
    ['a conversation', { conversation: 'conv_1' }, 'conversation', '"conv_1"'],
    ['a conversation as an object', { conversation: { id: 'conv_1' } }, 'conversation', '"conv_1"'],
    ['in the background', { background: true }, 'background', 'true'],
    ['to be kept', { store: true }, 'store', 'set it to false'],
    ['an item by its id', { input: [{ type: 'item_reference', id: 'msg_1' }] }, 'input[0].id', '"msg_1"'],
    ['the same without a type', { input: [{ id: 'msg_1' }] }, 'input[0].id', '"msg_1"'],
    ['no input', { input: undefined }, 'input', "'input'"],
    ['no items', { input: [] }, 'input', 'at least 1'],
    ['an item that is none', { input: ['hi'] }, 'input[0]', 'object'],
    ['an unknown role', { input: [{ role: 'robot', content: 'hi' }] }, 'input[0].role', '"robot"'],
    ['no content', { input: [{ role: 'user' }] }, 'input[0].content', 'missing'],
    [
      'a part of a chat',
      { input: [{ role: 'user', content: [{ type: 'text', text: 'hi' }] }] },
      'input[0].content[0].type',
      '"input_text"',
    ],
    [
      'a part without its text',
      { input: [{ role: 'user', content: [{ type: 'input_text' }] }] },
      'input[0].content[0].text',
      'missing',
    ],
    ['a call without a name', { input: [{ ...call, name: undefined }] }, 'input[0].name', 'missing'],
    ['a call nobody answers', { input: [call, { role: 'user', content: 'hi' }] }, 'input', 'c1'],
    [
      'an answer to no call',
      { input: [{ type: 'function_call_output', call_id: 'c2', output: 'x' }] },
      'input[0].call_id',
      'c2',
    ],
    ['a tool of a chat', { tools: [{ type: 'function', function: { name: 'f' } }] }, 'tools[0].name', 'missing'],
    ['a tool without a type', { tools: [{ name: 'f' }] }, 'tools[0].type', "'tools[0].type'"],
    ['a tool that is built in', { tools: [{ type: 'web_search' }] }, 'tools[0]', '"web_search"'],
    ['a choice of no tool', { tool_choice: { type: 'function', name: 'f' } }, 'tool_choice', "'function.f'"],
    ['temperature', { temperature: 2.5 }, 'temperature', '2.5'],
    ['too few tokens', { max_output_tokens: 0 }, 'max_output_tokens', '0'],
    ['what nobody can include', { include: ['everything'] }, 'include[0]', '"everything"'],
    [
      'a format of a chat',
      { text: { format: { type: 'json_schema', json_schema: {} } } },
      'text.format.name',
      'missing',
    ],
    ['JSON that nobody asked for', { text: { format: { type: 'json_object' } } }, 'input', "'json'"],
    ['options of a stream that is none', { stream_options: {} }, 'stream_options', "'stream'"],
    ['metadata', { metadata: { a: 5 } }, 'metadata.a', '5'],
    ['a field nobody knows', { future: 1 }, 'future', 'future'],
    ['no model', { model: undefined }, 'model', "'model'"],
  ]
  test.each(rows)('%s', async (_name, change, param, text) => {
    for (const at of [path, dated]) {
      const response = await ponto.post(at, { ...ask, ...change })
      const { error } = (await response.json()) as { error: { message: string; param: string | null } }
      expect(response.status).toBe(400)
      expect(error).toEqual(expect.objectContaining({ type: 'invalid_request_error', param }))
      expect(error.message).toContain(text)
    }
    expect(upstream.requests).toEqual([])
  })

  test('an unknown deployment, another method, no version', async () => {
    expect((await ponto.post(path, { ...ask, model: 'chatt' })).status).toBe(404)
    expect((await ponto.get(path)).status).toBe(405)
    expect((await ponto.post('/openai/responses', ask)).status).toBe(404)
    expect((await ponto.post('/openai/deployments/chat/responses', ask)).status).toBe(404)
  })
})

describe('answered by an upstream that knows chats only', () => {
  test('whole: nothing is kept, and the answer says so', async () => {
    sayEverywhere(upstream, { text: ['Hello'] })
    for (const at of [path, dated, '/openai/deployments/chat/responses?api-version=2025-03-01-preview']) {
      const response = await ponto.post(at, { ...ask, instructions: 'Be kind.', metadata: { run: '1' }, store: null })
      expect(response.status).toBe(200)
      expect(await response.json()).toMatchObject({
        object: 'response',
        status: 'completed',
        store: false,
        model: 'chat',
        instructions: 'Be kind.',
        metadata: { run: '1' },
        output: [{ type: 'message', content: [{ type: 'output_text', text: 'Hello', annotations: [] }] }],
        usage: { input_tokens: 3, output_tokens: 4, total_tokens: 7 },
      })
    }
    expect(lastBody()).toEqual({
      model: 'up-model',
      messages: [
        { role: 'system', content: 'Be kind.' },
        { role: 'user', content: 'hi' },
      ],
    })
    expect(counted).toHaveLength(3)
    for (const usage of counted) expect(usage).toMatchObject({ promptTokens: 3, completionTokens: 4 })
  })

  test('a second turn with the whole output of the first', async () => {
    const tools = [{ type: 'function', name: 'eat', parameters: { type: 'object' } }]
    sayEverywhere(upstream, { args: ['{"fruit":', '"fig"}'], reasoning: ['Hungry.'] })
    const asked = { role: 'user', content: 'Eat.' }
    const first = await (await ponto.post(path, { ...ask, input: [asked], tools })).json()
    const types = first.output.map(({ type }: { type: string }) => type)
    expect(types).toEqual(['reasoning', 'function_call'])
    sayEverywhere(upstream, { text: ['Good.'] })
    const result = { type: 'function_call_output', call_id: first.output[1].call_id, output: 'eaten' }
    await ponto.post(path, { ...ask, input: [asked, ...first.output, result], tools })
    expect(lastBody().messages).toEqual([
      asked,
      {
        role: 'assistant',
        content: null,
        tool_calls: [{ id: 'call_1', type: 'function', function: { name: 'eat', arguments: '{"fruit":"fig"}' } }],
      },
      { role: 'tool', content: 'eaten', tool_call_id: 'call_1' },
    ])
  })

  test('streamed, and counted though nobody asked for usage', async () => {
    sayEverywhere(upstream, { text: ['Hel', 'lo'] })
    const events = await readNamed(await ponto.post(path, { ...ask, stream: true }))
    expect(events.map(({ type }) => type)).toEqual([
      'response.created',
      'response.in_progress',
      'response.output_item.added',
      'response.content_part.added',
      'response.output_text.delta',
      'response.output_text.delta',
      'response.output_text.done',
      'response.content_part.done',
      'response.output_item.done',
      'response.completed',
    ])
    expect(events.at(-1)).toMatchObject({ response: { usage: { total_tokens: 7 }, store: false } })
    expect(counted).toEqual([expect.objectContaining({ completionTokens: 4 })])
  })

  test('a stream that breaks off ends with an error and a response that failed', async () => {
    const [first, second] = writeChunks({ text: ['Hello'] }, true).map(
      (chunk): Step => ({ do: 'send', text: `data: ${JSON.stringify(chunk)}\n\n` }),
    )
    upstream.respond(() => [sseHead, first as Step, second as Step, { do: 'cut' }])
    const events = await readNamed(await ponto.post(path, { ...ask, stream: true }))
    const [error, failed] = events.slice(-2)
    expect(error).toMatchObject({ type: 'error', code: 'BadGateway', error: { code: 'BadGateway' } })
    expect(failed).toMatchObject({ type: 'response.failed', response: { status: 'failed' } })
    expect(events.map(({ sequence_number }) => sequence_number)).toEqual(events.map((_, at) => at))
  })

  test('padded for those who ask for it', async () => {
    sayEverywhere(upstream, { text: ['a', 'longer piece of text'] })
    const stream_options = { include_obfuscation: true }
    const events = await readNamed(await ponto.post(path, { ...ask, stream: true, stream_options }))
    const deltas = events.filter(({ type }) => type === 'response.output_text.delta')
    expect(deltas).toHaveLength(2)
    for (const { delta, obfuscation } of deltas) {
      expect((JSON.stringify(delta).length + String(obfuscation).length) % 16).toBe(0)
    }
  })
})

describe('the same protocol at both ends', () => {
  const text = '{ "input":"hi", "model" : "NATIVE",  "tools":[{"type":"web_search"}], "future": [1.50] }'
  const sent =
    '{ "input":"hi", "model" : "up-model",  "tools":[{"type":"web_search"}], "future": [1.50] ,"store":false}'

  test('request and answer pass byte for byte, but for the model and that nothing is kept', async () => {
    const answer = JSON.stringify(responseWhole({ text: ['Hello'] }), null, 2)
    upstream.respond(() => json(answer))
    const response = await ponto.post(path, text)
    expect(await response.text()).toBe(answer)
    expect(upstream.requests[0]?.path).toBe('/v1/responses')
    expect(upstream.requests[0]?.body).toBe(sent)
    expect(counted).toEqual([expect.objectContaining({ promptTokens: 3, completionTokens: 4 })])
  })

  test('what the caller says of it stays, and null is no word', async () => {
    sayEverywhere(upstream, { text: ['Hello'] })
    const body = '{"model":"native","input":"hi","store":false}'
    await ponto.post(path, body)
    expect(upstream.requests.at(-1)?.body).toBe(body.replace('native', 'up-model'))
    await ponto.post(path, '{"model":"native","input":"hi","store":null}')
    expect(lastBody().store).toBe(false)
  })

  test('a stream passes byte for byte and is counted', async () => {
    const steps = responseStream({ text: ['event: response.completed\n', 'lo'], reasoning: ['hm'] })
    upstream.respond(() => steps)
    const response = await ponto.post(path, { ...ask, model: 'native', stream: true })
    expect(await response.text()).toBe(steps.map((step) => (step.do === 'send' ? step.text : '')).join(''))
    expect(counted).toEqual([expect.objectContaining({ promptTokens: 3, completionTokens: 4 })])
  })

  test('a stream that was cut off says so', async () => {
    upstream.respond(() => [...responseStream({ text: ['Hello'] }).slice(0, 4), { do: 'cut' }])
    const events = await readNamed(await ponto.post(path, { ...ask, model: 'native', stream: true }))
    expect(events.at(-1)).toMatchObject({ type: 'error', error: { code: 'BadGateway' }, sequence_number: 0 })
  })

  test.each([
    ['Dated', '/openai/responses?api-version=2025-03-01-preview'],
    ['Newest', '/openai/v1/responses?api-version=v1'],
  ])('Azure OpenAI: %s', async (model, expected) => {
    sayEverywhere(upstream, { text: ['Hello'] })
    expect((await ponto.post(path, { ...ask, model })).status).toBe(200)
    expect(upstream.requests[0]?.path).toBe(expected)
    expect(lastBody()).toEqual({ model: 'up-model', input: 'hi', store: false })
  })

  test('an error of the upstream is handed on', async () => {
    const error = {
      message: 'Too long.',
      type: 'invalid_request_error',
      param: 'input',
      code: 'context_length_exceeded',
    }
    upstream.respond(() => json({ error }, 400))
    const response = await ponto.post(path, { ...ask, model: 'native' })
    expect(response.status).toBe(400)
    expect(await response.json()).toEqual({ error })
  })
})

test('a backend that has no two APIs for chats is not taken for one', () => {
  const judge = (backend: object) =>
    deploymentSpecSchema.safeParse({ name: 'd1', model: { name: 'm' }, backends: [{ url: upstream.url, ...backend }] })
  expect(judge({ chatApis: ['responses'] }).success).toBe(true)
  for (const backend of [
    { chatApis: [] },
    { chatApis: ['completions'] },
    { chatApis: ['responses', 'responses'] },
    { chatApis: ['responses'], protocol: 'anthropic' },
  ]) {
    expect(judge(backend).error?.issues[0]?.path.slice(0, 3)).toEqual(['backends', 0, 'chatApis'])
  }
})

describe('another protocol at the other end', () => {
  const chat = { model: 'native', messages: [{ role: 'user', content: 'hi' }] }

  test('chats on an upstream of responses', async () => {
    sayEverywhere(upstream, { text: ['Hello'] })
    const response = await ponto.post('/openai/v1/chat/completions', chat)
    expect(await response.json()).toMatchObject({
      object: 'chat.completion',
      choices: [{ finish_reason: 'stop', message: { content: 'Hello' } }],
      usage: { prompt_tokens: 3, completion_tokens: 4, total_tokens: 7 },
    })
    expect(lastBody()).toEqual({
      model: 'up-model',
      input: [{ type: 'message', role: 'user', content: 'hi' }],
      store: false,
    })
  })

  test('a response that failed, and one that is not over, are failures', async () => {
    const failed = { ...responseWhole({ text: [] }), status: 'failed', error: { code: 'server_error', message: 'Oh.' } }
    for (const answer of [failed, { ...failed, status: 'queued', error: null }]) {
      upstream.respond(() => json(answer))
      expect((await ponto.post('/openai/v1/chat/completions', chat)).status).toBe(502)
    }
  })

  test('responses on an upstream of messages', async () => {
    sayEverywhere(upstream, { args: ['{"fruit":"fig"}'] })
    const tools = [{ type: 'function', name: 'eat', parameters: { type: 'object' } }]
    const events = await readNamed(await ponto.post(path, { ...ask, model: 'claude', tools, stream: true }))
    expect(events.at(-1)).toMatchObject({
      type: 'response.completed',
      response: { output: [{ type: 'function_call', name: 'eat', arguments: '{"fruit":"fig"}', status: 'completed' }] },
    })
  })

  test('an upstream of both gets each call in the protocol of its caller', async () => {
    upstream.respond(({ path: at }) =>
      json(at.endsWith('/responses') ? responseWhole({ text: ['R'] }) : writeWhole({ text: ['C'] }, true)),
    )
    await ponto.post(path, { ...ask, model: 'both', tools: [{ type: 'web_search' }] })
    await ponto.post('/openai/v1/chat/completions', { ...chat, model: 'both', seed: 5 })
    expect(upstream.requests.map(({ path: at }) => at)).toEqual(['/v1/responses', '/v1/chat/completions'])
    expect(lastBody().seed).toBe(5)
  })
})
