import { afterEach, beforeEach, describe, expect, test } from 'bun:test'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Fault } from '../core/fault.ts'
import type { JsonObject } from '../core/json.ts'
import { openSqliteTables } from '../port/tables/adapters/sqlite/open-sqlite-tables.ts'
import type { Tables } from '../port/tables/port.ts'
import { type DeploymentSpec, deploymentSpecSchema } from './deployment-spec.ts'
import { type DesiredState, openDesiredState } from './desired-state.ts'
import type { Config } from './file/load-config.ts'

const makeSpec = (name: string, model = 'm'): DeploymentSpec =>
  deploymentSpecSchema.parse({ name, model: { name: model } })
const makeConfig = (...specs: DeploymentSpec[]): Pick<Config, 'file' | 'deployments' | 'modifiedAt'> => ({
  file: 'ponto.yaml',
  modifiedAt: 1_000,
  deployments: specs.map((spec, index) => ({ spec, file: 'ponto.yaml', line: index + 2 })),
})

let folder: string
let tables: Tables
let state: DesiredState
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'ponto-state-'))
  tables = await openSqliteTables(join(folder, 'ponto.db'))
  state = await openDesiredState(tables)
})
afterEach(async () => {
  await tables.close()
  rmSync(folder, { recursive: true, force: true })
})

const names = () => state.list().map(({ spec }) => spec.name)

describe('desired state', () => {
  test('a write is stored first, then told', async () => {
    const told: string[][] = []
    let storedWhenTold: Promise<unknown> | undefined
    const stop = state.subscribe((list) => {
      told.push(list.map(({ spec }) => spec.name))
      storedWhenTold ??= tables.getDeployment('gpt')
    })
    const { deployment, isNew } = await state.write('gpt', () => makeSpec('gpt'))
    expect(isNew).toBe(true)
    expect(await storedWhenTold).toMatchObject({ etag: deployment.etag })
    await state.write('alpha', () => makeSpec('alpha'))
    expect(await state.remove('GPT')).toBe(true)
    stop()
    await state.write('late', () => makeSpec('late'))
    expect(told).toEqual([['gpt'], ['alpha', 'gpt'], ['alpha']])
  })

  test('is the same after a restart', async () => {
    await state.write('Mistral', () => makeSpec('Mistral'))
    const again = await openDesiredState(tables)
    expect(again.list()).toEqual(state.list())
  })

  test('a write in another case is an update that keeps the spelling', async () => {
    const first = await state.write('Mistral', () => makeSpec('Mistral', 'a'))
    const second = await state.write('MISTRAL', () => makeSpec('MISTRAL', 'b'))
    expect(second.isNew).toBe(false)
    expect(second.deployment.spec).toEqual(makeSpec('Mistral', 'b'))
    expect(second.deployment.createdAt).toBe(first.deployment.createdAt)
    expect(state.get('mistral')).toBe(second.deployment)
  })

  test('writes wait for one another, so that each sees the one before', async () => {
    const increment = () =>
      state.write('counter', (current) => makeSpec('counter', String(Number(current?.spec.model.name ?? 0) + 1)))
    await Promise.all(Array.from({ length: 30 }, increment))
    expect(state.get('counter')?.spec.model.name).toBe('30')
  })

  test('a write that is refused changes nothing and does not hold up the next', async () => {
    const refused = state.write('gpt', () => {
      throw new Fault('invalid-request', 'no')
    })
    const next = state.write('other', () => makeSpec('other'))
    await expect(refused).rejects.toThrow('no')
    await next
    expect(names()).toEqual(['other'])
  })

  test('a write that fails to be stored is not told', async () => {
    await tables.putDeployment('gpt', { model: { name: 'from elsewhere' } } satisfies JsonObject)
    let isTold = false
    state.subscribe(() => {
      isTold = true
    })
    await expect(state.write('gpt', () => makeSpec('gpt'))).rejects.toThrow('changed by another server')
    expect(await state.remove('nothing')).toBe(false)
    expect(isTold).toBe(false)
    expect(names()).toEqual([])
  })

  test('the file wins over what is stored, with a warning, and gives it back', async () => {
    await state.write('GPT', () => makeSpec('GPT', 'stored'))
    state.declare(makeConfig(makeSpec('gpt', 'declared'), makeSpec('zeta')))
    expect(names()).toEqual(['gpt', 'zeta'])
    expect(state.get('Gpt')?.spec.model.name).toBe('declared')
    expect(state.listWarnings()).toEqual([
      'The deployment "gpt" is declared in ponto.yaml, line 2, and one of that name is stored too. The file\'s is used; the stored one comes back when the file no longer declares it.',
    ])
    state.declare(makeConfig())
    expect(state.list().map(({ spec, source }) => [spec.model.name, source.kind])).toEqual([['stored', 'stored']])
    expect(state.listWarnings()).toEqual([])
  })

  test('what the file declares is read-only', async () => {
    state.declare(makeConfig(makeSpec('gpt')))
    const message = 'The deployment "gpt" is declared in ponto.yaml, line 2, and can only be changed there.'
    await expect(state.write('GPT', () => makeSpec('GPT'))).rejects.toThrow(message)
    await expect(state.remove('GPT')).rejects.toThrow(message)
    expect(await state.write('other', () => makeSpec('other'))).toBeDefined()
  })

  test('a declared deployment that does not change keeps its spec, etag and times, so that nothing is made anew for it', () => {
    state.declare(makeConfig(makeSpec('one'), makeSpec('two')))
    const [one, two] = state.list()
    state.declare({ ...makeConfig(makeSpec('new'), makeSpec('one'), makeSpec('two', 'other')), modifiedAt: 2_000 })
    expect(state.get('one')?.spec).toBe(one?.spec as DeploymentSpec)
    expect(state.get('one')).toEqual({ ...one, source: { kind: 'file', file: 'ponto.yaml', line: 3 } } as never)
    expect(state.get('two')).toMatchObject({ createdAt: 1_000, updatedAt: 2_000 })
    expect(state.get('two')?.etag).not.toBe(two?.etag as string)
  })

  test('a stored document that cannot be read is left out with a warning, and can be replaced or deleted', async () => {
    await tables.putDeployment('old', { model: 5 })
    await tables.putDeployment('older', { model: 5 })
    await tables.putDeployment('good', { model: { name: 'm' } })
    state = await openDesiredState(tables)
    expect(names()).toEqual(['good'])
    expect(state.listWarnings()[0]).toBe(
      'The stored deployment "old" cannot be read and is left out (model: got 5, expected an object). Replace or delete it.',
    )
    await state.write('old', () => makeSpec('old'))
    expect(await state.remove('older')).toBe(true)
    expect(names()).toEqual(['good', 'old'])
    expect(state.listWarnings()).toEqual([])
  })
})
