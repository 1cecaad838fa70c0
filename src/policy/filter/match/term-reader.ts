import { type Alphabet, droppedClass, firstSpecialClass, longClass, pairClass, unknownClass } from './symbols.ts'
import type { TermAutomaton } from './term-automaton.ts'
import { type Match, type MatchStream, noMatches } from './text-matcher.ts'

/** White space in a term stands for so many characters of it at most: more of them end what has begun. */
const mostSpaces = 256

/** A term as its reader needs it: how many symbols, and whether a word must end behind it. */
export type ReaderTerm = { readonly length: number; readonly endsWord: boolean }

export type TermReader = MatchStream & {
  /** Forgets everything; offsets begin at 0 again. */
  reset(): void
}

/** Reads text through an automaton of these terms, in pieces cut anywhere. The pattern of a match is the place of its term. */
export function createTermReader(
  alphabet: Alphabet,
  automaton: TermAutomaton,
  terms: readonly ReaderTerm[],
): TermReader {
  const { classes, classify, expand, isWord, spaceClass } = alphabet
  const { next, base, owner, target, fail, firstLive, firstMarked, rowSize } = automaton
  const mask = powerAbove(terms.reduce((most, { length }) => Math.max(most, length), 1)) - 1
  /** Where the last symbols began, by their number. Only symbols that belong to the beginning of a term are numbered. */
  const starts = new Float64Array(mask + 1)
  let state = 0
  let count = 0
  let spaces = 0
  let length = 0
  /** The first half of a pair that was cut in two, or 0. */
  let half = 0
  let waiting: Match[] = []
  let found: Match[] = []
  let end = 0
  /** The symbol behind the one that is read, where both come from one character; else -1. */
  let behind = -1

  function read(piece: string): void {
    if (piece.length === 0) return
    const text = half === 0 ? piece : String.fromCharCode(half) + piece
    if (half !== 0) length--
    half = 0
    const last = text.charCodeAt(text.length - 1)
    const isCut = last >= 0xd800 && last <= 0xdbff
    const stop = isCut ? text.length - 1 : text.length
    if (isCut) half = last
    if (waiting.length > 0) settleWaiting(text, 0, stop)
    scan(text, stop)
    length += text.length
  }

  function scan(text: string, stop: number): void {
    let at = state
    for (let i = 0; i < stop; i++) {
      const symbol = classes[text.charCodeAt(i)] as number
      if (symbol < firstSpecialClass) {
        const to = step(at, symbol)
        if (to < firstLive) at = to
        else if (to < firstMarked) {
          starts[count++ & mask] = length + i
          at = to
        } else {
          state = at
          at = mark(to, symbol, text, i, i + 1, stop)
        }
      } else {
        state = at
        i += readSpecial(symbol, text, i, stop)
        at = state
      }
    }
    state = at
  }

  function step(from: number, symbol: number): number {
    if (next) return next[from + symbol] as number
    let at = from
    while (owner[(base[at] as number) + symbol] !== at) at = fail[at] as number
    return target[(base[at] as number) + symbol] as number
  }

  /** Reads a character that is not one symbol; tells how many units more than one it has. */
  function readSpecial(place: number, text: string, i: number, stop: number): number {
    let symbol = place
    if (symbol === unknownClass) symbol = classify(text.charCodeAt(i))
    if (symbol === droppedClass) return 0
    const codePoint = text.codePointAt(i) as number
    const units = codePoint > 0xffff ? 2 : 1
    if (symbol < firstSpecialClass) readOne(symbol, text, i, i + 1, stop)
    else {
      const symbols = expand(codePoint)
      for (let k = 0; k < symbols.length; k++) {
        behind = symbols[k + 1] ?? -1
        readOne(symbols[k] as number, text, i, i + units, stop)
      }
    }
    return units - 1
  }

  function readOne(symbol: number, text: string, from: number, to: number, stop: number): void {
    const reached = step(state, symbol)
    if (reached >= firstMarked) {
      state = mark(reached, symbol, text, from, to, stop)
      return
    }
    if (reached >= firstLive) starts[count++ & mask] = length + from
    state = reached
  }

  /** What is to be done in a marked state: counting white space, and telling terms that end here. The result is where to go on. */
  function mark(reached: number, symbol: number, text: string, from: number, to: number, stop: number): number {
    const row = reached / rowSize
    if (symbol === spaceClass) {
      const isMore = reached === state
      spaces = isMore ? spaces + 1 : 1
      if (spaces > mostSpaces) return automaton.start
      if (isMore) return reached
    }
    starts[count++ & mask] = length + from
    end = length + to
    for (let at = row; at >= 0; at = automaton.shorter[at] as number) {
      for (let term = automaton.firstTerm[at] as number; term >= 0; term = automaton.nextTerm[term] as number) {
        tell(term, text, to, stop)
      }
    }
    return reached
  }

  function tell(pattern: number, text: string, to: number, stop: number): void {
    const term = terms[pattern] as ReaderTerm
    const match = { pattern, start: starts[(count - term.length) & mask] as number, end }
    const follows = term.endsWord && (behind >= 0 ? isWord[behind] === 1 : isWordAhead(text, to, stop))
    if (follows === undefined) waiting.push(match)
    else if (!follows) found.push(match)
  }

  /** Whether a word goes on there; undefined when that has not been seen yet. */
  function isWordAhead(text: string, from: number, stop: number): boolean | undefined {
    for (let i = from; i < stop; i++) {
      const unit = text.charCodeAt(i)
      let symbol = classes[unit] as number
      if (symbol === unknownClass) symbol = classify(unit)
      if (symbol === droppedClass) continue
      if (symbol < firstSpecialClass) return isWord[symbol] === 1
      const read = expand(text.codePointAt(i) as number)
      if (symbol === longClass || read.length > 0) return isWord[read[0] as number] === 1
      i++
    }
    return undefined
  }

  function settleWaiting(text: string, from: number, stop: number): void {
    const follows = isWordAhead(text, from, stop)
    if (follows === undefined) return
    if (!follows) found.push(...waiting)
    waiting = []
  }

  function take(): readonly Match[] {
    if (found.length === 0) return noMatches
    const taken = found
    found = []
    return taken
  }

  return {
    feed(text) {
      read(text)
      return take()
    },
    end() {
      if (half !== 0) {
        const lone = String.fromCharCode(half)
        half = 0
        length--
        if (waiting.length > 0) settleWaiting(lone, 0, 1)
        readSpecial(pairClass, lone, 0, 1)
        length++
      }
      found.push(...waiting)
      waiting = []
      state = automaton.start
      count = 0
      return take()
    },
    reset() {
      state = automaton.start
      count = 0
      length = 0
      half = 0
      waiting = []
      found = []
    },
    get settled() {
      let least = half === 0 ? length : length - 1
      const depth = automaton.openDepth[state / rowSize] as number
      if (depth > 0) least = Math.min(least, starts[(count - depth) & mask] as number)
      for (const { start } of waiting) least = Math.min(least, start)
      return least
    },
  }
}

function powerAbove(least: number): number {
  return 2 ** Math.ceil(Math.log2(least + 1))
}
