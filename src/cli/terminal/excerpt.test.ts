import { expect, test } from 'bun:test'
import { excerpt, makeHarmless, shorten } from './excerpt.ts'

const mark = (part: string) => `[${part}]`

test('nothing that a terminal acts on is left', () => {
  expect(makeHarmless('a\n\tb\u001b[2Jc\u202ed\u200be\u0085')).toBe('a b\u00b7[2Jc\u00b7d\u00b7e\u00b7')
})

test('a long text is cut between characters', () => {
  expect(shorten('short', 5)).toBe('short')
  expect(shorten('abcdef', 5)).toBe('abcde\u2026')
  expect(shorten('abcd\u{1f600}f', 5)).toBe('abcd\u2026')
  expect(shorten(`${' '.repeat(100)}x`, 5)).toBe('\u2026')
})

test('a span is shown with its surroundings, never half a character', () => {
  expect(excerpt('hello world', 6, 11, mark)).toBe('hello [world]')
  const emoji = '\u{1f600}'.repeat(50)
  const text = `${emoji}bad${emoji}`
  expect(excerpt(text, 100, 103, mark)).toBe(`\u2026${'\u{1f600}'.repeat(30)}[bad]${'\u{1f600}'.repeat(30)}\u2026`)
  expect(excerpt(text, 99, 101, mark)).toContain('[\u{1f600}b]ad')
  expect(excerpt('x'.repeat(1000), 0, 1000, mark)).toBe(`[${'x'.repeat(120)} \u2026 ${'x'.repeat(120)}]`)
  expect(excerpt('short', 3, 99, mark)).toBe('sho[rt]')
})
