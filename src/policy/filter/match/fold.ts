import { letterRanges, lookAlikes } from './look-alikes.ts'

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
function isInvisible(codePoint: number): boolean {
  if (codePoint < 0x7f) return codePoint < 0x20 && !isSpace(codePoint)
  const character = String.fromCodePoint(codePoint)
  return character.search(invisible) === 0 && !space.test(character)
}

/**
 * What a character is read as, without regard to case, compatibility forms, look-alikes, diacritics and what is not seen: nothing, a
 * character or several. White space becomes a blank (a line feed stays one), for words may stand at either side of it. With `keepsCase`
 * capitals stay, and what looks like a capital becomes one.
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
