import { expect, test } from 'bun:test'
import { hasPoint, invisibles } from '../match/regex/char-set.ts'
import { dropUnseen, mayBeUnseen, placeOf } from './unseen.ts'

test('they are those that patterns read over', () => {
  const different: string[] = []
  for (let point = 0; point <= 0x10ffff; point++) {
    if (point >= 0xd800 && point < 0xe000) continue
    const char = String.fromCodePoint(point)
    const isDropped = dropUnseen(char) === ''
    if (isDropped !== hasPoint(invisibles(), point)) different.push(point.toString(16))
    if (isDropped && !mayBeUnseen(char.charCodeAt(0))) different.push(`${point.toString(16)} is missed`)
  }
  expect(different).toEqual([])
})

test('places are found again', () => {
  const text = '\u200ba\u00adb𝟙\u{e0041}c'
  expect(dropUnseen(text)).toBe('ab𝟙c')
  for (const [index, char] of [
    [0, 'a'],
    [1, 'b'],
    [4, 'c'],
  ] as const)
    expect(text[placeOf(index, text)]).toBe(char)
})
