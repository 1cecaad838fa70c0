import { afterEach, beforeEach, describe, expect, test } from 'bun:test'
import type { TablesFixture } from '../../contract.ts'
import type { GroupsTable } from './port.ts'

const subscription = '3c1f8a52-0000-4000-8000-000000000001'
const group = { subscription, name: 'Team-A', location: 'eastus', tags: { cost: '42', Owner: 'ops' } }

/** What every adapter does with groups of resources. `open` makes an empty store. */
export function describeGroupsContract(adapter: string, open: () => Promise<TablesFixture>): void {
  describe(`tables port, resource groups: ${adapter}`, () => {
    let fixture: TablesFixture
    let table: GroupsTable

    beforeEach(async () => {
      fixture = await open()
      table = fixture.tables.groups
    })
    afterEach(() => fixture.remove())

    test('begins empty', async () => {
      expect(await table.list()).toEqual([])
      expect(await table.get(subscription, 'Team-A')).toBeUndefined()
      expect(await table.delete(subscription, 'Team-A')).toBe(false)
    })

    test('a group comes back as it was written, in any case of its name, and after reopening', async () => {
      const made = await table.put(group, 1_790_000_000_123)
      expect(made).toEqual({ ...group, createdAt: 1_790_000_000_123, updatedAt: 1_790_000_000_123 })
      expect(await table.get(subscription, 'TEAM-a')).toEqual(made)
      table = (await fixture.reopen()).groups
      expect(await table.list()).toEqual([made])
    })

    test('written again it has other tags, and its name, place and birth as before', async () => {
      await table.put(group, 1)
      const changed = await table.put({ ...group, name: 'TEAM-A', location: 'westus', tags: {} }, 2)
      expect(changed).toEqual({ ...group, tags: {}, createdAt: 1, updatedAt: 2 })
      expect(await table.list()).toEqual([changed])
      expect(await table.delete(subscription, 'team-a')).toBe(true)
      expect(await table.list()).toEqual([])
    })

    test('one name in two subscriptions is two groups; they are listed in order', async () => {
      const other = `${subscription.slice(0, -1)}0`
      for (const name of ['b', 'C', 'a']) await table.put({ ...group, name }, 1)
      await table.put({ ...group, subscription: other, name: 'b' }, 1)
      expect((await table.list()).map((row) => [row.subscription, row.name])).toEqual([
        [other, 'b'],
        [subscription, 'a'],
        [subscription, 'b'],
        [subscription, 'C'],
      ])
      await table.delete(subscription, 'b')
      expect(await table.get(other, 'b')).toBeDefined()
    })

    test('names and tags are data, not SQL', async () => {
      const odd = "x'); drop table resource_group; --"
      await table.put({ ...group, name: odd, tags: { [odd]: odd } }, 1)
      expect(await table.list()).toMatchObject([{ name: odd, tags: { [odd]: odd } }])
      expect(await table.delete(subscription, "' or '1'='1")).toBe(false)
    })
  })
}
