import { type Match, noMatches } from '../text-matcher.ts'
import { droppedPlace, firstSpecialPlace, type PatternAlphabet } from './alphabet.ts'
import type { Acceptance, LazyAutomaton, LazyState, Transition } from './automaton.ts'

/** Characters of a match that are held back while it may still become longer. */
export const longestMatch = 4_096

const mostToldKept = 1_000

/** Those of one pattern, in the order they begin; those before `first` were told. They overlap nowhere. */
type Waiting = { readonly candidates: Candidate[]; first: number }

export type PatternReader = {
  read(text: string): readonly Match[]
  finish(): readonly Match[]
  reset(): void
  readonly settled: number
}

/** A match that may become longer, or be part of one that begins earlier. `began`: where it does, even if that is not told any more. */
type Candidate = { readonly began: number; readonly start: number; readonly end: number }

/** Reads a text through the automaton, in pieces cut anywhere. */
export function createPatternReader(
  automaton: LazyAutomaton,
  { classes, classOfPair }: PatternAlphabet,
): PatternReader {
  const { width } = automaton
  let state: LazyState = automaton.start
  /** Where the groups of the state began. */
  let starts = new Float64Array(8)
  let length = 0
  let half = 0
  /** Where the last character ended that is not passed over, if others stand behind it: up to `gapEnd`. */
  let gapStart = 0
  let gapEnd = -1
  /** By pattern that has any. */
  const waiting = new Map<number, Waiting>()
  /** By pattern: what lies before has been told. */
  let toldUntil = new Map<number, number>()
  let found: Match[] = []

  function read(piece: string): readonly Match[] {
    if (piece.length === 0) return noMatches
    const text = half === 0 ? piece : String.fromCharCode(half) + piece
    if (half !== 0) length--
    const last = text.charCodeAt(text.length - 1)
    half = last >= 0xd800 && last <= 0xdbff ? last : 0
    scan(text, half === 0 ? text.length : text.length - 1)
    length += text.length
    return take()
  }

  function scan(text: string, stop: number): void {
    let row = automaton.number(state) * width
    let table = automaton.table()
    for (let i = 0; i < stop; i++) {
      let symbol = classes[text.charCodeAt(i)] as number
      let units = 1
      if (symbol >= firstSpecialPlace) {
        if (symbol !== droppedPlace) {
          const codePoint = text.codePointAt(i) as number
          symbol = classOfPair(codePoint)
          if (codePoint > 0xffff) units = 2
        }
        if (symbol === droppedPlace) {
          pass(length + i, units)
          i += units - 1
          continue
        }
      }
      const known = table[row + symbol] as number
      if (known > 1 && (known & 1) === 0 && waiting.size === 0) {
        row = ((known >> 1) - 1) * width
      } else {
        const from = automaton.states()[row / width] as LazyState
        if (known === 0) {
          const transition = automaton.build(from, symbol)
          apply(transition, length + i, units)
          state = transition.target
          table = automaton.table()
        } else {
          state = automaton.states()[(known >> 1) - 1] as LazyState
          if ((known & 1) === 1) apply(automaton.transitionAt(row + symbol), length + i, units)
        }
        row = state.number * width
        if (waiting.size > 0) settleWaiting(length + i + units)
      }
      i += units - 1
    }
    state = automaton.states()[row / width] as LazyState
  }

  function pass(at: number, units: number): void {
    if (gapEnd !== at) gapStart = at
    gapEnd = at + units
  }

  function apply({ origins, acceptances }: Transition, at: number, units: number): void {
    for (const acceptance of acceptances) accept(acceptance, at, acceptance.isBefore ? endBefore(at) : at + units)
    if (origins.length > starts.length) {
      const more = new Float64Array(origins.length * 2)
      more.set(starts)
      starts = more
    }
    for (let group = 0; group < origins.length; group++) {
      const origin = origins[group] as number
      starts[group] = origin < 0 ? at : (starts[origin] as number)
    }
  }

  function endBefore(at: number): number {
    return gapEnd === at ? gapStart : at
  }

  function accept({ pattern, from }: Acceptance, at: number, end: number): void {
    const began = from < 0 ? at : (starts[from] as number)
    // What is further back than that may have been given out already.
    let start = Math.max(began, toldUntil.get(pattern) ?? 0, Math.max(at, end) - longestMatch)
    if (start >= end) return
    let queue = waiting.get(pattern)
    if (!queue) {
      queue = { candidates: [], first: 0 }
      waiting.set(pattern, queue)
    }
    const { candidates, first } = queue
    while (candidates.length > first && (candidates.at(-1) as Candidate).began >= began) {
      // What was certain already stays whole: only what was not may have been given out meanwhile.
      start = Math.min(start, (candidates.pop() as Candidate).start)
    }
    candidates.push({ began, start, end })
  }

  /** Tells those that nothing can change any more, or that are as long as they may be. */
  function settleWaiting(at: number): void {
    for (const [pattern, queue] of waiting) {
      const group = state.firstGroupOf(pattern)
      const earliest = group < 0 ? Number.POSITIVE_INFINITY : (starts[group] as number)
      while (queue.first < queue.candidates.length) {
        const candidate = queue.candidates[queue.first] as Candidate
        if (earliest <= candidate.began && at - candidate.start < longestMatch) break
        tell(pattern, candidate)
        queue.first++
      }
      if (queue.first === queue.candidates.length) waiting.delete(pattern)
      else if (queue.first > mostToldKept) queue.first -= queue.candidates.splice(0, queue.first).length
    }
  }

  function tell(pattern: number, { start, end }: Candidate): void {
    found.push({ start, end, pattern })
    toldUntil.set(pattern, end)
  }

  function take(): readonly Match[] {
    if (found.length === 0) return noMatches
    const taken = found
    found = []
    return taken
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
      for (const acceptance of automaton.acceptAtEnd(state)) accept(acceptance, length, endBefore(length))
      for (const [pattern, { candidates, first }] of waiting) {
        for (const candidate of candidates.slice(first)) tell(pattern, candidate)
      }
      waiting.clear()
      state = automaton.start
      return take()
    },
    reset() {
      state = automaton.start
      length = 0
      half = 0
      gapEnd = -1
      waiting.clear()
      toldUntil = new Map()
      found = []
    },
    get settled() {
      let least = half === 0 ? length : length - 1
      if (state.groups.length > 0) least = Math.min(least, Math.max(starts[0] as number, least - longestMatch))
      for (const { candidates, first } of waiting.values()) {
        least = Math.min(least, (candidates[first] as Candidate).start)
      }
      return least
    },
  }
}
