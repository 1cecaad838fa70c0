import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'bun:test'
import type { Backend } from '../../src/core/reply.ts'
import type { BackendSpec } from '../../src/snapshot/deployment-spec.ts'
import { type FakeUpstream, json, type Step, startFakeUpstream } from '../support/fake-upstream.ts'
import { formType, makeBytes, writeForm } from '../support/form.ts'
import { type Harness, startHarness, testKey } from '../support/harness.ts'

/** Operations that are passed on: images, audio, moderations, rerank, image embeddings. Forms are in passed-forms.test.ts. */

let upstream: FakeUpstream
let other: FakeUpstream
let ponto: Harness

const builtin: Backend = {
  id: 'builtin:small',
  kinds: new Set(['chat', 'completion', 'embed']),
  send: () => Promise.reject(new Error('nothing here may reach the engine')),
  probe: () => Promise.resolve({ ok: true, detail: '' }),
}

beforeAll(async () => {
  upstream = await startFakeUpstream()
  other = await startFakeUpstream()
  ponto = await startHarness({ builtin })
})
afterAll(async () => {
  await ponto.stop()
  await upstream.stop()
  await other.stop()
})
beforeEach(() => {
  upstream.requests.length = 0
  other.requests.length = 0
  const model = { name: 'm' }
  const backend = { url: `${upstream.url}/v1`, model: 'up-model' }
  const root = { ...backend, url: upstream.url }
  ponto.deploy(
    { name: 'Media', model, backends: [backend] },
    { name: 'azure', model, backends: [{ ...root, protocol: 'azure-openai' }] },
    { name: 'azure-old', model, backends: [{ ...root, protocol: 'azure-openai', apiVersion: '2024-02-01' }] },
    { name: 'foundry', model, backends: [{ ...root, protocol: 'foundry' }] },
    {
      name: 'mixed',
      model,
      backends: [
        { ...root, protocol: 'foundry' },
        { ...backend, priority: 1 },
      ],
    },
    { name: 'pair', model, backends: [backend, { ...backend, url: `${other.url}/v1`, priority: 1 }] },
    { name: 'small', model: { name: 'small' } },
  )
})

const dated = '?api-version=2024-10-21'
const preview = '?api-version=2025-05-15-preview'
const png = 'data:image/png;base64,iVBORw0KGgo='

const bodies = {
  image: { prompt: 'a cat', n: 1, size: '1024x1024', quality: 'hd', future_field: { kept: [1.5] } },
  edit: { prompt: 'a hat', images: [{ image_url: png }] },
  speech: { input: 'Hello', voice: 'alloy', speed: 1.25, response_format: 'mp3' },
  moderation: { input: ['a', 'b'] },
  rerank: { query: 'q', documents: ['a', 'b'], top_n: 1 },
  imageEmbedding: { input: [{ image: png, text: 'cat' }], dimensions: 4, input_type: 'query' },
  inferenceImage: {
    prompt: 'a cat',
    size: { width: 64, height: 64 },
    n: 1,
    image_prompt: { image: png, strength: 0.5 },
  },
}
type Body = keyof typeof bodies

type Route = readonly [path: string, body: Body, deployment: string, upstreamPath: string]

const routes: readonly Route[] = [
  [`/openai/deployments/MEDIA/images/generations${dated}`, 'image', '', '/v1/images/generations'],
  ['/openai/v1/images/generations', 'image', 'media', '/v1/images/generations'],
  ['/openai/v1/images/edits', 'edit', 'media', '/v1/images/edits'],
  [`/openai/images/edits${dated}`, 'edit', 'media', '/v1/images/edits'],
  [`/openai/deployments/media/images/edits${dated}`, 'edit', '', '/v1/images/edits'],
  [`/openai/deployments/media/audio/speech${dated}`, 'speech', '', '/v1/audio/speech'],
  ['/openai/v1/audio/speech', 'speech', 'media', '/v1/audio/speech'],
  ['/openai/v1/moderations', 'moderation', 'media', '/v1/moderations'],
  [`/openai/moderations${dated}`, 'moderation', 'media', '/v1/moderations'],
  ['/v1/rerank', 'rerank', 'media', '/v1/rerank'],
  ['/v2/rerank', 'rerank', 'media', '/v1/rerank'],
  ['/providers/cohere/v2/rerank', 'rerank', 'media', '/v1/rerank'],
  [
    '/openai/v1/images/generations',
    'image',
    'azure',
    '/openai/deployments/up-model/images/generations?api-version=2024-10-21',
  ],
  [
    '/openai/v1/audio/speech',
    'speech',
    'azure',
    '/openai/deployments/up-model/audio/speech?api-version=2025-04-01-preview',
  ],
  [
    '/openai/v1/images/edits',
    'edit',
    'azure-old',
    '/openai/deployments/up-model/images/edits?api-version=2025-04-01-preview',
  ],
  [
    `/models/images/embeddings${preview}`,
    'imageEmbedding',
    'FOUNDRY',
    '/models/images/embeddings?api-version=2024-05-01-preview',
  ],
  [
    `/images/embeddings${preview}`,
    'imageEmbedding',
    'foundry',
    '/models/images/embeddings?api-version=2024-05-01-preview',
  ],
  [
    `/models/images/generations${preview}`,
    'inferenceImage',
    'foundry',
    '/models/images/generations?api-version=2025-05-15-preview',
  ],
  [
    `/images/generations${preview}`,
    'inferenceImage',
    'foundry',
    '/models/images/generations?api-version=2025-05-15-preview',
  ],
  ['/v2/rerank', 'rerank', 'foundry', '/providers/cohere/v2/rerank'],
]

const withModel = (body: Body, deployment: string) => ({ ...(deployment && { model: deployment }), ...bodies[body] })

describe('request and answer pass byte for byte but for the model', () => {
  test.each(routes)('%s: %s of %s', async (path, body, deployment, upstreamPath) => {
    const answer = '{ "created" : 1,  "data":[ ], "vendor": 1.50 }'
    upstream.script(json(answer))
    const text = `${JSON.stringify(withModel(body, deployment)).slice(0, -1)} ,  "more":1.50}`
    const response = await ponto.post(path, text, { 'api-key': testKey, 'extra-parameters': 'pass-through' })
    expect([response.status, await response.text()]).toEqual([200, answer])
    expect(response.headers.get('content-type')).toBe('application/json')
    expect(response.headers.get('x-ms-deployment-name')?.toLowerCase()).toBe(deployment.toLowerCase() || 'media')
    const [seen] = upstream.requests
    expect(seen?.path).toBe(upstreamPath)
    expect(seen?.body).toBe(
      deployment
        ? text.replace(`"model":"${deployment}"`, '"model":"up-model"')
        : `{"model":"up-model",${text.slice(1)}`,
    )
  })

  test('moderations that name no model ask for the usual one', async () => {
    upstream.script(json({ results: [] }))
    const unknown = await ponto.post('/openai/v1/moderations', bodies.moderation)
    expect((await unknown.json()).error.message).toContain('omni-moderation-latest')
    const backends = [{ url: `${upstream.url}/v1`, model: 'up-model' }]
    ponto.deploy({ name: 'omni-moderation-latest', model: { name: 'm' }, backends })
    expect((await ponto.post('/openai/v1/moderations', bodies.moderation)).status).toBe(200)
  })

  test('a server with one deployment needs no model for rerank and image embeddings', async () => {
    upstream.script(json({ results: [] }))
    ponto.deploy({ name: 'one', model: { name: 'm' }, backends: [{ url: `${upstream.url}/v1`, model: 'up-model' }] })
    expect((await ponto.post('/v1/rerank', bodies.rerank)).status).toBe(200)
    expect(JSON.parse(upstream.requests[0]?.body ?? '')).toEqual({ model: 'up-model', ...bodies.rerank })
  })
})

describe('answers that are not JSON', () => {
  const speech = () => ponto.post('/openai/v1/audio/speech', withModel('speech', 'media'))
  const headOf = (type: string): Step => ({ do: 'head', headers: { 'content-type': type } })

  test('audio, byte for byte, with its content type', async () => {
    const audio = makeBytes(300_001)
    upstream.script([
      headOf('audio/mpeg'),
      { do: 'send', text: audio.subarray(0, 100_000) },
      { do: 'wait', ms: 20 },
      { do: 'send', text: audio.subarray(100_000) },
      { do: 'end' },
    ])
    const response = await speech()
    expect(response.headers.get('content-type')).toBe('audio/mpeg')
    expect(Buffer.from(await response.arrayBuffer()).equals(audio)).toBe(true)
    expect(upstream.requests[0]?.headers.accept).toBe('*/*')
  })

  test('an empty answer, and one without a content type', async () => {
    upstream.script([{ do: 'head' }, { do: 'end' }])
    const response = await speech()
    expect(response.headers.get('content-type')).toBe('application/octet-stream')
    expect(await response.text()).toBe('')
  })

  test('audio passes on while the upstream still writes', async () => {
    const { promise, resolve } = Promise.withResolvers<void>()
    upstream.script([
      headOf('audio/mpeg'),
      { do: 'send', text: 'first' },
      { do: 'until', promise },
      { do: 'send', text: 'rest' },
      { do: 'end' },
    ])
    const reader = (await speech()).body?.getReader()
    expect(new TextDecoder().decode((await reader?.read())?.value)).toBe('first')
    resolve()
    expect(new TextDecoder().decode((await reader?.read())?.value)).toBe('rest')
  })

  const streams = {
    images: `event: image_generation.partial_image\ndata: {"type":"image_generation.partial_image","b64_json":"${'A'.repeat(200_000)}"}\n\nevent: image_generation.completed\ndata: {"type":"image_generation.completed"}\n\n`,
    speech:
      'data: {"type":"speech.audio.delta","audio":"AAAA"}\r\n\r\n: ping\r\n\r\ndata: {"type":"speech.audio.done"}\r\n\r\n',
  }

  test.each([
    ['images', '/openai/v1/images/generations', { ...withModel('image', 'media'), stream: true, partial_images: 1 }],
    ['speech', '/openai/v1/audio/speech', { ...withModel('speech', 'media'), stream_format: 'sse' }],
  ] as const)('a stream of %s passes byte for byte, names of events included', async (name, path, body) => {
    upstream.script([headOf('text/event-stream'), { do: 'send', text: streams[name] }, { do: 'end' }])
    const response = await ponto.post(path, body)
    expect(response.headers.get('content-type')).toBe('text/event-stream')
    expect(await response.text()).toBe(streams[name])
  })

  test('events that break off between two end with an error event', async () => {
    for (const whole of ['event: a\ndata: {}\n\n', 'data: {}\r\n\r\n']) {
      upstream.script([headOf('text/event-stream'), { do: 'send', text: whole }, { do: 'cut' }])
      const text = await (await speech()).text()
      expect(text).toStartWith(whole)
      expect(JSON.parse(text.slice(whole.length).replace('data: ', '')).error.code).toBe('BadGateway')
    }
  })

  test.each([
    ['an event', 'text/event-stream', 'data: {"aud'],
    ['audio', 'audio/mpeg', 'abc'],
    ['JSON', 'application/json', '{"data": ['],
  ])('%s that breaks off is not taken for whole', async (_name, type, text) => {
    upstream.script([headOf(type), { do: 'send', text }, { do: 'cut' }])
    const response = await speech()
    expect(response.status).toBe(200)
    await expect(response.text()).rejects.toThrow()
    expect(ponto.logs.filter(({ level }) => level === 'error')).toEqual([])
  })

  test('a caller that goes away ends the work upstream', async () => {
    upstream.script([headOf('audio/mpeg'), { do: 'send', text: 'abc' }, { do: 'stall' }])
    const abort = new AbortController()
    const response = await ponto.post('/openai/v1/audio/speech', withModel('speech', 'media'), undefined, abort.signal)
    await response.body?.getReader().read()
    abort.abort()
    expect(await upstream.requests[0]?.finished).toBe(false)
  })
})

describe('where it goes', () => {
  test('a backend that lacks the operation is passed over', async () => {
    upstream.script(json({ ok: true }))
    expect((await ponto.post('/openai/v1/audio/speech', withModel('speech', 'mixed'))).status).toBe(200)
    expect(
      (await ponto.post(`/models/images/generations${preview}`, withModel('inferenceImage', 'mixed'))).status,
    ).toBe(200)
    expect(upstream.requests.map(({ path }) => path)).toEqual([
      '/v1/audio/speech',
      '/models/images/generations?api-version=2025-05-15-preview',
    ])
  })

  test('JSON goes to the next backend when the first fails', async () => {
    upstream.script(json({ error: { message: 'broken' } }, 500))
    other.script(json({ ok: true }))
    expect((await ponto.post('/openai/v1/moderations', withModel('moderation', 'pair'))).status).toBe(200)
    expect([upstream.requests.length, other.requests.length]).toEqual([1, 1])
  })

  test('extra parameters of the inference API: refused, dropped, passed through', async () => {
    upstream.script(json({ data: [] }))
    const send = (mode?: string) =>
      ponto.post(
        `/models/images/embeddings${preview}`,
        { ...withModel('imageEmbedding', 'foundry'), truncate: true },
        { 'api-key': testKey, ...(mode && { 'extra-parameters': mode }) },
      )
    expect((await (await send()).json()).detail).toStartWith("Extra parameters ['truncate'] are not allowed")
    expect((await send('drop')).status).toBe(200)
    expect((await send('pass-through')).status).toBe(200)
    const [dropped, passed] = upstream.requests
    expect(JSON.parse(dropped?.body ?? '')).toEqual({ ...bodies.imageEmbedding, model: 'up-model' })
    expect(dropped?.headers['extra-parameters']).toBeUndefined()
    expect(JSON.parse(passed?.body ?? '').truncate).toBe(true)
    expect(passed?.headers['extra-parameters']).toBe('pass-through')
  })

  test.each([
    ['return_documents', { return_documents: true }],
    ['rank_fields', { rank_fields: ['title'] }],
    ['documents', { documents: [{ text: 'a' }] }],
  ])('a Foundry resource is not asked for %s, which its rerank would ignore', async (param, fields) => {
    const response = await ponto.post('/v1/rerank', { ...withModel('rerank', 'foundry'), ...fields })
    expect(response.status).toBe(400)
    expect((await response.json()).error).toMatchObject({ param, code: 'unsupported_value' })
    upstream.script(json({ results: [] }))
    expect((await ponto.post('/v1/rerank', { ...withModel('rerank', 'media'), ...fields })).status).toBe(200)
  })
})

describe('upstream trouble', () => {
  test("an image filter's refusal reaches the caller with its own body", async () => {
    const body = { error: { code: 'content_policy_violation', inner_error: { code: 'ResponsibleAIPolicyViolation' } } }
    upstream.script(json(body, 400))
    const response = await ponto.post('/openai/v1/images/generations', withModel('image', 'media'))
    const error = { ...body.error, message: 'The backend gave no message.', param: null, type: null }
    expect([response.status, await response.json()]).toEqual([400, { error }])
  })

  test("the inference API's own refusals too", async () => {
    const body = { detail: [{ loc: ['body', 'text'], msg: 'not taken' }] }
    upstream.script(json(body, 422))
    const response = await ponto.post(`/models/images/embeddings${preview}`, withModel('imageEmbedding', 'foundry'))
    expect([response.status, await response.json()]).toEqual([422, body])
  })

  test.each([
    [404, 502],
    [401, 502],
    [500, 502],
    [503, 503],
    [429, 429],
  ])('%d becomes %d', async (given, expected) => {
    upstream.script(json({ message: 'no' }, given))
    const response = await ponto.post('/v2/rerank', withModel('rerank', 'media'))
    expect(response.status).toBe(expected)
    expect(response.headers.has('retry-after-ms')).toBe(expected === 429)
    const { message, error } = await response.json()
    expect(message).toBe(error.message)
  })
})

type WrongRow = readonly [path: string, body: Body, deployment: string, fields: object, param: string]

const v1Image = '/openai/v1/images/generations'
const v1Speech = '/openai/v1/audio/speech'
const embedding = `/models/images/embeddings${preview}`
const inferenceImage = `/models/images/generations${preview}`

const wrong: readonly WrongRow[] = [
  [v1Image, 'image', 'media', { prompt: 5 }, 'prompt'],
  [v1Image, 'image', 'media', { prompt: undefined }, 'prompt'],
  [v1Image, 'image', 'media', { n: 0 }, 'n'],
  [v1Image, 'image', 'media', { n: 11 }, 'n'],
  [v1Image, 'image', 'media', { n: 1.5 }, 'n'],
  [v1Image, 'image', 'media', { size: 1024 }, 'size'],
  [v1Image, 'image', 'media', { quality: 'best' }, 'quality'],
  [v1Image, 'image', 'media', { style: 'dull' }, 'style'],
  [v1Image, 'image', 'media', { response_format: 'png' }, 'response_format'],
  [v1Image, 'image', 'media', { output_format: 'gif' }, 'output_format'],
  [v1Image, 'image', 'media', { output_compression: 101 }, 'output_compression'],
  [v1Image, 'image', 'media', { background: 'blue' }, 'background'],
  [v1Image, 'image', 'media', { partial_images: 4 }, 'partial_images'],
  [v1Image, 'image', 'media', { stream: 'yes' }, 'stream'],
  [v1Image, 'image', '', {}, 'model'],
  ['/openai/v1/images/edits', 'edit', 'media', { images: [] }, 'images'],
  ['/openai/v1/images/edits', 'edit', 'media', { input_fidelity: 'some' }, 'input_fidelity'],
  [v1Speech, 'speech', 'media', { input: undefined }, 'input'],
  [v1Speech, 'speech', 'media', { input: 'x'.repeat(4097) }, 'input'],
  [v1Speech, 'speech', 'media', { voice: undefined }, 'voice'],
  [v1Speech, 'speech', 'media', { voice: 5 }, 'voice'],
  [v1Speech, 'speech', 'media', { speed: 0.2 }, 'speed'],
  [v1Speech, 'speech', 'media', { speed: 4.1 }, 'speed'],
  [v1Speech, 'speech', 'media', { response_format: 'ogg' }, 'response_format'],
  [v1Speech, 'speech', 'media', { stream_format: 'events' }, 'stream_format'],
  ['/openai/v1/moderations', 'moderation', 'media', { input: undefined }, 'input'],
  ['/openai/v1/moderations', 'moderation', 'media', { input: 5 }, 'input'],
  ['/v1/rerank', 'rerank', 'media', { query: undefined }, 'query'],
  ['/v1/rerank', 'rerank', 'media', { documents: [] }, 'documents'],
  ['/v2/rerank', 'rerank', 'media', { documents: [5] }, 'documents[0]'],
  ['/v2/rerank', 'rerank', 'media', { top_n: 0 }, 'top_n'],
  [embedding, 'imageEmbedding', 'foundry', { input: [] }, 'input'],
  [embedding, 'imageEmbedding', 'foundry', { input: [{ text: 'a' }] }, 'input[0].image'],
  [embedding, 'imageEmbedding', 'foundry', { input: [{ image: 'https://a.example/a.png' }] }, 'input[0].image'],
  [embedding, 'imageEmbedding', 'foundry', { dimensions: 0 }, 'dimensions'],
  [embedding, 'imageEmbedding', 'foundry', { encoding_format: 'hex' }, 'encoding_format'],
  [embedding, 'imageEmbedding', 'foundry', { input_type: 'image' }, 'input_type'],
  [inferenceImage, 'inferenceImage', 'foundry', { size: undefined }, 'size'],
  [inferenceImage, 'inferenceImage', 'foundry', { size: { width: 64 } }, 'size.height'],
  [inferenceImage, 'inferenceImage', 'foundry', { n: 0 }, 'n'],
  [inferenceImage, 'inferenceImage', 'foundry', { seed: 'x' }, 'seed'],
  [inferenceImage, 'inferenceImage', 'foundry', { image_prompt: { image: png, strength: 2 } }, 'image_prompt.strength'],
  [inferenceImage, 'inferenceImage', 'foundry', { image_prompt: { image: 'cat' } }, 'image_prompt.image'],
]

describe('fields at fault are named', () => {
  test.each(wrong)('%s: %s of %s with %o', async (path, body, deployment, fields, param) => {
    const response = await ponto.post(path, { ...withModel(body, deployment), ...fields })
    const { error } = await response.json()
    expect(response.status).toBe(400)
    expect(error.param ?? error.target).toBe(param)
    expect(error.message).toContain(`'${param}'`)
    expect(upstream.requests).toEqual([])
  })
})

describe('a model that cannot is refused', () => {
  const text = (operation: string) =>
    `The ${operation} operation does not work with the specified model, small. Please choose different model and try again. You can learn more about which models can be used with each operation here: https://go.microsoft.com/fwlink/?linkid=2197993.`
  const file = writeForm(['file', 'abc', 'a.wav'], ['prompt', 'x'], ['image', 'abc', 'a.png'])

  test.each([
    [`/openai/deployments/small/images/generations${dated}`, bodies.image, 'imageGeneration'],
    ['/openai/v1/images/generations', bodies.image, 'imageGeneration'],
    [`/openai/deployments/small/images/edits${dated}`, file, 'imageEdit'],
    ['/openai/v1/images/edits', file, 'imageEdit'],
    [`/openai/images/edits${dated}`, file, 'imageEdit'],
    [`/openai/deployments/small/audio/transcriptions${dated}`, file, 'transcription'],
    ['/openai/v1/audio/transcriptions', file, 'transcription'],
    [`/openai/deployments/small/audio/translations${dated}`, file, 'translation'],
    ['/openai/v1/audio/translations', file, 'translation'],
    [`/openai/deployments/small/audio/speech${dated}`, bodies.speech, 'speech'],
    ['/openai/v1/audio/speech', bodies.speech, 'speech'],
    ['/openai/v1/moderations', bodies.moderation, 'moderation'],
    [`/openai/moderations${dated}`, bodies.moderation, 'moderation'],
    ['/v1/rerank', bodies.rerank, 'rerank'],
    ['/v2/rerank', bodies.rerank, 'rerank'],
    ['/providers/cohere/v2/rerank', bodies.rerank, 'rerank'],
    [`/models/images/embeddings${preview}`, bodies.imageEmbedding, 'imageEmbeddings'],
    [`/images/embeddings${preview}`, bodies.imageEmbedding, 'imageEmbeddings'],
    [`/models/images/generations${preview}`, bodies.inferenceImage, 'imageGeneration'],
    [`/images/generations${preview}`, bodies.inferenceImage, 'imageGeneration'],
  ])('%s', async (path, body, operation) => {
    const isForm = body instanceof Uint8Array
    const response = await fetch(ponto.url + path, {
      method: 'POST',
      headers: {
        'api-key': testKey,
        'x-ms-model-mesh-model-name': 'small',
        'content-type': isForm ? formType : 'application/json',
      },
      body: isForm ? (body as BodyInit) : JSON.stringify({ ...body, model: 'small' }),
    })
    expect(response.status).toBe(400)
    const { error } = await response.json()
    expect(error).toMatchObject({ code: 'OperationNotSupported', message: text(operation) })
    expect('type' in error).toBe(path.startsWith('/openai') || path.includes('rerank'))
  })

  test('the shapes of the two image operations are not mixed up', async () => {
    const openai = await ponto.post('/openai/v1/images/generations', withModel('image', 'foundry'))
    expect((await openai.json()).error.code).toBe('OperationNotSupported')
    const inference = await ponto.post(inferenceImage, withModel('inferenceImage', 'media'))
    expect((await inference.json()).error.code).toBe('OperationNotSupported')
    const chat: BackendSpec['protocol'] = 'azure-openai'
    ponto.deploy({ name: 'azure', model: { name: 'm' }, backends: [{ url: upstream.url, protocol: chat }] })
    const moderation = await ponto.post('/openai/v1/moderations', withModel('moderation', 'azure'))
    expect((await moderation.json()).error.code).toBe('OperationNotSupported')
  })
})
