import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { type FoldLevel, foldCodePoint, foldText } from './fold.ts'
import { lookAlikes } from './look-alikes.ts'

const fold = (text: string, level: FoldLevel = 'plain') => foldText(text, level).text

describe('plain', () => {
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

  test('capitals stay where they are asked for, and look-alikes of capitals become such', () => {
    const kept = (text: string) =>
      [...text].map((character) => foldCodePoint(character.codePointAt(0) as number, true)).join('')
    expect(kept('Kill КÍll ＫILL')).toBe('Kill KIll KILL')
  })

  test('every look-alike has a letter', () => {
    for (const [character, letters] of lookAlikes) {
      expect([...character]).toHaveLength(1)
      expect(letters).toMatch(/^[a-z'"-]+$/)
    }
  })
})

describe('loose', () => {
  test.each([
    ['k1ll b!tch a$$ @ss h0le', 'kil bitch as as hole'],
    ['ho1e ki11', 'hole kil'],
    ['455 people, 100$, 5.3!', '455 people, 100$, 5.3!'],
    ['kill! stop!!', 'kil! stop!!'],
    ['fuuuuck', 'fuck'],
    ['k i l l, k.i.l.l; K-I-L-L', 'kil, kil; kil'],
    ['a b c; x.y.z. q', 'a b c; x.y.z. q'],
    ['k i l l  y o u', 'kil  y o u'],
    ['I k i l l it', 'ikil it'],
  ])('%p is read as %p', (text, folded) => {
    expect(fold(text, 'loose')).toBe(folded)
  })
})

test('offsets cover what was read, in order', () => {
  const part = fc.constantFrom(
    'a',
    'l',
    'l',
    '1',
    '\u200b',
    '𝒶',
    'ﬁ',
    ' ',
    '.',
    '!',
    'É',
    '🎉',
    '\ud83c',
    '\u0301',
    'ß',
  )
  const text = fc.array(part, { maxLength: 40 }).map((parts) => parts.join(''))
  fc.assert(
    fc.property(text, fc.constantFrom<FoldLevel>('plain', 'loose'), (text, level) => {
      const { text: folded, starts, ends } = foldText(text, level)
      expect(starts).toHaveLength(folded.length)
      expect(ends).toHaveLength(folded.length)
      for (let i = 0; i < folded.length; i++) {
        const [start, end] = [starts[i] as number, ends[i] as number]
        expect(end).toBeGreaterThan(start)
        if (i > 0) expect(start).toBeGreaterThanOrEqual(starts[i - 1] as number)
        if (i > 0) expect(end).toBeGreaterThanOrEqual(ends[i - 1] as number)
        if (level === 'plain')
          expect(foldText(text.slice(start, end), 'plain').text.split('')).toContain(folded[i] as string)
      }
      if (level === 'plain') expect(foldText(folded, 'plain').text).toBe(folded)
    }),
    { numRuns: 1_000 },
  )
})
