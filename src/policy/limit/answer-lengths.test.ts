import { expect, test } from 'bun:test'
import fc from 'fast-check'
import { createAnswerLengths, startTokens } from './answer-lengths.ts'

test('starts with a fixed value, and keeps it until enough is known', () => {
  const lengths = createAnswerLengths()
  for (let i = 0; i < 19; i++) lengths.record(10)
  expect(lengths.ninthDecile()).toBe(startTokens)
  lengths.record(10)
  expect(lengths.ninthDecile()).toBeLessThan(12)
})

test('is within a fifth of the ninth decile of what came', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 1, max: 100_000 }), { minLength: 20, maxLength: 500 }), (tokens) => {
      const lengths = createAnswerLengths()
      // What it says is worked out every eight answers.
      const known = tokens.slice(0, tokens.length - ((tokens.length - 20) % 8))
      for (const count of known) lengths.record(count)
      const exact = known.toSorted((a, b) => a - b)[Math.ceil(known.length * 0.9) - 1] as number
      expect(lengths.ninthDecile()).toBeGreaterThanOrEqual(exact)
      expect(lengths.ninthDecile()).toBeLessThanOrEqual(exact * 1.2)
    }),
  )
})

test('forgets how answers used to be', () => {
  const lengths = createAnswerLengths()
  for (let i = 0; i < 10_000; i++) lengths.record(8_000)
  for (let i = 0; i < 4_000; i++) lengths.record(100)
  expect(lengths.ninthDecile()).toBeLessThan(120)
})

test('takes anything for a length', () => {
  const lengths = createAnswerLengths()
  for (const tokens of [0, 0.5, 1e12, Number.MAX_SAFE_INTEGER]) for (let i = 0; i < 10; i++) lengths.record(tokens)
  expect(Number.isFinite(lengths.ninthDecile())).toBe(true)
})
