import { expect, test } from 'bun:test'
import { joinMatchers } from './join.ts'
import { expectSameInPieces, sorted } from './match.fixture.ts'
import { compilePatterns } from './regex/compile-patterns.ts'
import { compileTerms } from './terms.ts'

const words = compileTerms([{ text: 'red' }, { text: 'fox den' }])
const numbers = compilePatterns([{ source: '\\d{3}' }])
const joined = joinMatchers([
  { matcher: words, size: 2 },
  { matcher: joinMatchers([]), size: 0 },
  { matcher: numbers, size: 1 },
])

test('patterns are numbered one part behind the other', () => {
  expect(sorted(joined.find('a red 123 fox den'))).toEqual([
    { start: 2, end: 5, pattern: 0 },
    { start: 6, end: 9, pattern: 2 },
    { start: 10, end: 17, pattern: 1 },
  ])
})

test('what any of them waits for is held back', () => {
  const stream = joined.open()
  stream.feed('a fox ')
  expect(stream.settled).toBe(2)
  stream.feed('12')
  expect(stream.settled).toBe(6)
  expect(stream.feed('x, 12')).toEqual([])
  expect(stream.settled).toBe(11)
  expect(stream.feed('3 re')).toEqual([{ start: 11, end: 14, pattern: 2 }])
  expect(stream.settled).toBe(15)
  expect(stream.end()).toEqual([])
  expect(stream.settled).toBe(17)
})

test('nothing joined finds nothing, and holds nothing back', () => {
  const stream = joinMatchers([]).open()
  expect(stream.feed('abc')).toEqual([])
  expect(stream.settled).toBe(3)
})

test('finds the same in pieces', () => {
  for (const lengths of [[1], [2, 5], [0, 3]]) expectSameInPieces(joined, 'red 123 a fox  den 4567 red', lengths)
})
