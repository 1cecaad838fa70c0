import { afterEach, beforeEach, describe, expect, test } from 'bun:test'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createSealer } from '../../core/access/seal.ts'
import { openSqliteTables } from '../../port/tables/adapters/sqlite/open-sqlite-tables.ts'
import type { Tables } from '../../port/tables/port.ts'
import { deploymentSpecSchema } from '../../snapshot/deployment-spec.ts'
import { makePolicy } from '../../snapshot/filter/filters.fixture.ts'
import type { Logger } from '../../telemetry/logger.ts'
import type { LiveResources } from './live-resources.ts'
import { openBareResources } from './resources.fixture.ts'

let folder: string
let file: string
let tables: Tables
let live: LiveResources | undefined
let logged: string[]

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'ponto-live-'))
  file = join(folder, 'ponto.yaml')
  tables = await openSqliteTables(join(folder, 'ponto.db'))
  logged = []
})
afterEach(async () => {
  live?.close()
  live = undefined
  await tables.close()
  rmSync(folder, { recursive: true, force: true })
})

const note = (level: string) => (_fields: object, message: string) => void logged.push(`${level}: ${message}`)
const log: Logger = { debug: note('debug'), info: note('info'), warn: note('warn'), error: note('error') }

/** The server's own resource, and what all have in common. */
async function open(defaultPolicy = 'Microsoft.DefaultV2', config?: string) {
  if (config !== undefined) writeFileSync(file, config)
  await tables.putResource({ name: 'mine', createdAt: 1 })
  live = await openBareResources(tables, createSealer(new Uint8Array(32)), {
    config: config === undefined ? undefined : file,
    log,
    defaultPolicy,
  })
  return { ...live, ...live.own }
}

const deployment = (name: string, raiPolicyName?: string) =>
  deploymentSpecSchema.parse({ name, model: { name: 'm' }, backends: [{ url: 'https://a.example/v1' }], raiPolicyName })

async function until(isTrue: () => boolean): Promise<void> {
  while (!isTrue()) await Bun.sleep(5)
}

describe('content filter policies', () => {
  test('are there from the start, and deployments have the default one', async () => {
    await tables.putDeployment('gpt', deployment('gpt') as never)
    const { current } = await open()
    expect(current().deployments.get('gpt')?.filterPolicy).toBe('Microsoft.DefaultV2')
    expect(current().filters.find('microsoft.defaultv2')?.prompt.rules).toHaveLength(5)
    expect(current().filters.find('none')).toBeUndefined()
  })

  test('that are written hold for the next call', async () => {
    const { current, filters } = await open()
    await filters.policies.write('strict', () => makePolicy({ name: 'strict', mode: 'Deferred' }))
    expect(current().filters.find('STRICT')?.mode).toBe('asynchronous')
    await filters.blocklists.write('words', () => ({
      name: 'words',
      items: [{ name: 'a', pattern: 'pizza', isRegex: false }],
    }))
    await filters.policies.write('strict', () =>
      makePolicy({ name: 'strict', customBlocklists: [{ blocklistName: 'words', source: 'Prompt' }] }),
    )
    const finds = () => current().filters.find('strict')?.prompt.blocklists[0]?.matcher.find('pizza pasta').length
    expect(finds()).toBe(1)
    await filters.blocklists.write('words', (list) => ({
      name: 'words',
      items: [...(list?.spec.items ?? []), { name: 'b', pattern: 'pasta', isRegex: false }],
    }))
    expect(finds()).toBe(2)
    await filters.policies.remove('strict')
    expect(current().filters.find('strict')).toBeUndefined()
  })

  test('of the file are there with the deployments that have them, and may name what is stored', async () => {
    const { filters } = await open()
    await filters.blocklists.write('words', () => ({ name: 'words', items: [] }))
    live?.close()
    const { current } = await open(
      'house',
      `
raiPolicies:
  - { name: house, customBlocklists: [{ blocklistName: words, source: Prompt }] }
deployments:
  - { name: gpt, model: { name: m }, backends: [{ url: "https://a.example/v1" }] }
`,
    )
    expect(current().deployments.get('gpt')?.filterPolicy).toBe('house')
    expect(current().filters.find('house')?.prompt.blocklists).toHaveLength(1)
    expect(logged).toEqual([])
  })

  test('that the file no longer declares refuse calls to stored deployments, which is told once', async () => {
    await tables.putDeployment('gpt', deployment('gpt', 'house') as never)
    const { current, listFilterWarnings, state } = await open(
      'Microsoft.Nil',
      'raiPolicies: [{ name: house }]\ndeployments: []\n',
    )
    expect(current().filters.find('house')?.policy).toBe('house')
    writeFileSync(file, 'deployments: []\n')
    await until(() => logged.includes('info: the configuration file is in force'))
    expect(() => current().filters.find('house')).toThrow('cannot be used at the moment')
    const warning = 'There is no content filter policy "house", which deployments have; calls to them are refused.'
    expect(listFilterWarnings()).toEqual([warning])
    await state.write('other', () => deployment('other'))
    expect(logged.filter((line) => line === `error: ${warning}`)).toHaveLength(1)
    await state.write('gpt', () => deployment('gpt'))
    expect([listFilterWarnings(), current().filters.find('house')]).toEqual([[], undefined])
  })

  test('that are the default must exist at the start', async () => {
    await expect(open('hose')).rejects.toThrow(
      '--rai-policy: got "hose", expected one of "Microsoft.Default", "Microsoft.DefaultV2", "Microsoft.Nil"',
    )
  })

  test('a file that takes one away and its deployments along is no reason to complain', async () => {
    const declared = (policy: string) =>
      `raiPolicies: [{ name: ${policy} }]\ndeployments:\n  - { name: gpt, raiPolicyName: ${policy}, model: { name: m }, backends: [{ url: "https://a.example/v1" }] }\n`
    const { current } = await open('Microsoft.Nil', declared('one'))
    writeFileSync(file, declared('two'))
    await until(() => current().filters.find('two') !== undefined)
    expect(current().deployments.get('gpt')?.filterPolicy).toBe('two')
    expect(logged.filter((line) => line.startsWith('error'))).toEqual([])
  })
})

describe('what another server writes to the same tables', () => {
  const ci = {
    ...{ name: 'ci', document: {}, digest: 'd'.repeat(64), previous: undefined, revokedAt: undefined },
    ...{ createdAt: 1, updatedAt: 1 },
  }

  test('is in force after it was read again, and what did not change keeps its compiled form', async () => {
    await tables.putDeployment('stays', deployment('stays') as never)
    await tables.putDeployment('goes', deployment('goes') as never)
    const { current, reload, filters, quota } = await open()
    const stays = current().deployments.get('stays')
    const other = await openSqliteTables(join(folder, 'ponto.db'))
    await other.deleteDeployment('goes')
    await other.filters.put('blocklist', 'words', { description: '' }, null, 1, {
      remove: [],
      put: [{ name: 'a', pattern: 'pizza', isRegex: false }],
    })
    const policy = makePolicy({
      name: 'strict',
      customBlocklists: [{ blocklistName: 'words', blocking: true, source: 'Prompt' }],
    })
    await other.filters.put('policy', 'strict', policy as never, null, 1)
    await other.putDeployment('comes', deployment('comes', 'strict') as never)
    await other.quota.put({ name: 'Standard', sku: 'Standard', limit: 7 }, 1)
    expect([...current().deployments.keys()]).toEqual(['goes', 'stays'])
    await reload()
    expect([...current().deployments.keys()].toSorted()).toEqual(['comes', 'stays'])
    expect(current().deployments.get('stays')).toBe(stays as NonNullable<typeof stays>)
    expect(current().filters.find('strict')?.prompt.blocklists[0]?.matcher.find('pizza pasta')).toHaveLength(1)
    expect(quota.list()).toMatchObject([{ name: 'Standard', limit: 7 }])
    expect(logged).toEqual([])

    await other.filters.delete('policy', 'strict')
    await other.filters.delete('blocklist', 'words')
    await other.deleteDeployment('comes')
    await other.quota.delete('Standard')
    await reload()
    expect([...current().deployments.keys()]).toEqual(['stays'])
    expect(filters.blocklists.listStored()).toEqual([])
    expect(quota.list()).toEqual([])
    await other.close()
  })

  test('a write that would undo it is refused until it was read', async () => {
    await tables.putDeployment('gpt', deployment('gpt') as never)
    const { reload, state } = await open()
    const other = await openSqliteTables(join(folder, 'ponto.db'))
    await other.putDeployment('gpt', deployment('gpt', 'Microsoft.Nil') as never)
    await other.close()
    const write = () =>
      state.write('gpt', (current) => ({ ...deployment('gpt'), ...current?.spec, version: 'x' }) as never)
    await expect(write()).rejects.toThrow('was changed by another server at the same time')
    await reload()
    expect((await write()).deployment.spec.raiPolicyName).toBe('Microsoft.Nil')
  })

  test('keys: one that is made or revoked there is so here', async () => {
    const { current, reload } = await open()
    const other = await openSqliteTables(join(folder, 'ponto.db'))
    const made = await other.namedKeys.put(ci, null)
    await reload()
    expect(current().keys.get(ci.digest)).toMatchObject({ keyName: 'ci', endedBy: undefined })
    await other.namedKeys.put({ ...ci, revokedAt: 5 }, made?.etag ?? '')
    await reload()
    expect(current().keys.get(ci.digest)).toMatchObject({ keyName: 'ci', endedBy: 'revocation', expiresAt: 5 })
    await other.close()
  })

  test('keys: what was read does not take the place of what was set here meanwhile', async () => {
    const { namedKeys: table } = tables
    let afterRead = async (): Promise<void> => {}
    const list = async () => {
      const rows = await table.list()
      await afterRead()
      return rows
    }
    tables = { ...tables, namedKeys: { ...table, list } }
    const made = await table.put(ci, null)
    const { current, reload, namedKeys, setNamedKeys } = await open()
    afterRead = async () => {
      afterRead = async () => {}
      await table.put({ ...ci, revokedAt: 5 }, made?.etag ?? '')
      setNamedKeys(namedKeys().map((key) => ({ ...key, revokedAt: 5 })))
    }
    await reload()
    expect(current().keys.get(ci.digest)).toMatchObject({ endedBy: 'revocation', expiresAt: 5 })
  })
})
