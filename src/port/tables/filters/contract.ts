import { afterEach, beforeEach, describe, expect, test } from 'bun:test'
import type { TablesFixture } from '../contract.ts'
import { type FilterItem, type FiltersTable, filterKinds } from './port.ts'

const item = (name: string, pattern = name, isRegex = false): FilterItem => ({ name, pattern, isRegex })
const none = { remove: [], put: [] }

/** What every adapter does with the parts of content filters. `open` makes an empty store. */
export function describeFiltersContract(adapter: string, open: () => Promise<TablesFixture>): void {
  describe(`tables port, filters: ${adapter}`, () => {
    let fixture: TablesFixture
    let table: FiltersTable

    beforeEach(async () => {
      fixture = await open()
      table = fixture.tables.filters
    })
    afterEach(() => fixture.remove())

    test('begins empty', async () => {
      for (const kind of filterKinds) {
        expect(await table.list(kind)).toEqual([])
        expect(await table.delete(kind, 'x')).toBe(false)
      }
      expect(await table.listItems('x')).toEqual([])
    })

    test('a document comes back as it was written, beside others of its name and another kind', async () => {
      const document = { mode: 'Default', odd: `Größe 東京 🙂 "'\\ ${'\u0000'}`, list: [1, { deep: null }] }
      const made = await table.put('policy', 'Strict', document, null, 1_790_000_000_123)
      expect(made).toEqual({
        name: 'Strict',
        document,
        etag: expect.any(String),
        createdAt: 1_790_000_000_123,
        updatedAt: 1_790_000_000_123,
      })
      const topic = await table.put('topic', 'strict', {}, null, 1)
      expect(await table.list('policy')).toEqual([made as NonNullable<typeof made>])
      expect(await table.list('topic')).toEqual([topic as NonNullable<typeof topic>])
      expect(await table.delete('topic', 'STRICT')).toBe(true)
      expect(await table.list('policy')).toHaveLength(1)
    })

    test('writes only over the etag that is expected, and keeps the first spelling and time', async () => {
      const first = await table.put('engine', 'Guard', { a: 1 }, null, 1)
      expect(await table.put('engine', 'guard', { a: 2 }, null, 2)).toBeUndefined()
      expect(await table.put('engine', 'guard', { a: 2 }, 'another', 2)).toBeUndefined()
      expect(await table.put('topic', 'guard', { a: 2 }, first?.etag as string, 2)).toBeUndefined()
      const second = await table.put('engine', 'GUARD', { a: 2 }, first?.etag as string, 2)
      expect(second).toMatchObject({ name: 'Guard', document: { a: 2 }, createdAt: 1, updatedAt: 2 })
      expect(second?.etag).not.toBe(first?.etag as string)
      expect(await table.put('engine', 'guard', { a: 3 }, first?.etag as string, 3)).toBeUndefined()
      expect(await table.list('engine')).toEqual([second as NonNullable<typeof second>])
    })

    test('of writers that race for one etag, one wins', async () => {
      const first = await table.put('blocklist', 'words', {}, null, 0)
      const writers = Array.from({ length: 20 }, (_, i) =>
        table.put('blocklist', 'words', { i }, first?.etag as string, i, { remove: [], put: [item(`w${i}`)] }),
      )
      const won = (await Promise.all(writers)).filter((row) => row !== undefined)
      expect(won).toHaveLength(1)
      expect((await table.listItems('words')).map(({ name }) => name)).toEqual([`w${won[0]?.document.i}`])
    })

    test('items are added, replaced and removed one by one, by name without regard to case', async () => {
      let etag = (await table.put('blocklist', 'Words', {}, null, 1))?.etag as string
      const change = async (remove: string[], put: FilterItem[]) => {
        const row = await table.put('blocklist', 'words', {}, etag, 2, { remove, put })
        etag = row?.etag as string
        return (await table.listItems('WORDS')).map(({ name, pattern, isRegex }) => [name, pattern, isRegex])
      }
      expect(await change([], [item('b'), item('A', 'alpha'), item('c', '^x+$', true)])).toEqual([
        ['A', 'alpha', false],
        ['b', 'b', false],
        ['c', '^x+$', true],
      ])
      expect(await change(['B', 'nothing'], [item('a', 'other', true)])).toEqual([
        ['a', 'other', true],
        ['c', '^x+$', true],
      ])
      // What is removed and put at once is there afterwards.
      expect(await change(['a', 'c'], [item('c', 'new')])).toEqual([['c', 'new', false]])
    })

    test('a write that does not happen changes no items; one without items leaves them', async () => {
      const row = await table.put('blocklist', 'words', {}, null, 1, { remove: [], put: [item('a')] })
      expect(await table.put('blocklist', 'words', {}, 'old', 2, { remove: ['a'], put: [item('b')] })).toBeUndefined()
      expect(await table.listItems('words')).toEqual([item('a')])
      await table.put('blocklist', 'words', { description: 'd' }, row?.etag as string, 2)
      expect(await table.listItems('words')).toEqual([item('a')])
    })

    test('lists have items of their own, which go with them', async () => {
      await table.put('blocklist', 'one', {}, null, 1, { remove: [], put: [item('a')] })
      await table.put('blocklist', 'two', {}, null, 1, { remove: [], put: [item('a', 'other')] })
      await table.put('policy', 'one', {}, null, 1)
      expect(await table.delete('policy', 'one')).toBe(true)
      expect(await table.listItems('one')).toEqual([item('a')])
      expect(await table.delete('blocklist', 'ONE')).toBe(true)
      expect([await table.listItems('one'), await table.listItems('two')]).toEqual([[], [item('a', 'other')]])
      // Made again it begins empty.
      await table.put('blocklist', 'one', {}, null, 2, none)
      expect(await table.listItems('one')).toEqual([])
    })

    test('takes 10,000 items at once, and gives them up at once', async () => {
      const items = Array.from({ length: 10_000 }, (_, i) => item(`item-${String(i).padStart(5, '0')}`, `term ${i}`))
      const row = await table.put('blocklist', 'long', {}, null, 1, { remove: [], put: items })
      expect(await table.listItems('long')).toEqual(items)
      const names = items.slice(1).map(({ name }) => name)
      await table.put('blocklist', 'long', {}, row?.etag as string, 2, { remove: names, put: [] })
      expect(await table.listItems('long')).toEqual(items.slice(0, 1))
    })

    test('are listed by name, without regard to case', async () => {
      for (const name of ['b', 'C', 'a', 'D']) await table.put('topic', name, {}, null, 1)
      expect((await table.list('topic')).map(({ name }) => name)).toEqual(['a', 'b', 'C', 'D'])
    })

    test('names and patterns are data, not SQL', async () => {
      const odd = "x'); drop table filter_item; --"
      await table.put('blocklist', odd, {}, null, 1, { remove: [], put: [item(odd)] })
      expect(await table.listItems(odd)).toEqual([item(odd)])
      expect(await table.listItems("' or '1'='1")).toEqual([])
      expect(await table.delete('blocklist', "' or '1'='1")).toBe(false)
    })

    test('everything is there after reopening', async () => {
      const made = await table.put('blocklist', 'words', { description: 'd' }, null, 1, {
        remove: [],
        put: [item('a')],
      })
      table = (await fixture.reopen()).filters
      expect(await table.list('blocklist')).toEqual([made as NonNullable<typeof made>])
      expect(await table.listItems('words')).toEqual([item('a')])
    })
  })
}
