import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import type { BlocklistView, ItemsChanged } from '../api.ts'
import { type ControlFixture, errorOf, startControl } from '../control.fixture.ts'

let control: ControlFixture
const send: ControlFixture['send'] = (...request) => control.send(...request)
const put = (path: string, body: unknown = {}, headers: Record<string, string> = {}) =>
  send('PUT', path, { body, headers })

beforeAll(async () => {
  control = await startControl()
})
afterAll(() => control.stop())

describe('blocklists', () => {
  const items = async (query = '') =>
    (await send('GET', `/rai-blocklists/words/items${query}`)).json<{
      count: number
      value: { name: string; pattern: string; isRegex: boolean }[]
      nextLink?: string
    }>()

  test('are made with items, and keep them when only the description changes', async () => {
    const made = await put('/rai-blocklists/Words', {
      description: 'food',
      items: [{ name: 'pizza', pattern: 'pizza' }],
      terms: ['pasta'],
    })
    expect([made.status, made.json<BlocklistView>()]).toEqual([
      201,
      {
        name: 'Words',
        description: 'food',
        itemCount: 2,
        policies: [],
        etag: expect.any(String),
        source: { kind: 'stored' },
        createdAt: expect.any(String),
        updatedAt: expect.any(String),
      },
    ])
    const again = await put('/rai-blocklists/words', { ...made.json<object>(), description: 'drinks' })
    expect(again.json<BlocklistView>()).toMatchObject({ name: 'Words', description: 'drinks', itemCount: 2 })
  })

  test('take items in bulk and one by one, and give them up', async () => {
    await put('/rai-blocklists/words', { items: [] })
    const add = (body: unknown, query = '') => send('POST', `/rai-blocklists/words/items${query}`, { body })
    const bulk = [
      { name: 'b', pattern: 'bear' },
      { name: 'a', pattern: 'a+', isRegex: true },
    ]
    expect((await add(bulk)).json<ItemsChanged>()).toEqual({ added: 2, changed: 0, removed: 0, count: 2 })
    expect((await add([{ name: 'B', pattern: 'beer' }, { pattern: 'cider' }])).json<ItemsChanged>()).toEqual({
      added: 1,
      changed: 1,
      removed: 0,
      count: 3,
    })
    expect((await add([{ pattern: 'cider' }])).json<ItemsChanged>()).toMatchObject({ added: 0, changed: 0 })
    expect((await add([{ pattern: 'wine' }], '?dryRun=true')).json<ItemsChanged>()).toMatchObject({
      added: 1,
      count: 4,
    })
    expect((await items()).count).toBe(3)

    const one = await put('/rai-blocklists/words/items/d.1', { pattern: 'dairy' })
    expect([one.status, one.json<unknown>()]).toEqual([201, { name: 'd.1', pattern: 'dairy', isRegex: false }])
    expect((await put('/rai-blocklists/words/items/D.1', { pattern: 'dairies' })).status).toBe(200)
    expect((await send('GET', '/rai-blocklists/words/items/d.1')).json<unknown>()).toMatchObject({ pattern: 'dairies' })
    expect((await send('DELETE', '/rai-blocklists/words/items/d.1')).status).toBe(204)
    expect((await send('DELETE', '/rai-blocklists/words/items/d.1')).status).toBe(404)
    expect((await send('GET', '/rai-blocklists/words/items/d.1')).status).toBe(404)

    const removed = await send('POST', '/rai-blocklists/words/items/delete', { body: ['A', 'nothing'] })
    expect(removed.json<ItemsChanged>()).toEqual({ added: 0, changed: 0, removed: 1, count: 2 })
    expect((await control.tables.filters.listItems('words')).map(({ pattern }) => pattern).sort()).toEqual([
      'beer',
      'cider',
    ])
  })

  test('are read in pages that hold while items come and go', async () => {
    const bulk = Array.from({ length: 5 }, (_, i) => ({ name: `n${i}`, pattern: `term ${i}` }))
    await put('/rai-blocklists/words', { items: bulk })
    const first = await items('?top=2')
    expect([first.count, first.value.map(({ name }) => name), first.nextLink]).toEqual([
      5,
      ['n0', 'n1'],
      '/management/rai-blocklists/words/items?top=2&after=n1',
    ])
    await send('DELETE', '/rai-blocklists/words/items/n1')
    const second = await items('?top=2&after=n1')
    expect(second.value.map(({ name }) => name)).toEqual(['n2', 'n3'])
    const last = await items('?top=2&after=n3')
    expect([last.value.map(({ name }) => name), last.nextLink]).toEqual([['n4'], undefined])
    for (const top of ['0', '1001', 'x', '-1']) {
      expect((await send('GET', `/rai-blocklists/words/items?top=${top}`)).status).toBe(400)
    }
  })

  test('every change of items is another etag, and can be bound to one', async () => {
    const { etag } = (await put('/rai-blocklists/words', { items: [] })).json<BlocklistView>()
    const headers = { 'if-match': `"${etag}"` }
    const body = [{ name: 'x', pattern: 'x' }]
    expect((await send('POST', '/rai-blocklists/words/items', { body, headers })).status).toBe(200)
    expect((await send('POST', '/rai-blocklists/words/items', { body, headers })).status).toBe(412)
  })

  test('take 10,000 items, and not one more', async () => {
    const bulk = Array.from({ length: 10_000 }, (_, i) => ({ pattern: `forbidden phrase number ${i}` }))
    const full = await send('POST', '/rai-blocklists/words/items', { body: bulk.slice(1) })
    expect(full.json<ItemsChanged>()).toMatchObject({ added: 9_999, count: 10_000 })
    const more = await send('POST', '/rai-blocklists/words/items', { body: [{ pattern: 'one more' }] })
    expect([more.status, errorOf(more).message]).toEqual([
      400,
      'the list would have 10001 items, expected at most 10000; divide it into several',
    ])
    expect((await send('POST', '/rai-blocklists/words/items', { body: bulk })).status).toBe(400)
    expect((await items('?top=1')).count).toBe(10_000)
  })

  test.each<[string, unknown, number, string]>([
    ['no list', { pattern: 'x' }, 400, 'The body is an object, expected a JSON list.'],
    ['no JSON', '[', 400, 'The body is not valid JSON in UTF-8.'],
    ['a misspelt field', [{ patern: 'x' }], 400, '[0].pattern: missing, expected a string'],
    ['a pattern with a back-reference', [{ pattern: '(a)\\1', isRegex: true }], 400, '[0].pattern: cannot be used: '],
  ])('%s is refused', async (_what, body, status, text) => {
    const refused = await send('POST', '/rai-blocklists/words/items', { body })
    expect([refused.status, errorOf(refused).message]).toEqual([status, expect.stringContaining(text)])
  })

  test('items of a list that is none are nowhere', async () => {
    for (const [method, path, body] of [
      ['GET', 'items', undefined],
      ['POST', 'items', [{ pattern: 'x' }]],
      ['POST', 'items/delete', ['x']],
      ['PUT', 'items/x', { pattern: 'x' }],
      ['DELETE', 'items/x', undefined],
    ] as const) {
      expect((await send(method, `/rai-blocklists/none/${path}`, { body })).status).toBe(404)
    }
    expect((await send('GET', '/rai-blocklists/none')).status).toBe(404)
  })

  test('that a policy has cannot be deleted', async () => {
    await put('/rai-policies/p', { customBlocklists: [{ blocklistName: 'words', source: 'Prompt' }] })
    expect((await send('GET', '/rai-blocklists/words')).json<BlocklistView>().policies).toEqual(['p'])
    const refused = await send('DELETE', '/rai-blocklists/words')
    expect([refused.status, errorOf(refused).message]).toEqual([
      409,
      'The blocklist "Words" is used by the content filter policy "p". Change that first.',
    ])
    await send('DELETE', '/rai-policies/p')
    expect((await send('DELETE', '/rai-blocklists/words')).status).toBe(204)
    expect(await control.tables.filters.listItems('words')).toEqual([])
  })
})
