import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'bun:test'
import type { IssuedTokenView, RoleAssignmentView, RoleView, ServicePrincipalView } from '../api.ts'
import { type ControlFixture, errorOf, resourceKey, type Sent, startControl } from '../control.fixture.ts'

let control: ControlFixture
const send: ControlFixture['send'] = (...request) => control.send(...request)
const viewOf = (sent: Sent) => sent.json<ServicePrincipalView>()
const path = '/service-principals/ci'
const id = '11111111-2222-3333-4444-555555555555'

beforeAll(async () => {
  control = await startControl({ now: Date.now })
})
afterAll(() => control.stop())
beforeEach(async () => {
  for (const { name } of control.identity.state.principals()) await send('DELETE', `/service-principals/${name}`)
  for (const one of control.identity.state.assignments()) await send('DELETE', `/role-assignments/${one.id}`)
  control.identity.declare(undefined)
})

const make = (body: object = {}) => send('PUT', path, { body })
const bearer = (token: string) => ({ headers: { authorization: `Bearer ${token}` } })
const tokenOf = async (resource = 'https://management.azure.com') => {
  const sent = await send('POST', `${path}/token`, { body: { resource } })
  expect(sent.status).toBe(200)
  return sent.json<IssuedTokenView>().token
}

describe('a service principal', () => {
  test('is made with its roles; its secret is in that answer only', async () => {
    const made = await make({ roles: [{ role: 'reader' }, { role: 'Cognitive Services User', deployment: 'Any' }] })
    expect(made.status).toBe(201)
    const { secret, ...view } = viewOf(made)
    expect(view).toMatchObject({
      name: 'ci',
      status: 'active',
      tenantId: control.identity.issuer.tenant,
      roles: [
        { role: 'Reader', scope: {} },
        { role: 'Cognitive Services User', scope: { resource: 'mine', deployment: 'Any' } },
      ],
    })
    expect(secret).toStartWith('new-')
    expect((await send('GET', '/service-principals/CI')).json<ServicePrincipalView>()).toEqual(view)
    expect((await send('GET', '/service-principals')).json<object>()).toEqual({ value: [view] })
    expect(JSON.stringify(await control.tables.identity.listPrincipals())).not.toContain(secret as string)
  })

  test('is not made twice', async () => {
    await make()
    const again = await make()
    expect([again.status, errorOf(again).code]).toEqual([409, 'Conflict'])
    expect(errorOf(again).message).toContain('rotate')
  })

  test.each<[string, object, string]>([
    [
      'an unknown role',
      { roles: [{ role: 'Admin' }] },
      'roles[0].role: got "Admin", expected a role: Owner, Contributor',
    ],
    [
      'a resource that is not there',
      { roles: [{ role: 'Reader', resource: 'mina' }] },
      'there is no resource "mina"; did you mean "mine"?',
    ],
    ['an end that was', { expiresAt: '2020-01-01T00:00:00Z' }, 'expiresAt: expected a time to come'],
    ['a misspelt field', { role: 'Reader' }, 'role: unknown field'],
  ])('with %s is refused, and none is made', async (_what, body, message) => {
    const refused = await make(body)
    expect([refused.status, errorOf(refused).message]).toEqual([400, expect.stringContaining(message)])
    expect((await send('GET', '/service-principals')).json<{ value: [] }>().value).toEqual([])
  })

  test('opens what its roles allow, and is told what it lacks', async () => {
    await make({ roles: [{ role: 'Reader' }] })
    const token = await tokenOf()
    expect((await send('GET', '/deployments', bearer(token))).status).toBe(200)
    const keys = await send('GET', '/keys', bearer(token))
    expect([keys.status, errorOf(keys).code]).toEqual([403, 'AuthorizationFailed'])
    expect(errorOf(keys).message).toContain("'Microsoft.CognitiveServices/accounts/listKeys/action'")
    expect((await send('PUT', '/service-principals/other', { body: {}, ...bearer(token) })).status).toBe(403)
    expect((await send('POST', `${path}/token`, bearer(token))).status).toBe(403)
  })

  test('that is deleted opens nothing any more, also with a token that it has; one made anew of its name is another', async () => {
    const first = viewOf(await make({ roles: [{ role: 'Owner' }] }))
    const token = await tokenOf()
    expect((await send('GET', '/deployments', bearer(token))).status).toBe(200)
    expect((await send('DELETE', path)).status).toBe(204)
    expect((await send('GET', '/deployments', bearer(token))).status).toBe(403)
    const second = viewOf(await make({ roles: [{ role: 'Owner' }] }))
    expect(second.objectId).not.toBe(first.objectId)
    expect((await send('GET', '/deployments', bearer(token))).status).toBe(403)
  })

  test('may have a variable of the server sent somewhere only where it may manage the server', async () => {
    const body = (env: string) => ({
      model: { name: 'gpt-4o' },
      backends: [{ url: 'https://api.example/v1', credential: { env } }],
    })
    const engine = {
      kind: 'http',
      url: 'https://api.example',
      categories: ['hate'],
      credential: { env: 'PONTO_SECRET_SET' },
    }
    await make({ roles: [{ role: 'Cognitive Services Contributor' }] })
    const token = bearer(await tokenOf())
    for (const [path, document] of [
      ['/deployments/leak', body('PONTO_SECRET_SET')],
      ['/filter-engines/leak', engine],
    ] as const) {
      const refused = await send('PUT', path, { body: document, ...token })
      expect([refused.status, errorOf(refused).code]).toEqual([403, 'AuthorizationFailed'])
      expect(errorOf(refused).message).toContain('Microsoft.KeyVault/vaults/deploy/action')
    }
    const patched = await send('PATCH', '/deployments/leak', { body: body('PONTO_SECRET_SET'), ...token })
    expect([403, 404]).toContain(patched.status)
    const own = { ...body(''), backends: [{ url: 'https://api.example/v1', credential: { value: 'mine' } }] }
    expect((await send('PUT', '/deployments/own', { body: own, ...token })).status).toBe(201)
    expect((await send('PUT', '/deployments/leak', { body: body('PONTO_SECRET_SET') })).status).toBe(201)
  })

  test('gets no token for what this server is not asked for', async () => {
    await make()
    const refused = await send('POST', `${path}/token`, { body: { resource: 'https://graph.microsoft.com' } })
    expect(refused.status).toBe(400)
  })

  test('a token of the data plane audience is taken too; a resource key is none', async () => {
    await make({ roles: [{ role: 'Reader' }] })
    expect((await send('GET', '/deployments', bearer(await tokenOf('https://ai.azure.com')))).status).toBe(200)
    const refused = await send('GET', '/deployments', bearer(resourceKey))
    expect([refused.status, errorOf(refused).code]).toEqual([403, 'Forbidden'])
  })
})

describe('roles', () => {
  const put = (body: object, at = id) => send('PUT', `/role-assignments/${at}`, { body })
  const issuer = { name: 'corp', issuer: 'https://login.corp.example' }
  const declare = (...more: object[]) =>
    control.identity.declare({
      issuers: [issuer, ...more].map((one) => ({
        audiences: [],
        algorithms: ['RS256'],
        clockSkewSeconds: 0,
        claims: { roles: 'roles', groups: 'groups' },
        assignments: [],
        tenant: undefined,
        ...one,
      })) as never,
      trustedProxies: [],
      managementNetwork: {},
    })

  test('are assigned, changed, shown and taken away', async () => {
    declare()
    const made = await put({ role: 'Reader', principal: 'oid-1' })
    expect([made.status, made.json<RoleAssignmentView>()]).toEqual([
      201,
      {
        id,
        role: 'Reader',
        principal: 'oid-1',
        issuer: 'corp',
        scope: {},
        source: { kind: 'stored' },
        createdAt: expect.any(String),
      },
    ])
    const changed = await put({ role: 'Owner', group: 'g', issuer: 'CORP', resource: 'MINE' }, id.toUpperCase())
    expect([changed.status, changed.json<RoleAssignmentView>()]).toMatchObject([
      200,
      { group: 'g', scope: { resource: 'mine' } },
    ])
    expect((await send('GET', `/role-assignments/${id}`)).json<RoleAssignmentView>()).toMatchObject({ role: 'Owner' })
    const rules = control.identity.state.rules()
    const claims = { issuer: 'login.corp.example', id: 'x', name: 'x', appId: undefined, roles: [], groups: ['g'] }
    expect(rules.rolesOf(claims)).toEqual([{ role: 'Owner', scope: { kind: 'resource', resource: '' } }])
    expect(rules.rolesOf({ ...claims, groups: [], id: 'g', roles: ['g'], appId: 'g' })).toEqual([])
    expect(rules.rolesOf({ ...claims, issuer: 'other.example' })).toEqual([])
    expect((await send('DELETE', `/role-assignments/${id}`)).status).toBe(204)
    expect((await send('DELETE', `/role-assignments/${id}`)).status).toBe(404)
  })

  test('a dry run changes nothing', async () => {
    declare()
    const tried = await send('PUT', `/role-assignments/${id}?dryRun=true`, { body: { role: 'Owner', principal: 'x' } })
    expect(tried.status).toBe(201)
    expect(control.identity.state.assignments()).toEqual([])
  })

  test.each<[string, object, string]>([
    ['to nobody', { role: 'Reader' }, 'exactly one of principal, group and servicePrincipal'],
    ['to two', { role: 'Reader', principal: 'a', group: 'b' }, 'exactly one of principal, group and servicePrincipal'],
    ['to a program that is not there', { role: 'Reader', servicePrincipal: 'x' }, 'there is no service principal "x"'],
    [
      'of an issuer that is not there',
      { role: 'Reader', principal: 'a', issuer: 'x' },
      'issuer: got "x", expected one of corp, b',
    ],
    ['of one of several issuers', { role: 'Reader', principal: 'a' }, 'issuer: missing, expected one of corp, b'],
  ])('%s are refused', async (_what, body, message) => {
    declare({ name: 'b', issuer: 'https://b.example' })
    const refused = await put(body)
    expect([refused.status, errorOf(refused).message]).toEqual([400, expect.stringContaining(message)])
  })

  test('without an issuer there is nobody to assign them to; an id has to be a GUID', async () => {
    expect(errorOf(await put({ role: 'Reader', principal: 'a' })).message).toContain('no issuer is configured')
    expect((await send('PUT', '/role-assignments/x', { body: { role: 'Reader', principal: 'a' } })).status).toBe(400)
  })

  test('of the file are shown beside those that are stored, and hold', async () => {
    declare({
      name: 'b',
      issuer: 'https://b.example',
      assignments: [
        { claimedRole: 'admins', role: 'Owner' },
        { principal: 'p', role: 'Reader', resource: 'gone' },
      ],
    })
    const { value } = (await send('GET', '/role-assignments')).json<{ value: RoleAssignmentView[] }>()
    expect(value[0]).toEqual({ role: 'Owner', scope: {}, claimedRole: 'admins', issuer: 'b', source: { kind: 'file' } })
    const claims = { issuer: 'b.example', id: 'p', name: 'p', appId: undefined, roles: ['admins'], groups: [] }
    const { rolesOf } = control.identity.state.rules()
    expect(rolesOf(claims)).toEqual([{ role: 'Owner', scope: { kind: 'server' } }])
    expect(rolesOf({ ...claims, id: 'admins', roles: [] })).toEqual([])
  })

  test('are listed with what they may do', async () => {
    const { value } = (await send('GET', '/roles')).json<{ value: RoleView[] }>()
    expect(value.map(({ name }) => name)).toContain('Cognitive Services OpenAI User')
    expect(value[0]).toMatchObject({ name: 'Owner', actions: ['*'], dataActions: [] })
  })
})
