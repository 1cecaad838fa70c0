import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { foldCodePoint } from './fold.ts'
import { expectSameInPieces, pieces, sorted } from './match.fixture.ts'
import { PatternProblem } from './pattern-problem.ts'
import { createAlphabet } from './symbols.ts'
import { buildTermAutomaton } from './term-automaton.ts'
import { createTermReader } from './term-reader.ts'
import { compileTerms, type TermSpec } from './terms.ts'
import type { Match } from './text-matcher.ts'

const found = (terms: readonly string[], text: string) =>
  sorted(compileTerms(terms.map((term) => ({ text: term }))).find(text)).map(
    ({ start, end, pattern }) => `${pattern}:${text.slice(start, end)}`,
  )

describe('terms', () => {
  test('are words of their own', () => {
    expect(found(['ass'], 'an ass, a class; ASS')).toEqual(['0:ass', '0:ASS'])
    expect(found(['größe'], 'GRÖSSE größen')).toEqual(['0:GRÖSSE'])
    expect(found(['.net'], 'a.net b .nets')).toEqual(['0:.net'])
    expect(found(['c++'], 'c++11')).toEqual(['0:c++'])
  })

  test('in scripts without blanks between words stand anywhere', () => {
    expect(found(['日本'], '日本語 日本')).toEqual(['0:日本', '0:日本'])
    expect(found(['ビール'], '生ビールを')).toEqual(['0:ビール'])
    expect(found(['ฆ่า'], 'จะฆ่าเขา')).toEqual(['0:ฆ่า'])
    expect(found(['ass'], '日ass本 日class')).toEqual(['0:ass'])
    expect(found(['ass日'], 'ass日本 class日')).toEqual(['0:ass日'])
  })

  test('are found within each other and overlapping', () => {
    expect(found(['はえ', 'すはえ', 'はいす', 'はえるす'], 'うすはえるす')).toEqual([
      '1:すはえ',
      '0:はえ',
      '3:はえるす',
    ])
    expect(found(['red fox', 'fox', 'fox den'], 'a red fox den')).toEqual(['0:red fox', '1:fox', '2:fox den'])
    expect(found(['ab', 'ab'], 'ab')).toEqual(['0:ab', '1:ab'])
  })

  test('an anchored term that fails goes on with one that needs no anchor, and the other way round', () => {
    expect(found(['ab日cx', '日cd'], 'ab日cd')).toEqual(['1:日cd'])
    expect(found(['日 abcx', 'abcd'], '日 abcd')).toEqual(['1:abcd'])
    expect(found(['-abcx', 'abcd'], '-abcd')).toEqual(['1:abcd'])
  })

  test('white space stands for any run of it, up to a bound', () => {
    expect(found(['red  fox'], 'red \n\t fox redfox red\u00a0fox')).toEqual(['0:red \n\t fox', '0:red\u00a0fox'])
    expect(found(['red fox'], `red${' '.repeat(256)}fox`)).toHaveLength(1)
    expect(found(['red fox'], `red${' '.repeat(257)}fox`)).toEqual([])
    expect(found([' fox '], 'a fox.')).toEqual(['0:fox'])
  })

  test('disguises are seen through, and the original is told', () => {
    for (const text of [
      'k\u200bill',
      'ki\u00adll',
      '𝖐𝖎𝖑𝖑',
      'ｋｉｌｌ',
      'ⓚⓘⓛⓛ',
      'кіll',
      'k\u0301i\u0300ll',
      '🅺🅸🅻🅻',
      'k\u{e0069}ill',
      '🇰🇮🇱🇱',
    ]) {
      expect(found(['kill'], `to ${text}!`)).toEqual([`0:${text}`])
    }
    expect(found(['file'], 'a ﬁle')).toEqual(['0:ﬁle'])
    expect(found(['f'], 'a ﬁ ﬁle f')).toEqual(['0:f'])
    expect(found(['🎉x'], 'a 🎉x')).toEqual(['0:🎉x'])
  })

  test('that nothing can be seen of are refused', () => {
    for (const text of ['', '  ', '\u200b\u00ad', '\u{e0041}']) {
      expect(() => compileTerms([{ text: 'ok' }, { text }])).toThrow(PatternProblem)
    }
    expect(() => compileTerms([{ text: 'x'.repeat(1_001) }])).toThrow('at most 1000')
  })

  test('nothing is found where there are no terms', () => {
    expect(compileTerms([]).find('anything')).toEqual([])
  })
})

/** A text as it is read. Of each unit, where the character it was made from starts and ends. */
function foldSlowly(text: string): { text: string; starts: number[]; ends: number[] } {
  const folded = { text: '', starts: [] as number[], ends: [] as number[] }
  let start = 0
  for (const character of text) {
    const end = start + character.length
    for (const unit of foldCodePoint(character.codePointAt(0) as number).split('')) {
      folded.text += unit
      folded.starts.push(start)
      folded.ends.push(end)
    }
    start = end
  }
  return folded
}

/** Of the units that texts here are made of. */
const isWordUnit = (unit: string) => /[\p{L}\p{N}\p{M}]/u.test(unit) && !'日の'.includes(unit)

/**
 * How far a term goes in a folded text from there on: where it ends if it is there, `open` if the text ends too early to say,
 * undefined if it is not.
 */
function matchSlowly({ text: term }: TermSpec, folded: string, from: number): number | 'open' | undefined {
  const isWord = (at: number) => at >= 0 && at < folded.length && isWordUnit(folded[at] as string)
  const wanted = foldSlowly(term).text.trim().replace(/\s+/g, ' ').split('')
  if (isWord(from) && isWord(from - 1)) return undefined
  let at = from
  for (const unit of wanted) {
    if (at === folded.length) return 'open'
    const before = at
    if (unit === ' ') while (/\s/.test(folded[at] ?? '')) at++
    else if (folded[at] === unit) at++
    if (at === before) return undefined
  }
  return isWord(at - 1) && isWord(at) ? undefined : at
}

/** As said in the documentation, word by word, and slow. */
function findSlowly(terms: readonly TermSpec[], text: string): Match[] {
  const { text: folded, starts, ends } = foldSlowly(text)
  const matches: Match[] = []
  for (const [pattern, term] of terms.entries()) {
    for (let from = 0; from < folded.length; from++) {
      const at = matchSlowly(term, folded, from)
      if (typeof at === 'number') matches.push({ start: starts[from] as number, end: ends[at - 1] as number, pattern })
    }
  }
  return sorted(matches)
}

/** Where the first beginning of a term stands of which the end is not known yet. */
function settleSlowly(terms: readonly TermSpec[], text: string): number {
  const { text: folded, starts } = foldSlowly(text)
  for (let from = 0; from < folded.length; from++) {
    for (const term of terms) {
      const at = matchSlowly(term, folded, from)
      const waits = at === folded.length && isWordUnit(folded[at - 1] as string)
      if (at === 'open' || waits) return starts[from] as number
    }
  }
  return text.length
}

const part = fc.constantFrom(
  'a',
  'b',
  '日',
  'の',
  'A',
  'á',
  'а',
  ' ',
  '-',
  '\u200b',
  '1',
  '𝒶',
  'ﬁ',
  'f',
  'i',
  '🎉',
  '\n',
  '\u0301',
  '\ud83c',
)
const text = fc.array(part, { maxLength: 40 }).map((parts) => parts.join(''))
const term = fc
  .record({ text: fc.array(part, { minLength: 1, maxLength: 4 }).map((parts) => parts.join('')) })
  .filter(({ text }) => foldSlowly(text).text.trim() !== '')

test('finds what a slow search finds, however the text is cut, gives nothing of it away, and holds back nothing else', () => {
  let count = 0
  fc.assert(
    fc.property(fc.array(term, { minLength: 1, maxLength: 6 }), text, pieces, (terms, text, cuts) => {
      const matcher = compileTerms(terms)
      const whole = sorted(matcher.find(text))
      expect(whole).toEqual(findSlowly(terms, text))
      expectSameInPieces(matcher, text, cuts)
      const isCut = /[\ud800-\udbff]$/.test(text)
      const stream = matcher.open()
      stream.feed(text)
      if (!isCut) expect(stream.settled).toBe(settleSlowly(terms, text))
      count += whole.length
    }),
    { numRuns: 5_000 },
  )
  expect(count).toBeGreaterThan(1_000)
})

test('a table laid out whole and one of rows laid into each other find the same', () => {
  const spec = fc.record({
    text: fc
      .string({ unit: fc.constantFrom('a', 'b', 'c', ' ', '-'), minLength: 1, maxLength: 6 })
      .filter((text) => text.trim() !== ''),
    isAnchored: fc.boolean(),
  })
  const read = fc.string({ unit: fc.constantFrom('a', 'b', 'c', ' ', '-', 'x', '\u00ad'), maxLength: 60 })
  let count = 0
  fc.assert(
    fc.property(fc.array(spec, { minLength: 1, maxLength: 12 }), read, (specs, text) => {
      const texts = specs.map(({ text }) => text.trim().replace(/ +/g, ' '))
      const alphabet = createAlphabet(texts)
      const terms = texts.map((text, i) => {
        const symbols = alphabet.encode(text)
        const isAnchored = (specs[i]?.isAnchored ?? false) && text[0] !== '-'
        return { symbols, length: symbols.length, isAnchored, endsWord: false }
      })
      const [dense, displaced] = [1 << 20, 0].map((entries) => {
        const automaton = buildTermAutomaton(terms, alphabet, entries)
        expect(automaton.next !== undefined).toBe(entries > 0)
        const reader = createTermReader(alphabet, automaton, terms)
        const matches = [...reader.feed(text)]
        const { settled } = reader
        matches.push(...reader.end())
        return { settled, matches }
      })
      expect(displaced).toEqual(dense as NonNullable<typeof dense>)
      count += displaced?.matches.length ?? 0
    }),
    { numRuns: 2_000 },
  )
  expect(count).toBeGreaterThan(1_000)
})

test('ten thousand terms in several scripts are all found', () => {
  const terms = Array.from(
    { length: 10_000 },
    (_, i) => `${'日本語かなабвγδ'[i % 11]}${i.toString(36)}q${(i * 7_919).toString(36)}`,
  )
  const matcher = compileTerms(terms.map((text) => ({ text })))
  const text = terms.join(' ')
  expect(new Set(matcher.find(text).map(({ pattern }) => pattern)).size).toBe(new Set(terms).size)
})
