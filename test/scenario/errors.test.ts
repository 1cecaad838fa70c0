import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { connect } from 'node:net'
import { type FakeUpstream, json, startFakeUpstream } from '../support/fake-upstream.ts'
import { type Harness, startHarness, testKey } from '../support/harness.ts'

let upstream: FakeUpstream
let ponto: Harness

beforeAll(async () => {
  upstream = await startFakeUpstream()
  upstream.script(
    json({ choices: [{ index: 0, message: { role: 'assistant', content: 'ok' }, finish_reason: 'stop' }] }),
  )
  ponto = await startHarness({ maxBodyBytes: 64 * 1024 })
  const backend = { url: `${upstream.url}/v1` }
  ponto.deploy(
    { name: 'gpt-4o', model: { name: 'gpt-4o', version: '2024-08-06' }, backends: [backend] },
    { name: 'gpt-4o-mini', model: { name: 'gpt-4o-mini', version: '2024-07-18' }, backends: [backend] },
    { name: 'phi', model: { name: 'phi-4' }, backends: [{ ...backend, protocol: 'foundry' }] },
    { name: 'embedder', model: { name: 'e5', type: 'embeddings' }, backends: [backend] },
  )
})
afterAll(async () => {
  await ponto.stop()
  await upstream.stop()
})

const ask = { model: 'gpt-4o', messages: [{ role: 'user', content: 'hi' }] }
const v1 = '/openai/v1/chat/completions'
const dated = '/openai/deployments/gpt-4o/chat/completions'
const inference = '/models/chat/completions'
const version = '?api-version=2024-10-21'

describe('keys', () => {
  test.each([
    ['api-key', { 'api-key': testKey }, 200],
    ['x-api-key', { 'x-api-key': testKey }, 200],
    ['Ocp-Apim-Subscription-Key', { 'Ocp-Apim-Subscription-Key': testKey }, 200],
    ['Bearer', { authorization: `Bearer ${testKey}` }, 200],
    ['bearer in another case', { authorization: `bearer ${testKey}` }, 200],
    ['both', { 'api-key': testKey, authorization: `Bearer ${testKey}` }, 200],
    ['none', {}, 401],
    ['wrong', { 'api-key': 'wrong' }, 401],
    ['Basic', { authorization: `Basic ${testKey}` }, 401],
    ['a prefix of the key', { 'api-key': testKey.slice(0, -1) }, 401],
    ['a huge key', { 'api-key': 'k'.repeat(5000) }, 401],
  ])('%s', async (_name, headers, status) => {
    for (const path of [v1, dated + version, inference + version]) {
      const response = await ponto.post(path, ask, headers)
      expect(response.status).toBe(status)
      expect(response.headers.get('content-type')).toStartWith('application/json')
      const body = await response.json()
      if (status === 401) expect(body.error).toMatchObject({ code: '401' })
    }
  })

  test('nothing is listed without a key', async () => {
    for (const path of [
      '/openai/v1/models',
      `/openai/deployments${version}`,
      `/openai/models${version}`,
      `/models/info${version}&model=gpt-4o`,
    ]) {
      expect((await ponto.get(path, {})).status).toBe(401)
    }
  })

  test('an unknown name is answered with the nearest ones only to those who have a key', async () => {
    const body = { ...ask, model: 'gpt4o' }
    expect(await (await ponto.post(v1, body, {})).text()).not.toContain('gpt-4o-mini')
    const known = await ponto.post(v1, body)
    expect(known.status).toBe(404)
    expect((await known.json()).error).toMatchObject({ code: 'DeploymentNotFound', param: 'model' })
    expect((await (await ponto.post(v1, body)).json()).error.message).toContain("'gpt-4o'")
  })
})

type Row = readonly [name: string, path: string, body: unknown, status: number, error: object]

const openaiRows: readonly Row[] = [
  ['missing api-version', dated, ask, 404, { code: '404' }],
  ['malformed api-version', `${dated}?api-version=today`, ask, 400, { code: 'BadRequest' }],
  ['unreleased api-version is taken', `${dated}?api-version=2025-08-28`, ask, 200, {}],
  ['malformed JSON', v1, '{"model": ', 400, { type: 'invalid_request_error' }],
  ['an empty body', v1, '', 400, { type: 'invalid_request_error' }],
  ['an array', v1, '[]', 400, { type: 'invalid_request_error' }],
  ['no model', v1, { messages: ask.messages }, 400, { param: 'model' }],
  ['model of a wrong type', v1, { ...ask, model: 5 }, 400, { param: 'model' }],
  ['no messages', v1, { model: 'gpt-4o' }, 400, { param: 'messages' }],
  ['empty messages', v1, { ...ask, messages: [] }, 400, { param: 'messages' }],
  ['unknown role', v1, { ...ask, messages: [{ role: 'robot', content: 'x' }] }, 400, { param: 'messages[0].role' }],
  ['temperature of a wrong type', v1, { ...ask, temperature: 'hot' }, 400, { param: 'temperature' }],
  ['temperature out of range', v1, { ...ask, temperature: 3 }, 400, { param: 'temperature' }],
  ['n out of range', v1, { ...ask, n: 0 }, 400, { param: 'n' }],
  [
    'a bad tool name',
    v1,
    { ...ask, tools: [{ type: 'function', function: { name: 'a b' } }] },
    400,
    { param: 'tools[0].function.name' },
  ],
  ['top_logprobs without logprobs', v1, { ...ask, top_logprobs: 2 }, 400, { param: 'top_logprobs' }],
  [
    'unknown deployment in the path',
    `/openai/deployments/nope/chat/completions${version}`,
    ask,
    404,
    { code: 'DeploymentNotFound' },
  ],
  ['too large', v1, { ...ask, user: 'x'.repeat(70_000) }, 413, { code: 'RequestBodyTooLarge' }],
  ['unknown path', '/openai/v1/nothing', ask, 404, { code: '404' }],
  ['wrong method', '/openai/v1/models', ask, 405, { code: 'MethodNotAllowed' }],
  [
    'an operation the backend lacks',
    `/openai/deployments/phi/completions${version}`,
    { prompt: 'x' },
    400,
    { code: 'OperationNotSupported' },
  ],
  ['embeddings without input', '/openai/v1/embeddings', { model: 'gpt-4o' }, 400, { param: 'input' }],
  ['null where clients send it', v1, { ...ask, temperature: null, stop: null, tools: null, n: null }, 200, {}],
  ['doubled slashes', '/openai//v1/chat/completions/', ask, 200, {}],
]

const inferenceRows: readonly Row[] = [
  ['missing api-version', inference, ask, 400, { code: 'MissingApiVersionParameter' }],
  ['no model among several', inference + version, { messages: ask.messages }, 400, { code: 'no_model_name' }],
  ['unknown model', inference + version, { ...ask, model: 'nope' }, 400, { code: 'unknown_model' }],
  ['wrong type', inference + version, { ...ask, stream: 'yes' }, 400, { code: 'invalid_request', target: 'stream' }],
  ['malformed JSON', inference + version, '{', 400, { code: 'invalid_json' }],
  [
    'too large',
    inference + version,
    { ...ask, seed: 1, model: 'x'.repeat(70_000) },
    413,
    { code: 'RequestBodyTooLarge' },
  ],
  ['unknown path', '/models/nothing', ask, 404, { code: '404' }],
]

describe.each([
  ['Azure OpenAI', openaiRows, ['code', 'message', 'param', 'type']],
  ['Azure AI Model Inference', inferenceRows, ['code', 'message']],
] as const)('%s', (_surface, rows, keys) => {
  test.each(rows as Row[])('%s', async (_name, path, body, status, error) => {
    const response = await ponto.post(path, body)
    expect(response.status).toBe(status)
    expect(response.headers.get('content-type')).toStartWith('application/json')
    expect(response.headers.get('retry-after')).toBeNull()
    const answer = await response.json()
    if (status === 200) return
    expect(answer.error).toMatchObject(error)
    for (const key of keys) expect(answer.error).toHaveProperty(key)
    expect(answer.error.message).toBeString()
  })
})

test('a body that lies about its length or has none is bounded all the same', async () => {
  const stream = new ReadableStream<Uint8Array>({
    start(controller) {
      for (let i = 0; i < 100; i++) controller.enqueue(new Uint8Array(1024).fill(0x20))
      controller.close()
    },
  })
  const response = await fetch(ponto.url + v1, { method: 'POST', headers: { 'api-key': testKey }, body: stream })
  expect(response.status).toBe(413)
})

describe('inference details', () => {
  test('an error repeats its code in a header, and a wrong encoding is 422 in the documented shape', async () => {
    const body = { model: 'gpt-4o', input: ['x'], encoding_format: 'int8' }
    const response = await ponto.post(`/models/embeddings${version}`, body)
    expect(response.status).toBe(422)
    expect(response.headers.get('x-ms-error-code')).toBe('parameter_not_supported')
    expect(await response.json()).toMatchObject({
      code: 'parameter_not_supported',
      status: 422,
      detail: [{ loc: ['body', 'encoding_format'], input: 'int8' }],
    })
  })

  test('the model may be named by a header', async () => {
    const response = await ponto.post(
      inference + version,
      { messages: ask.messages },
      { 'api-key': testKey, 'x-ms-model-mesh-model-name': 'GPT-4o' },
    )
    expect(response.status).toBe(200)
    expect(response.headers.get('x-ms-deployment-name')).toBe('gpt-4o')
  })

  test('info spells model_type as the version does', async () => {
    const info = async (apiVersion: string) =>
      (await ponto.get(`/models/info?api-version=${apiVersion}&model=phi`)).json()
    expect(await info('2024-05-01-preview')).toEqual({
      model_name: 'phi-4',
      model_type: 'chat-completion',
      model_provider_name: 'OpenAI',
    })
    expect((await info('2025-04-01')).model_type).toBe('chat_completion')
    const embeddings = await (await ponto.get(`/models/info${version}&model=Embedder`)).json()
    expect(embeddings.model_type).toBe('embeddings')
    expect((await ponto.post(v1, { ...ask, model: 'embedder' })).status).toBe(400)
  })
})

test.each(['a b', '[::1', 'a/b', 'x:99999', 'x@y', 'a#b', 'a?b', '/management'])(
  'the Host header %p is refused',
  async (host) => {
    const answer = await new Promise<string>((resolve, reject) => {
      const socket = connect(Number(new URL(ponto.url).port), '127.0.0.1', () => {
        socket.write(`GET /openai/v1/models HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`)
      })
      let text = ''
      socket.on('data', (chunk) => {
        text += chunk
      })
      socket.on('end', () => resolve(text))
      socket.on('error', reject)
    })
    expect(answer).toStartWith('HTTP/1.1 400')
  },
)

test('request ids, echo and CORS', async () => {
  const response = await ponto.post(v1, ask, {
    'api-key': testKey,
    'x-ms-client-request-id': 'abc-1',
    origin: 'https://app.example',
  })
  expect(response.headers.get('x-ms-client-request-id')).toBe('abc-1')
  expect(response.headers.get('x-request-id')).toBe(response.headers.get('apim-request-id'))
  expect(response.headers.get('access-control-allow-origin')).toBe('*')
  const preflight = await fetch(ponto.url + v1, {
    method: 'OPTIONS',
    headers: { origin: 'https://app.example', 'access-control-request-headers': 'api-key,x-stainless-lang' },
  })
  expect(preflight.status).toBe(204)
  expect(preflight.headers.get('access-control-allow-headers')).toContain('x-stainless-lang')
})

test('lists: chat deployments first, base models once each', async () => {
  const list = async (path: string) =>
    (await (await ponto.get(path)).json()).data.map((item: { id: string }) => item.id)
  expect(await list('/openai/v1/models')).toEqual(['gpt-4o', 'gpt-4o-mini', 'phi', 'embedder'])
  expect(await list(`/openai/deployments${version}`)).toEqual(['gpt-4o', 'gpt-4o-mini', 'phi', 'embedder'])
  expect(await list(`/openai/models${version}`)).toEqual([
    'gpt-4o-2024-08-06',
    'gpt-4o-mini-2024-07-18',
    'phi-4-1',
    'e5-1',
  ])
  expect((await (await ponto.get('/openai/v1/models/PHI')).json()).id).toBe('phi')
  expect((await ponto.get('/openai/v1/models/none')).status).toBe(404)
})
