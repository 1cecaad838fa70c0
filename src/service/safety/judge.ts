import type { FilterCategory, FilterSource } from '../../core/filter/categories.ts'
import type { Finding, Segment } from '../../core/filter/engine.ts'

export type JudgeQuestion = {
  readonly categories: ReadonlySet<FilterCategory>
  readonly source: FilterSource
  readonly signal: AbortSignal
}

export type Judgement = {
  readonly findings: readonly Finding[]
  /** What judged, for answers that say so: `builtin/1`. */
  readonly label: string
}

/** Judges texts by whatever engines the server has. Rejects with a Fault when none could. */
export type Judge = (segments: readonly Segment[], question: JudgeQuestion) => Promise<Judgement>
