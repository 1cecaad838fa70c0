import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'bun:test'
import { connect } from 'node:net'
import { type FakeUpstream, json, startFakeUpstream } from '../support/fake-upstream.ts'
import { type FormPart, formBoundary, formType, makeBytes, writeForm } from '../support/form.ts'
import { type Harness, startHarness, testKey } from '../support/harness.ts'

/** Multipart forms on their way to an upstream. */

const maxBodyBytes = 1024 * 1024

let upstream: FakeUpstream
let other: FakeUpstream
let ponto: Harness

beforeAll(async () => {
  upstream = await startFakeUpstream()
  other = await startFakeUpstream()
  ponto = await startHarness({ maxBodyBytes, maxFormBytes: 40 * maxBodyBytes })
})
afterAll(async () => {
  await ponto.stop()
  await upstream.stop()
  await other.stop()
})
beforeEach(() => {
  upstream.requests.length = 0
  other.requests.length = 0
  upstream.script(json({ text: 'hello' }))
  other.script(json({ text: 'other' }))
  const model = { name: 'm' }
  const backend = { url: `${upstream.url}/v1`, model: 'up-model' }
  ponto.deploy(
    { name: 'whisper', model, backends: [backend] },
    { name: 'azure', model, backends: [{ url: upstream.url, model: 'up-model', protocol: 'azure-openai' }] },
    { name: 'pair', model, backends: [backend, { url: `${other.url}/v1`, priority: 1 }] },
    { name: 'dead', model, backends: [{ url: 'http://127.0.0.1:9/v1' }, { url: `${other.url}/v1`, priority: 1 }] },
  )
})

const dated = '?api-version=2024-10-21'
const v1 = '/openai/v1/audio/transcriptions'
const deployed = `/openai/deployments/whisper/audio/transcriptions${dated}`
const audio = makeBytes(70_001)
const file: FormPart = ['file', audio, 'a b.wav']
const model: FormPart = ['model', 'WHISPER']
const language: FormPart = ['language', 'de']

function send(path: string, body: Uint8Array, headers: Record<string, string> = {}): Promise<Response> {
  return fetch(ponto.url + path, {
    method: 'POST',
    headers: { 'api-key': testKey, 'content-type': formType, ...headers },
    body: body as BodyInit,
  })
}

/** What the upstream must see: its own model first, and everything else as it came. */
const withOwnModel = (...parts: readonly FormPart[]) => writeForm(['model', 'up-model'], ...parts)

function expectSeen(...parts: readonly FormPart[]): void {
  const [seen] = upstream.requests
  expect(seen?.headers['content-type']).toBe(formType)
  expect(seen?.headers['transfer-encoding']).toBe('chunked')
  expect(seen?.bytes.toString('latin1')).toBe(withOwnModel(...parts).toString('latin1'))
}

describe('a form reaches the upstream as it came but for its model', () => {
  test.each([
    ['before the file', v1, [model, language, file]],
    ['after the file', v1, [file, language, model]],
    ['between', v1, [language, file, model, ['prompt', 'x']]],
    ['twice, the first counts', v1, [model, file, ['model', 'other']]],
    ['before, and named by the path', deployed, [['model', 'gpt-3.5-turbo'], file]],
    ['after, and named by the path', deployed, [file, ['model', 'gpt-3.5-turbo']]],
    ['absent, named by the path', deployed, [language, file]],
  ] as const)('model %s', async (_name, path, parts) => {
    const response = await send(path, writeForm(...(parts as readonly FormPart[])))
    expect([response.status, await response.json()]).toEqual([200, { text: 'hello' }])
    expect(upstream.requests[0]?.path).toBe('/v1/audio/transcriptions')
    expectSeen(...(parts as readonly FormPart[]).filter(([name]) => name !== 'model'))
  })

  test('model by header, behind a file larger than what is ever held', async () => {
    const large: FormPart = ['file', makeBytes(3 * maxBodyBytes), 'a.wav']
    const named = { 'x-ms-model-mesh-model-name': 'whisper' }
    expect((await send(v1, writeForm(large), named)).status).toBe(200)
    expectSeen(large)
    upstream.requests.length = 0
    expect((await send(v1, writeForm(model, large))).status).toBe(200)
    expectSeen(large)
  })

  test('nothing names a model before such a file', async () => {
    const response = await send(v1, writeForm(['file', makeBytes(3 * maxBodyBytes), 'a.wav'], model))
    expect(response.status).toBe(400)
    const { error } = await response.json()
    expect(error.param).toBe('model')
    expect(error.message).toContain('x-ms-model-mesh-model-name')
    expect(upstream.requests).toEqual([])
  })

  test.each([
    ['translations', `/openai/deployments/azure/audio/translations${dated}`, 'audio/translations', '2024-10-21'],
    ['image edits', `/openai/images/edits${dated}`, 'images/edits', '2025-04-01-preview'],
    ['image edits, v1', '/openai/v1/images/edits', 'images/edits', '2025-04-01-preview'],
  ])('%s to Azure OpenAI', async (_name, path, operation, version) => {
    const image: FormPart = ['image[]', audio, 'a.png']
    const parts: readonly FormPart[] = [
      ['model', 'azure'],
      ['prompt', 'a hat'],
      image,
      image,
      ['mask', 'm', 'm.png'],
      file,
    ]
    expect((await send(path, writeForm(...parts))).status).toBe(200)
    expect(upstream.requests[0]?.path).toBe(`/openai/deployments/up-model/${operation}?api-version=${version}`)
    expectSeen(...parts.slice(1))
  })

  test.each([
    ['before', [model, file]],
    ['after', [file, model]],
  ] as const)('model %s the file, the form sent in pieces of seven bytes', async (_name, parts) => {
    const small = parts.map(
      (part): FormPart => (part === file ? ['file', audio.subarray(0, 700), 'a.wav'] : (part as FormPart)),
    )
    const bytes = writeForm(...small)
    const pieces: Buffer[] = []
    for (let at = 0; at < bytes.length; at += 7) pieces.push(bytes.subarray(at, at + 7))
    const got = await sendPieces(pieces)
    expect(got).toStartWith('HTTP/1.1 200')
    expectSeen(['file', audio.subarray(0, 700), 'a.wav'])
  })
})

/** One write per piece, each a chunk of the request's transfer coding. */
async function sendPieces(pieces: readonly Buffer[]): Promise<string> {
  const socket = connect(Number(new URL(ponto.url).port), '127.0.0.1').setNoDelay(true)
  let got = ''
  socket.on('data', (bytes) => {
    got += bytes.toString('latin1')
  })
  socket.write(
    `POST ${v1} HTTP/1.1\r\nhost: ponto\r\napi-key: ${testKey}\r\ncontent-type: ${formType}\r\ntransfer-encoding: chunked\r\nconnection: close\r\n\r\n`,
  )
  for (const piece of pieces) {
    socket.write(Buffer.concat([Buffer.from(`${piece.length.toString(16)}\r\n`), piece, Buffer.from('\r\n')]))
    await new Promise((resolve) => setImmediate(resolve))
  }
  socket.write('0\r\n\r\n')
  while (!got.includes('hello')) await Bun.sleep(2)
  socket.destroy()
  return got
}

describe('answers', () => {
  test.each([
    ['text', 'text/plain; charset=utf-8', 'Hello é\n'],
    ['srt', 'text/plain', '1\n00:00:00,000 --> 00:00:01,000\nHello\n\n'],
    ['vtt', 'text/vtt', 'WEBVTT\n\n00:00.000 --> 00:01.000\nHello\n'],
  ])('%s passes as it is', async (format, type, text) => {
    upstream.script([{ do: 'head', headers: { 'content-type': type } }, { do: 'send', text }, { do: 'end' }])
    const response = await send(v1, writeForm(model, ['response_format', format], file))
    expect(response.headers.get('content-type')).toBe(type)
    expect(await response.text()).toBe(text)
  })

  test('a stream, asked for after the file', async () => {
    const text = 'data: {"type":"transcript.text.delta","delta":"Hel"}\n\ndata: {"type":"transcript.text.done"}\n\n'
    upstream.script([
      { do: 'head', headers: { 'content-type': 'text/event-stream' } },
      { do: 'send', text },
      { do: 'end' },
    ])
    const response = await send(deployed, writeForm(file, ['stream', 'true']))
    expect(response.headers.get('content-type')).toBe('text/event-stream')
    expect(await response.text()).toBe(text)
  })
})

describe('a form can be sent once', () => {
  test('a backend that cannot be reached has not read it, so the next one gets it', async () => {
    const response = await send(v1, writeForm(['model', 'dead'], file))
    expect([response.status, await response.json()]).toEqual([200, { text: 'other' }])
  })

  test('a backend that failed has read it, so the caller must send it again', async () => {
    upstream.script(json({ error: { message: 'broken' } }, 500))
    const response = await send(v1, writeForm(['model', 'pair'], file))
    expect(response.status).toBe(502)
    expect(other.requests).toEqual([])
  })
})

const edits = '/openai/v1/images/edits'
const image: FormPart = ['image', 'x', 'a.png']
const prompt: FormPart = ['prompt', 'a hat']

describe('refused', () => {
  test.each([
    ['temperature', v1, [['temperature', '1.5']]],
    ['temperature', v1, [['temperature', 'warm']]],
    ['response_format', v1, [['response_format', 'xml']]],
    ['timestamp_granularities', v1, [['timestamp_granularities[]', 'sentence']]],
    ['stream', v1, [['stream', 'yes']]],
    ['response_format', '/openai/v1/audio/translations', [['response_format', 'diarized_json']]],
    ['n', edits, [['n', '11']]],
    ['n', edits, [['n', '1.5']]],
    ['quality', edits, [['quality', 'best']]],
    ['output_compression', edits, [['output_compression', '101']]],
    ['input_fidelity', edits, [['input_fidelity', 'some']]],
    ['partial_images', edits, [['partial_images', '-1']]],
  ] as readonly (readonly [string, string, readonly FormPart[]])[])(
    '%s of a wrong value, before the files and after',
    async (param, path, parts) => {
      const whole = path === edits ? [image, prompt] : [file]
      for (const form of [writeForm(model, ...parts, ...whole), writeForm(model, ...whole, ...parts)]) {
        const response = await send(path, form)
        expect(response.status).toBe(400)
        expect((await response.json()).error).toMatchObject({ param, type: 'invalid_request_error' })
      }
      // What the upstream saw was not a request: it broke off.
      expect(upstream.requests).toEqual([])
    },
  )

  test.each([
    ['file', v1, [model, language]],
    ['file', '/openai/v1/audio/translations', [model]],
    ['image', edits, [model, prompt]],
    ['prompt', edits, [model, image]],
    ['model', v1, [file]],
    ['model', `/openai/images/edits${dated}`, [image, prompt]],
    ['model', v1, [['model', 'x'.repeat(70_000)], file]],
  ] as readonly (readonly [string, string, readonly FormPart[]])[])('without %s at %s', async (param, path, parts) => {
    const response = await send(path, writeForm(...parts))
    expect(response.status).toBe(400)
    expect((await response.json()).error.param).toBe(param)
    expect(upstream.requests).toEqual([])
  })

  test('audio above the limit, with the service’s own answer', async () => {
    const limit = 26_214_400
    const response = await send(v1, writeForm(model, ['file', Buffer.alloc(limit + 1), 'a.wav']))
    expect(response.status).toBe(413)
    const { error } = await response.json()
    expect(error).toEqual({
      message: expect.stringMatching(/^Maximum content size limit \(26214400\) exceeded \(\d+ bytes read\)$/),
      type: 'server_error',
      param: 'null',
      code: 'null',
    })
    expect(upstream.requests).toEqual([])
    const allowed = await send(v1, writeForm(model, ['file', Buffer.alloc(limit), 'a.wav']))
    expect(allowed.status).toBe(200)
    expect(upstream.requests[0]?.bytes.length).toBeGreaterThan(limit)
  })

  test('a form above the overall limit, whether it says its length or not', async () => {
    const form = writeForm(model, prompt, ['image', Buffer.alloc(41 * maxBodyBytes), 'a.png'])
    expect((await send(edits, form)).status).toBe(413)
    const chunked = await fetch(ponto.url + edits, {
      method: 'POST',
      headers: { 'api-key': testKey, 'content-type': formType },
      body: new Blob([form as BlobPart]).stream(),
    })
    expect(chunked.status).toBe(413)
    expect(upstream.requests).toEqual([])
  })

  const whole = writeForm(model, file)
  test.each([
    ['breaks off', formType, whole.subarray(0, whole.length - 10)],
    ['has no boundary', 'multipart/form-data', whole],
    ['has another boundary', 'multipart/form-data; boundary=other', whole],
    ['is empty', formType, Buffer.alloc(0)],
    ['is JSON', 'application/json', Buffer.from('{"model":"whisper"}')],
    [
      'has a part of two names',
      formType,
      Buffer.from(whole.toString('latin1').replace('"model"', '"a"; name="model"'), 'latin1'),
    ],
    [
      'is not closed',
      formType,
      Buffer.from(whole.toString('latin1').replace(`--${formBoundary}--`, `--${formBoundary}`), 'latin1'),
    ],
  ])('a body that %s', async (_name, type, body) => {
    const response = await send(v1, body, { 'content-type': type })
    expect(response.status).toBe(400)
    expect((await response.json()).error.type).toBe('invalid_request_error')
    expect(upstream.requests).toEqual([])
  })

  test('a wrong key, and an unknown deployment', async () => {
    expect((await send(v1, whole, { 'api-key': 'no' })).status).toBe(401)
    const unknown = await send(v1, writeForm(['model', 'whisperr'], file))
    expect((await unknown.json()).error).toMatchObject({ code: 'DeploymentNotFound', param: 'model' })
  })
})

test('none of this is an error of ours', () => {
  expect(ponto.logs.filter(({ level }) => level === 'error')).toEqual([])
})
