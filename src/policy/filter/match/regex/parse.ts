import { PatternProblem } from '../pattern-problem.ts'
import {
  type CharSet,
  closeOverCase,
  digits,
  hasPoint,
  invisibles,
  negate,
  notLineEnds,
  setOf,
  setOfProperty,
  spaces,
  unite,
  wordCharacters,
} from './char-set.ts'

export type Assertion = 'start' | 'end' | 'word-edge' | 'no-word-edge'

/** A pattern taken apart. What a group is called does not matter: only whole matches are told. */
export type PatternNode =
  | { readonly kind: 'set'; readonly set: CharSet }
  | { readonly kind: 'sequence'; readonly parts: readonly PatternNode[] }
  | { readonly kind: 'choice'; readonly parts: readonly PatternNode[] }
  | { readonly kind: 'repeat'; readonly part: PatternNode; readonly least: number; readonly most: number }
  | { readonly kind: 'assertion'; readonly what: Assertion }

/** Characters of a pattern. */
const longestPattern = 1_000

const mostNested = 100

/** Takes a pattern apart. Throws PatternProblem for what is no pattern, and for what no machine of bounded size can look for. */
export function parsePattern(source: string, ignoresCase: boolean): PatternNode {
  if (source.length > longestPattern) {
    throw new PatternProblem(`A pattern has at most ${longestPattern} characters; this one has ${source.length}.`)
  }
  const hasFlag = source.startsWith('(?i)')
  let at = hasFlag ? 4 : 0
  let depth = 0
  const isCaseless = ignoresCase || hasFlag
  const cases = new Map<CharSet, CharSet>()

  const node = parseChoice()
  if (at < source.length) throw problem('there is a ")" that closes nothing', at)
  return node

  function problem(what: string, place: number): PatternProblem {
    return new PatternProblem(`At character ${place + 1} of the pattern: ${what}.`)
  }

  function parseChoice(): PatternNode {
    if (++depth > mostNested) throw problem(`groups are nested deeper than ${mostNested}`, at)
    const parts = [parseSequence()]
    while (source[at] === '|') {
      at++
      parts.push(parseSequence())
    }
    depth--
    return parts.length === 1 ? (parts[0] as PatternNode) : { kind: 'choice', parts }
  }

  function parseSequence(): PatternNode {
    const parts: PatternNode[] = []
    while (at < source.length && source[at] !== '|' && source[at] !== ')') parts.push(parseRepeated())
    return parts.length === 1 ? (parts[0] as PatternNode) : { kind: 'sequence', parts }
  }

  function parseRepeated(): PatternNode {
    const from = at
    const part = parseOne()
    const times = parseTimes()
    if (!times) return part
    if (part.kind === 'assertion') throw problem('an edge cannot be repeated', from)
    if (source[at] === '+') throw problem('possessive repetition is not supported: leave out the second "+"', at)
    if (source[at] === '?') at++
    if (source[at] === '*' || source[at] === '+' || readCounts()) throw problem('there is nothing to repeat', at)
    return { kind: 'repeat', part, ...times }
  }

  function parseTimes(): { least: number; most: number } | undefined {
    const mark = source[at]
    if (mark === '*' || mark === '+' || mark === '?') {
      at++
      return { least: mark === '+' ? 1 : 0, most: mark === '?' ? 1 : Number.POSITIVE_INFINITY }
    }
    const counts = readCounts()
    if (!counts) return undefined
    const [text, first, comma, second] = counts
    const least = Number(first)
    const most = comma === undefined ? least : second === '' ? Number.POSITIVE_INFINITY : Number(second)
    if (most < least) throw problem('the counts of a repetition are in the wrong order', at)
    at += (text as string).length
    return { least, most }
  }

  function readCounts(): RegExpMatchArray | undefined {
    if (source[at] !== '{') return undefined
    return source.slice(at, at + 24).match(/^\{(\d+)(?:(,)(\d*))?\}/) ?? undefined
  }

  function parseOne(): PatternNode {
    const mark = source[at]
    switch (mark) {
      case '(':
        return parseGroup()
      case '[':
        return oneOf(parseClass())
      case '.':
        at++
        return oneOf(notLineEnds)
      case '^':
      case '$':
        at++
        return { kind: 'assertion', what: mark === '^' ? 'start' : 'end' }
      case '\\':
        return parseEscape()
      case '*':
      case '+':
      case '?':
        throw problem('there is nothing to repeat', at)
    }
    if (readCounts()) throw problem('there is nothing to repeat', at)
    return literal(readCodePoint(), at)
  }

  function oneOf(set: CharSet): PatternNode {
    if (!isCaseless) return { kind: 'set', set }
    let closed = cases.get(set)
    if (!closed) {
      closed = closeOverCase(set)
      cases.set(set, closed)
    }
    return { kind: 'set', set: closed }
  }

  function literal(codePoint: number, place: number): PatternNode {
    if (hasPoint(invisibles(), codePoint)) {
      throw problem('there is an invisible character, which patterns never see: leave it out', place - 1)
    }
    return oneOf(setOf(codePoint, codePoint))
  }

  function readCodePoint(): number {
    const codePoint = source.codePointAt(at) as number
    at += codePoint > 0xffff ? 2 : 1
    return codePoint
  }

  function parseGroup(): PatternNode {
    const from = at++
    if (source[at] === '?') {
      const [opening] = source.slice(at).match(/^\?(?::|P?<[A-Za-z_$][\w$]*>)/) ?? []
      if (!opening) throw problem(whyNoGroup(source.slice(at)), from)
      at += opening.length
    }
    const inner = parseChoice()
    if (source[at] !== ')') throw problem('there is a "(" that is never closed', from)
    at++
    return inner
  }

  function parseEscape(): PatternNode {
    const from = at++
    const mark = source[at]
    if (mark === undefined) throw problem('there is nothing behind the last "\\"', from)
    if (/[1-9]/.test(mark) || mark === 'k') {
      throw problem(
        'references to what a group matched are not supported: they cannot be followed in linear time',
        from,
      )
    }
    if (mark === 'b' || mark === 'B') {
      at++
      return { kind: 'assertion', what: mark === 'b' ? 'word-edge' : 'no-word-edge' }
    }
    if (mark === 'A' || mark === 'z') {
      at++
      return { kind: 'assertion', what: mark === 'A' ? 'start' : 'end' }
    }
    const set = readSetEscape()
    return set ? oneOf(set) : literal(readCharacterEscape(from), at)
  }

  /** Behind the backslash. */
  function readSetEscape(): CharSet | undefined {
    const mark = source[at] as string
    const simple = { d: digits, w: wordCharacters, s: spaces }[mark.toLowerCase()]
    if (simple) {
      at++
      return mark === mark.toLowerCase() ? simple : negate(simple)
    }
    if (mark !== 'p' && mark !== 'P') return undefined
    const [text, long, short] = source.slice(at + 1).match(/^(?:\{(\^?[^}]*)\}|([A-Z]))/) ?? []
    if (text === undefined) throw problem(`"\\${mark}" needs a property, as in "\\p{L}"`, at - 1)
    const name = (long ?? short) as string
    const set = setOfProperty(name.replace('^', ''))
    if (!set)
      throw problem(`there is no property "${name}"; some that exist are L, Lu, Ll, N, Nd, P, S, Script=Greek`, at - 1)
    at += 1 + text.length
    return (mark === 'P') !== name.startsWith('^') ? negate(set) : set
  }

  function readCharacterEscape(from: number): number {
    const mark = source[at++] as string
    const control = { n: 10, r: 13, t: 9, f: 12, v: 11, 0: 0 }[mark]
    if (control !== undefined) return control
    if (mark === 'x') return readHex(/^[0-9a-f]{2}/i, from)
    if (mark === 'u') {
      if (source[at] === '{') {
        const [text, hex] = source.slice(at).match(/^\{([0-9a-f]{1,6})\}/i) ?? []
        const codePoint = Number.parseInt(hex ?? '', 16)
        if (!text || codePoint > 0x10ffff) throw problem('"\\u{...}" needs one to six hexadecimal digits', from)
        at += text.length
        return codePoint
      }
      const first = readHex(/^[0-9a-f]{4}/i, from)
      const [pair, low] = source.slice(at).match(/^\\u(d[c-f][0-9a-f]{2})/i) ?? []
      if (first < 0xd800 || first > 0xdbff || !pair) return first
      at += pair.length
      return 0x10000 + ((first - 0xd800) << 10) + (Number.parseInt(low as string, 16) - 0xdc00)
    }
    if (/[A-Za-z0-9]/.test(mark)) throw problem(`"\\${mark}" means nothing here`, from)
    at--
    return readCodePoint()
  }

  function readHex(digitsOf: RegExp, from: number): number {
    const [hex] = source.slice(at).match(digitsOf) ?? []
    if (!hex) throw problem('there are too few hexadecimal digits', from)
    at += hex.length
    return Number.parseInt(hex, 16)
  }

  function parseClass(): CharSet {
    const from = at++
    const isNegated = source[at] === '^'
    if (isNegated) at++
    const sets: CharSet[] = []
    while (source[at] !== ']') {
      if (at >= source.length) throw problem('there is a "[" that is never closed', from)
      if (source.startsWith('[:', at))
        throw problem('classes such as "[:alpha:]" are not supported: write "\\p{L}"', at)
      const first = parseMember()
      if (typeof first !== 'number') {
        sets.push(first)
        continue
      }
      let last: CharSet | number = first
      if (source[at] === '-' && source[at + 1] !== ']' && at + 1 < source.length) {
        const dash = at++
        last = parseMember()
        if (typeof last !== 'number') {
          sets.push(setOf(0x2d, 0x2d), last)
          last = first
        } else if (last < first) throw problem('a range is in the wrong order', dash)
      }
      sets.push(setOf(first, last))
    }
    at++
    const set = unite(sets)
    if (!isNegated) return set
    return negate(isCaseless ? closeOverCase(set) : set)
  }

  function parseMember(): CharSet | number {
    if (source[at] !== '\\') return readCodePoint()
    const from = at++
    if (source[at] === undefined) throw problem('there is nothing behind the last "\\"', from)
    if (source[at] === 'b') {
      at++
      return 8
    }
    return readSetEscape() ?? readCharacterEscape(from)
  }
}

function whyNoGroup(opening: string): string {
  if (/^\?<?[=!]/.test(opening)) return 'looking ahead or behind is not supported: it cannot be done in linear time'
  if (opening.startsWith('?>')) return 'atomic groups are not supported: use "(?:...)"'
  if (opening.startsWith('?(')) return 'conditions are not supported'
  if (/^\?[a-z-]+[:)]/.test(opening)) return 'flags are only supported as "(?i)" at the start of the pattern'
  return 'this kind of group is not supported: use "(...)" or "(?:...)"'
}
