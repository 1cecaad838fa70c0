import { afterEach, beforeEach, describe, expect, test } from 'bun:test'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Account } from '../../control/resources/accounts.ts'
import { Fault } from '../../core/fault.ts'
import { hashKey } from '../../policy/authenticate.ts'
import { deploymentSpecSchema } from '../../snapshot/deployment-spec.ts'
import { makeResourceSpec } from '../../snapshot/resources/resource-spec.ts'
import { openResources, type ResourcesFixture } from './resources.fixture.ts'

let folder: string
let server: ResourcesFixture
const open: ResourcesFixture[] = []

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'ponto-accounts-'))
  server = await start()
})
afterEach(async () => {
  for (const { close } of open.splice(0)) await close()
  rmSync(folder, { recursive: true, force: true })
})

/** A server on the same database. */
async function start(): Promise<ResourcesFixture> {
  const opened = await openResources(join(folder, 'ponto.db'))
  open.push(opened)
  return opened
}

const make = async (name: string, properties = {}, at = server): Promise<Account> =>
  (await at.accounts.put(name, () => ({ ...makeResourceSpec(name), properties }))).account

const deploy = (account: Account, name: string, more: object = {}) =>
  account.routes.state.write(name, () =>
    deploymentSpecSchema.parse({ name, model: { name: 'm' }, backends: [{ url: 'https://a.example/v1' }], ...more }),
  )

const pick = (url: string, at = server) => at.live.pick(new URL(url))?.resource.name

async function faultOf(run: Promise<unknown>): Promise<string> {
  const error = await run.then(
    () => undefined,
    (reason: unknown) => reason,
  )
  if (error instanceof Fault) return `${error.detail.vendorCode ?? error.code}: ${error.message}`
  throw new Error(`expected a Fault, got ${String(error)}`)
}

describe('resources', () => {
  test('begin with the server’s own, which is found by its name and wherever none other is', () => {
    expect(server.accounts.list()).toMatchObject([{ id: '', isDefault: true, spec: { name: 'Mine' } }])
    expect(server.accounts.find('MINE')?.id).toBe('')
    for (const url of ['http://localhost/x', 'http://mine.localhost', 'http://any.openai.azure.com', 'http://[::1]/']) {
      expect(pick(url)).toBe('Mine')
    }
    expect(pick('http://localhost/resources/mine/x')).toBe('Mine')
    expect(pick('http://localhost/resources/other/x')).toBeUndefined()
  })

  test('are made with two keys of their own, found by name, subdomain and path, and ordered by name', async () => {
    const made = await make('Team-B', { customSubDomainName: 'sub-b' })
    await make('alpha')
    expect(server.accounts.list().map(({ spec }) => spec.name)).toEqual(['alpha', 'Mine', 'Team-B'])
    expect(made).toMatchObject({ isDefault: false, source: { kind: 'stored' }, spec: { name: 'Team-B' } })
    expect([...made.current().keys.values()].map(({ keyName, resource }) => [keyName, resource])).toEqual([
      ['key1', made.id],
      ['key2', made.id],
    ])
    for (const host of ['team-b.localhost', 'sub-b.openai.azure.com', 'TEAM-B.services.ai.azure.com.']) {
      expect(pick(`http://${host}:8443/x`)).toBe('Team-B')
    }
    for (const host of ['x.team-b.localhost', 'team-b.localhost.evil', 'team-b.example', 'team-b']) {
      expect(pick(`http://${host}/x`)).toBe('Mine')
    }
    const url = new URL('http://localhost/resources/team-b/openai/v1/models?a=/resources/x')
    expect(server.live.pick(url)?.resource.id).toBe(made.id)
    expect(url.pathname + url.search).toBe('/openai/v1/models?a=/resources/x')
    expect(server.live.listHosts()).toContain('sub-b.cognitiveservices.azure.com')
  })

  test('are changed in place: what is in them goes on', async () => {
    const made = await make('team')
    await deploy(made, 'gpt')
    const compiled = made.current().deployments.get('gpt')
    const { account, isNew } = await server.accounts.put('TEAM', (current) => ({
      ...(current as Account).spec,
      properties: { disableLocalAuth: true },
    }))
    expect([isNew, account.id, account.spec.name]).toEqual([false, made.id, 'team'])
    expect(account.etag).not.toBe(made.etag)
    expect(account.routes).toBe(made.routes)
    expect(made.current().resource.properties.disableLocalAuth).toBe(true)
    expect(made.current().deployments.get('gpt')).toBe(compiled as NonNullable<typeof compiled>)
  })

  test('the server’s own can be changed, keeps its name, and cannot be deleted', async () => {
    const { account } = await server.accounts.put('mine', (current) => ({
      ...(current as Account).spec,
      location: 'eastus',
      name: 'other',
    }))
    expect(account).toMatchObject({ id: '', spec: { name: 'Mine', location: 'eastus' } })
    expect((await start()).accounts.own().spec.location).toBe('eastus')
    expect(await faultOf(server.accounts.remove('MINE'))).toStartWith('DefaultResource: ')
  })

  test('no two have a host in common', async () => {
    await make('team', { customSubDomainName: 'sub' })
    for (const [name, properties] of [
      ['sub', {}],
      ['other', { customSubDomainName: 'team' }],
      ['other', { customSubDomainName: 'mine' }],
    ] as const) {
      expect(await faultOf(make(name, properties))).toStartWith(`CustomDomainInUse: The host names of "${name}"`)
    }
    await server.accounts.remove('team')
    expect(await faultOf(make('sub'))).toStartWith('CustomDomainInUse')
  })

  test('what is thrown while one is judged changes nothing', async () => {
    const refuse = () => {
      throw new Fault('forbidden', 'no')
    }
    await make('team')
    for (const run of [
      server.accounts.put('new', refuse),
      server.accounts.put('team', refuse),
      server.accounts.remove('team', refuse),
    ]) {
      expect(await faultOf(run)).toBe('forbidden: no')
    }
    expect(server.accounts.list().map(({ spec }) => spec.name)).toEqual(['Mine', 'team'])
  })

  test('that are made at once are all made, one of each name', async () => {
    const done = await Promise.all(
      Array.from({ length: 8 }, (_, i) =>
        server.accounts.put(`t-${i % 4}`, (current) => current?.spec ?? makeResourceSpec(`t-${i % 4}`)),
      ),
    )
    expect(done.filter(({ isNew }) => isNew)).toHaveLength(4)
    expect(server.accounts.list()).toHaveLength(5)
  })
})

describe('quota', () => {
  const units = (capacity: number) => ({ sku: { name: 'GlobalStandard', capacity } })

  test('pools count the deployments of all resources; who borrows has what they leave', async () => {
    await server.live.quota.write({ sku: 'GlobalStandard', limit: 10 })
    const [own, team] = [server.accounts.own(), await make('team')]
    await deploy(own, 'borrower', { ...units(2), dynamicThrottlingEnabled: true })
    const borrowed = () => {
      const limits = own.current().deployments.get('borrower')?.limits
      return limits?.kind === 'rate' ? limits.pool?.tokensPerMinute : undefined
    }
    const all = borrowed() as number
    await deploy(team, 'gpt', units(5))
    expect(borrowed()).toBe(all / 2)
    expect(server.live.own.capacityRules().elsewhere).toMatchObject([
      { resource: { id: team.id, name: 'team' }, spec: { name: 'gpt' } },
    ])
    await server.accounts.remove('team')
    expect(borrowed()).toBe(all)
  })

  test('is free when a resource is deleted; it comes back only if it still fits', async () => {
    await server.live.quota.write({ sku: 'GlobalStandard', limit: 10 })
    const team = await make('team')
    await deploy(team, 'gpt', units(8))
    await server.accounts.remove('team')
    await deploy(server.accounts.own(), 'gpt', units(3))
    const refused = await faultOf(server.accounts.restore('team'))
    expect(refused).toStartWith('insufficient-quota: This operation requires 8 new capacity')
    expect(await faultOf(server.accounts.requireRestorable('team'))).toBe(refused)
    expect(server.accounts.find('team')).toBeUndefined()
    await server.accounts.own().routes.state.remove('gpt')
    expect((await server.accounts.restore('team'))?.current().deployments.size).toBe(1)
  })
})

describe('deleting', () => {
  test('makes unreachable and keeps; restoring brings back the same; purging ends it, and the name is free', async () => {
    const made = await make('Team')
    await deploy(made, 'gpt')
    const keys = [...made.current().keys.keys()]
    expect(await server.accounts.remove('TEAM')).toBe(true)
    expect(await server.accounts.remove('team')).toBe(false)
    expect(pick('http://team.localhost/x')).toBe('Mine')
    expect(pick('http://localhost/resources/team/x')).toBeUndefined()
    expect(server.accounts.listDeleted()).toMatchObject([{ id: made.id, spec: { name: 'Team' } }])
    expect(await faultOf(make('team'))).toStartWith('FlagMustBeSetForRestore: The resource "Team" was deleted')

    const back = await server.accounts.restore('team')
    expect(back?.id).toBe(made.id)
    expect([...(back?.current().keys.keys() ?? [])]).toEqual(keys)
    expect(back?.current().deployments.size).toBe(1)
    expect(await server.accounts.restore('team')).toBeUndefined()
    expect(await server.accounts.purge('team')).toBe(false)

    await server.accounts.remove('team')
    expect(await server.accounts.purge('team')).toBe(true)
    expect(server.accounts.listDeleted()).toEqual([])
    const again = await make('team')
    expect(again.id).not.toBe(made.id)
    expect(again.current().deployments.size).toBe(0)
    expect([...again.current().keys.keys()]).not.toContain(keys[0])
  })

  test('lasts over a restart', async () => {
    await make('gone')
    await make('there')
    await server.accounts.remove('gone')
    const other = await start()
    expect(other.accounts.list().map(({ spec }) => spec.name)).toEqual(['Mine', 'there'])
    expect(other.accounts.findDeleted('GONE')).toBeDefined()
  })
})

describe('another server on the same database', () => {
  test('has what was made, changed, deleted, restored and purged here, once it has read it', async () => {
    const other = await start()
    const made = await make('team')
    expect(pick('http://team.localhost/', other)).toBe('Mine')
    await other.live.reload()
    expect(pick('http://team.localhost/', other)).toBe('team')
    const ring = (at: ResourcesFixture) => [...(at.accounts.find('team')?.current().keys.keys() ?? [])]
    expect(ring(other)).toEqual(ring(server))

    await deploy(made, 'gpt')
    await server.tables.of(made.id).namedKeys.put(
      {
        name: 'ci',
        document: {},
        digest: hashKey('x'),
        previous: undefined,
        revokedAt: undefined,
        createdAt: 1,
        updatedAt: 1,
      },
      null,
    )
    await other.live.reload()
    expect(other.accounts.find('team')?.current().deployments.has('gpt')).toBe(true)
    expect(other.accounts.find('team')?.current().keys.has(hashKey('x'))).toBe(true)

    await server.accounts.remove('team')
    expect(await faultOf(other.accounts.remove('team'))).toContain('was changed by another server')
    await other.live.reload()
    expect(other.accounts.findDeleted('team')).toBeDefined()
    await other.accounts.restore('team')
    await server.live.reload()
    expect(server.accounts.find('team')?.current().deployments.has('gpt')).toBe(true)
    await server.accounts.remove('team')
    await server.accounts.purge('team')
    await other.live.reload()
    expect([other.accounts.find('team'), other.accounts.findDeleted('team')]).toEqual([undefined, undefined])
  })
})
