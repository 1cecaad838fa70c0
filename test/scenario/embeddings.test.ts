import { afterAll, beforeAll, beforeEach, expect, test } from 'bun:test'
import type { Call } from '../../src/core/call.ts'
import type { Backend } from '../../src/core/reply.ts'
import { type FakeUpstream, json, startFakeUpstream } from '../support/fake-upstream.ts'
import { type Harness, startHarness } from '../support/harness.ts'

let upstream: FakeUpstream
let ponto: Harness
const asked: Call[] = []

const vector = [0.25, -1, 3]
const builtin: Backend = {
  id: 'builtin:test',
  kinds: new Set(['embed']),
  async send(call) {
    asked.push(call)
    const count = call.kind === 'embed' ? call.inputs.length : 0
    return { kind: 'whole', result: { kind: 'embed', vectors: Array.from({ length: count }, () => vector) } }
  },
  probe: async () => ({ ok: true, detail: '' }),
}

beforeAll(async () => {
  upstream = await startFakeUpstream()
  ponto = await startHarness({ builtin })
  const { url } = upstream
  ponto.deploy(
    { name: 'builtin', model: { name: 'test' } },
    { name: 'azure', model: { name: 'ada' }, backends: [{ url, protocol: 'azure-openai' }] },
    { name: 'openai', model: { name: 'text-embedding-3-small' }, backends: [{ url: `${url}/v1` }] },
    { name: 'vllm', model: { name: 'bge-m3' }, backends: [{ url: `${url}/v1` }] },
    { name: 'foundry', model: { name: 'cohere' }, backends: [{ url, protocol: 'foundry' }] },
  )
})
beforeEach(() => {
  asked.length = 0
  upstream.requests.length = 0
  upstream.script(
    json({
      id: 'x',
      object: 'list',
      data: [{ index: 0, object: 'embedding', embedding: vector }],
      model: 'm',
      usage: { prompt_tokens: 1, total_tokens: 1 },
    }),
  )
})
afterAll(async () => {
  await ponto.stop()
  await upstream.stop()
})

const surfaces = [
  ['v1', () => '/openai/v1/embeddings'],
  ['dated', (name: string) => `/openai/deployments/${name}/embeddings?api-version=2024-10-21`],
  ['inference', () => '/models/embeddings?api-version=2024-05-01-preview'],
] as const

/** "tiktoken is great!" and "Hello ü 漢字" in cl100k_base. */
const ids = [
  [83, 1609, 5963, 374, 2294, 0],
  [9906, 10709, 6704, 120, 95, 19113],
]
const texts = ['tiktoken is great!', 'Hello ü 漢字']

function sentInput(name: string): unknown {
  if (name !== 'builtin') return JSON.parse(upstream.requests[0]?.body ?? '{}').input
  return asked[0]?.kind === 'embed' && asked[0].inputs
}

for (const [surface, path] of surfaces) {
  test.each([
    ['builtin', texts],
    ['azure', ids],
    ['openai', ids],
    ['vllm', texts],
    ['foundry', texts],
  ] as const)(`${surface}: token ids reach %s as it can read them`, async (model, expected) => {
    const response = await ponto.post(path(model), { model, input: ids, encoding_format: 'base64' })
    expect(response.status).toBe(200)
    expect(sentInput(model)).toEqual(expected)
    const { data } = await response.json()
    expect(Array.from(new Float32Array(Uint8Array.from(Buffer.from(data[0].embedding, 'base64')).buffer))).toEqual(
      vector,
    )
  })

  test(`${surface}: one list of ids is one input`, async () => {
    await ponto.post(path('vllm'), { model: 'vllm', input: ids[0] })
    expect(sentInput('vllm')).toBe('tiktoken is great!')
  })

  test.each(['builtin', 'vllm', 'foundry'])(`${surface}: an id that is none is refused for %s`, async (model) => {
    const response = await ponto.post(path(model), { model, input: [ids[0], [1, 100_256]] })
    expect(response.status).toBe(400)
    expect(await response.json()).toMatchObject({
      error: {
        message: expect.stringContaining('input[1]'),
        [surface === 'inference' ? 'target' : 'param']: 'input[1]',
      },
    })
    expect(upstream.requests).toHaveLength(0)
  })

  test.each([
    ['an empty text', '', 'input'],
    ['no inputs', [], 'input'],
    ['an empty text among others', ['a', ''], 'input[1]'],
    ['no ids', [[]], 'input[0]'],
    ['a negative id', [[1, -1]], 'input[0][1]'],
    ['texts and ids', ['a', 1], 'input[1]'],
    ['too many', Array(2049).fill('a'), 'input'],
    ['nothing', null, 'input'],
  ])(`${surface}: %s: refused`, async (_name, input, param) => {
    const response = await ponto.post(path('vllm'), { model: 'vllm', input })
    expect(response.status).toBe(400)
    const { error } = await response.json()
    expect(error.param ?? error.target).toBe(param)
  })

  test(`${surface}: 2048 inputs are taken`, async () => {
    const response = await ponto.post(path('builtin'), { model: 'builtin', input: Array(2048).fill('a') })
    expect((await response.json()).data).toHaveLength(2048)
  })
}

test('the inference surface always gives an id, also where its upstream gives none', async () => {
  const path = '/models/embeddings?api-version=2024-05-01-preview'
  const answer = { data: [{ index: 0, object: 'embedding', embedding: vector }], usage: { prompt_tokens: 1 } }
  upstream.script(json(answer))
  const made = await (await ponto.post(path, { model: 'foundry', input: 'a' })).json()
  expect(made).toMatchObject({ id: expect.stringMatching(/^[0-9a-f]{32}$/), data: answer.data })
  upstream.script(json({ ...answer, id: 'theirs', future_field: 1 }))
  const passed = await (await ponto.post(path, { model: 'foundry', input: 'a' })).json()
  expect(passed).toEqual({ ...answer, id: 'theirs', future_field: 1 })
})

test('quantised vectors are passed on to servers that may have them, and refused elsewhere', async () => {
  const body = { input: ['a'], encoding_format: 'int8', input_type: 'query' }
  const path = '/models/embeddings?api-version=2024-05-01-preview'
  upstream.script(json({ data: [{ index: 0, embedding: [1, -2, 3] }] }))
  const passed = await ponto.post(path, { ...body, model: 'foundry' })
  expect(JSON.parse(upstream.requests[0]?.body ?? '')).toEqual({ ...body, model: 'cohere' })
  expect((await passed.json()).data[0].embedding).toEqual([1, -2, 3])
  const refused = await ponto.post(path, { ...body, model: 'openai' })
  expect(refused.status).toBe(422)
  expect(await refused.json()).toMatchObject({ detail: [{ loc: ['body', 'encoding_format'], input: 'int8' }] })
})
