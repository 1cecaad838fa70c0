import { afterEach, beforeEach, describe, expect, test } from 'bun:test'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openSqliteTables } from '../../port/tables/adapters/sqlite/open-sqlite-tables.ts'
import type { Tables } from '../../port/tables/port.ts'
import { openQuotaState, type QuotaState } from './quota-state.ts'

let folder: string
let tables: Tables
let quota: QuotaState
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'ponto-quota-'))
  tables = await openSqliteTables(join(folder, 'ponto.db'))
  quota = await openQuotaState(tables.quota, () => 5)
})
afterEach(async () => {
  await tables.close()
  rmSync(folder, { recursive: true, force: true })
})

const limits = (state = quota) => state.list().map(({ name, limit, source }) => `${name} ${limit} ${source.kind}`)

describe('quota state', () => {
  test('is there again when it is opened again', async () => {
    await quota.write({ sku: 'Standard', model: 'b', limit: 2 })
    await quota.write({ sku: 'GlobalStandard', limit: 1 })
    const opened = await openQuotaState(tables.quota, () => 6)
    expect(opened.list()).toEqual(quota.list())
    expect(limits(opened)).toEqual(['GlobalStandard 1 stored', 'Standard.b 2 stored'])
  })

  test('keeps the spelling of its creation, and is found in any', async () => {
    expect(await quota.write({ sku: 'Standard', model: 'Llama', limit: 1 })).toMatchObject({ isNew: true })
    expect(await quota.write({ sku: 'Standard', model: 'LLAMA', limit: 2 })).toMatchObject({
      isNew: false,
      pool: { name: 'Standard.Llama', model: 'Llama', limit: 2 },
    })
    expect(quota.get('standard.llama')?.limit).toBe(2)
    expect(await quota.remove('STANDARD.LLAMA')).toBe(true)
    expect(await quota.remove('STANDARD.LLAMA')).toBe(false)
    expect(quota.list()).toEqual([])
  })

  test('what the file declares wins and is not written; what is stored comes back', async () => {
    await quota.write({ sku: 'Standard', limit: 1 })
    quota.declare('ponto.yaml', [{ sku: 'Standard', limit: 9 }])
    expect(limits()).toEqual(['Standard 9 file'])
    for (const change of [() => quota.write({ sku: 'Standard', limit: 2 }), () => quota.remove('standard')]) {
      expect(await change().catch((fault) => fault)).toMatchObject({
        code: 'conflict',
        message: 'The quota pool "Standard" is declared in ponto.yaml, and can only be changed there.',
      })
    }
    quota.declare('ponto.yaml', [])
    expect(limits()).toEqual(['Standard 1 stored'])
  })

  test('tells of every change, and gives the same list in between', async () => {
    const heard: string[][] = []
    const stop = quota.subscribe(() => heard.push(limits()))
    await quota.write({ sku: 'Standard', limit: 1 })
    expect(quota.list()).toBe(quota.list())
    quota.declare('ponto.yaml', [{ sku: 'GlobalBatch', limit: 3 }])
    await quota.remove('Standard')
    await quota.remove('Standard')
    stop()
    await quota.write({ sku: 'Standard', limit: 7 })
    expect(heard).toEqual([['Standard 1 stored'], ['GlobalBatch 3 file', 'Standard 1 stored'], ['GlobalBatch 3 file']])
  })

  test('writes that come at once are all made', async () => {
    await Promise.all(Array.from({ length: 20 }, (_, i) => quota.write({ sku: 'Standard', model: `m${i}`, limit: i })))
    expect(quota.list()).toHaveLength(20)
    expect(await tables.quota.list()).toHaveLength(20)
  })

  test('a pool of a SKU that this version does not know is left alone', async () => {
    await tables.quota.put({ name: 'Interstellar', sku: 'Interstellar', limit: 4 }, 1)
    expect((await openQuotaState(tables.quota, () => 6)).list()).toEqual([])
    expect(await tables.quota.list()).toHaveLength(1)
  })
})
