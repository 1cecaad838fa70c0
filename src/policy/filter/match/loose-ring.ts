import { foldCodePoint } from './fold.ts'
import { leastSpelledLetters, leetLetters } from './leet.ts'
import type { Alphabet } from './symbols.ts'
import type { TermAutomaton } from './term-automaton.ts'
import type { Match } from './text-matcher.ts'

/** A term of which repeated letters are one symbol. By symbol: the letter itself, how often it comes in a row, whether it is one. */
export type LooseTerm = {
  readonly pattern: number
  readonly symbols: readonly number[]
  readonly raws: readonly number[]
  readonly runs: readonly number[]
  readonly isLetter: readonly boolean[]
  readonly isAnchored: boolean
  readonly endsWord: boolean
}

/** The last symbols of a text that belong to the beginning of a term, with the state they led to. */
export type SymbolRing = {
  /** For those who follow the automaton themselves while nothing begins or ends. */
  state: number
  /** Tells what the symbols so far are, now that another one comes, and adds that. */
  next(symbol: number, unit: number, start: number, end: number, isEdge: boolean, found: Match[]): void
  /** Once more the last letter. */
  repeat(unit: number, end: number): void
  /** Adds the terms that end with the last symbol. `isEdge`: no word goes on behind it. */
  tell(isEdge: boolean, found: Match[]): void
  restart(): void
  /** Where the first symbol is that may still become part of a match. */
  heldFrom(): number
  /** Whether something begins or goes on with that symbol. */
  goesOnWith(symbol: number): boolean
}

/** Capital i, which is read as an l as well. */
const capitalI = 0x49
const smallI = 0x69
const smallL = 0x6c
const blank = 0x20

/** By UTF-16 unit that is read as one: that one, filled in as they are met. 0: not met. Reading one again changes nothing. */
const rawUnits = new Uint16Array(0x10000)

export function rawOf(unit: number): number {
  const known = rawUnits[unit] as number
  if (known !== 0) return known
  const raw = unit === capitalI ? unit : foldCodePoint(unit, false).charCodeAt(0)
  rawUnits[unit] = raw
  return raw
}

const leetRaws: ReadonlySet<number> = new Set([...leetLetters.keys()].map((character) => character.charCodeAt(0)))

/** Whether a letter comes once more: as such, or as a figure that stands for it. What may be an i or an l must be the very same. */
export function isRepeated(
  alphabet: Alphabet,
  symbol: number,
  unit: number,
  lastSymbol: number,
  lastUnit: number,
): boolean {
  const { readAs, isWord } = alphabet
  const read = readAs[symbol] as number
  if (symbol < 2 || lastSymbol < 2 || read !== readAs[lastSymbol] || isWord[read] === 0) return false
  const raw = rawOf(unit)
  const lastRaw = rawOf(lastUnit)
  return raw === lastRaw || (!isAmbiguous(raw) && !isAmbiguous(lastRaw))
}

function isAmbiguous(raw: number): boolean {
  return raw === smallI || raw === smallL || raw === capitalI || raw === 0x31 || raw === 0x21
}

export function prepareLooseTerm(
  folded: string,
  alphabet: Alphabet,
  term: { readonly pattern: number; readonly isAnchored: boolean; readonly endsWord: boolean },
): LooseTerm {
  const prepared = {
    ...term,
    symbols: [] as number[],
    raws: [] as number[],
    runs: [] as number[],
    isLetter: [] as boolean[],
  }
  const { symbols, raws, runs, isLetter } = prepared
  for (const [i, symbol] of alphabet.encode(folded).entries()) {
    const raw = folded.charCodeAt(i)
    if (i > 0 && isRepeated(alphabet, symbol, raw, symbols.at(-1) as number, raws.at(-1) as number)) {
      runs[runs.length - 1] = (runs.at(-1) as number) + 1
      continue
    }
    symbols.push(symbol)
    raws.push(raw)
    runs.push(1)
    isLetter.push(alphabet.isWord[symbol] === 1 && !leetRaws.has(raw))
  }
  return prepared
}

/** Whether it can be spelled out: one word, of letters, and long enough not to be initials. */
export function canBeSpelled({ runs, isLetter }: LooseTerm): boolean {
  return isLetter.every((letter) => letter) && runs.reduce((sum, run) => sum + run, 0) >= leastSpelledLetters
}

/** `isSpelled`: its words are spelled out, and plain letters are a disguise already; edges of words do not count. */
export function createSymbolRing(
  automaton: TermAutomaton,
  terms: readonly LooseTerm[],
  isSpelled: boolean,
): SymbolRing {
  const {
    next: table,
    base,
    owner,
    target,
    fail,
    firstLive,
    firstMarked,
    firstTerm,
    nextTerm,
    shorter,
    openDepth,
    rowSize,
  } = automaton
  const longest = terms.reduce((most, { symbols }) => Math.max(most, symbols.length), 1)
  const mask = 2 ** Math.ceil(Math.log2(longest + 1)) - 1
  const starts = new Float64Array(mask + 1)
  const ends = new Float64Array(mask + 1)
  const units = new Uint16Array(mask + 1)
  const runs = new Uint32Array(mask + 1)
  let count = 0

  function step(symbol: number): number {
    if (table) return table[ring.state + symbol] as number
    let at = ring.state
    while (owner[(base[at] as number) + symbol] !== at) at = fail[at] as number
    return target[(base[at] as number) + symbol] as number
  }

  /** Letter by letter, whether it is the term, and not just as the plain lane finds it. */
  function isDisguised({ symbols, raws: wanted, runs: times, isLetter }: LooseTerm): boolean {
    let isPlain = !isSpelled
    let hasLetter = false
    let hasFigure = false
    for (let i = 0; i < symbols.length; i++) {
      const place = (count - symbols.length + i) & mask
      const raw = rawOf(units[place] as number)
      const want = wanted[i] as number
      const run = runs[place] as number
      const time = times[i] as number
      if (isLetter[i]) {
        if (leetRaws.has(raw)) {
          hasFigure = true
          isPlain = false
        } else {
          hasLetter = true
          if (raw === capitalI && want === smallL) isPlain = false
          else if (raw !== want && !(raw === capitalI && want === smallI)) return false
        }
        if (run < time) return false
        if (run > time) isPlain = false
        continue
      }
      if (want !== blank && (raw !== want || run !== time)) return false
      if (hasFigure && !hasLetter && want === blank) return false
      if (want === blank) {
        hasLetter = false
        hasFigure = false
      }
    }
    return !isPlain && (hasLetter || !hasFigure)
  }

  function tell(isEdge: boolean, found: Match[]): void {
    if (ring.state < firstMarked) return
    for (let row = ring.state / rowSize; row >= 0; row = shorter[row] as number) {
      for (let index = firstTerm[row] as number; index >= 0; index = nextTerm[index] as number) {
        const term = terms[index] as LooseTerm
        if ((term.endsWord && !isEdge && !isSpelled) || !isDisguised(term)) continue
        const start = starts[(count - term.symbols.length) & mask] as number
        found.push({ start, end: ends[(count - 1) & mask] as number, pattern: term.pattern })
      }
    }
  }

  const ring: SymbolRing = {
    state: automaton.start,
    next(symbol, unit, start, end, isEdge, found) {
      if (ring.state >= firstMarked) tell(isEdge, found)
      const to = step(symbol)
      ring.state = to
      if (to < firstLive) return
      const place = count++ & mask
      starts[place] = start
      ends[place] = end
      units[place] = unit
      runs[place] = 1
    },
    repeat(unit, end) {
      if (ring.state < firstLive) return
      const place = (count - 1) & mask
      runs[place] = (runs[place] as number) + 1
      ends[place] = end
      if (leetRaws.has(rawOf(unit))) units[place] = unit
    },
    tell,
    restart() {
      ring.state = automaton.start
    },
    heldFrom() {
      if (ring.state < firstLive) return Number.POSITIVE_INFINITY
      const row = ring.state / rowSize
      const ending = (firstTerm[row] as number) >= 0 ? row : (shorter[row] as number)
      const told = ending < 0 ? 0 : (terms[firstTerm[ending] as number] as LooseTerm).symbols.length
      const depth = Math.max(openDepth[row] as number, told)
      return depth === 0 ? Number.POSITIVE_INFINITY : (starts[(count - depth) & mask] as number)
    },
    goesOnWith: (symbol) => step(symbol) >= firstLive,
  }
  return ring
}
