import { expect, test } from 'bun:test'
import { foldCodePoint } from './fold.ts'
import { lookAlikes } from './look-alikes.ts'

const fold = (text: string) => [...text].map((character) => foldCodePoint(character.codePointAt(0) as number)).join('')

test.each([
  ['HeLLo Wörld', 'hello world'],
  ['ｆｕｌｌ ＷＩＤＴＨ', 'full width'],
  ['𝕂𝖎𝓵𝓁 𝟏', 'kill 1'],
  ['ⓚⓘⓛⓛ 🅺🅸🅻🅻 🄺🄸🄻🄻 ⒦⒤⒧⒧ 🇰🇮🇱🇱', 'kill kill kill kill kill'],
  ['кіӏӏ ΚΙLL ᴋɪʟʟ', 'kill kill kill'],
  ['ﬁle straße Æon', 'file strasse aeon'],
  ['z\u0335a\u0351l\u0327g\u0489o', 'zalgo'],
  ['\ufeffa\u200bb\u00adc\ufeff\u2066d\ufe0fe\u{e0061}f\u0000g', 'abcdefg'],
  ['a\u00a0b\u3000c\td\ne', 'a b c d\ne'],
  ['don’t “x” a—b', 'don\'t "x" a-b'],
  ['かき がぎ 한국어 हिन्दी', 'かき がぎ 한국어 हिन्दी'],
  ['🎉 \ud83d x', '🎉 \ud83d x'],
])('%p is read as %p', (text, folded) => {
  expect(fold(text)).toBe(folded)
})

test('both cases of a letter are one, in every script', () => {
  for (let codePoint = 0; codePoint < 0x20000; codePoint++) {
    const character = String.fromCodePoint(codePoint)
    const lower = character.toLowerCase()
    if (lower !== character && lower.length === character.length) expect(fold(character)).toBe(fold(lower))
  }
})

test('every look-alike has a letter', () => {
  for (const [character, letters] of lookAlikes) {
    expect([...character]).toHaveLength(1)
    expect(letters).toMatch(/^[a-z'"-]+$/)
  }
})

test('what was read is read the same again', () => {
  const changed: string[] = []
  for (let codePoint = 0; codePoint < 0x30000; codePoint++) {
    const folded = fold(String.fromCodePoint(codePoint))
    if (fold(folded) !== folded) changed.push(`${codePoint.toString(16)}: ${folded} ${fold(folded)}`)
  }
  expect(changed).toEqual([])
})
