import { afterEach, beforeEach, describe, expect, test } from 'bun:test'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createSealer } from '../core/seal.ts'
import type { Tables } from '../port/tables/port.ts'
import { openSqliteTables } from '../port/tables/sqlite.ts'
import { deploymentSpecSchema } from '../snapshot/deployment-spec.ts'
import { makePolicy } from '../snapshot/filter/filters.fixture.ts'
import type { Logger } from '../telemetry/logger.ts'
import { type LiveSnapshot, openLiveSnapshot } from './live-snapshot.ts'

let folder: string
let file: string
let tables: Tables
let live: LiveSnapshot | undefined
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

async function open(defaultPolicy = 'Microsoft.DefaultV2', config?: string): Promise<LiveSnapshot> {
  if (config !== undefined) writeFileSync(file, config)
  live = await openLiveSnapshot({
    tables,
    sealer: createSealer(new Uint8Array(32)),
    builtins: { models: [], find: () => undefined, stop: async () => {} },
    config: config === undefined ? undefined : file,
    log,
    readSecret: () => undefined,
    openTransport: () => ({ request: () => Promise.reject(new Error('nothing is asked')), close: () => {} }),
    filters: {
      detector: {
        label: 'builtin/test',
        screen: { find: () => [], open: () => ({ feed: () => [], end: () => [], settled: 0 }) },
        analyse: () => [],
      },
      readCredential: () => undefined,
      openEngine: () => {
        throw new Error('no engine here')
      },
      indexProtected: () => ({ find: () => [] }),
    },
    defaultPolicy,
  })
  return live
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
