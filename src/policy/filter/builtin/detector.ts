import type { FilterCategory, FilterSource } from '../../../core/filter/categories.ts'
import type { Finding } from '../../../core/filter/engine.ts'
import type { TextMatcher } from '../match/text-matcher.ts'

export type DetectorQuestion = {
  readonly source: FilterSource
  readonly categories: ReadonlySet<FilterCategory>
}

/**
 * The embedded engine: words, spellings and phrasings, no meaning. Runs at once, within microseconds, and never throws.
 * A cascade: `screen` finds the words without which nothing is ever found, in one cheap pass; `analyse` runs everything.
 */
export type Detector = {
  /** `builtin/1`: kind and version of rules and heads. */
  readonly label: string
  readonly screen: TextMatcher
  /** Findings have spans in `text` (segment 0). Only categories that were asked for. */
  analyse(text: string, question: DetectorQuestion): readonly Finding[]
}
