import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'bun:test'
import { decodeJwt } from 'jose'
import { Fault } from '../../core/fault.ts'
import type { ServicePrincipalView } from '../api.ts'
import { type ControlFixture, startControl } from '../control.fixture.ts'
import { createAttempts } from './attempts.ts'
import { createHostCheck } from './authenticate.ts'
import { createIssuerRoutes, type IssuerRoutes } from './issuer-routes.ts'

const base = 'https://ponto.example:8443'
let control: ControlFixture
let principal: ServicePrincipalView
let routes: IssuerRoutes
let faults: Fault[]
let now = 0

beforeAll(async () => {
  control = await startControl()
  const made = await control.send('PUT', '/service-principals/ci', { body: { roles: [{ role: 'Reader' }] } })
  principal = made.json<ServicePrincipalView>()
})
afterAll(() => control.stop())
beforeEach(() => {
  faults = []
  const { issuer, judgeAudience, state } = control.identity
  routes = createIssuerRoutes({
    issuer,
    judgeAudience,
    principals: state.principals,
    attempts: createAttempts(() => now),
    checkHost: createHostCheck(() => ['ponto.example']),
    now: Date.now,
    onFault: (fault) => faults.push(fault),
  })
})

type Answered = { readonly status: number; readonly body: Record<string, unknown>; readonly headers: Headers }

async function ask(method: string, path: string, more: RequestInit = {}, address = '10.0.0.1'): Promise<Answered> {
  const url = new URL(path, base)
  const headers = new Headers(more.headers)
  if (!headers.has('host')) headers.set('host', url.host)
  const request = new Request(url, { ...more, method, headers })
  const response = (await routes.handle(request, url, () => address)) as Response
  return { status: response.status, body: JSON.parse(await response.text()), headers: response.headers }
}

const tokenPath = () => `/${principal.tenantId}/oauth2/v2.0/token`
const good = () => ({
  grant_type: 'client_credentials',
  client_id: principal.appId,
  client_secret: principal.secret as string,
  scope: 'https://cognitiveservices.azure.com/.default',
})
const post = (fields: Record<string, string | undefined>, path = tokenPath(), address?: string) => {
  const named = Object.entries(fields).filter((field): field is [string, string] => field[1] !== undefined)
  return ask('POST', path, { body: new URLSearchParams(named) }, address)
}

describe('the token endpoint', () => {
  test('gives a token that says who asks, for an hour, for what was asked for', async () => {
    const { status, body, headers } = await post(good())
    expect([status, body.token_type, body.expires_in, headers.get('cache-control')]).toEqual([
      200,
      'Bearer',
      3600,
      'no-store',
    ])
    const claims = decodeJwt(body.access_token as string)
    expect(claims).toMatchObject({
      iss: `${base}/${principal.tenantId}/v2.0`,
      aud: 'https://cognitiveservices.azure.com',
      sub: principal.objectId,
      oid: principal.objectId,
      appid: principal.appId,
      tid: principal.tenantId,
      idtyp: 'app',
    })
    expect((claims.exp as number) - (claims.iat as number)).toBe(3600)
    const guest = await control.identity.tokens.admit(body.access_token as string, 'data', Date.now())
    expect(guest.principal).toMatchObject({ id: principal.objectId, name: 'ci', issuer: 'ponto' })
  })

  test('in its older form too, and under any name of a tenant', async () => {
    const { client_id, client_secret, grant_type } = good()
    const fields = { client_id, client_secret, grant_type, resource: 'https://management.azure.com/' }
    const { status, body } = await post(fields, '/common/oauth2/token')
    expect([status, body.resource, body.expires_in]).toEqual([200, 'https://management.azure.com/', '3600'])
    expect(decodeJwt(body.access_token as string).aud).toBe('https://management.azure.com/')
  })

  test('takes the secret by Basic as well', async () => {
    const { scope, grant_type } = good()
    const authorization = `Basic ${btoa(`${principal.appId}:${encodeURIComponent(principal.secret as string)}`)}`
    const body = new URLSearchParams({ scope, grant_type })
    expect((await ask('POST', tokenPath(), { body, headers: { authorization } })).status).toBe(200)
  })

  test.each<[string, Record<string, string | undefined>, number, string, number]>([
    ['a wrong secret', { client_secret: 'x' }, 401, 'invalid_client', 7000215],
    ['a client that is not there', { client_id: crypto.randomUUID() }, 401, 'invalid_client', 7000215],
    ['no secret', { client_secret: undefined }, 401, 'invalid_client', 7000218],
    ['a certificate', { client_secret: undefined, client_assertion: 'x' }, 401, 'invalid_client', 7000218],
    ['another grant', { grant_type: 'password' }, 400, 'unsupported_grant_type', 70003],
    ['no scope', { scope: undefined }, 400, 'invalid_request', 900144],
    [
      'two scopes',
      { scope: 'https://ai.azure.com/.default https://ml.azure.com/.default' },
      400,
      'invalid_scope',
      500011,
    ],
    ['a scope of somebody else', { scope: 'https://graph.microsoft.com/.default' }, 400, 'invalid_scope', 500011],
    ['a host of somebody else', { scope: 'https://evil.example/.default' }, 400, 'invalid_scope', 500011],
  ])('refuses %s', async (_what, change, status, error, number) => {
    const refused = await post({ ...good(), ...change })
    expect(refused).toMatchObject({ status, body: { error, error_codes: [number] } })
    expect(refused.body.error_description).toStartWith(`AADSTS${number}: `)
    const told = JSON.stringify([refused.body, faults.map(({ message }) => message)])
    expect(told).not.toContain(principal.secret as string)
  })

  test('who has no such program and who has another secret are told the same', async () => {
    const [one, other] = await Promise.all([
      post({ ...good(), client_secret: 'x' }),
      post({ ...good(), client_id: 'x' }),
    ])
    const text = ({ body }: Answered) => String(body.error_description).replace(/Trace ID: .*/, '')
    expect(text(one)).toBe(text(other))
  })

  test('gives none for a resource key or the management credential', async () => {
    for (const secret of ['resource-key-one', 'ponto-management-credential']) {
      expect((await post({ ...good(), client_secret: secret })).status).toBe(401)
    }
  })

  test('reads forms only, and short ones', async () => {
    expect(
      (await ask('POST', tokenPath(), { body: '{}', headers: { 'content-type': 'application/json' } })).status,
    ).toBe(400)
    expect((await post({ ...good(), more: 'x'.repeat(20_000) })).status).toBe(413)
    expect((await ask('GET', tokenPath())).status).toBe(405)
  })

  test('lets an address guess only so often, and no other pays for it', async () => {
    for (let i = 0; i < 20; i++) expect((await post({ ...good(), client_secret: String(i) })).status).toBe(401)
    const refused = await post(good())
    expect([refused.status, refused.headers.get('retry-after')]).toEqual([429, '60'])
    expect((await post(good(), tokenPath(), '10.0.0.2')).status).toBe(200)
    now += 60_001
    expect((await post(good())).status).toBe(200)
  })

  test('a secret that has ended, or was replaced, gives none', async () => {
    const rotate = (body: object) => control.send('POST', '/service-principals/ci/rotate', { body })
    const old = principal.secret as string
    const renewed = (await rotate({ overlapSeconds: 3600 })).json<ServicePrincipalView>()
    for (const secret of [old, renewed.secret])
      expect((await post({ ...good(), client_secret: secret })).status).toBe(200)
    const again = (
      await rotate({ expiresAt: new Date(Date.now() + 3_600_000).toISOString() })
    ).json<ServicePrincipalView>()
    for (const secret of [old, renewed.secret])
      expect((await post({ ...good(), client_secret: secret })).status).toBe(401)
    principal = again
    expect((await post(good())).status).toBe(200)
  })
})

describe('the managed-identity endpoint', () => {
  const path = '/msi/token?api-version=2019-08-01&resource=https://cognitiveservices.azure.com'
  const header = (secret = principal.secret as string) => ({ headers: { 'x-identity-header': secret } })

  test('answers as programs on App Service read it', async () => {
    const { status, body } = await ask('GET', path, header())
    expect(status).toBe(200)
    expect(body).toMatchObject({
      client_id: principal.appId,
      resource: 'https://cognitiveservices.azure.com',
      token_type: 'Bearer',
    })
    expect(body.expires_on).toMatch(/^\d{10}$/)
    expect(decodeJwt(body.access_token as string).oid).toBe(principal.objectId)
  })

  test.each([
    ['&client_id=', () => principal.appId, 200],
    ['&client_id=', () => crypto.randomUUID(), 401],
    ['&principal_id=', () => principal.objectId, 200],
    ['&principal_id=', () => crypto.randomUUID(), 400],
  ])('%s', async (field, value, status) => {
    expect((await ask('GET', path + field + value(), header())).status).toBe(status)
  })

  test('without the header, or with another, gives none', async () => {
    expect((await ask('GET', path)).status).toBe(401)
    expect((await ask('GET', path, header('x'))).status).toBe(401)
    expect((await ask('GET', '/msi/token', header())).status).toBe(400)
  })
})

describe('what clients ask before', () => {
  test('where the keys are, and the keys', async () => {
    const { body } = await ask('GET', `/${principal.tenantId}/v2.0/.well-known/openid-configuration`)
    expect(body).toMatchObject({ issuer: `${base}/${principal.tenantId}/v2.0`, token_endpoint: base + tokenPath() })
    const keys = await ask('GET', new URL(body.jwks_uri as string).pathname)
    expect(keys.body.keys).toMatchObject([{ kty: 'RSA', use: 'sig', alg: 'RS256' }])
    expect(JSON.stringify(keys.body)).not.toMatch(/"(d|p|q|dp|dq|qi)":/)
  })

  test('the cloud, in the shape of the version', async () => {
    const { body } = await ask('GET', '/metadata/endpoints?api-version=2022-09-01')
    expect(body).toMatchObject({
      name: 'Ponto',
      resourceManager: `${base}/`,
      authentication: { loginEndpoint: base, tenant: 'common' },
      // Terraform takes its own token for this one, and does not start without the names.
      microsoftGraphResourceId: `${base}/`,
      suffixes: { storage: expect.any(String), keyVaultDns: expect.any(String) },
    })
    expect((await ask('GET', '/metadata/endpoints?api-version=2019-05-01')).body).toEqual([body] as never)
    expect((await ask('GET', '/metadata/endpoints?api-version=2015-01-01')).body).toHaveProperty('galleryEndpoint')
    expect(
      (await ask('GET', '/common/discovery/instance?api-version=1.1&authorization_endpoint=x')).body,
    ).toHaveProperty('tenant_discovery_endpoint')
  })

  test('under a host that is none of the server, or for a tenant that is another, nothing', async () => {
    expect((await ask('GET', '/metadata/endpoints', { headers: { host: 'evil.example' } })).status).toBe(403)
    const url = new URL(`/${crypto.randomUUID()}/oauth2/v2.0/token`, base)
    expect(routes.handle(new Request(url), url, () => '')).toBeUndefined()
    expect(faults.every((fault) => fault instanceof Fault)).toBe(true)
  })
})
