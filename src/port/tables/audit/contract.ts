import { afterEach, beforeEach, describe, expect, test } from 'bun:test'
import type { TablesFixture } from '../contract.ts'
import type { AuditRow, AuditTable } from './port.ts'

const change: AuditRow = {
  id: 'a',
  at: 1_790_000_000_123,
  actorKind: 'token',
  actorId: '11111111-2222-3333-4444-555555555555',
  actorName: 'Ana Prado',
  address: '127.0.0.1',
  action: 'accounts/deployments/write',
  target: '/management/deployments/gpt-4o',
  status: 200,
  code: undefined,
  before: { name: 'gpt-4o', tags: { größe: '東京' } },
  after: { name: 'gpt-4o', list: [1, null, true] },
  requestId: 'f00',
}

/** What every adapter does with the record of changes. `open` makes an empty store. */
export function describeAuditContract(adapter: string, open: () => Promise<TablesFixture>): void {
  describe(`tables port, audit: ${adapter}`, () => {
    let fixture: TablesFixture
    let table: AuditTable
    const idsOf = async (query: Parameters<AuditTable['list']>[0]) => (await table.list(query)).map(({ id }) => id)

    beforeEach(async () => {
      fixture = await open()
      table = fixture.tables.audit
    })
    afterEach(() => fixture.remove())

    test('begins empty; a row comes back as it was written, also after reopening', async () => {
      expect(await table.list({ limit: 10 })).toEqual([])
      const refused = { ...change, id: 'b', at: 5, code: 'Forbidden', status: 403, before: undefined, after: undefined }
      await table.append(change)
      await table.append(refused)
      expect(await table.list({ limit: 10 })).toEqual([change, refused])
      table = (await fixture.reopen()).audit
      expect(await table.list({ limit: 10 })).toEqual([change, refused])
    })

    test('no row is written twice, and none over another', async () => {
      await table.append(change)
      expect(await table.append({ ...change, target: '/other' }).catch((error) => error)).toBeInstanceOf(Error)
      expect(await table.list({ limit: 10 })).toEqual([change])
    })

    test('pages go on where the one before ended, also between rows of one time', async () => {
      for (const [at, id] of [
        [1, 'a'],
        [2, 'b'],
        [2, 'c'],
        [2, 'd'],
        [3, 'e'],
      ] as const) {
        await table.append({ ...change, at, id })
      }
      expect(await idsOf({ limit: 2 })).toEqual(['e', 'd'])
      expect(await idsOf({ limit: 2, after: { at: 2, id: 'd' } })).toEqual(['c', 'b'])
      expect(await idsOf({ limit: 2, after: { at: 2, id: 'b' } })).toEqual(['a'])
      expect(await idsOf({ limit: 9, from: 2, to: 3 })).toEqual(['d', 'c', 'b'])
    })

    test('is searched by who, by what and by where; signs of patterns mean themselves', async () => {
      await table.append({ ...change, id: 'a', at: 1 })
      await table.append({ ...change, id: 'b', at: 2, actorId: 'operator', actorName: 'the credential' })
      await table.append({
        ...change,
        id: 'c',
        at: 3,
        action: 'accounts/namedKeys/write',
        target: '/management/Keys/50%',
      })
      expect(await idsOf({ limit: 9, actor: 'Ana Prado' })).toEqual(['c', 'a'])
      expect(await idsOf({ limit: 9, actor: 'operator' })).toEqual(['b'])
      expect(await idsOf({ limit: 9, action: 'accounts/namedkeys' })).toEqual(['c'])
      expect(await idsOf({ limit: 9, target: '/management/keys/50%' })).toEqual(['c'])
      expect(await idsOf({ limit: 9, target: '%' })).toEqual([])
      expect(await idsOf({ limit: 9, target: "' or '1'='1" })).toEqual([])
    })
  })
}
