import { type FoldedText, textOf } from './fold.ts'
import { leastSpelledLetters, leetLetters, mostSpellingMarks, spellingMarks } from './leet.ts'

const letterKind = 1
const digitKind = 2
const markKind = 3

/** By UTF-16 unit: what kind of character it is, filled in as they are met; 0: not met. */
const kinds = new Uint8Array(0x10000)
/** By UTF-16 unit: the letter that it may stand for, or 0. */
const leet = new Uint16Array(0x10000)
for (const [figure, letter] of leetLetters) leet[figure.charCodeAt(0)] = letter.charCodeAt(0)

const one = 0x31
const exclamation = 0x21
const at = 0x40
const smallL = 0x6c
const vowels: ReadonlySet<number> = new Set([...'aeiou0345@'].map((character) => character.charCodeAt(0)))
const marks: ReadonlySet<number> = new Set([...spellingMarks].map((character) => character.charCodeAt(0)))

/** Reads figures as letters, joins words that are spelled out, and makes one letter of repeated ones. */
export function loosen({ text, starts, ends }: FoldedText): FoldedText {
  const units = new Uint16Array(text.length)
  for (let i = 0; i < text.length; i++) units[i] = text.charCodeAt(i)
  readLeet(units)
  const isLeftOut = joinSpelled(units)
  const newStarts = new Uint32Array(units.length)
  const newEnds = new Uint32Array(units.length)
  let length = 0
  for (let i = 0; i < units.length; i++) {
    if (isLeftOut?.[i] === 1) continue
    const unit = units[i] as number
    if (length > 0 && unit === units[length - 1] && kindOf(unit) === letterKind) {
      newEnds[length - 1] = ends[i] as number
      continue
    }
    // What was read already is written over: never more than has been read.
    units[length] = unit
    newStarts[length] = starts[i] as number
    newEnds[length++] = ends[i] as number
  }
  return { text: textOf(units.subarray(0, length)), starts: newStarts.slice(0, length), ends: newEnds.slice(0, length) }
}

function kindOf(unit: number): number {
  const known = kinds[unit] as number
  if (known !== 0) return known
  const character = String.fromCharCode(unit)
  const kind = /[\p{L}\p{M}]/u.test(character) ? letterKind : /\p{N}/u.test(character) ? digitKind : markKind
  kinds[unit] = kind
  return kind
}

/** Only in a word that has a letter of its own: numbers and prices stay what they are, and so do marks that end a sentence. */
function readLeet(units: Uint16Array): void {
  for (let from = 0; from < units.length; from++) {
    let to = from
    let hasLetter = false
    let hasFigure = false
    for (; to < units.length; to++) {
      const unit = units[to] as number
      const kind = kindOf(unit)
      if (kind === letterKind) hasLetter = true
      else if (leet[unit] !== 0) hasFigure = true
      else if (kind !== digitKind) break
    }
    const end = to
    while (to > from && (units[to - 1] === exclamation || units[to - 1] === at)) to--
    if (hasLetter && hasFigure) readWord(units, from, to)
    from = end
  }
}

function readWord(units: Uint16Array, from: number, to: number): void {
  let before = 0
  for (let i = from; i < to; i++) {
    const unit = units[i] as number
    const letter = leet[unit] as number
    if (unit === one || unit === exclamation) {
      const isAfterL = before === unit && units[i - 1] === smallL
      units[i] = isAfterL || vowels.has(before) ? smallL : letter
    } else if (letter !== 0) units[i] = letter
    before = unit
  }
}

/** Which units are left out; undefined for none. The same must stand between all letters of a word. */
function joinSpelled(units: Uint16Array): Uint8Array | undefined {
  let isLeftOut: Uint8Array | undefined
  for (let i = 0; i < units.length; i++) {
    if (!isSingle(units, i)) continue
    const gap = gapAt(units, i)
    let count = 1
    let last = i
    while (gap > 0 && isSingle(units, last + gap + 1) && isSameGap(units, i, last, gap)) {
      last += gap + 1
      count++
    }
    if (count >= leastSpelledLetters) {
      isLeftOut ??= new Uint8Array(units.length)
      for (let place = i; place < last; place += gap + 1) isLeftOut.fill(1, place + 1, place + gap + 1)
    }
    i = last
  }
  return isLeftOut
}

function isSingle(units: Uint16Array, i: number): boolean {
  return (
    i < units.length && kindOf(units[i] as number) === letterKind && !isInWord(units[i - 1]) && !isInWord(units[i + 1])
  )
}

function isInWord(unit: number | undefined): boolean {
  return unit !== undefined && kindOf(unit) !== markKind
}

/** How many marks stand behind a letter; 0 where too many or others do. */
function gapAt(units: Uint16Array, i: number): number {
  let gap = 0
  while (i + gap + 1 < units.length && marks.has(units[i + gap + 1] as number)) gap++
  return gap > mostSpellingMarks ? 0 : gap
}

function isSameGap(units: Uint16Array, first: number, last: number, gap: number): boolean {
  for (let i = 1; i <= gap; i++) if (units[first + i] !== units[last + i]) return false
  return true
}
