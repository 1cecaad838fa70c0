import { afterEach, beforeEach, describe, expect, test } from 'bun:test'
import type { JsonObject } from '../../core/json.ts'
import { describeJobsContract } from '../jobs/contract.ts'
import { describeIdentityContract } from './access/identity/contract.ts'
import { describeNamedKeysContract } from './access/named-keys/contract.ts'
import { describeAuditContract } from './audit/contract.ts'
import { describeBatchesContract } from './batches/contract.ts'
import { describeFilesContract } from './files/contract.ts'
import { describeFiltersContract } from './filters/contract.ts'
import type { Tables } from './port.ts'
import { describeResourcesContract } from './resources/contract.ts'
import { describeGroupsContract } from './resources/groups/contract.ts'
import { describeQuotaContract } from './resources/quota/contract.ts'
import { describeStoredCompletionsContract } from './stored-completions/contract.ts'
import { describeUsageContract } from './usage/contract.ts'

/** A store under test. `reopen` closes it and opens the same data again. */
export type TablesFixture = { readonly tables: Tables; reopen(): Promise<Tables>; remove(): Promise<void> }

const document = (model: string): JsonObject => ({ model: { format: 'OpenAI', name: model, version: '1' } })

/** What every adapter of the Tables port must do. `open` makes an empty store; where a clock is given, its times are of that. */
export function describeTablesContract(adapter: string, open: (now?: () => number) => Promise<TablesFixture>): void {
  describeNamedKeysContract(adapter, open)
  describeStoredCompletionsContract(adapter, open)
  describeQuotaContract(adapter, open)
  describeResourcesContract(adapter, open)
  describeUsageContract(adapter, open)
  describeFiltersContract(adapter, open)
  describeFilesContract(adapter, open)
  describeJobsContract(adapter, open)
  describeBatchesContract(adapter, open)
  describeAuditContract(adapter, open)
  describeIdentityContract(adapter, open)
  describeGroupsContract(adapter, open)

  describe(`tables port: ${adapter}`, () => {
    let fixture: TablesFixture
    let tables: Tables

    beforeEach(async () => {
      fixture = await open()
      tables = fixture.tables
    })
    afterEach(() => fixture.remove())

    test('begins empty', async () => {
      expect(await tables.getResource()).toBeUndefined()
      expect(await tables.listKeys()).toEqual([])
      expect(await tables.listDeployments()).toEqual([])
      expect(await tables.getDeployment('gpt')).toBeUndefined()
      expect(await tables.deleteDeployment('gpt')).toBe(false)
    })

    test('holds one resource', async () => {
      await tables.putResource({ name: 'first', createdAt: 1 })
      await tables.putResource({ name: 'second', createdAt: 1_790_000_000_123 })
      expect(await tables.getResource()).toEqual({ name: 'second', createdAt: 1_790_000_000_123 })
    })

    test('holds two keys; replacing one leaves the other', async () => {
      await tables.putKey({ name: 'key2', sealed: 'b', createdAt: 2 })
      await tables.putKey({ name: 'key1', sealed: 'a', createdAt: 1 })
      await tables.putKey({ name: 'key1', sealed: 'c', createdAt: 3 })
      expect(await tables.listKeys()).toEqual([
        { name: 'key1', sealed: 'c', createdAt: 3 },
        { name: 'key2', sealed: 'b', createdAt: 2 },
      ])
    })

    test('a deployment is found, replaced and deleted without regard to case, and keeps the spelling and time of its creation', async () => {
      const made = await tables.putDeployment('Mistral-Large', document('a'))
      const changed = await tables.putDeployment('mistral-LARGE', document('b'))
      expect(changed).toMatchObject({
        name: 'Mistral-Large',
        document: document('b'),
        createdAt: made?.createdAt as number,
      })
      expect(changed?.etag).not.toBe(made?.etag as string)
      expect(await tables.getDeployment('MISTRAL-LARGE')).toEqual(changed)
      expect(await tables.listDeployments()).toHaveLength(1)
      expect(await tables.deleteDeployment('mistral-large')).toBe(true)
      expect(await tables.listDeployments()).toEqual([])
    })

    test('deployments are listed by name without regard to case', async () => {
      for (const name of ['b-2', 'Zeta', 'alpha', 'B-1', 'a_b', 'A.b']) await tables.putDeployment(name, document('m'))
      const names = (await tables.listDeployments()).map((row) => row.name)
      expect(names).toEqual(['A.b', 'a_b', 'alpha', 'B-1', 'b-2', 'Zeta'])
    })

    test('documents come back as they were, text of any script included', async () => {
      const odd: JsonObject = {
        text: `Größe 東京 🙂 "'\\ ${'\u0000'}`,
        list: [1, null, true, { deep: [] }],
        number: 0.1,
      }
      await tables.putDeployment('odd', odd)
      expect((await tables.getDeployment('odd'))?.document).toEqual(odd)
    })

    test('a name is data, not SQL', async () => {
      const name = "x'); drop table deployment; --"
      await tables.putDeployment(name, document('m'))
      expect((await tables.getDeployment(name))?.name).toBe(name)
      expect(await tables.getDeployment("' or '1'='1")).toBeUndefined()
    })

    test('writes only over the etag that is expected', async () => {
      const first = await tables.putDeployment('gpt', document('a'), null)
      expect(first).toBeDefined()
      expect(await tables.putDeployment('GPT', document('b'), null)).toBeUndefined()
      expect(await tables.putDeployment('gpt', document('b'), 'another')).toBeUndefined()
      expect(await tables.getDeployment('gpt')).toEqual(first)
      const second = await tables.putDeployment('GPT', document('b'), first?.etag)
      expect(second?.document).toEqual(document('b'))
      expect(await tables.putDeployment('gpt', document('c'), first?.etag)).toBeUndefined()
      expect(await tables.putDeployment('none', document('a'), first?.etag)).toBeUndefined()
      expect(await tables.getDeployment('none')).toBeUndefined()
    })

    test('of writers that race for one etag, one wins', async () => {
      const first = await tables.putDeployment('gpt', document('start'))
      const writers = Array.from({ length: 20 }, (_, i) => tables.putDeployment('gpt', document(`m${i}`), first?.etag))
      const won = (await Promise.all(writers)).filter((row) => row !== undefined)
      expect(won).toHaveLength(1)
      expect(await tables.getDeployment('gpt')).toEqual(won[0])
    })

    test('everything is there after reopening', async () => {
      await tables.putResource({ name: 'mine', createdAt: 5 })
      await tables.putKey({ name: 'key1', sealed: 'a', createdAt: 1 })
      const row = await tables.putDeployment('gpt', document('a'))
      tables = await fixture.reopen()
      expect(await tables.getResource()).toEqual({ name: 'mine', createdAt: 5 })
      expect(await tables.listKeys()).toEqual([{ name: 'key1', sealed: 'a', createdAt: 1 }])
      expect(await tables.getDeployment('gpt')).toEqual(row)
    })
  })
}
