import type { PiiType } from './pii-types.ts'
import type { PiiClue } from './screen.ts'

/** A shape that values of a type are written in. No look-around and no back-references: it runs in time linear in the text. */
export type PatternSpec = {
  readonly source: string
  readonly ignoreCase?: boolean
  /** Things of other kinds look like this too, so it counts only behind a context word. */
  readonly isWeak?: boolean
  /** Other numbers look like this too: behind `order no.` and its kind it does not count, unless a context word stands there. */
  readonly isDoubtful?: boolean
}

/** Knows one type of personal data. */
export type Recogniser = {
  readonly type: PiiType
  /** What no value of the type is without. */
  readonly needs: PiiClue
  readonly patterns: readonly PatternSpec[]
  /** Checksum and rules; absent where the shape says it all. Gets the value as written, separators and all. */
  isValid?(value: string): boolean
  /** The checksum or shape leaves practically no doubt: wins where recognisers disagree. */
  readonly isChecked?: boolean
  /** Words in lower case that introduce such a value, within 60 characters before it. */
  readonly context?: readonly string[]
  /** How many characters of the match only lead to the value: `password=`. */
  lead?(match: string): number
  /** How long the value is that the match begins with, where the pattern may read on into what follows. */
  lengthOf?(match: string): number
  /**
   * What may stand around it. `number`: it is not a part of a longer number, version, path or identifier. `any`: what the
   * pattern says itself.
   */
  readonly edges: 'number' | 'any'
}
