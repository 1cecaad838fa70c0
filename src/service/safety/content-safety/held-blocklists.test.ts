import { beforeEach, describe, expect, test } from 'bun:test'
import { createMemoryTable, type MemoryTable, makePolicy, openState } from '../../../snapshot/filter/filters.fixture.ts'
import type { FiltersState } from '../../../snapshot/filter/filters-state.ts'
import type { Blocklist, Blocklists, NewListItem } from './blocklists.ts'
import { createHeldBlocklists } from './held-blocklists.ts'

let table: MemoryTable
let state: FiltersState
let lists: Blocklists

beforeEach(async () => {
  table = createMemoryTable()
  state = await openState(table)
  lists = createHeldBlocklists(state.blocklists)
})

const term = (text: string, place?: string): NewListItem => ({ text, isRegex: false, place })
const add = async (name: string, ...more: NewListItem[]): Promise<Blocklist> => {
  const { list } = await lists.write(name, (current) => ({ items: [...(current?.items ?? []), ...more] }))
  return list
}
const textsIn = (list: Blocklist, text: string) => lists.match(list, text).map((item) => item.text)

test('what is written here is what policies look for, and the other way round', async () => {
  await lists.write('Rivals', () => ({ description: 'who', items: [term('acme')] }))
  expect(state.blocklists.get('rivals')?.spec).toMatchObject({
    name: 'Rivals',
    description: 'who',
    items: [{ pattern: 'acme', isRegex: false }],
  })
  await state.blocklists.write('other', () => ({
    name: 'other',
    items: [{ name: 'one', pattern: 'x', isRegex: false }],
  }))
  expect(lists.list().map(({ name }) => name)).toEqual(['other', 'Rivals'])
  expect(lists.get('OTHER')).toEqual({
    name: 'other',
    description: undefined,
    items: [{ id: 'one', text: 'x', isRegex: false }],
  })
})

test('items keep their ids, and only what is new is written', async () => {
  const before = await add('a', ...Array.from({ length: 300 }, (_, index) => term(`t${index}`)))
  expect(table.written).toBe(300)
  const after = await add('a', term('one more'))
  expect(table.written).toBe(301)
  const idOf = (list: Blocklist, text: string) => list.items.find((item) => item.text === text)?.id
  expect(idOf(after, 't7')).toBe(idOf(before, 't7') as string)
  await lists.write('a', (current) => ({ items: (current?.items ?? []).filter(({ text }) => text !== 't7') }))
  expect(table.written).toBe(302)
  expect(lists.get('a')?.items).toHaveLength(300)
})

test('terms and patterns are found, each once, and a changed list at once', async () => {
  const list = await add('a', term('acme'), { text: 'b[0-9]+', isRegex: true })
  expect(textsIn(list, 'acme b1 ACME b22 acme').sort()).toEqual(['acme', 'b[0-9]+'])
  expect(textsIn(list, 'nothing of it')).toEqual([])
  expect(textsIn(await add('a', term('nothing')), 'nothing of it')).toEqual(['nothing'])
})

describe('refusals', () => {
  const refused = async (...items: NewListItem[]) => {
    const error = await add('a', ...items).then(
      () => undefined,
      (error) => error,
    )
    expect(lists.get('a')?.items.map(({ text }) => text)).toEqual(['first'])
    return error
  }
  beforeEach(() => add('a', term('first')))

  test('name the place of a pattern that cannot be used', async () => {
    const fault = await refused(term('ok', 'blocklistItems[0].text'), {
      text: '(a)\\1',
      isRegex: true,
      place: 'blocklistItems[1].text',
    })
    expect(fault).toMatchObject({ code: 'invalid-request', detail: { param: 'blocklistItems[1].text' } })
    expect(fault.message).toContain('cannot be used')
  })

  test('of more items than a list may have', async () => {
    const fault = await refused(...Array.from({ length: 10_000 }, (_, index) => term(`t${index}`)))
    expect(fault).toMatchObject({ code: 'invalid-request', detail: { param: 'blocklistItems' } })
    expect(fault.message).toContain('10000')
  })

  test('of a list that a policy uses, or the file declares', async () => {
    const customBlocklists = [{ blocklistName: 'a', source: 'Prompt' as const }]
    await state.policies.write('p', () => makePolicy({ name: 'p', customBlocklists }))
    await expect(lists.remove('a')).rejects.toMatchObject({ code: 'conflict', detail: { vendorCode: 'InUse' } })
    const spec = { name: 'b', items: [] }
    state.declare({ policies: [], engines: [], topics: [], blocklists: [{ spec, file: 'ponto.yaml', line: 3 }] }, 1)
    await expect(add('b', term('x'))).rejects.toMatchObject({
      code: 'conflict',
      detail: { vendorCode: 'DeclaredInFile' },
    })
    expect(lists.get('b')).toMatchObject({ name: 'b', items: [] })
  })
})
