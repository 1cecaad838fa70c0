import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { expectSameInPieces, pieces, sorted } from '../match.fixture.ts'
import { PatternProblem } from '../pattern-problem.ts'
import type { Match } from '../text-matcher.ts'
import { type CharSet, hasPoint, negate, setOfProperty } from './char-set.ts'
import { checkPattern, compilePatterns, type PatternSpec, prepareReaders } from './compile-patterns.ts'
import { buildNfa } from './nfa.ts'
import { parsePattern } from './parse.ts'

const found = (source: string, text: string, ignoreCase = false) =>
  compilePatterns([{ source, ignoreCase }])
    .find(text)
    .map(({ start, end }) => text.slice(start, end))

test('a set has what the runtime says it has', () => {
  for (const name of ['L', 'Lu', 'Nd', 'Cf', 'Script=Han', 'Emoji', 'Cn']) {
    const set = setOfProperty(name) as CharSet
    const regex = new RegExp(`^\\p{${name}}$`, 'u')
    for (let codePoint = 0; codePoint <= 0x10ffff; codePoint += codePoint < 0x3000 ? 1 : 61) {
      if (codePoint >= 0xd800 && codePoint <= 0xdfff) continue
      if (hasPoint(set, codePoint) !== regex.test(String.fromCodePoint(codePoint)))
        throw new Error(`${name} ${codePoint}`)
    }
    expect(hasPoint(negate(set), 0x41)).toBe(!hasPoint(set, 0x41))
  }
  expect(setOfProperty('L}|.{')).toBeUndefined()
})

describe('patterns', () => {
  test('match first what begins first, and of that the longest', () => {
    expect(found('a|ab', 'xabab')).toEqual(['ab', 'ab'])
    expect(found('abcd|bc', 'abcx bc abcd')).toEqual(['bc', 'bc', 'abcd'])
    expect(found('\\d+', '12 345')).toEqual(['12', '345'])
    expect(found('a+?', 'aaa')).toEqual(['aaa'])
    expect(found('ab.*cd|b', 'ab b')).toEqual(['b', 'b'])
  })

  test('know the usual notation', () => {
    expect(found('[\\w.]+@[\\w.]+', 'to bob@example.com, now')).toEqual(['bob@example.com'])
    expect(found('\\bcat\\b', 'cat concat cats cat')).toEqual(['cat', 'cat'])
    expect(found('\\Bcat', 'cat concat')).toEqual(['cat'])
    expect(found('^a|b$', 'aabb')).toEqual(['a', 'b'])
    expect(found('[^a-c]+', 'abxyzc')).toEqual(['xyz'])
    expect(found('[a\\-z\\]]+', 'a-z]b')).toEqual(['a-z]'])
    expect(found('[-a]+[b-]', '-a-b-')).toEqual(['-a-b'])
    expect(found('(?<y>\\d{4})-(?:\\d\\d){1,2}', '2024-1234, 1-2')).toEqual(['2024-1234'])
    expect(found('\\u0041\\x42\\u{43}\\t', 'ABC\t')).toEqual(['ABC\t'])
    expect(found('\\p{Lu}\\p{Ll}+', 'Ärger äRGER Über')).toEqual(['Ärger', 'Über'])
    expect(found('\\P{L}+', 'ab12cd')).toEqual(['12'])
    expect(found('\\p{Script=Greek}+', 'abc αβγ')).toEqual(['αβγ'])
    expect(found('a{,2}|{x}', 'a{,2} {x}')).toEqual(['a{,2}', '{x}'])
    expect(found('😀.', 'a😀🎉b')).toEqual(['😀🎉'])
    expect(found('[😀-😂]+', '😀😁😂😃')).toEqual(['😀😁😂'])
    expect(found('\\ud83d\\ude00', '😀')).toEqual(['😀'])
  })

  test('see no difference in case where asked', () => {
    expect(found('kelvin', 'KELVIN \u212aelvin')).toEqual([])
    expect(found('kelvin', 'KELVIN \u212aelvin', true)).toEqual(['KELVIN', '\u212aelvin'])
    expect(found('(?i)[a-c]+ÄΣ', 'aBCäς')).toEqual(['aBCäς'])
    expect(found('(?i)[^x]+', 'xX')).toEqual([])
  })

  test('pass over what cannot be seen, and tell where it was', () => {
    expect(found('kill\\b', 'k\u200bi\u00adl\u{e0041}l\u200b')).toEqual(['k\u200bi\u00adl\u{e0041}l'])
    expect(found('^a', '\u200ba')).toEqual(['a'])
  })

  test('are each looked for by themselves', () => {
    const text = 'abcd'
    const matches = compilePatterns([{ source: 'abc' }, { source: 'bcd' }, { source: 'b' }, { source: 'abc' }]).find(
      text,
    )
    expect(sorted(matches)).toEqual([
      { start: 0, end: 3, pattern: 0 },
      { start: 0, end: 3, pattern: 3 },
      { start: 1, end: 2, pattern: 2 },
      { start: 1, end: 4, pattern: 1 },
    ])
    const many = compilePatterns(Array.from({ length: 120 }, (_, i) => ({ source: `x${i}\\b` })))
    expect(many.find('x3 x77 x119').map(({ pattern }) => pattern)).toEqual(expect.arrayContaining([3, 77, 119]))
    expect(compilePatterns([]).find('a')).toEqual([])
  })
})

test.each([
  ['(a', 'never closed'],
  ['a)', 'closes nothing'],
  ['[a', 'never closed'],
  ['*a', 'nothing to repeat'],
  ['a**', 'nothing to repeat'],
  ['a{2}{3}', 'nothing to repeat'],
  ['a{3,2}', 'wrong order'],
  ['[b-a]', 'wrong order'],
  ['(?=a)b', 'looking ahead'],
  ['(?<!a)b', 'looking ahead or behind'],
  ['(a)\\1', 'references'],
  ['(?<x>a)\\k<x>', 'references'],
  ['a++', 'possessive'],
  ['(?>a)', 'atomic'],
  ['(?(1)a|b)', 'conditions'],
  ['a(?i)b', 'flags'],
  ['\\p{Nonsense}', 'no property'],
  ['\\q', 'means nothing'],
  ['a\\', 'behind the last'],
  ['[[:alpha:]]', '\\p{L}'],
  ['\\u12', 'hexadecimal'],
  ['\u200b', 'invisible'],
  ['a*', 'empty text'],
  ['\\b', 'empty text'],
  ['', 'empty text'],
  ['(((a{100}){100}){100})', 'states'],
  ['((((){1000}){1000}){1000}){1000}a', 'states'],
  ['x'.repeat(1_001), '1000 characters'],
  [`${'('.repeat(200)}a${')'.repeat(200)}`, 'nested'],
])('refuses %p and says why', (source, reason) => {
  let problem: unknown
  try {
    compilePatterns([{ source: 'fine' }, { source }])
  } catch (error) {
    problem = error
  }
  expect(problem).toBeInstanceOf(PatternProblem)
  expect((problem as PatternProblem).reason).toContain(reason)
  expect((problem as PatternProblem).index).toBe(1)
  expect(() => checkPattern({ source })).toThrow((problem as PatternProblem).reason)
})

/** By the engine of the runtime, asked for every stretch of the text whether it matches. */
function findSlowly(patterns: readonly PatternSpec[], text: string): Match[] {
  const matches: Match[] = []
  for (const [pattern, { source, ignoreCase }] of patterns.entries()) {
    const endsWith = Array.from(
      { length: text.length + 1 },
      (_, left) => new RegExp(`(?:${source})(?=[^]{${left}}$)`, ignoreCase ? 'iy' : 'y'),
    )
    for (let start = 0; start < text.length; start++) {
      for (let end = text.length; end > start; end--) {
        const regex = endsWith[text.length - end] as RegExp
        regex.lastIndex = start
        if (!regex.test(text)) continue
        matches.push({ start, end, pattern })
        start = end - 1
        break
      }
    }
  }
  return sorted(matches)
}

const atom = fc.constantFrom('a', 'b', 'c', '.', '\\w', '\\d', '\\s', '[ab]', '[^a]', '\\b', '\\B', '^', '$', '-', 'A')
const source: fc.Arbitrary<string> = fc.letrec<{ node: string }>((tie) => ({
  node: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    atom,
    fc.array(tie('node'), { minLength: 1, maxLength: 3 }).map((parts) => parts.join('')),
    fc.tuple(tie('node'), tie('node')).map(([a, b]) => `(${a}|${b})`),
    fc
      .tuple(tie('node'), fc.constantFrom('*', '+', '?', '{2}', '{1,2}', '{0,3}'))
      .map(([a, times]) => `(?:${a})${times}`),
  ),
})).node
const pattern = fc.record({ source, ignoreCase: fc.boolean() }).filter(({ source }) => {
  try {
    compilePatterns([{ source }])
    return true
  } catch {
    return false
  }
})
const text = fc
  .array(fc.constantFrom('a', 'b', 'c', 'A', ' ', '-', '1', '\n'), { maxLength: 14 })
  .map((parts) => parts.join(''))

test('finds what the runtime finds, however the text is cut, and gives nothing of it away', () => {
  let count = 0
  fc.assert(
    fc.property(fc.array(pattern, { minLength: 1, maxLength: 3 }), text, pieces, (patterns, text, cuts) => {
      const matcher = compilePatterns(patterns)
      const whole = sorted(matcher.find(text))
      expect(whole).toEqual(findSlowly(patterns, text))
      expectSameInPieces(matcher, text, cuts)
      count += whole.length
    }),
    { numRuns: 2_000 },
  )
  expect(count).toBeGreaterThan(2_000)
})

test('invisible and astral characters change offsets only', () => {
  const patterns: PatternSpec[] = [{ source: 'a.b' }, { source: '[a😀]+\\b' }, { source: '😀{2}' }, { source: 'b$' }]
  const part = fc.constantFrom('a', 'b', '😀', '\u200b', '\u{e0041}', ' ', '\ud83d', '\u00ad')
  let count = 0
  fc.assert(
    fc.property(fc.array(part, { maxLength: 20 }), pieces, (parts, cuts) => {
      const text = parts.join('')
      const matcher = compilePatterns(patterns)
      expectSameInPieces(matcher, text, cuts)
      const seen = text.replace(/[\u200b\u00ad]|\u{e0041}/gu, '')
      const shown = (matches: readonly Match[], of: string) =>
        sorted(matches).map(
          ({ start, end, pattern }) => `${pattern} ${of.slice(start, end).replace(/[\u200b\u00ad]|\u{e0041}/gu, '')}`,
        )
      expect(shown(matcher.find(text), text)).toEqual(shown(matcher.find(seen), seen))
      count += matcher.find(text).length
    }),
    { numRuns: 1_000 },
  )
  expect(count).toBeGreaterThan(500)
})

describe('whatever the pattern and the text', () => {
  const size = 100_000
  const texts = {
    a: 'a'.repeat(size),
    ab: 'ab'.repeat(size / 2),
    spaced: 'aaaa '.repeat(size / 5),
    mixed: mixedText(size),
  }

  /** What a text costs: states of patterns looked at. Steps over transitions that are known are one for each character. */
  function workOf(source: string, text: string, tableEntries?: number): number {
    const open = prepareReaders([buildNfa(parsePattern(source, false))], tableEntries)
    const reader = open()
    reader.read(text)
    reader.finish()
    return open.work.steps
  }

  test.each(['(a+)+$', '(a|aa)+b', '.*.*x', '(.*)*y', '(a*)*b', '(\\w+\\s?)+z', 'a{1,50}b', '(x+x+)+y'])(
    '%p needs few steps',
    (source) => {
      for (const text of Object.values(texts)) expect(workOf(source, text)).toBeLessThan(50_000)
    },
  )

  test('even when no state is ever met again, a character costs no more than the states there are', () => {
    const source = 'a.{100}b'
    const states = buildNfa(parsePattern(source, false)).states.length
    const work = workOf(source, mixedText(20_000), 400)
    expect(work).toBeGreaterThan(200_000)
    expect(work).toBeLessThan(20_000 * states * 4)
  })

  test('a full table is emptied, and readers that are under way go on', () => {
    const open = prepareReaders([buildNfa(parsePattern('a.{6}b|ab{3}c', false))], 40)
    const text = mixedText(3_000)
    const whole = [...open().read(text)]
    const first = open()
    const second = open()
    const told: [Match[], Match[]] = [[], []]
    for (let at = 0; at < text.length; at += 7) {
      told[0].push(...first.read(text.slice(at, at + 7)))
      told[1].push(...second.read(text.slice(at, at + 7)))
    }
    expect(whole.length).toBeGreaterThan(100)
    expect(told[0]).toEqual(whole)
    expect(told[1]).toEqual(whole)
  })
})

describe('a long match', () => {
  test('is told in parts, and never more than 4,096 characters are held back', () => {
    const matcher = compilePatterns([{ source: 'a.*' }])
    const stream = matcher.open()
    const text = `x${'ab'.repeat(10_000)}`
    let covered = 1
    for (let at = 0; at < text.length; at += 100) {
      for (const { start, end } of stream.feed(text.slice(at, at + 100))) {
        expect(start).toBe(covered)
        covered = end
      }
      expect(Math.min(at + 100, text.length) - stream.settled).toBeLessThanOrEqual(4_096)
    }
    for (const { start, end } of stream.end()) {
      expect(start).toBe(covered)
      covered = end
    }
    expect(covered).toBe(text.length)
    expectSameInPieces(matcher, text, [1_000, 7])
  })

  test('of which nothing was certain for so long is told from where its last 4,096 begin', () => {
    const matcher = compilePatterns([{ source: 'a.*z' }])
    const text = `a${'b'.repeat(9_999)}z!`
    expect(matcher.find(text)).toEqual([{ start: 10_001 - 4_096, end: 10_001, pattern: 0 }])
    expectSameInPieces(matcher, text, [500])
  })
})

test('matches that wait for one that began before are told, at the latest 4,096 characters on', () => {
  const matcher = compilePatterns([{ source: 'a.*b|cd?' }])
  const text = `a${'cdc'.repeat(5_000)}`
  expect(matcher.find(text)).toHaveLength(10_000)
  expectSameInPieces(matcher, text, [1_000, 3])
  const closed = `${text}b`
  const matches = matcher.find(closed)
  expect(matches.length).toBeLessThan(10_000)
  expect(matches.at(-1)?.end).toBe(closed.length)
  for (let i = 1; i < matches.length; i++) expect(matches[i]?.start).toBe(matches[i - 1]?.end as number)
  expectSameInPieces(matcher, closed, [999])
})

test('holds back nothing that cannot match any more', () => {
  const settled = (source: string, text: string) => {
    const stream = compilePatterns([{ source }]).open()
    stream.feed(text)
    return stream.settled
  }
  expect(settled('abc', 'xxabc')).toBe(5)
  expect(settled('abc', 'xxab')).toBe(2)
  expect(settled('abc', 'xxabd')).toBe(5)
  expect(settled('abc\\b', 'xxabc')).toBe(2)
  expect(settled('abc+', 'xxabc')).toBe(2)
  expect(settled('ab+c', 'abab')).toBe(2)
  expect(settled('ab$', 'abab')).toBe(2)
})

/** The same every time. */
function mixedText(length: number): string {
  let seed = 7
  let text = ''
  while (text.length < length) {
    seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648
    text += 'aabbbcc '[(seed >> 12) & 7]
  }
  return text
}
