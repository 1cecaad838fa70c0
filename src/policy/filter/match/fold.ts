import { letterRanges, lookAlikes } from './look-alikes.ts'
import { loosen } from './loose-fold.ts'

/**
 * `plain`: without regard to case, compatibility forms, look-alikes, diacritics and characters that are not seen.
 * `loose`: also figures that stand for letters, repeated letters, and words that are spelled out.
 */
export type FoldLevel = 'plain' | 'loose'

/** A folded text. Of each of its UTF-16 units, where the character it was made from starts and ends in the original. */
export type FoldedText = { readonly text: string; readonly starts: Uint32Array; readonly ends: Uint32Array }

/** Not seen, and hence not read: zero-width characters, bidirectional controls, variation selectors, tags, fillers. */
const invisible = setOf(
  '\\p{Cf}\\p{Cc}\\u034f\\u115f\\u1160\\u17b4\\u17b5\\u180b-\\u180f\\u2065\\u3164\\ufe00-\\ufe0f\\uffa0\\ufff0-\\ufff8',
  '\\u{e0000}-\\u{e0fff}\\u{1d173}-\\u{1d17a}',
)
/** White space with a width: the byte order mark, which `\s` has too, has none. */
const space = /[^\S\ufeff]|[\u0085\u2800]/
/** Diacritics of alphabets. Vowel signs of other scripts are letters, and stay. */
const diacritic = setOf(
  '\\u0300-\\u036f\\u0483-\\u0489\\u0591-\\u05bd\\u05bf\\u05c1\\u05c2\\u05c4\\u05c5\\u05c7\\u064b-\\u065f\\u0670',
  '\\u1ab0-\\u1aff\\u1dc0-\\u1dff\\u20d0-\\u20ff\\ufe20-\\ufe2f',
)
const wordCharacter = /[\p{L}\p{N}\p{M}]/u

function setOf(...parts: readonly string[]): RegExp {
  return new RegExp(`[${parts.join('')}]`, 'gu')
}

/** Whether it is part of a word: a letter, a digit or a sign that belongs to one. */
export function isWordCharacter(character: string): boolean {
  return wordCharacter.test(character)
}

export function isSpace(codePoint: number): boolean {
  return (
    codePoint === 0x20 ||
    (codePoint <= 0x0d && codePoint >= 0x09) ||
    (codePoint > 0x7f && space.test(String.fromCodePoint(codePoint)))
  )
}

/** Whether nothing of it is seen where a text is shown. */
export function isInvisible(codePoint: number): boolean {
  if (codePoint < 0x7f) return codePoint < 0x20 && !isSpace(codePoint)
  const character = String.fromCodePoint(codePoint)
  return character.search(invisible) === 0 && !space.test(character)
}

/**
 * What a character is read as: nothing, a character or several. White space becomes a blank (a line feed stays one), for words may
 * stand at either side of it. With `keepsCase` capitals stay, and what looks like a capital becomes one.
 */
export function foldCodePoint(codePoint: number, keepsCase: boolean): string {
  if (codePoint < 0x80) {
    if (codePoint === 0x0a) return '\n'
    if (isSpace(codePoint)) return ' '
    if (codePoint < 0x20 || codePoint === 0x7f) return ''
    const character = String.fromCharCode(codePoint)
    return keepsCase ? plainMark(character) : plainMark(character.toLowerCase())
  }
  if (isSpace(codePoint)) return ' '
  if (isInvisible(codePoint)) return ''
  for (const [first, last] of letterRanges) {
    if (codePoint < first || codePoint > last) continue
    const letter = String.fromCharCode(0x61 + codePoint - first)
    return keepsCase && first !== smallInBrackets ? letter.toUpperCase() : letter
  }
  let folded = ''
  for (const part of compatible(String.fromCodePoint(codePoint))) {
    const bare = withoutDiacritics(part)
    const lower = withoutDiacritics(part.toLowerCase())
    const read = plainMark(lower)
    folded += keepsCase && lower !== bare ? read.toUpperCase() : read
  }
  return folded
}

const smallInBrackets = 0x249c

function plainMark(lower: string): string {
  return lookAlikes.get(lower) ?? lower
}

function withoutDiacritics(text: string): string {
  return text.normalize('NFD').replace(diacritic, '').normalize('NFC')
}

/** Accents that stand alone are taken apart by normalisation into a blank and a mark: those stay as they are. */
function compatible(character: string): string {
  if (lookAlikes.has(character.toLowerCase())) return character
  const normal = character.normalize('NFKC')
  return normal.startsWith(' ') ? character : normal
}

/** Folds a whole text for analysis. Matchers do not need it: they fold as they read. */
export function foldText(text: string, level: FoldLevel): FoldedText {
  const plain = foldPlain(text)
  return level === 'plain' ? plain : loosen(plain)
}

function foldPlain(source: string): FoldedText {
  let units = new Uint16Array(source.length)
  let starts = new Uint32Array(source.length)
  let ends = new Uint32Array(source.length)
  let length = 0
  for (let at = 0; at < source.length; ) {
    let unit = unitCache[source.charCodeAt(at)] as number
    if (unit === unknownUnit) unit = learnUnit(source.charCodeAt(at))
    if (unit === 0) at++
    else if (unit !== severalUnits) {
      if (length === units.length) ({ units, starts, ends } = enlarge(units, starts, ends, length + 1))
      units[length] = unit
      starts[length] = at
      ends[length++] = ++at
    } else {
      const codePoint = source.codePointAt(at) as number
      const end = at + (codePoint > 0xffff ? 2 : 1)
      const read = foldCodePoint(codePoint, false)
      if (length + read.length > units.length)
        ({ units, starts, ends } = enlarge(units, starts, ends, length + read.length))
      for (let i = 0; i < read.length; i++) {
        units[length] = read.charCodeAt(i)
        starts[length] = at
        ends[length++] = end
      }
      at = end
    }
  }
  return { text: textOf(units.subarray(0, length)), starts: starts.subarray(0, length), ends: ends.subarray(0, length) }
}

/** By UTF-16 unit: what it is read as, or one of these; 0: nothing. */
const unknownUnit = 0xffff
const severalUnits = 0xfffe
const unitCache = new Uint16Array(0x10000).fill(unknownUnit)

function learnUnit(unit: number): number {
  const folded = unit >= 0xd800 && unit <= 0xdfff ? undefined : foldCodePoint(unit, false)
  const only = folded === '' ? 0 : folded?.charCodeAt(0)
  const read = only === undefined || (folded as string).length > 1 || only >= severalUnits ? severalUnits : only
  unitCache[unit] = read
  return read
}

/** Few texts become longer by folding. */
function enlarge(units: Uint16Array, starts: Uint32Array, ends: Uint32Array, least: number) {
  const length = least * 2
  const larger = { units: new Uint16Array(length), starts: new Uint32Array(length), ends: new Uint32Array(length) }
  larger.units.set(units)
  larger.starts.set(starts)
  larger.ends.set(ends)
  return larger
}

const unitsAtOnce = 4_096

export function textOf(units: Uint16Array): string {
  if (units.length <= unitsAtOnce) return String.fromCharCode.apply(null, units as unknown as number[])
  let text = ''
  for (let at = 0; at < units.length; at += unitsAtOnce) text += textOf(units.subarray(at, at + unitsAtOnce))
  return text
}
