import { afterEach, beforeEach, describe, expect, test } from 'bun:test'
import type { TablesFixture } from '../contract.ts'
import type { NewStoredCompletion, StoredCompletionPage, StoredCompletionsTable } from './port.ts'

const everything = { metadata: {} }
const firstPage: StoredCompletionPage = { limit: 100, order: 'asc' }

function make(id: string, more: Partial<NewStoredCompletion> = {}): NewStoredCompletion {
  return {
    owner: '',
    id,
    completion: { id, object: 'chat.completion', text: `answer ${id}` },
    metadata: {},
    createdAt: 1000,
    messages: [{ role: 'user', content: `question ${id}` }],
    models: ['gpt-4o-2024-08-06', 'Chat'],
    ...more,
  }
}

/** What every adapter does with the completions that callers asked to be kept. `open` makes an empty store. */
export function describeStoredCompletionsContract(adapter: string, open: () => Promise<TablesFixture>): void {
  describe(`tables port, stored completions: ${adapter}`, () => {
    let fixture: TablesFixture
    let table: StoredCompletionsTable

    beforeEach(async () => {
      fixture = await open()
      table = fixture.tables.storedCompletions
    })
    afterEach(() => fixture.remove())

    const listIds = async (
      page: Partial<StoredCompletionPage> = {},
      filter: Parameters<StoredCompletionsTable['list']>[1] = everything,
      owner = '',
    ) => {
      const found = await table.list(owner, filter, { ...firstPage, ...page })
      return found && { ids: found.rows.map(({ id }) => id), hasMore: found.hasMore }
    }

    test('begins empty', async () => {
      expect(await table.get('', 'a')).toBeUndefined()
      expect(await table.getMessages('', 'a')).toBeUndefined()
      expect(await listIds()).toEqual({ ids: [], hasMore: false })
      expect(await table.count('', everything)).toBe(0)
      expect(await table.replaceMetadata('', 'a', {})).toBeUndefined()
      expect(await table.delete('', 'a')).toBe(false)
      expect(await table.deleteOlder(2000, 10)).toBe(0)
      await table.add([])
    })

    test('what was added comes back as it was, text of any script included', async () => {
      const text = `Größe 東京 🙂 "'\\ ${'\u0000'}`
      const row = make('a', {
        completion: { id: 'a', choices: [{ text, number: 0.1, none: null }] },
        metadata: { [text]: text, b: '' },
        messages: [
          { role: 'user', content: text },
          { role: 'assistant', content: null },
        ],
        createdAt: 1_790_000_000_123,
      })
      await table.add([row])
      const { messages, models: _, ...stored } = row
      expect(await table.get('', 'a')).toEqual(stored)
      expect(await table.getMessages('', 'a')).toEqual([...messages])
      expect(await table.list('', everything, firstPage)).toEqual({ rows: [stored], hasMore: false })
      expect(await listIds({}, { metadata: { [text]: text } })).toEqual({ ids: ['a'], hasMore: false })
    })

    test('an owner finds only its own, also where ids are the same', async () => {
      await table.add([make('a'), make('a', { owner: 'team', metadata: { of: 'team' } }), make('b', { owner: 'team' })])
      expect((await table.get('team', 'a'))?.metadata).toEqual({ of: 'team' })
      expect((await table.get('', 'a'))?.metadata).toEqual({})
      expect(await table.get('', 'b')).toBeUndefined()
      expect(await table.getMessages('', 'b')).toBeUndefined()
      expect(await table.replaceMetadata('', 'b', { x: 'y' })).toBeUndefined()
      expect(await table.delete('', 'b')).toBe(false)
      expect(await listIds()).toEqual({ ids: ['a'], hasMore: false })
      expect(await listIds({}, everything, 'team')).toEqual({ ids: ['a', 'b'], hasMore: false })
      expect(await listIds({ after: 'b' })).toBeUndefined()
      expect(await table.count('', everything)).toBe(1)
    })

    test('what has the id of an earlier one takes its place, labels included', async () => {
      await table.add([make('a', { metadata: { k: 'old' }, models: ['old'] }), make('b', { createdAt: 2000 })])
      await table.add([make('a', { metadata: { k: 'new' }, createdAt: 3000 })])
      expect(await listIds()).toEqual({ ids: ['b', 'a'], hasMore: false })
      expect((await listIds({}, { metadata: { k: 'old' } }))?.ids).toEqual([])
      expect((await listIds({}, { metadata: {}, model: 'old' }))?.ids).toEqual([])
      expect((await listIds({}, { metadata: { k: 'new' } }))?.ids).toEqual(['a'])
    })

    test('pages follow each other in the order of time, then of ids, both ways', async () => {
      const rows = Array.from({ length: 9 }, (_, i) => make(`id${i}`, { createdAt: 1000 + Math.floor(i / 3) }))
      await table.add(rows.toReversed())
      const ids = rows.map(({ id }) => id)
      for (const order of ['asc', 'desc'] as const) {
        const seen: string[] = []
        let page = await listIds({ limit: 4, order })
        while (page) {
          seen.push(...page.ids)
          page = page.hasMore ? await listIds({ limit: 4, order, after: page.ids.at(-1) }) : undefined
        }
        expect(seen).toEqual(order === 'asc' ? ids : ids.toReversed())
      }
      expect(await listIds({ limit: 9 })).toEqual({ ids, hasMore: false })
      expect(await listIds({ after: 'id8' })).toEqual({ ids: [], hasMore: false })
      expect(await listIds({ after: 'nothing' })).toBeUndefined()
    })

    test('a list can be narrowed to a model, by either name and in any case, and to metadata', async () => {
      await table.add([
        make('a', { metadata: { team: 'red', stage: 'test' } }),
        make('b', { metadata: { team: 'red', stage: 'live' }, createdAt: 2000 }),
        make('c', { metadata: { team: 'blue', stage: 'live' }, createdAt: 3000, models: ['mistral-1', 'Small'] }),
        make('d', { createdAt: 4000 }),
      ])
      const cases = [
        [{ metadata: { team: 'red' } }, ['a', 'b']],
        [{ metadata: { stage: 'live' } }, ['b', 'c']],
        [{ metadata: { team: 'red', stage: 'live' } }, ['b']],
        [{ metadata: { team: 'green' } }, []],
        [{ metadata: { stage: 'red' } }, []],
        [{ metadata: {}, model: 'GPT-4o-2024-08-06' }, ['a', 'b', 'd']],
        [{ metadata: {}, model: 'small' }, ['c']],
        [{ metadata: { stage: 'live' }, model: 'chat' }, ['b']],
        [{ metadata: {}, model: 'gpt-4o' }, []],
      ] as const
      for (const [filter, ids] of cases) {
        expect(await listIds({}, filter)).toEqual({ ids: [...ids], hasMore: false })
        expect(await table.count('', filter)).toBe(ids.length)
      }
      expect(await listIds({ limit: 1, after: 'a' }, { metadata: { team: 'red' } })).toEqual({
        ids: ['b'],
        hasMore: false,
      })
    })

    test('metadata is replaced as a whole, and the list follows', async () => {
      await table.add([make('a', { metadata: { k: 'old', gone: 'x' } })])
      const changed = await table.replaceMetadata('', 'a', { k: 'new' })
      expect(changed).toMatchObject({ id: 'a', metadata: { k: 'new' }, createdAt: 1000 })
      expect(await table.get('', 'a')).toEqual(changed)
      for (const metadata of [{ k: 'old' }, { gone: 'x' }] as Record<string, string>[]) {
        expect((await listIds({}, { metadata }))?.ids).toEqual([])
      }
      expect((await listIds({}, { metadata: { k: 'new' }, model: 'chat' }))?.ids).toEqual(['a'])
      await table.replaceMetadata('', 'a', {})
      expect((await listIds({}, { metadata: { k: 'new' } }))?.ids).toEqual([])
      expect((await listIds())?.ids).toEqual(['a'])
    })

    test('what is deleted is gone, but whoever deletes while paging can go on', async () => {
      await table.add(['a', 'b', 'c', 'd', 'e'].map((id, i) => make(id, { createdAt: 1000 + i, metadata: { k: 'v' } })))
      const seen: string[] = []
      let page = await listIds({ limit: 2 })
      while (page) {
        for (const id of page.ids) expect(await table.delete('', id)).toBe(true)
        seen.push(...page.ids)
        page = page.hasMore ? await listIds({ limit: 2, after: page.ids.at(-1) }) : undefined
      }
      expect(seen).toEqual(['a', 'b', 'c', 'd', 'e'])
      expect(await table.delete('', 'a')).toBe(false)
      expect(await table.get('', 'a')).toBeUndefined()
      expect(await table.getMessages('', 'a')).toBeUndefined()
      expect(await table.replaceMetadata('', 'a', {})).toBeUndefined()
      expect(await listIds({}, { metadata: { k: 'v' } })).toEqual({ ids: [], hasMore: false })
      expect(await table.count('', everything)).toBe(0)
    })

    test('an id can be used again after it was deleted', async () => {
      await table.add([make('a')])
      await table.delete('', 'a')
      await table.add([make('a', { completion: { again: true } })])
      expect((await table.get('', 'a'))?.completion).toEqual({ again: true })
      expect((await listIds())?.ids).toEqual(['a'])
    })

    test('a page of large rows is shorter than its limit and says that there is more', async () => {
      const text = 'x'.repeat(5 * 1024 * 1024)
      await table.add(['a', 'b', 'c', 'd'].map((id, i) => make(id, { completion: { text }, createdAt: 1000 + i })))
      expect(await listIds()).toEqual({ ids: ['a', 'b', 'c'], hasMore: true })
      expect(await listIds({ after: 'c' })).toEqual({ ids: ['d'], hasMore: false })
    })

    test('the oldest go first, a batch at a time, whoever owns them', async () => {
      const rows = ['a', 'b', 'c', 'd', 'e'].map((id, i) =>
        make(id, { createdAt: 1000 + i, owner: i % 2 ? 'team' : '', metadata: { k: 'v' } }),
      )
      await table.add(rows)
      await table.delete('', 'a')
      expect(await table.deleteOlder(1004, 3)).toBe(3)
      expect((await listIds())?.ids).toEqual(['e'])
      expect((await listIds({}, { metadata: { k: 'v' } }, 'team'))?.ids).toEqual(['d'])
      expect(await table.deleteOlder(1004, 3)).toBe(1)
      expect(await table.deleteOlder(1004, 3)).toBe(0)
      expect(await table.count('', { metadata: { k: 'v' } })).toBe(1)
      expect(await table.count('team', { metadata: { k: 'v' } })).toBe(0)
    })

    test('ids and owners are data, not SQL', async () => {
      const odd = "x'); drop table stored_completion; --"
      await table.add([make(odd, { owner: odd })])
      expect((await table.get(odd, odd))?.id).toBe(odd)
      expect(await table.get("' or '1'='1", "' or '1'='1")).toBeUndefined()
    })

    test('of additions that come at once none is lost', async () => {
      await Promise.all(Array.from({ length: 20 }, (_, i) => table.add([make(`a${i}`), make(`b${i}`)])))
      expect(await table.count('', everything)).toBe(40)
    })

    test('everything is there after reopening', async () => {
      await table.add([make('a', { metadata: { k: 'v' } })])
      table = (await fixture.reopen()).storedCompletions
      expect((await listIds({}, { metadata: { k: 'v' } }))?.ids).toEqual(['a'])
    })
  })
}
