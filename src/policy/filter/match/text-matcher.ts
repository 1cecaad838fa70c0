/** Where a pattern was found, in UTF-16 units from the start of the text or stream; `end` is behind the last one. */
export type Match = { readonly start: number; readonly end: number; readonly pattern: number }

/**
 * Reads a text as it comes in pieces, cut anywhere, and finds the same as in the whole text. What lies before `settled` can be given
 * out: no match that has not been told yet begins there. `settled` never decreases, and is the length read after `end`.
 */
export type MatchStream = {
  /** The matches that have become certain with these characters. */
  feed(text: string): readonly Match[]
  /** Those that only the end makes certain. */
  end(): readonly Match[]
  readonly settled: number
}

/**
 * Patterns compiled for looking for all of them at once, in time linear in the text whatever it is. Matches come in the order in which
 * they became certain.
 */
export type TextMatcher = {
  find(text: string): readonly Match[]
  open(): MatchStream
}

export const noMatches: readonly Match[] = []
