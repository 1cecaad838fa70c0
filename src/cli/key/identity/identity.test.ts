import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'bun:test'
import type { IssuedTokenView, RoleAssignmentView, ServicePrincipalView } from '../../../control/api.ts'
import { type ProgramFixture, startProgram } from '../../program.fixture.ts'

let program: ProgramFixture
beforeAll(async () => {
  program = await startProgram()
})
afterAll(() => program.stop())
beforeEach(() => program.script(() => ({ status: 200, body: view() })))

const secret = 'S'.repeat(84)

function view(more: Partial<ServicePrincipalView> = {}): ServicePrincipalView {
  return {
    name: 'ci',
    appId: 'app-id',
    objectId: 'object-id',
    tenantId: 'tenant-id',
    status: 'active',
    roles: [{ id: 'a', role: 'Reader', scope: { resource: 'contoso', deployment: 'gpt-4o' } }],
    etag: 'e',
    createdAt: '2026-01-02T03:04:05Z',
    updatedAt: '2026-01-02T03:04:05Z',
    ...more,
  }
}

const ponto = (...args: string[]) => program.run(args)
const asked = () => program.seen.map(({ method, path }) => `${method} ${path}`)

describe('ponto identity', () => {
  test('create sends roles with their place, and prints the secret and what clients read', async () => {
    program.script(() => ({ status: 201, body: view({ secret }) }))
    const ran = await ponto(
      'identity',
      'create',
      'ci',
      '--role',
      'Reader',
      '--role',
      'Owner',
      '--resource',
      'contoso',
      '--deployment',
      'gpt-4o',
      '--shell',
      'posix',
    )
    expect(ran.code).toBe(0)
    expect(asked()).toEqual(['PUT /management/service-principals/ci'])
    const place = { resource: 'contoso', deployment: 'gpt-4o' }
    expect(program.seen[0]?.body).toEqual({
      roles: [
        { role: 'Reader', ...place },
        { role: 'Owner', ...place },
      ],
    })
    expect(ran.out).toContain(secret)
    expect(ran.out).toContain('Reader, on contoso/gpt-4o')
    for (const line of ['AZURE_TENANT_ID=tenant-id', 'AZURE_CLIENT_ID=app-id', `IDENTITY_HEADER=${secret}`]) {
      expect(ran.err).toContain(`export ${line}`)
    }
    expect(ran.err).toMatch(/export IDENTITY_ENDPOINT=https:\/\/localhost:\d+\/msi\/token/)
  })

  test('create as JSON prints what there is to read and nothing else', async () => {
    program.script(() => ({ status: 201, body: view({ secret }) }))
    const { out, err } = await ponto('identity', 'create', 'ci', '--output', 'json')
    expect(JSON.parse(out)).toEqual(view({ secret }))
    expect(err).not.toContain(secret)
  })

  test('a place without a role, and an end that is none, are refused before anything is asked', async () => {
    for (const flags of [
      ['--deployment', 'gpt-4o'],
      ['--expires', 'soon'],
      ['--shell', 'cmd'],
    ]) {
      expect((await ponto('identity', 'create', 'ci', ...flags)).code).toBe(2)
    }
    expect(program.seen).toEqual([])
  })

  test('list, show, roles and assignments ask the whole server, whatever the resource', async () => {
    program.script(({ path }) => ({ status: 200, body: path.endsWith('/ci') ? view() : { value: [] } }))
    for (const args of [['list'], ['show', 'ci'], ['roles'], ['assignments']])
      await ponto('identity', ...args, '--resource', 'contoso')
    expect(asked()).toEqual([
      'GET /management/service-principals',
      'GET /management/service-principals/ci',
      'GET /management/roles',
      'GET /management/role-assignments',
    ])
  })

  test('rotate and delete', async () => {
    await ponto('identity', 'rotate', 'ci', '--overlap', '1h', '--yes')
    await ponto('identity', 'delete', 'ci', '--yes')
    expect(asked()).toEqual([
      'POST /management/service-principals/ci/rotate',
      'DELETE /management/service-principals/ci',
    ])
    expect(program.seen[0]?.body).toEqual({ overlapSeconds: 3600 })
  })

  test('assign tells service principals, groups and others apart', async () => {
    const made: RoleAssignmentView = { id: 'x', role: 'Reader', scope: {}, issuer: 'ponto', source: { kind: 'stored' } }
    program.script(({ method }) => ({ status: 200, body: method === 'GET' ? { value: [view()] } : made }))
    await ponto('identity', 'assign', 'CI', '--role', 'Reader')
    await ponto('identity', 'assign', 'oid-1', '--role', 'Reader', '--issuer', 'corp')
    await ponto('identity', 'assign', 'g', '--role', 'Reader', '--group', '--deployment', 'gpt-4o')
    const bodies = program.seen.filter(({ method }) => method === 'PUT').map(({ body }) => body)
    expect(bodies).toEqual([
      { role: 'Reader', servicePrincipal: 'CI' },
      { role: 'Reader', issuer: 'corp', principal: 'oid-1' },
      { role: 'Reader', group: 'g', deployment: 'gpt-4o' },
    ])
    expect(asked().at(-1)).toMatch(/^PUT \/management\/role-assignments\/[0-9a-f-]{36}$/)
  })
})

describe('ponto token', () => {
  const issued: IssuedTokenView = { token: 'eyJ.a.b', resource: 'r', expiresAt: '2026-01-01T00:00:00Z' }

  test('prints the token alone', async () => {
    program.script(() => ({ status: 200, body: issued }))
    expect(await ponto('token', 'ci', '--audience', 'https://management.azure.com')).toMatchObject({
      code: 0,
      out: 'eyJ.a.b\n',
      err: '',
    })
    expect(program.seen).toMatchObject([
      { path: '/management/service-principals/ci/token', body: { resource: 'https://management.azure.com' } },
    ])
  })

  test('of the only one there is where none is named', async () => {
    const script = (...names: string[]) =>
      program.script(({ method }) => ({
        status: 200,
        body: method === 'GET' ? { value: names.map((name) => view({ name })) } : issued,
      }))
    script('only')
    expect((await ponto('token')).out).toBe('eyJ.a.b\n')
    script('one', 'two')
    expect((await ponto('token')).err).toContain('name one of one, two')
    script()
    expect((await ponto('token')).err).toContain('ponto identity create')
  })
})
