import { afterEach, beforeEach, describe, expect, test } from 'bun:test'
import type { TablesFixture } from '../../contract.ts'
import type { QuotaTable } from './port.ts'

const pool = { name: 'OpenAI.GlobalStandard.gpt-4o', format: 'OpenAI', model: 'gpt-4o', sku: 'GlobalStandard' }

/** What every adapter does with the quota pools that an operator made. `open` makes an empty store. */
export function describeQuotaContract(adapter: string, open: () => Promise<TablesFixture>): void {
  describe(`tables port, quota: ${adapter}`, () => {
    let fixture: TablesFixture
    let table: QuotaTable

    beforeEach(async () => {
      fixture = await open()
      table = fixture.tables.quota
    })
    afterEach(() => fixture.remove())

    test('begins empty', async () => {
      expect(await table.list()).toEqual([])
      expect(await table.delete('GlobalStandard')).toBe(false)
    })

    test('a pool comes back as it was written', async () => {
      const made = await table.put({ ...pool, limit: 1_000_000_000 }, 1_790_000_000_123)
      expect(made).toEqual({
        ...pool,
        limit: 1_000_000_000,
        createdAt: 1_790_000_000_123,
        updatedAt: 1_790_000_000_123,
      })
      expect(await table.list()).toEqual([made])
    })

    test('one for all models has neither model nor format', async () => {
      await table.put({ name: 'ProvisionedManaged', sku: 'ProvisionedManaged', limit: 0 }, 1)
      const [row] = await table.list()
      expect(row).toEqual({
        name: 'ProvisionedManaged',
        sku: 'ProvisionedManaged',
        format: undefined,
        model: undefined,
        limit: 0,
        createdAt: 1,
        updatedAt: 1,
      })
    })

    test('another limit leaves what it is for, its spelling and its time; case does not count', async () => {
      await table.put({ ...pool, limit: 10 }, 1)
      const changed = await table.put({ ...pool, name: pool.name.toUpperCase(), model: 'GPT-4O', limit: 20 }, 2)
      expect(changed).toEqual({ ...pool, limit: 20, createdAt: 1, updatedAt: 2 })
      expect(await table.list()).toEqual([changed])
      expect(await table.delete(pool.name.toLowerCase())).toBe(true)
      expect(await table.list()).toEqual([])
    })

    test('are listed by name, without regard to case', async () => {
      for (const name of ['b', 'C', 'a', 'D']) await table.put({ name, sku: 'Standard', limit: 1 }, 1)
      expect((await table.list()).map(({ name }) => name)).toEqual(['a', 'b', 'C', 'D'])
    })

    test('of writers at the same time the last stands and none fails', async () => {
      const writes = Array.from({ length: 20 }, (_, i) => table.put({ ...pool, limit: i }, i))
      const limits = (await Promise.all(writes)).map(({ limit }) => limit)
      expect(limits.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 20 }, (_, i) => i))
      expect(await table.list()).toHaveLength(1)
    })

    test('names are data, not SQL', async () => {
      const odd = "x'); drop table quota_pool; --"
      await table.put({ name: odd, model: odd, format: odd, sku: 'Standard', limit: 1 }, 1)
      expect(await table.list()).toMatchObject([{ name: odd, model: odd, format: odd }])
      expect(await table.delete("' or '1'='1")).toBe(false)
    })

    test('everything is there after reopening', async () => {
      const made = await table.put({ ...pool, limit: 5 }, 1)
      table = (await fixture.reopen()).quota
      expect(await table.list()).toEqual([made])
    })
  })
}
