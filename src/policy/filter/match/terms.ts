import { foldCodePoint, isSpace, isWordCharacter } from './fold.ts'
import { createLooseLane, type LooseAutomata } from './loose-lane.ts'
import { canBeSpelled, prepareLooseTerm } from './loose-ring.ts'
import { PatternProblem } from './pattern-problem.ts'
import { createAlphabet } from './symbols.ts'
import { buildTermAutomaton } from './term-automaton.ts'
import { createTermLane, type Lane } from './term-lane.ts'
import type { MatchStream, TextMatcher } from './text-matcher.ts'

/**
 * A word or phrase to look for. `boundary`: whether it must be a word of its own (`both`, the default), may be the beginning of one
 * (`left`), or may stand anywhere (`none`). An edge of it that is neither letter nor digit needs none.
 */
export type TermSpec = { readonly text: string; readonly boundary?: 'both' | 'left' | 'none' | undefined }

export type TermOptions = {
  /** How far spellings are seen through: see `FoldLevel`. */
  readonly fold: 'plain' | 'loose'
  /** Only capitals match capitals. Spellings are then seen through as `plain` does. */
  readonly caseSensitive?: boolean | undefined
}

/** Characters of a term, folded. */
export const longestTerm = 1_000

/**
 * Looks for all of the terms at once. White space in a term stands for any run of it, up to 256 characters. Matches of different terms
 * may overlap, and all are told. Throws PatternProblem for a term of which nothing can be seen or that is too long.
 */
export function compileTerms(terms: readonly TermSpec[], { fold, caseSensitive = false }: TermOptions): TextMatcher {
  const folded = terms.map(({ text }, index) => foldTerm(text, caseSensitive, index))
  const edges = folded.map((text, pattern) => {
    const boundary = terms[pattern]?.boundary ?? 'both'
    const characters = [...text]
    return {
      pattern,
      isAnchored: boundary !== 'none' && isWordCharacter(characters[0] as string),
      endsWord: boundary === 'both' && isWordCharacter(characters.at(-1) as string),
    }
  })
  const openPlain = preparePlain(folded, edges, caseSensitive)
  if (fold === 'plain' || caseSensitive) return matcherOf(openPlain)
  const openLoose = prepareLoose(folded, edges)
  return matcherOf(() => besides(openPlain(), openLoose()))
}

type TermEdges = { readonly pattern: number; readonly isAnchored: boolean; readonly endsWord: boolean }

function preparePlain(folded: readonly string[], edges: readonly TermEdges[], keepsCase: boolean): () => Lane {
  const alphabet = createAlphabet(folded, { keepsCase, isLoose: false })
  const prepared = folded.map((text, i) => {
    const symbols = alphabet.encode(text)
    return { ...(edges[i] as TermEdges), symbols, length: symbols.length }
  })
  const automaton = buildTermAutomaton(prepared, alphabet)
  return () => createTermLane(alphabet, automaton, prepared)
}

function prepareLoose(folded: readonly string[], edges: readonly TermEdges[]): () => Lane {
  const alphabet = createAlphabet(folded, { keepsCase: false, isLoose: true })
  const wordTerms = folded.map((text, i) => prepareLooseTerm(text, alphabet, edges[i] as TermEdges))
  const spelledTerms = wordTerms.filter(canBeSpelled).map((term) => ({ ...term, isAnchored: false }))
  const automata: LooseAutomata = {
    alphabet,
    words: buildTermAutomaton(wordTerms, alphabet),
    wordTerms,
    spelled: buildTermAutomaton(spelledTerms, alphabet),
    spelledTerms,
  }
  return () => createLooseLane(automata)
}

/** Two lanes over one text. What one finds the other does not. */
function besides(first: Lane, second: Lane): Lane {
  return {
    read(text) {
      first.read(text)
      second.read(text)
    },
    finish() {
      first.finish()
      second.finish()
    },
    reset() {
      first.reset()
      second.reset()
    },
    take() {
      const one = first.take()
      const other = second.take()
      return one.length === 0 ? other : other.length === 0 ? one : [...one, ...other]
    },
    get settled() {
      return Math.min(first.settled, second.settled)
    },
  }
}

/** Folded, with one blank for white space inside and none around. */
function foldTerm(text: string, keepsCase: boolean, index: number): string {
  let folded = ''
  for (const character of text) {
    for (const part of foldCodePoint(character.codePointAt(0) as number, keepsCase)) {
      const blank = isSpace(part.codePointAt(0) as number)
      if (!blank) folded += part
      else if (folded !== '' && !folded.endsWith(' ')) folded += ' '
    }
  }
  folded = folded.trimEnd()
  if (folded === '') throw new PatternProblem('A term must have a character that can be seen.', index)
  if (folded.length > longestTerm) {
    throw new PatternProblem(`A term has at most ${longestTerm} characters; this one has ${folded.length}.`, index)
  }
  return folded
}

/** A matcher of what reads texts in pieces. For whole texts one reader is kept, since each costs an allocation. */
function matcherOf(open: () => Lane): TextMatcher {
  let whole: Lane | undefined
  return {
    find(text) {
      whole ??= open()
      whole.reset()
      whole.read(text)
      whole.finish()
      return whole.take()
    },
    open: () => streamOf(open()),
  }
}

function streamOf(lane: Lane): MatchStream {
  return {
    feed(text) {
      lane.read(text)
      return lane.take()
    },
    end() {
      lane.finish()
      return lane.take()
    },
    get settled() {
      return lane.settled
    },
  }
}
