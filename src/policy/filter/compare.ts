import type { FilterCategory } from '../../core/filter/categories.ts'
import type { Finding } from '../../core/filter/engine.ts'
import { findUngrounded } from './builtin/groundedness.ts'
import type { FilterPlan } from './plan.ts'

/** `begin`: where the text begins in the answer. */
export type Compare = (text: string, begin: number) => readonly Finding[]

/** What overlap with other texts shows: those that the policy protects, and the documents that an answer has to keep to. */
export function comparisonsOf(
  plan: FilterPlan,
  compared: ReadonlySet<FilterCategory>,
  documents: readonly string[],
): readonly Compare[] {
  const comparisons: Compare[] = []
  for (const [category, index] of [
    ['protected_material_text', plan.protectedTexts],
    ['protected_material_code', plan.protectedCode],
  ] as const) {
    if (!index || !compared.has(category)) continue
    comparisons.push((text) =>
      index.find(text).map(({ start, end, name, annotation }) => ({
        category,
        severity: 7,
        span: { segment: 0, start, end },
        rule: `lexical/${name}`,
        annotation,
      })),
    )
  }
  if (documents.length > 0 && compared.has('ungrounded_material')) {
    comparisons.push((text, begin) =>
      findUngrounded(text, documents).map(({ start, end }) => ({
        category: 'ungrounded_material',
        severity: 7,
        span: { segment: 0, start, end },
        rule: 'lexical/overlap',
        annotation: { details: [{ completion_start_offset: start + begin, completion_end_offset: end + begin }] },
      })),
    )
  }
  return comparisons
}
