import { foldCodePoint } from './fold.ts'
import { mostSpellingMarks, spellingMarks } from './leet.ts'
import { createSymbolRing, isRepeated, type LooseTerm, rawOf } from './loose-ring.ts'
import { type Alphabet, droppedClass, firstSpecialClass, unknownClass } from './symbols.ts'
import type { TermAutomaton } from './term-automaton.ts'
import { type Lane, mostSpaces } from './term-lane.ts'
import { type Match, noMatches } from './text-matcher.ts'

export type LooseAutomata = {
  readonly alphabet: Alphabet
  /** Terms with repeated letters made one. */
  readonly words: TermAutomaton
  readonly wordTerms: readonly LooseTerm[]
  /** Those of single words, which may begin anywhere in a word that is spelled out. */
  readonly spelled: TermAutomaton
  readonly spelledTerms: readonly LooseTerm[]
}

/**
 * Finds terms in disguises that only the word around gives away: figures for letters, repeated letters, letters with marks between
 * them. What the automata find is looked at again letter by letter; what stands there plainly is left to the plain lane.
 */
export function createLooseLane({ alphabet, words, wordTerms, spelled, spelledTerms }: LooseAutomata): Lane {
  const { classes, classify, expand, isWord, readAs, spaceClass } = alphabet
  const { next: table, firstLive, firstMarked } = words
  const ring = createSymbolRing(words, wordTerms, false)
  const letters = createSymbolRing(spelled, spelledTerms, true)
  let length = 0
  let half = 0
  let found: Match[] = []
  let lastSymbol = -1
  let lastUnit = 0
  let spaces = 0
  /** Letters of the word that is being read: one of them may be part of a word that is spelled out. */
  let wordLength = 0
  let singleSymbol = 0
  let singleUnit = 0
  let singleStart = 0
  let singleEnd = 0
  /** Marks since the last single letter, while a word may be being spelled out. */
  let marks = noSpelling
  let lastLetter = -1
  let lastLetterUnit = 0

  function read(piece: string): void {
    if (piece.length === 0) return
    const text = half === 0 ? piece : String.fromCharCode(half) + piece
    if (half !== 0) length--
    const last = text.charCodeAt(text.length - 1)
    half = last >= 0xd800 && last <= 0xdbff ? last : 0
    scan(text, half === 0 ? text.length : text.length - 1)
    length += text.length
  }

  /** The usual case is read here, with what it needs at hand: a word of several letters, none twice in a row, and a mark behind it. */
  function scan(text: string, stop: number): void {
    const base = length
    let before = lastSymbol
    let beforeUnit = lastUnit
    let inWord = wordLength
    let { state } = ring
    for (let i = 0; i < stop; i++) {
      const unit = text.charCodeAt(i)
      const symbol = classes[unit] as number
      if (symbol < firstSpecialClass && marks === noSpelling && before >= 0 && readAs[symbol] !== readAs[before]) {
        const isPart = isWord[symbol] === 1
        if (isPart ? inWord > 0 : inWord !== 1) {
          inWord = isPart ? 2 : 0
          before = symbol
          beforeUnit = unit
          const to = table && state < firstMarked ? (table[state + symbol] as number) : firstLive
          if (to < firstLive) {
            state = to
            continue
          }
          ring.state = state
          ring.next(symbol, unit, base + i, base + i + 1, !isPart, found)
          state = ring.state
          continue
        }
      }
      lastSymbol = before
      lastUnit = beforeUnit
      wordLength = inWord
      ring.state = state
      i += readAny(symbol, text, i, base) - 1
      state = ring.state
      before = lastSymbol
      beforeUnit = lastUnit
      inWord = wordLength
    }
    lastSymbol = before
    lastUnit = beforeUnit
    wordLength = inWord
    ring.state = state
  }

  /** Reads a character; tells how many units it has. */
  function readAny(known: number, text: string, i: number, base: number): number {
    const unit = text.charCodeAt(i)
    const symbol = known === unknownClass ? classify(unit) : known
    if (symbol === droppedClass) return 1
    if (symbol >= firstSpecialClass) return readMany(text.codePointAt(i) as number, base + i)
    readOne(symbol, unit, base + i, base + i + 1)
    return 1
  }

  function readMany(codePoint: number, start: number): number {
    const units = codePoint > 0xffff ? 2 : 1
    const folded = foldCodePoint(codePoint, false)
    const symbols = expand(codePoint)
    for (let k = 0; k < symbols.length; k++) readOne(symbols[k] as number, folded.charCodeAt(k), start, start + units)
    return units
  }

  function readOne(symbol: number, unit: number, start: number, end: number): void {
    const isPart = isWord[symbol] === 1
    if (isPart) {
      if (wordLength === 0) {
        wordLength = 1
        singleSymbol = symbol
        singleUnit = unit
        singleStart = start
        singleEnd = end
      } else if (wordLength === 1) {
        wordLength = 2
        if (marks !== noSpelling) endSpelling()
      }
    } else {
      if (wordLength === 1) spell()
      wordLength = 0
      if (marks !== noSpelling && (++marks > mostSpellingMarks || !markUnits.has(rawOf(unit)))) endSpelling()
    }
    if (lastSymbol >= 0 && readAs[symbol] === readAs[lastSymbol]) {
      if (symbol === spaceClass) {
        if (++spaces > mostSpaces) ring.restart()
        return
      }
      if (isRepeated(alphabet, symbol, unit, lastSymbol, lastUnit)) {
        ring.repeat(unit, end)
        return
      }
    }
    lastSymbol = symbol
    lastUnit = unit
    if (symbol === spaceClass) spaces = 1
    ring.next(symbol, unit, start, end, !isPart, found)
  }

  /** A word of one letter has ended. */
  function spell(): void {
    if (marks === noSpelling) lastLetter = -1
    marks = 0
    if (isRepeated(alphabet, singleSymbol, singleUnit, lastLetter, lastLetterUnit)) {
      letters.repeat(singleUnit, singleEnd)
      return
    }
    lastLetter = singleSymbol
    lastLetterUnit = singleUnit
    letters.next(singleSymbol, singleUnit, singleStart, singleEnd, false, found)
  }

  function endSpelling(): void {
    letters.tell(true, found)
    letters.restart()
    marks = noSpelling
  }

  return {
    read,
    finish() {
      if (half !== 0) {
        const lone = String.fromCharCode(half)
        half = 0
        length--
        scan(lone, 1)
        length++
      }
      if (wordLength === 1) spell()
      endSpelling()
      ring.tell(true, found)
      ring.restart()
      wordLength = 0
    },
    reset() {
      ring.restart()
      letters.restart()
      length = 0
      half = 0
      found = []
      lastSymbol = -1
      wordLength = 0
      marks = noSpelling
    },
    take() {
      if (found.length === 0) return noMatches
      const taken = found
      found = []
      return taken
    },
    get settled() {
      let least = Math.min(half === 0 ? length : length - 1, ring.heldFrom(), letters.heldFrom())
      if (wordLength === 1 && letters.goesOnWith(singleSymbol)) least = Math.min(least, singleStart)
      return least
    },
  }
}

const noSpelling = mostSpellingMarks + 1
const markUnits: ReadonlySet<number> = new Set([...spellingMarks].map((character) => character.charCodeAt(0)))
