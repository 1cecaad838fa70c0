import { invisibleClass } from './invisible.ts'
import { letterRanges, lookAlikes } from './look-alikes.ts'

/** Not seen, and hence not read; control characters are mostly not even shown. */
const invisible = setOf(invisibleClass, '\\p{Cc}')
/** White space with a width: the byte order mark, which `\s` has too, has none. */
const space = /[^\S\ufeff]|[\u0085\u2800]/
/** Diacritics of alphabets. Vowel signs of other scripts are letters, and stay. */
const diacritic = setOf(
  '\\u0300-\\u036f\\u0483-\\u0489\\u0591-\\u05bd\\u05bf\\u05c1\\u05c2\\u05c4\\u05c5\\u05c7\\u064b-\\u065f\\u0670',
  '\\u1ab0-\\u1aff\\u1dc0-\\u1dff\\u20d0-\\u20ff\\ufe20-\\ufe2f',
)
/** Of scripts with blanks between words: in the others a word can begin and end anywhere. */
const wordCharacter =
  /(?![\p{scx=Han}\p{scx=Hira}\p{scx=Kana}\p{scx=Thai}\p{scx=Laoo}\p{scx=Khmr}\p{scx=Mymr}])[\p{L}\p{N}\p{M}]/u

function setOf(...parts: readonly string[]): RegExp {
  return new RegExp(`[${parts.join('')}]`, 'gu')
}

/** Whether it is part of a word that has edges: a letter, a digit or a sign that belongs to one. */
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
 * character or several. White space becomes a blank (a line feed stays one), for words may stand at either side of it.
 */
export function foldCodePoint(codePoint: number): string {
  if (codePoint < 0x80) {
    if (codePoint === 0x0a) return '\n'
    if (isSpace(codePoint)) return ' '
    if (codePoint < 0x20 || codePoint === 0x7f) return ''
    return plainMark(String.fromCharCode(codePoint).toLowerCase())
  }
  if (isSpace(codePoint)) return ' '
  if (isInvisible(codePoint)) return ''
  for (const [first, last] of letterRanges) {
    if (codePoint >= first && codePoint <= last) return String.fromCharCode(0x61 + codePoint - first)
  }
  let folded = ''
  for (const part of compatible(String.fromCodePoint(codePoint))) {
    folded += plainMark(withoutDiacritics(part.toLowerCase()))
  }
  return folded
}

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
