import { foldCodePoint, isSpace, isWordCharacter } from './fold.ts'
import { PatternProblem } from './pattern-problem.ts'
import { createAlphabet } from './symbols.ts'
import { buildTermAutomaton } from './term-automaton.ts'
import { createTermReader, type TermReader } from './term-reader.ts'
import type { TextMatcher } from './text-matcher.ts'

/** A word or phrase to look for. */
export type TermSpec = { readonly text: string }

/** Characters of a term, folded. */
const longestTerm = 1_000

/**
 * Looks for all of the terms at once, without regard to case, compatibility forms, look-alikes, diacritics and characters that are not
 * seen. A term must be a word of its own; an edge of it that is neither letter nor digit may touch one, and so may a letter of a script
 * that writes no blanks between words. White space in a term stands for any run of it, up to 256 characters. Matches of different terms may overlap, and all are told;
 * the pattern of one is the place of its term. Throws PatternProblem, with that place, for a term of which nothing can be seen or that
 * is too long.
 */
export function compileTerms(terms: readonly TermSpec[]): TextMatcher {
  const folded = terms.map(({ text }, index) => foldTerm(text, index))
  const alphabet = createAlphabet(folded)
  const prepared = folded.map((text) => {
    const characters = [...text]
    const symbols = alphabet.encode(text)
    return {
      symbols,
      length: symbols.length,
      isAnchored: isWordCharacter(characters[0] as string),
      endsWord: isWordCharacter(characters.at(-1) as string),
    }
  })
  const automaton = buildTermAutomaton(prepared, alphabet)
  const open = () => createTermReader(alphabet, automaton, prepared)
  /** Kept for whole texts, since each reader costs an allocation. */
  let whole: TermReader | undefined
  return {
    find(text) {
      whole ??= open()
      whole.reset()
      const matches = whole.feed(text)
      const last = whole.end()
      return last.length === 0 ? matches : [...matches, ...last]
    },
    open,
  }
}

/** Folded, with one blank for white space inside and none around. */
function foldTerm(text: string, index: number): string {
  let folded = ''
  for (const character of text) {
    for (const part of foldCodePoint(character.codePointAt(0) as number)) {
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
