import { afterEach, beforeEach, describe, expect, test } from 'bun:test'
import type { TablesFixture } from '../contract.ts'
import type { Tables } from '../port.ts'
import { noUsage } from '../usage/port.ts'
import type { StoredResource } from './port.ts'

/** What every adapter does with resources and what belongs to them. `open` makes an empty store. */
export function describeResourcesContract(adapter: string, open: () => Promise<TablesFixture>): void {
  describe(`tables port, resources: ${adapter}`, () => {
    let fixture: TablesFixture
    let tables: Tables

    beforeEach(async () => {
      fixture = await open()
      tables = fixture.tables
    })
    afterEach(() => fixture.remove())

    const add = async (id: string, name = id): Promise<StoredResource> =>
      (await tables.resources.add(id, name, {}, 5)) as StoredResource
    const names = async () => (await tables.resources.list()).map(({ name }) => name)

    test('begins without any; a row comes back as it was, also after reopening', async () => {
      expect(await tables.resources.list()).toEqual([])
      const made = await tables.resources.add('a~1', 'Team-A', { tags: { größe: '東京' } }, 1_790_000_000_123)
      expect(made).toEqual({
        id: 'a~1',
        name: 'Team-A',
        document: { tags: { größe: '東京' } },
        etag: expect.any(String),
        createdAt: 1_790_000_000_123,
        updatedAt: 1_790_000_000_123,
        deletedAt: undefined,
      })
      tables = await fixture.reopen()
      expect(await tables.resources.list()).toEqual([made as StoredResource])
    })

    test('a name is of one resource, in any case, be it deleted or the server’s own', async () => {
      await tables.putResource({ name: 'Mine', createdAt: 1 })
      const first = await add('a~1', 'Team')
      expect(await tables.resources.add('a~2', 'TEAM', {}, 5)).toBeUndefined()
      expect(await tables.resources.add('a~1', 'other', {}, 5)).toBeUndefined()
      expect(await tables.resources.add('m', 'mine', {}, 5)).toBeUndefined()
      await tables.resources.update('a~1', { deletedAt: 7 }, first.etag, 7)
      expect(await tables.resources.add('a~2', 'team', {}, 5)).toBeUndefined()
      expect(await names()).toEqual(['Mine', 'Team'])
    })

    test('is changed only over the etag that is expected; of those that race one wins', async () => {
      const first = await add('a')
      expect(await tables.resources.update('a', { document: { x: 1 } }, 'other', 6)).toBeUndefined()
      const second = await tables.resources.update('a', { document: { x: 1 } }, first.etag, 6)
      expect(second).toMatchObject({ document: { x: 1 }, createdAt: 5, updatedAt: 6, deletedAt: undefined })
      const gone = await tables.resources.update('a', { deletedAt: 8 }, second?.etag as string, 8)
      expect(gone).toMatchObject({ document: { x: 1 }, deletedAt: 8 })
      const back = await Promise.all(
        Array.from({ length: 5 }, () => tables.resources.update('a', { deletedAt: null }, gone?.etag as string, 9)),
      )
      expect(back.filter(Boolean)).toMatchObject([{ deletedAt: undefined }])
      expect(await tables.resources.delete('a', 'other', 9)).toBe(false)
      expect(await names()).toEqual(['a'])
    })

    test('renaming the server’s own keeps what is written of it', async () => {
      await tables.putResource({ name: 'one', createdAt: 1 })
      const [own] = await tables.resources.list()
      await tables.resources.update('', { document: { location: 'x' } }, own?.etag as string, 2)
      await tables.putResource({ name: 'two', createdAt: 1 })
      expect(await tables.resources.list()).toMatchObject([{ id: '', name: 'two', document: { location: 'x' } }])
    })

    const named = { document: {}, digest: 'd', previous: undefined, revokedAt: undefined, createdAt: 1, updatedAt: 1 }

    test('what belongs to one is not seen by another, and no name is in the way of the same elsewhere', async () => {
      const [own, a, b] = [tables, tables.of('a'), tables.of('b')]
      expect(tables.of('').listDeployments).toBe(own.listDeployments)
      for (const [index, one] of [own, a].entries()) {
        await one.putKey({ name: 'key1', sealed: `sealed-${index}`, createdAt: 1 })
        expect(await one.putDeployment('gpt', { n: index }, null)).toBeDefined()
        expect(await one.namedKeys.put({ name: 'ci', ...named, digest: `d${index}` }, null)).toBeDefined()
        const item = { name: 'x', pattern: `p${index}`, isRegex: false }
        expect(await one.filters.put('blocklist', 'words', {}, null, 1, { remove: [], put: [item] })).toBeDefined()
      }
      for (const [index, one] of [own, a].entries()) {
        expect(await one.listKeys()).toMatchObject([{ sealed: `sealed-${index}` }])
        expect(await one.listDeployments()).toMatchObject([{ document: { n: index } }])
        expect(await one.getDeployment('GPT')).toMatchObject({ document: { n: index } })
        expect(await one.namedKeys.list()).toMatchObject([{ digest: `d${index}` }])
        expect(await one.namedKeys.get('CI')).toMatchObject({ digest: `d${index}` })
        expect(await one.filters.listItems('words')).toMatchObject([{ pattern: `p${index}` }])
      }
      expect([await b.listKeys(), await b.listDeployments(), await b.namedKeys.list()]).toEqual([[], [], []])
      expect([await b.filters.list('blocklist'), await b.filters.listItems('words')]).toEqual([[], []])
      expect(await b.getDeployment('gpt')).toBeUndefined()
      const etag = (await a.namedKeys.get('ci'))?.etag as string
      expect(await own.namedKeys.delete('ci', etag)).toBe(false)
      expect(await own.putDeployment('gpt', {}, (await a.getDeployment('gpt'))?.etag)).toBeUndefined()
      expect(await own.filters.delete('blocklist', 'words')).toBe(true)
      expect(await own.deleteDeployment('gpt')).toBe(true)
      expect(await a.filters.listItems('words')).toHaveLength(1)
      expect(await a.listDeployments()).toHaveLength(1)
    })

    const usage = { ...noUsage, hour: 10, deployment: 'gpt', model: 'm', keyName: 'key1', requests: 1 }

    test('usage is of a resource', async () => {
      await tables.usage.add([
        { ...usage, resource: '' },
        { ...usage, resource: 'a', requests: 3 },
      ])
      const read = async (resource?: string) =>
        (await tables.usage.read({ fromHour: 0, toHour: 99, resource, groupBy: [] })).map(({ requests }) => requests)
      expect([await read(''), await read('a'), await read('b'), await read()]).toEqual([[1], [3], [], [4]])
      const groups = await tables.usage.read({ fromHour: 0, toHour: 99, groupBy: ['resource', 'deployment'] })
      expect(groups).toMatchObject([
        { resource: '', deployment: 'gpt', requests: 1 },
        { resource: 'a', deployment: 'gpt', requests: 3 },
      ])
    })

    test('deleting one takes with it what is its own, and nothing of one whose id begins alike', async () => {
      const row = await add('a')
      for (const id of ['', 'a', 'ab', 'a.b', 'a~1']) {
        const one = tables.of(id)
        await one.putKey({ name: 'key1', sealed: 's', createdAt: 1 })
        await one.putDeployment('gpt', {})
        await one.namedKeys.put({ name: 'ci', ...named }, null)
        await one.filters.put('policy', 'p', {}, null, 1)
        await tables.usage.add([{ ...usage, resource: id }])
        for (const owner of id === '' ? ['', 'ci', 'a'] : [`${id}/`, `${id}/ci`]) {
          const stored = { owner, id: 'c', completion: {}, metadata: {}, createdAt: 1, messages: [], models: [] }
          await tables.storedCompletions.add([stored])
          const file = { owner, filename: 'f', purpose: 'batch', bytes: 1, status: 'processed', createdAt: 1 } as const
          await tables.files.add({ ...file, id: `file-${id}-${owner}` })
        }
      }
      expect(await tables.resources.delete('a', row.etag, 50)).toBe(true)
      const left = async (id: string) => {
        const one = tables.of(id)
        const lists = [await one.listKeys(), await one.listDeployments(), await one.namedKeys.list()]
        return [...lists, await one.filters.list('policy')].map(({ length }) => length)
      }
      expect(await left('a')).toEqual([0, 0, 0, 0])
      for (const id of ['', 'ab', 'a.b', 'a~1']) expect(await left(id)).toEqual([1, 1, 1, 1])
      const used = await tables.usage.read({ fromHour: 0, toHour: 99, groupBy: ['resource'] })
      expect(used.map(({ resource }) => resource)).toEqual(['', 'a.b', 'ab', 'a~1'])
      const owners = ['', 'ci', 'a', 'a/', 'a/ci', 'ab/', 'ab/ci', 'a.b/', 'a.b/ci', 'a~1/', 'a~1/ci']
      const isKept = (owner: string) => owner !== 'a/' && owner !== 'a/ci'
      for (const owner of owners) {
        expect(await tables.storedCompletions.count(owner, { metadata: {} })).toBe(isKept(owner) ? 1 : 0)
        expect(await tables.files.list({ owner, now: 60 }, { limit: 9, order: 'asc' })).toHaveLength(
          isKept(owner) ? 1 : 0,
        )
      }
      expect((await tables.files.listRemovable(60, 9)).map(({ owner }) => owner).toSorted()).toEqual(['a/', 'a/ci'])
    })
  })
}
