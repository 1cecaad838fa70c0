import type { JsonObject } from '../json.ts'
import type { FilterCategory, FilterSource, SeverityLevel } from './categories.ts'

/** Annotations by category in the shape that answers carry them in: `{"hate":{"filtered":false,"severity":"safe"}, ...}`. */
export type FilterResults = JsonObject

/** How far an answer has been judged, in characters: `check` never decreases, and what lies before it is final. */
export type FilterOffsets = { readonly check: number; readonly start: number; readonly end: number }

/** Why something was annotated or filtered, for callers who may know and for the log. Never holds the text. */
export type Explanation = {
  readonly source: FilterSource
  readonly category: FilterCategory
  readonly filtered: boolean
  readonly severity: SeverityLevel
  /** From which level on the policy filters; absent where it only annotates. */
  readonly threshold?: SeverityLevel | undefined
  readonly policy: string
  /** Name and label of what found it. */
  readonly engine: string
  readonly rule?: string | undefined
  readonly id?: string | undefined
  readonly score?: number | undefined
  /** Where, in UTF-16 units: of which message, or of which choice and part of the answer. */
  readonly span?: { readonly at: string; readonly start: number; readonly end: number } | undefined
}
