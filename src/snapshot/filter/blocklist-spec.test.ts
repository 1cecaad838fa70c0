import { describe, expect, test } from 'bun:test'
import { formatProblem } from '../../core/text/parse-document.ts'
import { type BlocklistItem, mergeItems, readBlocklist } from './blocklist-spec.ts'

function read(input: object) {
  const reading = readBlocklist({ name: 'words', ...input })
  if ('problems' in reading) throw new Error(reading.problems.map(formatProblem).join('; '))
  return reading.spec
}

function problemsOf(input: object): string[] {
  const reading = readBlocklist({ name: 'words', ...input })
  return 'problems' in reading ? reading.problems.map(formatProblem) : []
}

const item = (name: string, pattern = name): BlocklistItem => ({ name, pattern, isRegex: false })

test('items are kept in the order of their names, and names are made where there are none', () => {
  const { items } = read({
    description: 'd',
    items: [{ name: 'b', pattern: 'two' }, { name: 'A', pattern: 'one', isRegex: true }, { pattern: 'three' }],
    terms: ['four'],
  })
  const named = items.filter(({ name }) => name.length === 1)
  expect(named).toEqual([
    { name: 'A', pattern: 'one', isRegex: true },
    { name: 'b', pattern: 'two', isRegex: false },
  ])
  expect(items.map(({ pattern }) => pattern).sort()).toEqual(['four', 'one', 'three', 'two'])
  const keys = items.map(({ name }) => name.toLowerCase())
  expect(keys).toEqual([...keys].sort())
})

test('a made name says what the item is: the same again is one item', () => {
  expect(read({ terms: ['pizza', 'pizza'], items: [{ pattern: 'pizza' }] }).items).toHaveLength(1)
  expect(read({ items: [{ pattern: 'pizza' }, { pattern: 'pizza', isRegex: true }] }).items).toHaveLength(2)
})

test('without items a list keeps those that it has', () => {
  const current = read({ terms: ['a', 'b'] })
  const kept = readBlocklist({ name: 'words', description: 'new' }, current)
  expect('spec' in kept && kept.spec.items).toBe(current.items)
  const emptied = readBlocklist({ name: 'words', items: [] }, current)
  expect('spec' in emptied && emptied.spec.items).toEqual([])
})

describe('merging', () => {
  test('replaces by name without regard to case, and leaves the rest as it is', () => {
    const items = [item('a'), item('b'), item('d')]
    expect(mergeItems(items, [item('B', 'new'), item('c')])).toEqual([
      item('a'),
      item('B', 'new'),
      item('c'),
      item('d'),
    ])
  })

  test('what changes nothing is the same list', () => {
    const items = [item('a'), item('b')]
    expect(mergeItems(items, [item('b')])).toBe(items)
  })
})

test('10,000 items are taken, one more is not', () => {
  const terms = Array.from({ length: 10_000 }, (_, i) => `term number ${i}`)
  expect(read({ terms }).items).toHaveLength(10_000)
  expect(problemsOf({ terms: [...terms, 'another'] })).toEqual(['terms: got a list, expected at most 10000 items'])
  expect(problemsOf({ terms, items: [{ pattern: 'another' }] })).toEqual([
    'the list would have 10001 items, expected at most 10000; divide it into several',
  ])
})

test.each<[string, object, string[]]>([
  [
    'an empty pattern',
    { items: [{ pattern: '' }] },
    ['items[0].pattern: got "", expected a text with something in it, without half characters'],
  ],
  [
    'white space',
    { terms: ['  '] },
    ['terms[0]: got "  ", expected a text with something in it, without half characters'],
  ],
  [
    'half a character',
    { terms: ['a\ud800'] },
    [expect.stringContaining('expected a text with something in it, without half characters') as never],
  ],
  [
    'a term of nothing that can be seen',
    { terms: ['fine', '\u200b\u200b'] },
    ['terms[1]: cannot be used: A term must have a character that can be seen.'],
  ],
  [
    'two patterns of one name',
    {
      items: [
        { name: 'a', pattern: 'x' },
        { name: 'A', pattern: 'y' },
      ],
    },
    ['items[1].name: got "A" again with another pattern, expected each name once (case does not count)'],
  ],
  [
    'a name that cannot stand in a path',
    { items: [{ name: 'a/b', pattern: 'x' }] },
    ['items[0].name: got "a/b", expected 1 to 64 letters, digits, "-", "_", ".", "~"'],
  ],
  [
    'a misspelt field',
    { items: [{ pattern: 'x', regex: true }] },
    ['items[0].regex: unknown field, allowed are name, pattern, isRegex'],
  ],
])('%s is refused', (_what, input, problems) => {
  expect(problemsOf(input)).toEqual(problems)
})

test('1,000 characters are taken, one more is not, and a long pattern is not repeated whole', () => {
  expect(read({ terms: ['x'.repeat(1_000)] }).items).toHaveLength(1)
  const [problem] = problemsOf({ terms: ['x'.repeat(1_001)] })
  expect(problem).toEndWith('expected at most 1000 characters')
  expect(problem?.length).toBeLessThan(150)
})

test.each([
  ['a back-reference', '(a)\\1'],
  ['look-ahead', 'a(?=b)'],
  ['look-behind', '(?<!a)b'],
  ['what is no pattern', '(a'],
])('%s is refused with the reason, and the others are told too', (_what, pattern) => {
  const problems = problemsOf({
    items: [
      { pattern: 'ok+', isRegex: true },
      { pattern, isRegex: true },
    ],
  })
  expect(problems).toEqual([expect.stringMatching(/^items\[1\]\.pattern: cannot be used: .{10}/)])
})
