import type { JsonObject } from '../json.ts'
import type { FilterCategory, FilterSource } from './categories.ts'

/** A text that is judged, and what it is. `document`: what the caller's text quotes from elsewhere, tool results among it. */
export type Segment = {
  readonly role: 'system' | 'user' | 'assistant' | 'tool' | 'document'
  readonly text: string
}

/** Something that an engine found. */
export type Finding = {
  readonly category: FilterCategory
  /** 0 to 7 as Azure counts (0-1 safe, 2-3 low, 4-5 medium, 6-7 high). What is binary has 7 when it is there. */
  readonly severity: number
  /** Which segment it is about, and where in it, in UTF-16 units; absent where the engine judges texts as a whole. */
  readonly span?: { readonly segment: number; readonly start: number; readonly end: number } | undefined
  /** The list, topic or type of personal data. */
  readonly id?: string | undefined
  /** Which rule, term or label of the engine: for explanations. */
  readonly rule?: string | undefined
  /** 0 to 1, where the engine has one. */
  readonly score?: number | undefined
  /** Further members of the annotation: the citation of protected code. */
  readonly annotation?: JsonObject | undefined
}

export type Verdict = {
  readonly findings: readonly Finding[]
  /** A part of the question was not answered: what was found counts, and what was not found was not judged. */
  readonly isPartial?: boolean | undefined
  /** What it said beside that means none of our categories. */
  readonly otherLabels?: readonly string[] | undefined
}

export type Topic = { readonly name: string; readonly description: string; readonly examples: readonly string[] }

export type Question = {
  /** Those asked for; an engine may find more. */
  readonly categories: ReadonlySet<FilterCategory>
  readonly source: FilterSource
  /** The operator's own topics, where `custom_topics` is among the categories. */
  readonly topics: readonly Topic[]
  readonly signal: AbortSignal
}

/** What judges texts over the network, or with a model. The builtin detector is not one of these: it answers at once. */
export type FilterEngine = {
  /** As the operator named it. */
  readonly name: string
  /** For answers and logs: kind and model, such as `guard/qwen3guard`. */
  readonly label: string
  readonly categories: ReadonlySet<FilterCategory>
  /** How many characters it takes at once; longer texts are given in overlapping parts. */
  readonly maxChars: number
  /** Milliseconds it may take, of a prompt and of a window of an answer. */
  readonly deadlineMs: { readonly prompt: number; readonly window: number }
  /** Rejects with a Fault when it could not judge: it was down, too slow, or answered nonsense. */
  judge(segments: readonly Segment[], question: Question): Promise<Verdict>
}
