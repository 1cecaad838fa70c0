import { beforeAll, expect, test } from 'bun:test'
import fc from 'fast-check'
import { encode } from 'gpt-tokenizer/encoding/cl100k_base'
import { type LocateTokens, openCl100k } from './locate-cl100k.ts'

let locate: LocateTokens
beforeAll(async () => {
  locate = await openCl100k()
})

const prose =
  'The quick brown fox, aged 12, jumps over "the" lazy dog.\n\nIt naïvely says: 漢字 und Grüße! 👩‍👩‍👧 <|endoftext|> '.repeat(
    40,
  )

test('the places are those of the vocabulary', () => {
  const text = 'Hello ü 漢字 👍🏽'
  const pieces = [...(locate(text, 100) ?? [])].map((end, i, all) => text.slice(all[i - 1] ?? 0, end))
  // What is empty is a token that ends within a character.
  expect(pieces).toEqual(['Hello', ' ü', ' ', '', '漢', '字', ' ', '👍', '', '', '🏽'])
})

test('long texts are counted as in one piece, but for a token here and there', () => {
  const whole = encode(prose, { disallowedSpecial: new Set() }).length
  const counted = locate(prose, 100_000)?.length ?? 0
  expect(Math.abs(counted - whole) / whole).toBeLessThan(0.01)
})

test('a text with more tokens than it may have is none', () => {
  const length = locate(prose, 100_000)?.length as number
  expect(locate(prose, length)).toHaveLength(length)
  expect(locate(prose, length - 1)).toBeUndefined()
})

test('words without an end and blanks without an end are no burden', () => {
  for (const unit of ['a', ' ', '漢', '\n', '👍', '=-'])
    expect(locate(unit.repeat(30_000), 1_000_000)?.at(-1)).toBe(unit.length * 30_000)
})

test('whatever the text: places ascend to its end and never split a character', () => {
  const piece = fc.oneof(fc.string({ unit: 'binary', maxLength: 300 }), fc.string({ unit: 'grapheme', maxLength: 700 }))
  fc.assert(
    fc.property(fc.array(piece, { minLength: 1, maxLength: 6 }), (pieces) => {
      const text = pieces.join('').toWellFormed()
      let last = 0
      for (const end of locate(text, 1_000_000) ?? []) {
        expect(end).toBeGreaterThanOrEqual(last)
        expect(text.slice(0, end).isWellFormed()).toBe(true)
        last = end
      }
      expect(last).toBe(text.length)
    }),
    { seed: 9, numRuns: 150 },
  )
})
