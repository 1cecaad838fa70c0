import { expect, test } from 'bun:test'
import fc from 'fast-check'
import { createProtectedIndex } from './protected-index.ts'

const poem =
  'Over the river the ferry goes slowly, carrying bread and the post of the village; nobody waves from the opposite landing, nobody asks what the letters may say. Rain on the roof of the boat is the music, rope on the pulley the only reply.'
const code =
  'export function mergeRanges(ranges) { const sorted = [...ranges].sort((a, b) => a.start - b.start); const merged = []; for (const range of sorted) { const last = merged.at(-1); if (last && range.start <= last.end) last.end = Math.max(last.end, range.end); else merged.push({ ...range }) } return merged }'
const index = createProtectedIndex([
  { name: 'The ferry', text: poem },
  { name: 'merge-ranges', text: code },
])

test('a passage is found where it stands, whatever its case and spacing', () => {
  const passage = poem.slice(30, 200)
  const text = `Here it is:\n${passage.toUpperCase().replaceAll(' ', '\n ')} And so on.`
  const [found] = index.find(text)
  expect(found?.name).toBe('The ferry')
  expect(text.slice(found?.start, found?.end)).toContain('SLOWLY,\n CARRYING')
  expect((found?.end ?? 0) - (found?.start ?? 0)).toBeGreaterThanOrEqual(160)
})

test('an exchanged word does not hide it', () => {
  const changed = poem.replace('opposite', 'far').replace('village', 'hamlet')
  expect(index.find(changed)).toMatchObject([{ name: 'The ferry', start: 0 }])
})

test('code is found though it is laid out otherwise', () => {
  expect(index.find(code.replaceAll('; ', ';\n    ').replaceAll('{ ', '{\n  '))).toMatchObject([
    { name: 'merge-ranges' },
  ])
})

test('what is to be told of a text is told, also of two that have one name', () => {
  const twins = createProtectedIndex([
    { name: 'twin', text: poem, annotation: { license: 'a' } },
    { name: 'twin', text: code, annotation: { license: 'b' } },
  ])
  expect(twins.find(`${code}\n${poem}`)).toMatchObject([
    { name: 'twin', annotation: { license: 'b' } },
    { name: 'twin', annotation: { license: 'a' } },
  ])
})

test('less than 110 characters are anybody’s', () => {
  expect(
    index.find(
      `As the poem says, ${poem.slice(0, 100)} and then it goes on in words that are all our own, which nobody wrote before.`,
    ),
  ).toEqual([])
})

test('other texts are not found', () => {
  expect(index.find(poem.split(' ').reverse().join(' '))).toEqual([])
  expect(createProtectedIndex([]).find(poem)).toEqual([])
})

test('any passage of 110 letters is found', () => {
  const letters = poem.replaceAll(/[^a-z]/gi, '')
  fc.assert(
    fc.property(fc.nat(letters.length - 110), fc.string({ maxLength: 50 }), (from, before) => {
      const text = `${before} -- ${letters.slice(from, from + 110)}`
      expect(index.find(text)).toMatchObject([{ name: 'The ferry' }])
    }),
  )
})

test('texts of one letter do not keep it busy', () => {
  const same = 'a'.repeat(20_000)
  expect(createProtectedIndex([{ name: 'a', text: same }]).find(same).length).toBeGreaterThan(0)
})
