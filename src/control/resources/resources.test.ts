import { afterEach, beforeEach, describe, expect, test } from 'bun:test'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openResources, type ResourcesFixture } from '../../boot/resources/resources.fixture.ts'
import { operator } from '../../core/access/principal.ts'
import { toFault } from '../../core/fault.ts'
import type { ResourceView } from '../api.ts'
import type { Answer } from '../http/answer.ts'
import { describeFault } from '../http/errors.ts'
import { matchRoutes } from '../http/route.ts'
import { listResourceRoutes } from './resources.ts'

let folder: string
let server: ResourcesFixture

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'ponto-resources-'))
  server = await openResources(join(folder, 'ponto.db'))
})
afterEach(async () => {
  await server.close()
  rmSync(folder, { recursive: true, force: true })
})

/** What a route answers, faults in their shape. */
async function send(
  method: string,
  path: string,
  body?: object,
  headers: Record<string, string> = {},
): Promise<Answer> {
  const url = new URL(path, 'http://localhost')
  const found = matchRoutes(listResourceRoutes(server.accounts), url.pathname).find(
    ({ route }) => route.method === method,
  )
  if (!found) throw new Error(`there is no ${method} ${path}`)
  const init = {
    method,
    headers: { ...headers, ...(body && { 'content-type': 'application/json' }) },
    ...(body && { body: JSON.stringify(body) }),
  }
  const { name = '' } = found.params
  const visit = {
    principal: operator,
    address: '',
    params: found.params,
    requestId: '',
    forward: () => Promise.reject(),
  }
  try {
    return await found.route.handle(new Request(url, init), name, '', visit)
  } catch (error) {
    return describeFault(toFault(error), '')
  }
}

const viewOf = ({ body }: Answer) => body as ResourceView
const codeOf = ({ status, body }: Answer) => [status, (body as { error?: { code: string } } | undefined)?.error?.code]

describe('a resource', () => {
  test('is made, shown, replaced, patched and deleted; what is shown can be sent back', async () => {
    const made = await send('PUT', '/resources/Team-A', { location: 'East US', tags: { a: '1', b: '2' } })
    expect([made.status, viewOf(made)]).toEqual([
      201,
      {
        name: 'Team-A',
        location: 'eastus',
        kind: 'AIServices',
        sku: { name: 'S0' },
        tags: { a: '1', b: '2' },
        subscriptionId: expect.any(String),
        resourceGroup: 'default',
        properties: {},
        isDefault: false,
        etag: expect.any(String),
        source: { kind: 'stored' },
        createdAt: expect.any(String),
        updatedAt: expect.any(String),
      },
    ])
    expect(made.headers?.etag).toBe(`"${viewOf(made).etag}"`)
    expect(viewOf(await send('GET', '/resources/TEAM-a'))).toEqual(viewOf(made))
    const again = await send('PUT', '/resources/team-a', viewOf(made))
    expect([again.status, viewOf(again).tags]).toEqual([200, { a: '1', b: '2' }])
    const patched = await send('PATCH', '/resources/team-a', {
      tags: { a: null },
      properties: { disableLocalAuth: true },
    })
    expect([patched.status, viewOf(patched)]).toMatchObject([
      200,
      { name: 'Team-A', location: 'eastus', tags: { b: '2' }, properties: { disableLocalAuth: true } },
    ])
    const { value } = (await send('GET', '/resources')).body as { value: ResourceView[] }
    expect(value.map(({ name, isDefault }) => [name, isDefault])).toEqual([
      ['Mine', true],
      ['Team-A', false],
    ])
    expect((await send('DELETE', '/resources/TEAM-A')).status).toBe(204)
    expect(codeOf(await send('GET', '/resources/team-a'))).toEqual([404, 'NotFound'])
    expect(codeOf(await send('DELETE', '/resources/team-a'))).toEqual([404, 'NotFound'])
  })

  test('a trial shows what would be, refuses what would be refused, and makes none of it', async () => {
    const tried = await send('PUT', '/resources/team-a?dryRun=true', { location: 'x' })
    expect([tried.status, viewOf(tried).location]).toEqual([201, 'x'])
    expect(server.accounts.list()).toHaveLength(1)
    await send('PUT', '/resources/team-a', {})
    const before = server.accounts.find('team-a')?.etag
    expect(viewOf(await send('PATCH', '/resources/team-a?dryRun=true', { location: 'y' })).location).toBe('y')
    expect((await send('DELETE', '/resources/team-a?dryRun=true')).status).toBe(204)
    const taken = { properties: { customSubDomainName: 'team-a' } }
    for (const query of ['?dryRun=true', '']) {
      expect(codeOf(await send('PUT', `/resources/other${query}`, taken))).toEqual([409, 'CustomDomainInUse'])
      expect(codeOf(await send('DELETE', `/resources/mine${query}`))).toEqual([409, 'DefaultResource'])
    }
    expect(server.accounts.find('team-a')?.etag).toBe(before as string)
    await send('DELETE', '/resources/team-a')
    for (const query of ['?dryRun=true', '']) {
      expect(codeOf(await send('PUT', `/resources/team-a${query}`, {}))).toEqual([409, 'FlagMustBeSetForRestore'])
    }
    expect((await send('POST', '/deleted-resources/team-a/restore?dryRun=true')).status).toBe(200)
    expect((await send('DELETE', '/deleted-resources/team-a?dryRun=true')).status).toBe(204)
    expect(server.accounts.listDeleted()).toHaveLength(1)
  })

  test('conditions hold or nothing changes', async () => {
    expect(codeOf(await send('PUT', '/resources/team-a', {}, { 'if-match': '*' }))).toEqual([412, 'PreconditionFailed'])
    const { etag } = viewOf(await send('PUT', '/resources/team-a', {}, { 'if-none-match': '*' }))
    const stale = { 'if-match': '"stale"' }
    expect(codeOf(await send('PUT', '/resources/team-a', {}, { 'if-none-match': '*' }))).toEqual([
      412,
      'PreconditionFailed',
    ])
    for (const [method, body] of [
      ['PUT', {}],
      ['PATCH', {}],
      ['DELETE', undefined],
    ] as const) {
      expect(codeOf(await send(method, '/resources/team-a', body, stale))).toEqual([412, 'PreconditionFailed'])
    }
    expect(server.accounts.find('team-a')?.etag).toBe(etag)
    await send('DELETE', '/resources/team-a', undefined, { 'if-match': etag })
    expect(codeOf(await send('POST', '/deleted-resources/team-a/restore', undefined, stale))).toEqual([
      412,
      'PreconditionFailed',
    ])
    expect(codeOf(await send('DELETE', '/deleted-resources/team-a', undefined, stale))).toEqual([
      412,
      'PreconditionFailed',
    ])
    const deleted = viewOf(await send('GET', '/deleted-resources/TEAM-A'))
    expect(deleted.deletedAt).toBeString()
    const back = await send('POST', '/deleted-resources/team-a/restore', undefined, { 'if-match': deleted.etag })
    expect([back.status, viewOf(back).deletedAt]).toEqual([200, undefined])
  })

  test.each<[string, object, string]>([
    ['an unknown field', { colour: 'red' }, 'colour: unknown field'],
    ['another name', { name: 'x' }, 'name: got "x", expected "team-a" as in the path'],
    ['a bad property', { properties: { disableLocalAuth: 1 } }, 'properties.disableLocalAuth: got 1'],
  ])('with %s is refused', async (_what, body, message) => {
    const refused = await send('PUT', '/resources/team-a', body)
    expect([refused.status, (refused.body as { error: { message: string } }).error.message]).toEqual([
      400,
      expect.stringContaining(message),
    ])
    expect(server.accounts.list()).toHaveLength(1)
  })

  test('that is not there is told of with names like it, and one that was deleted with the way to bring it back', async () => {
    await send('PUT', '/resources/team-a', {})
    const messageOf = ({ body }: Answer) => (body as { error: { message: string } }).error.message
    expect(messageOf(await send('GET', '/resources/team-b'))).toContain('Did you mean "team-a"?')
    await send('DELETE', '/resources/team-a')
    expect(messageOf(await send('GET', '/resources/team-a'))).toContain(
      'POST /management/deleted-resources/team-a/restore brings it back',
    )
    expect(codeOf(await send('POST', '/deleted-resources/none/restore'))).toEqual([404, 'NotFound'])
    expect((await send('DELETE', '/deleted-resources/team-a')).status).toBe(204)
    expect(codeOf(await send('DELETE', '/deleted-resources/team-a'))).toEqual([404, 'NotFound'])
  })
})
