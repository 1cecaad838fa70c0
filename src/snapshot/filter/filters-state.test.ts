import { describe, expect, test } from 'bun:test'
import type { Fault } from '../../core/fault.ts'
import type { BlocklistSpec } from './blocklist-spec.ts'
import { createMemoryTable, makePolicy, openState } from './filters.fixture.ts'
import type { DeclaredFilters } from './filters-state.ts'

const list = (name: string, ...terms: string[]): BlocklistSpec => ({
  name,
  items: terms.map((term) => ({ name: term, pattern: term, isRegex: false })),
})
const nothing: DeclaredFilters = { policies: [], blocklists: [], engines: [], topics: [] }

async function faultOf(run: Promise<unknown>): Promise<Pick<Fault, 'code' | 'message'>> {
  const error = await run.then(
    () => new Error('nothing was refused'),
    (reason: unknown) => reason as Fault,
  )
  const { code, message } = error as Fault
  return { code, message }
}

test('begins with the policies that come with Ponto', async () => {
  const state = await openState()
  expect(state.policies.list().map(({ spec, source }) => [spec.name, source.kind])).toEqual([
    ['Microsoft.Default', 'system'],
    ['Microsoft.DefaultV2', 'system'],
    ['Microsoft.Nil', 'system'],
  ])
  expect(state.policies.get('microsoft.NIL')?.spec.name).toBe('Microsoft.Nil')
  for (const refused of [
    state.policies.write('microsoft.nil', () => makePolicy({ name: 'x' })),
    state.policies.remove('Microsoft.Nil'),
  ]) {
    expect(await faultOf(refused)).toEqual({
      code: 'conflict',
      message:
        'The content filter policy "Microsoft.Nil" comes with Ponto and cannot be changed. Make another one with it as its basePolicyName.',
    })
  }
})

test('what is written is told, is there after reopening, and keeps its first spelling', async () => {
  const table = createMemoryTable()
  const state = await openState(table)
  let changes = 0
  const stop = state.subscribe(() => changes++)
  const { item, isNew } = await state.blocklists.write('Words', () => list('Words', 'a', 'b'))
  expect([isNew, item.spec, changes]).toEqual([true, list('Words', 'a', 'b'), 1])
  await state.topics.write('t', () => ({ name: 't', description: 'd', examples: ['x'] }))
  await state.engines.write('e', () => ({ name: 'e', kind: 'http', url: 'https://a.example' }))
  await state.policies.write('P', () =>
    makePolicy({ name: 'P', customBlocklists: [{ blocklistName: 'words', source: 'Prompt' }] }),
  )
  const again = await state.blocklists.write('WORDS', (current) => ({ ...(current?.spec as BlocklistSpec), name: 'X' }))
  expect([again.isNew, again.item.spec.name, changes]).toEqual([false, 'Words', 5])
  stop()
  const reopened = await openState(table)
  expect(reopened.blocklists.get('words')?.spec).toEqual(list('Words', 'a', 'b'))
  expect(reopened.policies.get('p')?.spec).toEqual(state.policies.get('P')?.spec as never)
  expect(reopened.refs()).toEqual({
    blocklists: ['Words'],
    topics: [{ name: 't', hasExamples: true }],
    engines: [{ name: 'e', categories: expect.any(Set) }],
  })
})

test('of a list only the items are written that are new, changed or gone', async () => {
  const table = createMemoryTable()
  const state = await openState(table)
  const terms = Array.from({ length: 10_000 }, (_, i) => `term-${i}`)
  await state.blocklists.write('words', () => list('words', ...terms))
  expect(table.written).toBe(10_000)
  await state.blocklists.write('words', () => list('words', ...terms.slice(2), 'new'))
  expect(table.written).toBe(10_003)
  await state.blocklists.write('words', (current) => ({ ...(current?.spec as BlocklistSpec), description: 'd' }))
  expect(table.written).toBe(10_003)
  expect((await openState(table)).blocklists.get('words')?.spec.items).toHaveLength(9_999)
})

describe('what is in use', () => {
  test('cannot be deleted, and its users are named', async () => {
    const deployments = [
      { name: 'gpt', raiPolicyName: 'STRICT' },
      { name: 'other', raiPolicyName: undefined },
    ]
    const state = await openState(undefined, { listDeployments: () => deployments, defaultPolicy: 'house' })
    await state.blocklists.write('words', () => list('words', 'a'))
    await state.topics.write('t', () => ({ name: 't', description: 'd', examples: ['x'] }))
    await state.engines.write('e', () => ({ name: 'e', kind: 'http', url: 'https://a.example' }))
    for (const name of ['strict', 'house']) {
      await state.policies.write(name, () =>
        makePolicy({
          name,
          customBlocklists: [{ blocklistName: 'Words', source: 'Prompt' }],
          customTopics: [{ topicName: 'T', source: 'Prompt' }],
          contentFilters: [{ name: 'Hate', source: 'Prompt', engines: ['E'] }],
        }),
      )
    }
    expect(await faultOf(state.policies.remove('strict'))).toEqual({
      code: 'conflict',
      message: 'The content filter policy "strict" is used by the deployment "gpt". Change that first.',
    })
    expect((await faultOf(state.policies.remove('house'))).message).toBe(
      'The content filter policy "house" is used by every deployment that names none. Change that first.',
    )
    const users =
      'is used by the content filter policy "house", the content filter policy "strict". Change those first.'
    expect((await faultOf(state.blocklists.remove('WORDS'))).message).toBe(`The blocklist "words" ${users}`)
    expect((await faultOf(state.topics.remove('t'))).message).toBe(`The topic "t" ${users}`)
    expect((await faultOf(state.engines.remove('e'))).message).toBe(`The filter engine "e" ${users}`)

    deployments.splice(0, 1)
    expect(await state.policies.remove('strict')).toBe(true)
    expect(await state.policies.remove('strict')).toBe(false)
  })

  test('a check may refuse, and a deployment that is written meanwhile counts', async () => {
    const deployments: { name: string; raiPolicyName: string }[] = []
    const enqueueing = createMemoryTable()
    const state = await openState(enqueueing, { listDeployments: () => deployments })
    await state.policies.write('p', () => makePolicy({ name: 'p' }))
    expect(
      (
        await faultOf(
          state.policies.remove('p', () => {
            throw new Error('no')
          }),
        )
      ).message,
    ).toBe('no')
    // Both go through one queue: the deployment is there when the deletion is judged.
    const written = state.topics.write('t', () => {
      deployments.push({ name: 'd', raiPolicyName: 'p' })
      return { name: 't', description: 'd', examples: [] }
    })
    const removed = faultOf(state.policies.remove('p'))
    await written
    expect((await removed).message).toContain('is used by the deployment "d"')
  })
})

test('what the file declares wins, can only be changed there, and keeps its spec while it stays the same', async () => {
  const state = await openState()
  await state.blocklists.write('words', () => list('words', 'stored'))
  let changes = 0
  state.subscribe(() => changes++)
  const declare = (line: number, ...terms: string[]) =>
    state.declare({ ...nothing, blocklists: [{ spec: list('Words', ...terms), file: '/etc/p.yaml', line }] }, 77)
  declare(3, 'declared')
  expect(changes).toBe(1)
  const first = state.blocklists.get('words')
  expect(first).toMatchObject({ source: { kind: 'file', file: '/etc/p.yaml', line: 3 }, updatedAt: 77 })
  declare(9, 'declared')
  const second = state.blocklists.get('words')
  expect(second?.spec).toBe(first?.spec as never)
  expect(second?.source).toMatchObject({ line: 9 })
  for (const refused of [state.blocklists.write('WORDS', () => list('words')), state.blocklists.remove('words')]) {
    expect(await faultOf(refused)).toEqual({
      code: 'conflict',
      message: 'The blocklist "Words" is declared in /etc/p.yaml, line 9, and can only be changed there.',
    })
  }
  expect(state.listWarnings()).toEqual([
    'The blocklist "Words" is declared in /etc/p.yaml, line 9, and one of that name is stored too. The file\'s is used; the stored one comes back when the file no longer declares it.',
  ])
  expect(state.storedRefs().blocklists).toEqual(['words'])
  state.declare(nothing, 78)
  expect(state.blocklists.get('words')?.spec.items[0]?.name).toBe('stored')
})

test('a stored document that cannot be read is left out and told, and can be replaced or deleted', async () => {
  const table = createMemoryTable()
  await table.put('topic', 't', { description: 5, colour: 'red' }, null, 1)
  await table.put('engine', 'e', { kind: 'of-a-newer-ponto', credential: { value: 'sk-planted' } }, null, 1)
  const state = await openState(table)
  expect(state.topics.list()).toEqual([])
  const warnings = state.listWarnings()
  expect(warnings[1]).toBe(
    'The stored topic "t" cannot be read and is left out (description: got 5, expected a string; colour: unknown field, allowed are name, description, examples). Replace or delete it.',
  )
  expect(warnings.join()).not.toContain('sk-planted')
  await state.topics.write('t', () => ({ name: 't', description: 'd', examples: [] }))
  expect(await state.engines.remove('e')).toBe(true)
  expect(state.listWarnings()).toEqual([])
})

test('a row that another process has changed is not written over', async () => {
  const table = createMemoryTable()
  const state = await openState(table)
  await state.topics.write('t', () => ({ name: 't', description: 'd', examples: [] }))
  const key = 'topic/t'
  table.rows.set(key, { ...(table.rows.get(key) as never as { etag: string }), etag: 'other' } as never)
  expect((await faultOf(state.topics.write('t', (current) => current?.spec as never))).message).toBe(
    'The topic "t" was changed by another server at the same time. Look at it and try again.',
  )
})
