import { severityLevels } from '../../core/filter/categories.ts'
import type { FilterResults } from '../../core/filter/results.ts'
import { isJsonObject, type Json, type JsonObject, setField } from '../../core/json.ts'

/**
 * What our filters say and what an upstream's own say, as one: of each category the annotation that filters, else the more severe
 * one; of two that say the same, ours. Lists of what was found are joined.
 */
export function mergeFilterResults(ours: FilterResults, theirs: FilterResults): FilterResults {
  const merged: JsonObject = { ...ours }
  for (const category in theirs) {
    const theirOne = asAnnotation(theirs[category])
    if (!theirOne) continue
    const ourOne = Object.hasOwn(ours, category) ? asAnnotation(ours[category]) : undefined
    setField(merged, category, ourOne ? mergeAnnotation(ourOne, theirOne) : theirOne)
  }
  return merged
}

function mergeAnnotation(ours: JsonObject, theirs: JsonObject): JsonObject {
  const [worse, other] = weigh(theirs) > weigh(ours) ? [theirs, ours] : [ours, theirs]
  if (!Array.isArray(ours.details) || !Array.isArray(theirs.details)) return worse
  const known = new Set(ours.details.map((detail) => JSON.stringify(detail)))
  const added = theirs.details.filter((detail) => !known.has(JSON.stringify(detail)))
  return { ...other, ...worse, details: [...ours.details, ...added] }
}

const levels: readonly Json[] = severityLevels

/** Filtered before detected before severe. */
function weigh({ filtered, detected, severity }: JsonObject): number {
  return (filtered === true ? 100 : 0) + (detected === true ? 10 : 0) + levels.indexOf(severity ?? null)
}

/** Some versions annotate lists with a bare array of what was found. */
function asAnnotation(value: Json | undefined): JsonObject | undefined {
  if (!Array.isArray(value)) return isJsonObject(value) ? value : undefined
  return { filtered: value.some((item) => isJsonObject(item) && item.filtered === true), details: value }
}
