import { expect, test } from 'bun:test'
import { countCharacters, type MarkedPiece, openMarkReader } from './marks.ts'

const source = (mark: string) => ({ mark, annotation: { type: 'file_citation', file_id: mark } })
const show = (piece: MarkedPiece): string => (typeof piece === 'string' ? piece : `<${piece.mark}>`)

test.each([
  ['a [1] b', 'a <[1]> b'],
  ['[1][2]', '<[1]><[2]>'],
  ['[12] [1', '<[12]> [1'],
  ['[3] [[1]', '[3] [<[1]>'],
  ['[', '['],
  ['', ''],
])('%s, however it is cut', (text, expected) => {
  for (let size = 1; size <= text.length + 1; size++) {
    const reader = openMarkReader()
    reader.know(['[1]', '[2]', '[12]'].map(source))
    let read = ''
    for (let at = 0; at < text.length; at += size)
      read += reader
        .read(text.slice(at, at + size))
        .map(show)
        .join('')
    expect(read + reader.end()).toBe(expected)
  }
})

test('characters are code points', () => {
  expect(countCharacters('a😀b')).toBe(3)
  expect(countCharacters('')).toBe(0)
})
