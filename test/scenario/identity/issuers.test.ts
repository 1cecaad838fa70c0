import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { JWTPayload } from 'jose'
import { type FakeUpstream, json, startFakeUpstream } from '../../support/fake-upstream.ts'
import { makeTempFolder, removeFolder, type ServerProcess, startServer } from '../../support/server-process.ts'
import { startTestIssuer, type TestIssuer } from '../../support/test-issuer.ts'

/** A whole server that trusts an OpenID provider: who gets in, as whom, and who does not. */

let folder: string
let config: string
let issuer: TestIssuer
let upstream: FakeUpstream
let server: ServerProcess

const answer = {
  id: 'x',
  object: 'chat.completion',
  created: 1,
  model: 'm',
  choices: [{ index: 0, message: { role: 'assistant', content: 'hello' }, finish_reason: 'stop' }],
  usage: { prompt_tokens: 3, completion_tokens: 2, total_tokens: 5 },
}

const writeConfig = (more: object = {}, issuerMore: object = {}) => {
  const backends = [{ url: `${upstream.url}/v1` }]
  const assignments = [
    { claimedRole: 'users', role: 'Cognitive Services User' },
    { group: 'readers', role: 'Reader' },
    { principal: 'grace', role: 'Cognitive Services OpenAI User', deployment: 'gpt' },
    { principal: 'app-7', role: 'Owner' },
  ]
  writeFileSync(
    config,
    JSON.stringify({
      deployments: [
        { name: 'gpt', model: { format: 'OpenAI', name: 'gpt-4o', version: '1' }, backends },
        { name: 'other', model: { format: 'OpenAI', name: 'gpt-4o', version: '1' }, backends },
      ],
      identity: { issuers: [{ name: 'corp', issuer: issuer.url, assignments, ...issuerMore }] },
      ...more,
    }),
  )
}

beforeAll(async () => {
  folder = makeTempFolder()
  config = join(folder, 'ponto.yaml')
  issuer = await startTestIssuer()
  upstream = await startFakeUpstream()
  upstream.script(json(answer))
  writeConfig()
  server = await startServer({ dataFolder: join(folder, 'data'), args: ['--config', config, '--log-level', 'info'] })
}, 60_000)
afterAll(async () => {
  await server?.stop()
  await upstream?.stop()
  await issuer?.stop()
  removeFolder(folder)
})

const bearer = (token: string) => ({ authorization: `Bearer ${token}` })
const get = (path: string, headers: Record<string, string>) => fetch(server.httpUrl + path, { headers })
const chat = async (headers: Record<string, string>, model = 'gpt') => {
  const body = JSON.stringify({ model, messages: [{ role: 'user', content: 'hi' }] })
  const response = await fetch(`${server.httpUrl}/openai/v1/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body,
  })
  return { status: response.status, body: (await response.json()) as { error?: { code: string; message: string } } }
}
const as = async (claims: JWTPayload) => bearer(await issuer.sign(claims))
const waitFor = async (is: () => Promise<boolean>) => {
  while (!(await is())) await Bun.sleep(100)
}

describe('a token of the provider', () => {
  test('opens what is assigned to a role that it claims, to a group, to the subject, to the program', async () => {
    expect((await chat(await as({ roles: ['users'] }))).status).toBe(200)
    expect((await chat(await as({ sub: 'grace' }))).status).toBe(200)
    const management = { aud: 'https://management.azure.com' }
    expect((await get('/management/deployments', await as({ groups: ['readers'], ...management }))).status).toBe(200)
    expect((await get('/management/keys', await as({ groups: ['readers'], ...management }))).status).toBe(403)
    expect((await get('/management/keys', await as({ azp: 'app-7', ...management }))).status).toBe(200)
  })

  test('without any of them opens nothing, and says what is missing', async () => {
    const { status, body } = await chat(await as({ sub: 'eve', roles: ['readers'], groups: ['users', 'grace'] }))
    expect([status, body.error?.code]).toEqual([401, 'PermissionDenied'])
    expect(body.error?.message).toContain(
      'The principal `eve` lacks the required data action `Microsoft.CognitiveServices/accounts/OpenAI/',
    )
  })

  test('with a role on one deployment sees that one', async () => {
    expect((await chat(await as({ sub: 'grace' }), 'other')).status).toBe(404)
  })

  test('that has expired, or is for somebody else, is told so', async () => {
    const now = Math.floor(Date.now() / 1000)
    const expired = await chat(await as({ roles: ['users'], iat: now - 7200, exp: now - 3600 }))
    expect([expired.status, expired.body.error?.message]).toEqual([401, expect.stringContaining('It expired on ')])
    const other = await chat(await as({ roles: ['users'], aud: 'https://graph.microsoft.com' }))
    expect([other.status, other.body.error?.message]).toEqual([401, expect.stringContaining('ask for the scope')])
  })

  test('costs the provider one request, however many come', async () => {
    const before = issuer.asked()
    for (let i = 0; i < 20; i++) expect((await chat(await as({ roles: ['users'], jti: String(i) }))).status).toBe(200)
    expect(issuer.asked()).toBe(before)
  })
})

describe('whom a token names', () => {
  const upload = async (headers: Record<string, string>) => {
    const form = new FormData()
    form.append('purpose', 'batch')
    const line = {
      custom_id: 'a',
      method: 'POST',
      url: '/v1/chat/completions',
      body: { model: 'gpt', messages: [{ role: 'user', content: 'hi' }] },
    }
    form.append('file', new File([JSON.stringify(line)], 'a.jsonl'))
    const response = await fetch(`${server.httpUrl}/openai/v1/files`, { method: 'POST', headers, body: form })
    return { status: response.status, id: ((await response.json()) as { id: string }).id }
  }

  test('owns his files, and no other finds them', async () => {
    const ada = await as({ sub: 'ada', roles: ['users'] })
    const { status, id } = await upload(ada)
    expect(status).toBe(200)
    expect((await get(`/openai/v1/files/${id}`, ada)).status).toBe(200)
    expect((await get(`/openai/v1/files/${id}`, await as({ sub: 'ada', roles: ['users'], jti: 'later' }))).status).toBe(
      200,
    )
    expect((await get(`/openai/v1/files/${id}`, await as({ sub: 'bob', roles: ['users'] }))).status).toBe(404)
    expect((await get(`/openai/v1/files/${id}`, { 'api-key': server.key })).status).toBe(404)
  })

  test('has his batches go on when his token is not there any more', async () => {
    const ada = await as({ sub: 'ada', roles: ['users'] })
    const { id } = await upload(ada)
    const made = await fetch(`${server.httpUrl}/openai/v1/batches`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...ada },
      body: JSON.stringify({ input_file_id: id, endpoint: '/v1/chat/completions', completion_window: '24h' }),
    })
    expect(made.status).toBe(200)
    const batch = (await made.json()) as { id: string }
    const read = async () =>
      (await (await get(`/openai/v1/batches/${batch.id}`, ada)).json()) as { status: string; request_counts: object }
    await waitFor(async () => ['completed', 'failed'].includes((await read()).status))
    expect(await read()).toMatchObject({ status: 'completed', request_counts: { completed: 1, failed: 0 } })
  }, 30_000)

  test('is named in the usage, by subject and issuer', async () => {
    await chat(await as({ sub: 'ada', roles: ['users'] }))
    const { stdout } = await server.run(['usage', '--by', 'key', '--output', 'json'])
    expect(stdout).toContain(`ada@${issuer.url.replace('http://', '')}`)
  })
})

describe('the provider', () => {
  test('may change its keys, and be away: what is known goes on, what cannot be known is told', async () => {
    const old = await as({ roles: ['users'], jti: 'before' })
    expect((await chat(old)).status).toBe(200)
    await issuer.rotate()
    const fresh = await as({ roles: ['users'], jti: 'after' })
    // One that was asked for its keys a moment ago is not asked again for each stranger.
    await waitFor(async () => (await chat(fresh)).status === 200)
    expect((await chat(old)).status).toBe(401)
    issuer.setDown(true)
    expect((await chat(await as({ roles: ['users'], jti: 'new' }))).status).toBe(200)
    issuer.setDown(false)
  }, 60_000)
})

describe('the configuration file', () => {
  test('takes roles, issuers and addresses away without a restart', async () => {
    const ada = await as({ roles: ['users'], jti: 'config' })
    expect((await chat(ada)).status).toBe(200)
    writeConfig({}, { assignments: [] })
    await waitFor(async () => (await chat(ada)).status === 401)
    expect((await chat(ada)).body.error?.code).toBe('PermissionDenied')
    writeConfig({ identity: { issuers: [] } })
    await waitFor(async () => (await chat(ada)).body.error?.message.includes('none that this server trusts') === true)
    writeConfig()
    await waitFor(async () => (await chat(ada)).status === 200)
  }, 30_000)

  test('has a resource take tokens only', async () => {
    const ada = await as({ roles: ['users'], jti: 'only' })
    writeConfig({ resource: { properties: { disableLocalAuth: true } } })
    await waitFor(async () => (await chat({ 'api-key': server.key })).status === 403)
    for (const headers of [{ 'api-key': server.key }, bearer(server.key), { 'api-key': 'wrong' }]) {
      const { status, body } = await chat(headers)
      expect([status, body.error?.code, body.error?.message]).toEqual([
        403,
        'AuthenticationTypeDisabled',
        'Key based authentication is disabled for this resource.',
      ])
    }
    expect((await chat({})).status).toBe(401)
    expect((await chat(ada)).status).toBe(200)
    expect((await chat({ 'api-key': server.key, ...ada })).status).toBe(200)
    writeConfig()
    await waitFor(async () => (await chat({ 'api-key': server.key })).status === 200)
  }, 30_000)

  test('has a resource, and management, open to some addresses only, as proxies tell them', async () => {
    const networkAcls = { defaultAction: 'Deny', ipRules: [{ value: '203.0.113.0/24' }] }
    writeConfig({
      resource: { properties: { networkAcls } },
      network: { trustedProxies: ['127.0.0.1'], management: { networkAcls } },
    })
    const from = (address: string) => ({ 'api-key': server.key, 'x-forwarded-for': address })
    await waitFor(async () => (await chat(from('198.51.100.1'))).status === 403)
    const refused = await chat(from('198.51.100.1'))
    expect(refused.body.error?.message).toContain('Access denied due to Virtual Network/Firewall rules.')
    expect((await chat(from('203.0.113.9'))).status).toBe(200)
    expect((await chat(from('203.0.113.9, 198.51.100.1'))).status).toBe(403)
    const manage = (address: string) => get('/management/status', { 'x-forwarded-for': address })
    expect((await manage('198.51.100.1')).status).toBe(403)
    expect((await manage('203.0.113.9')).status).toBe(401)
    writeConfig({
      resource: { properties: { publicNetworkAccess: 'Disabled' } },
      network: { trustedProxies: ['127.0.0.1'] },
    })
    await waitFor(async () => (await chat({ 'api-key': server.key })).status === 200)
    const remote = await chat(from('203.0.113.9'))
    expect([remote.status, remote.body.error?.message]).toEqual([
      403,
      expect.stringContaining('Public access is disabled.'),
    ])
    writeConfig()
    await waitFor(async () => (await chat(from('203.0.113.9'))).status === 200)
  }, 30_000)
})

describe('a role on one of several resources', () => {
  test('opens that one and no other, on both planes, and a resource of its name that is made later is another', async () => {
    const create = (name: string) => server.run(['resource', 'create', name, '--output', 'json'])
    for (const name of ['team-a', 'team-b']) expect((await create(name)).code).toBe(0)
    const made = await server.run([
      'identity',
      'create',
      'rita',
      '--role',
      'Cognitive Services User',
      '--resource',
      'team-a',
      '--output',
      'json',
    ])
    expect(made.code).toBe(0)
    const token = bearer((await server.run(['token', 'rita'])).stdout.trim())
    const statuses = async (paths: readonly string[]) => {
      const found: number[] = []
      for (const path of paths) found.push((await get(path, token)).status)
      return found
    }
    const data = ['/resources/team-a', '/resources/team-b', '', '/resources/nowhere'].map(
      (prefix) => `${prefix}/openai/v1/files`,
    )
    expect(await statuses(data)).toEqual([200, 401, 401, 401])
    const of = (name: string) => `/management/resources/${name}`
    const management = [
      of('team-a'),
      `${of('team-a')}/deployments`,
      of('team-b'),
      `${of('team-b')}/deployments`,
      '/management/deployments',
      '/management/resources',
      '/management/status',
    ]
    expect(await statuses(management)).toEqual([200, 200, 403, 403, 403, 403, 403])
    const host = await fetch(`${server.httpUrl}/openai/v1/files`, { headers: { ...token, host: 'team-a.localhost' } })
    expect(host.status).toBe(200)
    for (const args of [
      ['delete', 'team-a', '--yes'],
      ['purge', 'team-a', '--yes'],
    ])
      expect((await server.run(['resource', ...args])).code).toBe(0)
    expect((await create('team-a')).code).toBe(0)
    expect(await statuses(['/resources/team-a/openai/v1/files', of('team-a')])).toEqual([401, 403])
  }, 30_000)
})

test('no token, secret or key is in what the server has written', async () => {
  const planted = await issuer.sign({ sub: 'planted', roles: ['users'] })
  const tried = [planted, `${planted}x`, 'eyJwbGFudGVkIjoicGxhbnRlZC1zZWNyZXQifQ.eyJwbGFudGVkIjoxfQ.cGxhbnRlZA']
  const told: string[] = []
  for (const token of tried) {
    for (const path of ['/openai/v1/models', '/management/status', '/openai/v1/files', '/nowhere']) {
      const response = await get(path, bearer(token))
      told.push(await response.text(), JSON.stringify([...response.headers]))
    }
  }
  const made = JSON.parse(
    (await server.run(['identity', 'create', 'planted', '--role', 'Owner', '--output', 'json'])).stdout,
  )
  const { tenantId, appId, secret } = made as { tenantId: string; appId: string; secret: string }
  for (const client_secret of [secret, `${secret}-wrong`]) {
    const fields = {
      grant_type: 'client_credentials',
      client_id: appId,
      client_secret,
      scope: 'https://graph.microsoft.com/.default',
    }
    const body = new URLSearchParams(fields)
    told.push(await (await fetch(`${server.httpUrl}/${tenantId}/oauth2/v2.0/token`, { method: 'POST', body })).text())
  }
  for (const command of [['identity', 'list'], ['identity', 'assignments'], ['audit'], ['export'], ['status']]) {
    const { stdout, stderr } = await server.run([...command, '--output', 'json'])
    told.push(stdout, stderr)
  }
  const text = told.join('\n') + server.errors()
  const parts = tried.flatMap((token) => token.split('.')).filter((part) => part.length > 20)
  expect(parts.filter((part) => text.includes(part))).toEqual([])
  expect(text).not.toContain(secret)
  expect(text).not.toContain(server.key)
}, 30_000)
