import { expect, test } from 'bun:test'
import fc from 'fast-check'
import { makeWordFilter, mayHoldWord } from './word-filter.ts'

test('every word that is in it is found', () => {
  fc.assert(
    fc.property(fc.uniqueArray(fc.string()), (words) => {
      const filter = makeWordFilter(new Set(words))
      for (const word of words) expect(mayHoldWord(filter, word)).toBe(true)
    }),
  )
})

test('of those that are not, few are', () => {
  const filter = makeWordFilter(new Set(Array.from({ length: 600 }, (_, i) => `caller:team-${i}`)))
  expect(filter.length).toBeLessThan(800)
  const wrong = Array.from({ length: 10_000 }, (_, i) => `caller:other-${i}`).filter((word) =>
    mayHoldWord(filter, word),
  )
  expect(wrong.length).toBeLessThan(300)
})
