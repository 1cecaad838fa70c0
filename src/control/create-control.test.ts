import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { createSealer } from '../core/access/seal.ts'
import { deploymentSpecSchema } from '../snapshot/deployment-spec.ts'
import { storeResourceKey } from '../snapshot/keys/resource-keys.ts'
import type { DeploymentView, ModelView } from './api.ts'
import {
  type ControlFixture,
  credential,
  errorOf,
  planted,
  remote,
  resourceKey,
  type SendOptions,
  startControl,
} from './control.fixture.ts'

let control: ControlFixture
const send: ControlFixture['send'] = (...request) => control.send(...request)
beforeAll(async () => {
  control = await startControl()
})
afterAll(() => control.stop())

describe('deployments', () => {
  test('are made, shown, listed, changed and deleted', async () => {
    const made = await send('PUT', '/deployments/Mistral-large', { body: { model: { name: 'builtin-nano' } } })
    expect(made.status).toBe(201)
    const view = made.json<DeploymentView>()
    expect(view).toMatchObject({
      name: 'Mistral-large',
      model: { format: 'Ponto', version: '1' },
      source: { kind: 'stored' },
    })
    expect(made.headers.get('etag')).toBe(`"${view.etag}"`)
    expect((await send('GET', '/deployments/MISTRAL-LARGE')).json<DeploymentView>()).toEqual(view)
    expect((await send('GET', '/deployments')).json<{ value: DeploymentView[] }>().value).toEqual([view])
    expect((await send('GET', '/deployments/mistral-large/probe')).json<unknown>()).toEqual({
      value: [{ backend: 'Mistral-large', ok: true, detail: 'it answers (200)' }],
    })
    const updated = await send('PUT', '/deployments/mistral-LARGE', { body: remote() })
    expect(updated.status).toBe(200)
    expect(updated.json<DeploymentView>()).toMatchObject({
      name: 'Mistral-large',
      createdAt: view.createdAt,
      model: { name: 'gpt-4o' },
    })
    const patched = await send('PATCH', '/deployments/mistral-large', {
      body: { model: { version: '2' } },
      type: 'application/merge-patch+json; charset=utf-8',
    })
    expect(patched.json<DeploymentView>().model).toEqual({ format: 'OpenAI', name: 'gpt-4o', version: '2' })
    const gone = await send('DELETE', '/deployments/mistral-LARGE')
    expect([gone.status, gone.text]).toEqual([204, ''])
    expect(control.state.list()).toEqual([])
  })

  test('null in a patch removes: without backends it runs on the built-in engine', async () => {
    await send('PUT', '/deployments/gpt', { body: remote() })
    const refused = await send('PATCH', '/deployments/gpt', { body: { backends: null } })
    expect([refused.status, errorOf(refused).code]).toEqual([400, 'InvalidModel'])
    const model = { format: null, name: 'builtin-nano', version: null }
    const moved = await send('PATCH', '/deployments/gpt', { body: { backends: null, model } })
    expect(moved.json<DeploymentView>()).toMatchObject({
      model: { format: 'Ponto', name: 'builtin-nano', version: '1' },
    })
    expect(moved.json<DeploymentView>().backends).toBeUndefined()
    await send('DELETE', '/deployments/gpt')
  })

  test('what was read can be written back as it is', async () => {
    await send('PUT', '/deployments/gpt', { body: remote({ credential: { value: planted } }) })
    const read = (await send('GET', '/deployments/gpt')).json<DeploymentView>()
    const written = await send('PUT', '/deployments/gpt', { body: read })
    expect(written.status).toBe(200)
    expect(written.json<DeploymentView>().backends).toEqual(read.backends as never)
    expect(control.readCredential('gpt')).toBe(planted)
    await send('DELETE', '/deployments/gpt')
  })

  test('preconditions hold or nothing changes', async () => {
    const make = (headers: Record<string, string>) => send('PUT', '/deployments/gpt', { headers, body: remote() })
    expect((await make({ 'if-match': '*' })).status).toBe(412)
    expect((await make({ 'if-none-match': '*' })).status).toBe(201)
    const second = await make({ 'if-none-match': '*' })
    expect([second.status, errorOf(second).code]).toEqual([412, 'PreconditionFailed'])
    const { etag } = (await send('GET', '/deployments/gpt')).json<DeploymentView>()
    expect((await make({ 'if-match': '"stale"' })).status).toBe(412)
    expect((await make({ 'if-match': `"stale", "${etag}"` })).status).toBe(200)
    expect((await send('PATCH', '/deployments/gpt', { headers: { 'if-match': `"${etag}"` }, body: {} })).status).toBe(
      412,
    )
    expect((await send('DELETE', '/deployments/gpt', { headers: { 'if-match': `"${etag}"` } })).status).toBe(412)
    expect((await make({ 'if-none-match': `"${etag}"` })).status).toBe(400)
    expect((await send('DELETE', '/deployments/gpt', { headers: { 'if-match': '*' } })).status).toBe(204)
  })

  test('of writers that race to create one, one creates and the others are told', async () => {
    const race = Array.from({ length: 10 }, () =>
      send('PUT', '/deployments/race', { headers: { 'if-none-match': '*' }, body: remote() }),
    )
    const statuses = (await Promise.all(race)).map(({ status }) => status).sort()
    expect(statuses).toEqual([201, ...Array(9).fill(412)])
    await send('DELETE', '/deployments/race')
  })

  test('patches at the same time wait for one another: none is lost', async () => {
    await send('PUT', '/deployments/busy', { body: remote() })
    const fields = ['connectMs', 'firstByteMs', 'idleMs', 'totalMs']
    const puts = Array.from({ length: 20 }, (_, i) =>
      i % 2
        ? send('PUT', `/deployments/busy-${i}`, { body: remote() })
        : send('PATCH', '/deployments/busy', { body: { model: { version: String(i), name: `m-${fields[i % 4]}` } } }),
    )
    for (const { status } of await Promise.all(puts)) expect([200, 201]).toContain(status)
    const stored = (await control.tables.listDeployments()).map((row) => row.name)
    expect(stored).toHaveLength(11)
    expect(stored).toEqual(control.state.list().map(({ spec }) => spec.name))
    for (const name of stored) expect((await send('DELETE', `/deployments/${name}`)).status).toBe(204)
  })

  test('what the file declares is read-only here', async () => {
    control.state.declare({
      file: '/etc/ponto.yaml',
      modifiedAt: 1_000,
      deployments: [
        { spec: deploymentSpecSchema.parse({ name: 'fixed', ...remote() }), file: '/etc/ponto.yaml', line: 7 },
      ],
    })
    for (const [method, body] of [
      ['PUT', remote()],
      ['PATCH', {}],
      ['DELETE', undefined],
    ] as const) {
      const response = await send(method, '/deployments/FIXED', { body })
      expect([response.status, errorOf(response)]).toEqual([
        409,
        {
          code: 'DeclaredInFile',
          message: 'The deployment "fixed" is declared in /etc/ponto.yaml, line 7, and can only be changed there.',
        },
      ])
    }
    const shown = (await send('GET', '/deployments/fixed')).json<DeploymentView>()
    expect(shown.source).toEqual({ kind: 'file', file: '/etc/ponto.yaml', line: 7 })
    control.state.declare({ file: '/etc/ponto.yaml', modifiedAt: 1_000, deployments: [] })
  })
})

describe('credentials', () => {
  test('are stored sealed, shown as a mark, kept, replaced and removed', async () => {
    const put = (fields: object) => send('PUT', '/deployments/gpt', { body: remote(fields) })
    const made = await put({ credential: { value: planted } })
    expect(made.json<DeploymentView>().backends?.[0]?.credential).toEqual({ stored: true })
    expect(JSON.stringify(await control.tables.getDeployment('gpt'))).not.toContain(planted)
    expect(control.readCredential('gpt')).toBe(planted)
    await put({ weight: 2 })
    expect(control.readCredential('gpt')).toBe(planted)
    await put({ url: 'https://api.example/v2', credential: { stored: true } })
    expect(control.readCredential('gpt')).toBe(planted)
    await send('PATCH', '/deployments/gpt', { body: { model: { version: '3' } } })
    expect(control.readCredential('gpt')).toBe(planted)
    await put({ credential: { env: 'PONTO_SECRET_SET' } })
    expect(control.readCredential('gpt')).toBe(`${planted}-env`)
    await put({ credential: null })
    expect(control.readCredential('gpt')).toBeUndefined()
    await send('DELETE', '/deployments/gpt')
  })

  test('are not kept for another address', async () => {
    await send('PUT', '/deployments/gpt', { body: remote({ credential: { value: planted } }) })
    for (const method of ['PUT', 'PATCH']) {
      const response = await send(method, '/deployments/gpt', {
        body: remote({ url: 'https://evil.example/v1', credential: { stored: true } }),
      })
      expect(response.status).toBe(400)
      expect(errorOf(response).target).toBe('backends[0].credential')
      expect(errorOf(response).message).toContain('was given for https://api.example and is not sent elsewhere')
    }
    expect(control.readCredential('gpt')).toBe(planted)
    await send('DELETE', '/deployments/gpt')
  })
})

describe('bad bodies', () => {
  const path = '/deployments/gpt'

  test.each<[string, SendOptions, number, string, string]>([
    ['no body', {}, 415, 'UnsupportedMediaType', 'content-type: got none, expected application/json'],
    [
      'a form',
      { body: 'a=1', type: 'text/plain' },
      415,
      'UnsupportedMediaType',
      'content-type: got "text/plain", expected application/json',
    ],
    ['no JSON', { body: '{"model":' }, 400, 'InvalidJson', 'The body is not valid JSON in UTF-8.'],
    ['a list', { body: [] }, 400, 'InvalidJson', 'The body is a list, expected a JSON object.'],
    ['a number', { body: '5' }, 400, 'InvalidJson', 'The body is a plain value, expected a JSON object.'],
    [
      'too much',
      { body: `{"a":"${'x'.repeat(1024 * 1024)}"}` },
      413,
      'RequestTooLarge',
      'The body is longer than 1048576 bytes.',
    ],
    ['nothing in it', { body: {} }, 400, 'InvalidRequest', 'model: missing, expected an object'],
    ['a wrong type', { body: { model: { name: 5 } } }, 400, 'InvalidRequest', 'model.name: got 5, expected a string'],
    [
      'an unknown field',
      { body: { modle: {}, ...remote() } },
      400,
      'InvalidRequest',
      'modle: unknown field, allowed are name, model, sku, rateLimits, tokenAccounting, concurrency, versionUpgradeOption, dynamicThrottlingEnabled, spilloverDeploymentName, serviceTier, deploymentState, raiPolicyName, price, capture, tags, backends',
    ],
    [
      'another name',
      { body: { name: 'other', ...remote() } },
      400,
      'InvalidRequest',
      'name: got "other", expected "gpt" as in the path (a deployment cannot be renamed), or nothing',
    ],
    [
      'a link-local address',
      { body: remote({ url: 'http://169.254.169.254/' }) },
      400,
      'InvalidRequest',
      'backends[0].url: the address 169.254.169.254 is refused: it is link-local, where metadata services live',
    ],
    [
      'a variable that is not set',
      { body: remote({ credential: { env: 'PONTO_SECRET_NONE' } }) },
      400,
      'InvalidCredential',
      'backends[0].credential.env: the variable PONTO_SECRET_NONE is not set; set it where Ponto is started, and start Ponto again',
    ],
    [
      'a credential of no kind',
      { body: remote({ credential: planted }) },
      400,
      'InvalidRequest',
      'backends[0].credential: got a string, expected {"value": "the secret"}, {"env": "PONTO_SECRET_NAME"}, {"stored": true} to keep what is stored, or null for none',
    ],
    [
      'a sealed credential',
      { body: remote({ credential: { sealed: planted } }) },
      400,
      'InvalidRequest',
      'backends[0].credential: got a sealed secret, expected {"value": "the secret"}, {"env": "PONTO_SECRET_NAME"}, {"stored": true} to keep what is stored, or null for none',
    ],
    [
      'a secret in the URL',
      { body: remote({ url: `https://me:${planted}@api.example/` }) },
      400,
      'InvalidRequest',
      'backends[0].url: a user or password does not belong in a URL; give it as credential',
    ],
    [
      'a model that is not there',
      { body: { model: { name: 'gpt-4o' } } },
      400,
      'InvalidModel',
      'model: there is no built-in model "gpt-4o" (format OpenAI, version 2024-11-20); there is: "builtin-nano" (format Ponto, version 1). To use a model that runs elsewhere, give backends: [{url: "https://.../v1"}], or say where it runs under "modelBackends" of the configuration file',
    ],
  ])('%s', async (_what, options, status, code, message) => {
    const response = await send('PUT', path, options)
    expect([response.status, errorOf(response).code, errorOf(response).message]).toEqual([status, code, message])
    expect((await send('GET', path)).status).toBe(404)
  })

  test('a body of no declared length is bounded too', async () => {
    const response = await fetch(`${control.base}/management${path}`, {
      method: 'PUT',
      headers: { authorization: `Bearer ${credential}`, 'content-type': 'application/json' },
      body: new ReadableStream({
        start(controller) {
          for (let i = 0; i < 20; i++) controller.enqueue(new Uint8Array(100_000).fill(32))
          controller.close()
        },
      }),
    })
    expect(response.status).toBe(413)
  })

  test('every field at fault is named', async () => {
    const body = { model: { name: 5 }, backends: [{ url: 'x', weight: 0 }] }
    const error = errorOf(await send('PUT', path, { body }))
    expect(error.target).toBe('model.name')
    expect(error.details).toEqual([
      { code: 'InvalidValue', message: 'got 5, expected a string', target: 'model.name' },
      { code: 'InvalidValue', message: 'got "x", expected an http or https URL', target: 'backends[0].url' },
      { code: 'InvalidValue', message: 'got 0, expected at least 1', target: 'backends[0].weight' },
    ])
  })

  test.each(['x', 'with%20space', 'a%2Fb', 'Ä%C3%A4', `${'n'.repeat(65)}`])('the name %s is refused', async (name) => {
    const response = await send('PUT', `/deployments/${name}`, { body: remote() })
    expect(response.status).toBe(400)
    expect(errorOf(response).target).toBe('name')
    expect(errorOf(response).message).toEndWith('expected 2 to 64 letters, digits, "-", "_" or "."')
  })
})

describe('the rest', () => {
  test('status and models', async () => {
    const status = (await send('GET', '/status')).json<Record<string, unknown>>()
    expect(status).toMatchObject({ name: 'mine', deployments: 0, warnings: [] })
    const models = (await send('GET', '/models')).json<{ value: ModelView[] }>().value
    expect(models.find(({ name }) => name === 'builtin-nano')).toMatchObject({
      format: 'Ponto',
      version: '1',
      runsOn: ['builtin'],
    })
    const versions = (await send('GET', '/models/GPT-4O')).json<{ value: ModelView[] }>().value
    expect(versions.map(({ version }) => version)).toEqual(['2024-11-20', '2024-08-06', '2024-05-13'])
    expect(errorOf(await send('GET', '/models/gpt-4p'))).toMatchObject({
      code: 'NotFound',
      message: expect.stringContaining('"gpt-4o"'),
    })
  })

  test('regenerating one key leaves the other, is stored sealed and announced', async () => {
    const made = await send('POST', '/keys/key1/regenerate')
    const key = made.json<{ name: string; value: string; createdAt: string }>()
    expect(key).toEqual({ name: 'key1', value: expect.stringMatching(/^new-/), createdAt: '1970-01-01T00:00:02.000Z' })
    expect(made.headers.get('cache-control')).toBe('no-store')
    const listed = (await send('GET', '/keys')).json<{ value: { name: string; value: string }[] }>().value
    expect(listed.map(({ name, value }) => [name, value])).toEqual([
      ['key1', key.value],
      ['key2', resourceKey],
    ])
    expect(control.announced.at(-1)?.map(({ value }) => value)).toEqual([key.value, resourceKey])
    expect(JSON.stringify(await control.tables.listKeys())).not.toContain(key.value)
  })

  test('keys that do not open are told with the way out', async () => {
    const other = createSealer(new Uint8Array(32).fill(9))
    await storeResourceKey(control.tables, other, { name: 'key2', value: 'other', createdAt: 1 })
    const response = await send('GET', '/keys')
    expect([response.status, errorOf(response).code]).toEqual([500, 'StateUnusable'])
    expect(errorOf(response).message).toStartWith(
      'The stored secret of resource key key2 does not open with this master key.',
    )
  })

  test('a bug of ours tells its request id and nothing else; the log gets the reason', async () => {
    await send('PUT', '/deployments/broken', { body: remote() })
    const response = await send('GET', '/deployments/broken/probe')
    expect([response.status, errorOf(response).code]).toEqual([500, 'InternalServerError'])
    const id = response.headers.get('x-request-id')
    expect(errorOf(response).message).toBe(`The server had an error while processing your request. Request id: ${id}`)
    expect(control.faults.at(-1)?.message).toBe('a bug')
  })

  test('no secret was in any answer or fault', () => {
    expect(control.answers.length).toBeGreaterThan(150)
    const told = [
      ...control.answers,
      ...control.faults.map((fault) => `${fault.message} ${JSON.stringify(fault.detail)}`),
    ].join('\n')
    for (const secret of [planted, credential, resourceKey]) expect(told).not.toContain(secret)
  })
})
