import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'bun:test'
import type { NamedKeyView } from '../../src/control/api.ts'
import { type ControlFixture, remote, startControl } from '../../src/control/control.fixture.ts'
import { buildKeyRing } from '../../src/snapshot/keys/key-ring.ts'
import { type FuzzRoute, inferenceRoutes } from '../fuzz/routes.ts'
import { simpleBody, writeForm } from '../fuzz/valid-bodies.ts'
import {
  event,
  type FakeUpstream,
  json,
  type SeenRequest,
  sseHead,
  startFakeUpstream,
} from '../support/fake-upstream.ts'
import { type Harness, startHarness, testKey } from '../support/harness.ts'

/** Keys beside the resource's two: made by the management API, presented at every surface of the data plane. */

const hour = 3_600_000

let upstream: FakeUpstream
let control: ControlFixture
let ponto: Harness
/** How far the clock of the management API is behind, so that what it makes may be over by now. */
let agoMs = 0

beforeAll(async () => {
  upstream = await startFakeUpstream()
  ponto = await startHarness()
  control = await startControl({
    now: () => Date.now() - agoMs,
    onNamedKeysChanged: (keys) => ponto.useKeys(buildKeyRing([], keys)),
  })
  const backends = [
    { url: `${upstream.url}/v1`, model: 'up' },
    // What only this protocol can do.
    { url: upstream.url, protocol: 'foundry', model: 'up', priority: 1 },
  ] as const
  const names = ['Mine', 'Theirs', 'Shared']
  ponto.deploy(...names.map((name) => ({ name, model: { name: `model-of-${name}` }, backends: [...backends] })))
  for (const name of names) await control.send('PUT', `/deployments/${name}`, { body: remote() })
})
afterAll(async () => {
  await ponto.stop()
  await control.stop()
  await upstream.stop()
})
beforeEach(() => {
  agoMs = 0
  upstream.requests.length = 0
  upstream.respond(answer)
})

/** A whole answer of the kind that was asked for. */
function answer({ path }: SeenRequest) {
  const usage = { prompt_tokens: 1, completion_tokens: 1, total_tokens: 2 }
  const [id, created, model] = ['a', 1, 'up']
  if (path.includes('/chat/completions')) {
    const message = { role: 'assistant', content: 'hi' }
    return json({
      id,
      object: 'chat.completion',
      created,
      model,
      choices: [{ index: 0, message, finish_reason: 'stop' }],
      usage,
    })
  }
  if (path.includes('/completions')) {
    return json({
      id,
      object: 'text_completion',
      created,
      model,
      choices: [{ index: 0, text: 'hi', finish_reason: 'stop' }],
      usage,
    })
  }
  return json({ object: 'list', model, data: [{ object: 'embedding', index: 0, embedding: [0.5] }], usage })
}

type Terms = { readonly deployments?: readonly string[] | 'all'; readonly expiresAt?: string }

async function manage(method: string, path: string, body?: object): Promise<NamedKeyView> {
  const sent = await control.send(method, `/named-keys/${path}`, { body })
  expect([200, 201]).toContain(sent.status)
  return sent.json<NamedKeyView>()
}

let made = 0
/** A new key and its name. */
async function makeKey(terms: Terms = {}): Promise<{ name: string; secret: string }> {
  const name = `key-${++made}`
  const { secret } = await manage('PUT', name, terms)
  return { name, secret: secret as string }
}

/** A request to that route as a client sends it, naming that deployment where the route's own path does not. */
function call({ path, call: about, apiVersion }: FuzzRoute, deployment: string, key: string): Promise<Response> {
  if (!about) throw new Error(`no model is asked at ${path}`)
  const fields = simpleBody(about.wire, about.kind, deployment, 'hi', false)
  const isForm = about.kind === 'transcribe' || about.kind === 'translate'
  const form = isForm ? writeForm({ model: deployment }, Buffer.from('sound')) : undefined
  const url = path.replace('{deployment}', deployment) + (apiVersion ? '?api-version=2024-10-21' : '')
  return fetch(ponto.url + url, {
    method: 'POST',
    headers: { 'api-key': key, 'content-type': form?.contentType ?? 'application/json' },
    body: form ? (form.bytes as BodyInit) : JSON.stringify(fields),
  })
}

const get = (path: string, key: string) => fetch(ponto.url + path, { headers: { 'api-key': key } })

/** What is told, without the ids of the request. */
async function readRefusal(response: Response): Promise<{ status: number; text: string }> {
  const body = JSON.parse(await response.text())
  delete body.request_id
  return { status: response.status, text: JSON.stringify(body) }
}

describe.each(inferenceRoutes.map((route) => [route.path, route] as const))('%s', (_path, route) => {
  test('takes a named key for what it may use, and the key of the resource for everything', async () => {
    const { secret } = await makeKey({ deployments: ['mine'] })
    for (const [deployment, key] of [
      ['mine', secret],
      ['Theirs', testKey],
    ] as const) {
      const response = await call(route, deployment, key)
      expect([response.status, await response.text()]).toEqual([200, expect.any(String)])
    }
    expect(upstream.requests).toHaveLength(2)
  })

  test('answers for what the key may not use as for what there is not', async () => {
    const { name, secret } = await makeKey({ deployments: ['Mine'] })
    const hidden = await readRefusal(await call(route, 'Theirs', secret))
    const missing = await readRefusal(await call(route, 'Nobody', secret))
    expect(hidden.status).toBe(route.surface === 'inference' ? 400 : 404)
    expect(hidden.text).toContain(`does not exist, or not for the key '${name}'.`)
    expect(hidden).toEqual({ ...missing, text: missing.text.replaceAll('Nobody', 'Theirs') })
    expect(upstream.requests).toEqual([])
  })

  test('tells whoever holds a key that has ended how it did, and a stranger nothing', async () => {
    agoMs = 2 * hour
    const expired = await makeKey({ expiresAt: new Date(Date.now() - hour).toISOString() })
    agoMs = 0
    const revoked = await makeKey()
    await manage('POST', `${revoked.name}/revoke`)
    for (const [key, told] of [
      [expired.secret, `The key '${expired.name}' expired on `],
      [revoked.secret, `The key '${revoked.name}' was revoked on `],
      ['stranger', 'Access denied due to invalid subscription key'],
    ] as const) {
      const { status, text } = await readRefusal(await call(route, 'Mine', key))
      expect([status, text]).toEqual([401, expect.stringContaining(told)])
    }
    expect(upstream.requests).toEqual([])
  })
})

describe('what a named key sees', () => {
  const version = '?api-version=2024-10-21'
  const namesAt = async (path: string, key: string): Promise<string[]> =>
    (await (await get(path, key)).json()).data.map(({ id }: { id: string }) => id)

  test('lists hold its deployments and no others', async () => {
    const { secret } = await makeKey({ deployments: ['MINE', 'shared'] })
    expect(await namesAt('/openai/v1/models', secret)).toEqual(['Mine', 'Shared'])
    expect(await namesAt(`/openai/deployments${version}`, secret)).toEqual(['Mine', 'Shared'])
    expect(await namesAt(`/openai/models${version}`, secret)).toEqual(['model-of-Mine-1', 'model-of-Shared-1'])
    expect(await namesAt('/openai/v1/models', testKey)).toEqual(['Mine', 'Shared', 'Theirs'])
    expect(await namesAt('/openai/v1/models', (await makeKey()).secret)).toEqual(['Mine', 'Shared', 'Theirs'])
  })

  test('what is hidden cannot be described either', async () => {
    const { secret } = await makeKey({ deployments: ['Mine'] })
    expect((await get('/openai/v1/models/mine', secret)).status).toBe(200)
    for (const name of ['Theirs', 'Nobody']) expect((await get(`/openai/v1/models/${name}`, secret)).status).toBe(404)
    expect((await get(`/models/info${version}&model=Theirs`, secret)).status).toBe(400)
    expect((await get('/openai/v1/models/theirs', testKey)).status).toBe(200)
  })

  test('hints name only what it may use', async () => {
    const { secret } = await makeKey({ deployments: ['Mine'] })
    const ask = async (name: string, key: string) =>
      (await readRefusal(await get(`/openai/v1/models/${name}`, key))).text
    expect(await ask('Thiers', testKey)).toContain("Did you mean 'Theirs'?")
    expect(await ask('Thiers', secret)).not.toContain('Theirs')
    expect(await ask('Theirs', secret)).not.toContain('Did you mean')
    expect(await ask('Mien', secret)).toContain("Did you mean 'Mine'?")
  })

  test('a request that names no model gets the only one there is for it', async () => {
    const ask = (key: string) =>
      fetch(`${ponto.url}/models/chat/completions${version}`, {
        method: 'POST',
        headers: { 'api-key': key, 'content-type': 'application/json' },
        body: JSON.stringify({ messages: [{ role: 'user', content: 'hi' }] }),
      })
    const one = await ask((await makeKey({ deployments: ['shared'] })).secret)
    expect([one.status, one.headers.get('x-ms-deployment-name')]).toEqual([200, 'Shared'])
    const info = await get(`/models/info${version}`, (await makeKey({ deployments: ['shared'] })).secret)
    expect(await info.json()).toMatchObject({ model_name: 'model-of-Shared' })
    for (const key of [testKey, (await makeKey({ deployments: ['mine', 'shared'] })).secret]) {
      const response = await ask(key)
      expect([response.status, await response.text()]).toEqual([400, expect.stringContaining('no_model_name')])
    }
  })

  test('a deployment that is deleted takes nothing else from it', async () => {
    await control.send('PUT', '/deployments/brief', { body: remote() })
    const { secret } = await makeKey({ deployments: ['brief', 'Mine'] })
    await control.send('DELETE', '/deployments/brief')
    expect(await namesAt('/openai/v1/models', secret)).toEqual(['Mine'])
    expect((await get('/openai/v1/models/brief', secret)).status).toBe(404)
  })
})

describe('while the server runs', () => {
  const models = '/openai/v1/models'

  test('a change of what a key may use counts from the next request on', async () => {
    const { name, secret } = await makeKey({ deployments: ['Mine'] })
    expect((await get(`${models}/theirs`, secret)).status).toBe(404)
    await manage('PATCH', name, { deployments: ['Theirs'] })
    expect((await get(`${models}/theirs`, secret)).status).toBe(200)
    expect((await get(`${models}/mine`, secret)).status).toBe(404)
  })

  test('a rotated secret goes on for its overlap and no longer', async () => {
    const { name, secret } = await makeKey()
    const second = (await manage('POST', `${name}/rotate`, { overlapSeconds: 3600 })).secret as string
    for (const key of [secret, second]) expect((await get(models, key)).status).toBe(200)
    // Rotated two hours ago: that overlap is over.
    agoMs = 2 * hour
    const third = (await manage('POST', `${name}/rotate`, { overlapSeconds: 3600 })).secret as string
    const refused = await readRefusal(await get(models, second))
    expect([refused.status, refused.text]).toEqual([
      401,
      expect.stringContaining(`This secret of the key '${name}' was replaced and ended on `),
    ])
    expect((await get(models, secret)).status).toBe(401)
    expect((await get(models, third)).status).toBe(200)
    agoMs = 0
    const fourth = (await manage('POST', `${name}/rotate`)).secret as string
    expect((await get(models, third)).status).toBe(401)
    expect((await get(models, fourth)).status).toBe(200)
  })

  test('a key that is revoked opens nothing from then on; its running stream ends as it would have', async () => {
    const { name, secret } = await makeKey({ deployments: ['Mine'] })
    const revoked = Promise.withResolvers<void>()
    const chunk = (content: string, finish_reason: string | null = null) =>
      event({
        id: 'a',
        object: 'chat.completion.chunk',
        created: 1,
        model: 'up',
        choices: [{ index: 0, delta: { content }, finish_reason }],
      })
    upstream.respond(() => [
      sseHead,
      chunk('before'),
      { do: 'until', promise: revoked.promise },
      chunk('after'),
      chunk('', 'stop'),
      event('[DONE]'),
      { do: 'end' },
    ])
    const body = { model: 'mine', stream: true, messages: [{ role: 'user', content: 'hi' }] }
    const response = await ponto.post('/openai/v1/chat/completions', body, { 'api-key': secret })
    expect(response.status).toBe(200)
    const chunks = (response.body as ReadableStream<Uint8Array>)[Symbol.asyncIterator]()
    const decoder = new TextDecoder()
    let text = ''
    const readOn = async (): Promise<boolean> => {
      const { value, done } = await chunks.next()
      text += decoder.decode(value, { stream: true })
      return !done
    }
    while (!text.includes('before') && (await readOn()));
    expect(text).toContain('before')
    await manage('POST', `${name}/revoke`)
    const refused = await ponto.post('/openai/v1/chat/completions', body, { 'api-key': secret })
    expect(refused.status).toBe(401)
    revoked.resolve()
    while (await readOn());
    expect(text).toContain('after')
    expect(text).toEndWith('data: [DONE]\n\n')
    expect(upstream.requests).toHaveLength(1)
    expect(await upstream.requests[0]?.finished).toBe(true)
  })

  test('a key that is deleted is a stranger', async () => {
    const { name, secret } = await makeKey()
    expect((await get(models, secret)).status).toBe(200)
    await control.send('DELETE', `/named-keys/${name}`)
    const { status, text } = await readRefusal(await get(models, secret))
    expect([status, text]).toEqual([401, expect.stringContaining('Access denied')])
  })

  test('the key may come in any header', async () => {
    const { secret } = await makeKey()
    for (const [name, value] of [
      ['authorization', `Bearer ${secret}`],
      ['x-api-key', secret],
    ] as const) {
      expect((await fetch(ponto.url + models, { headers: { [name]: value } })).status).toBe(200)
    }
  })
})
