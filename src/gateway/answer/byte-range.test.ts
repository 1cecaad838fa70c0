import { expect, test } from 'bun:test'
import { readRange } from './byte-range.ts'

test.each([
  [null, undefined],
  ['', undefined],
  ['bytes=0-0', [0, 1]],
  ['bytes=0-', [0, 10]],
  ['Bytes = 2-5 ', [2, 6]],
  ['bytes=2-500', [2, 10]],
  ['bytes=9-9', [9, 10]],
  ['bytes=-3', [7, 10]],
  ['bytes=-300', [0, 10]],
  ['bytes=10-', 'none'],
  ['bytes=10-20', 'none'],
  ['bytes=-0', 'none'],
  ['bytes=5-2', undefined],
  ['bytes=-', undefined],
  ['bytes=a-b', undefined],
  ['bytes=0-1,4-5', undefined],
  ['items=0-1', undefined],
  ['bytes=0-1 x', undefined],
  ['bytes=1e1-2', undefined],
  ['bytes=99999999999999999999-', undefined],
] as const)('%p of ten bytes', (header, expected) => {
  const range = readRange(header, 10)
  expect(typeof range === 'object' ? [range.start, range.end] : range).toEqual(expected as never)
})

test('of nothing there is no range', () => {
  for (const header of ['bytes=0-', 'bytes=0-0', 'bytes=-1']) expect(readRange(header, 0)).toBe('none')
})
