import { afterEach, beforeEach, describe, expect, test } from 'bun:test'
import type { TablesFixture } from '../../contract.ts'
import type { NamedKeyRow, NamedKeysTable } from './port.ts'

type NewRow = Omit<NamedKeyRow, 'etag'>

function make(name: string, more: Partial<NewRow> = {}): NewRow {
  return {
    name,
    document: { owner: 'Ada' },
    digest: `digest of ${name}`,
    previous: undefined,
    revokedAt: undefined,
    createdAt: 1_790_000_000_123,
    updatedAt: 1_790_000_000_123,
    ...more,
  }
}

/** What every adapter does with the keys beside the resource's two. `open` makes an empty store. */
export function describeNamedKeysContract(adapter: string, open: () => Promise<TablesFixture>): void {
  describe(`tables port, named keys: ${adapter}`, () => {
    let fixture: TablesFixture
    let table: NamedKeysTable

    beforeEach(async () => {
      fixture = await open()
      table = fixture.tables.namedKeys
    })
    afterEach(() => fixture.remove())

    test('begins empty', async () => {
      expect(await table.list()).toEqual([])
      expect(await table.get('ci')).toBeUndefined()
      expect(await table.put(make('ci'), 'some')).toBeUndefined()
      expect(await table.delete('ci', 'some')).toBe(false)
      expect(await table.list()).toEqual([])
    })

    test('a key comes back as it was, text of any script included', async () => {
      const text = `Größe 東京 🙂 "'\\ ${'\u0000'}`
      const plain = make('plain')
      const full = make('Full', {
        document: { owner: text, deployments: ['a', 'b'], budgets: [{ limit: 0.5 }], none: null },
        previous: { digest: 'older', endsAt: 1_790_000_000_456 },
        revokedAt: 1_790_000_000_789,
        updatedAt: 1_790_000_000_999,
      })
      for (const row of [plain, full]) {
        const stored = await table.put(row, null)
        expect(stored).toEqual({ ...row, etag: expect.any(String) })
        expect(await table.get(row.name)).toEqual(stored)
      }
      expect((await table.list()).map(({ name }) => name)).toEqual(['Full', 'plain'])
    })

    test('is found, changed and deleted without regard to case, and keeps the spelling and time of its creation', async () => {
      const made = await table.put(make('CI-Runner'), null)
      const changed = await table.put(
        make('ci-runner', { digest: 'new', createdAt: 5, updatedAt: 1_790_000_001_000 }),
        made?.etag as string,
      )
      expect(changed).toMatchObject({
        name: 'CI-Runner',
        digest: 'new',
        createdAt: made?.createdAt as number,
        updatedAt: 1_790_000_001_000,
      })
      expect(changed?.etag).not.toBe(made?.etag as string)
      expect(await table.get('cI-RUNNER')).toEqual(changed)
      expect(await table.delete('ci-RUNNER', changed?.etag as string)).toBe(true)
      expect(await table.list()).toEqual([])
    })

    test('what was there is gone when it is no longer so', async () => {
      const first = await table.put(make('ci', { previous: { digest: 'a', endsAt: 1 }, revokedAt: 2 }), null)
      const second = await table.put(make('ci'), first?.etag as string)
      expect(second).toMatchObject({ previous: undefined, revokedAt: undefined })
    })

    test('keys are listed by name without regard to case', async () => {
      for (const name of ['b-2', 'Zeta', 'alpha', 'B-1', 'a_b', 'A.b']) await table.put(make(name), null)
      const names = (await table.list()).map(({ name }) => name)
      expect(names).toEqual(['A.b', 'a_b', 'alpha', 'B-1', 'b-2', 'Zeta'])
    })

    test('is written and deleted only over the etag that is expected', async () => {
      const first = await table.put(make('ci'), null)
      expect(await table.put(make('CI', { digest: 'b' }), null)).toBeUndefined()
      expect(await table.put(make('ci', { digest: 'b' }), 'another')).toBeUndefined()
      expect(await table.delete('ci', 'another')).toBe(false)
      expect(await table.get('ci')).toEqual(first)
      const second = await table.put(make('ci', { digest: 'b' }), first?.etag as string)
      expect(second?.digest).toBe('b')
      expect(await table.put(make('ci', { digest: 'c' }), first?.etag as string)).toBeUndefined()
      expect(await table.delete('ci', first?.etag as string)).toBe(false)
      expect(await table.get('ci')).toEqual(second)
    })

    test('of writers that race for one etag, and of those that race to make a key, one wins', async () => {
      for (const etag of [null, undefined]) {
        const expected = etag === null ? null : ((await table.get('ci'))?.etag as string)
        const writers = Array.from({ length: 20 }, (_, i) =>
          table.put(make('ci', { digest: `${etag} ${i}` }), expected),
        )
        const won = (await Promise.all(writers)).filter((row) => row !== undefined)
        expect(won).toHaveLength(1)
        expect(await table.get('ci')).toEqual(won[0])
      }
    })

    test('a name is data, not SQL', async () => {
      const name = "x'); drop table named_key; --"
      await table.put(make(name), null)
      expect((await table.get(name))?.name).toBe(name)
      expect(await table.get("' or '1'='1")).toBeUndefined()
    })

    test('everything is there after reopening', async () => {
      const row = await table.put(make('ci', { previous: { digest: 'a', endsAt: 1 } }), null)
      table = (await fixture.reopen()).namedKeys
      expect(await table.list()).toEqual([row as NamedKeyRow])
    })
  })
}
