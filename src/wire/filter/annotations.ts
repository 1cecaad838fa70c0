import type { Explanation, FilterResults } from '../../core/filter/results.ts'
import { isJsonObject, type Json, type JsonObject } from '../../core/json.ts'
import { mergeFilterResults } from './merge-results.ts'

/**
 * Annotations as the Azure OpenAI surfaces write them. Where the upstream annotated its answer too, the two are one.
 * Specs: azure-openai-inference 2024-10-21 and v1.
 */

/** `prompt_filter_results` of as many prompts, which our filters judged together; `theirs` is the upstream's own field. */
export function writePromptResults(ours: FilterResults, theirs?: Json, prompts = 1): JsonObject[] {
  const entries = Array.isArray(theirs) ? theirs.filter(isJsonObject) : []
  const theirsAt = new Map(
    entries.map(({ prompt_index, content_filter_results }) => [prompt_index, content_filter_results]),
  )
  return Array.from({ length: prompts }, (_, index) => ({
    prompt_index: index,
    content_filter_results: mergeWith(ours, theirsAt.get(index)),
  }))
}

/** The fields of a choice, with what our filters say of it among them. */
export function addResults(ours: FilterResults, fields: JsonObject | undefined): JsonObject {
  return { ...fields, content_filter_results: mergeWith(ours, fields?.content_filter_results) }
}

function mergeWith(ours: FilterResults, theirs: Json | undefined): FilterResults {
  return isJsonObject(theirs) ? mergeFilterResults(ours, theirs) : ours
}

/** Why, for callers who may know: no field of the vendor's, and never there for others. */
export function writeExplanations(explanations: readonly Explanation[]): JsonObject[] {
  return explanations.map((explanation) => {
    const { source, category, filtered, severity, threshold, policy, engine, rule, id, score, span } = explanation
    return {
      source,
      category,
      filtered,
      severity,
      ...(threshold !== undefined && { threshold }),
      policy,
      engine,
      ...(rule !== undefined && { rule }),
      ...(id !== undefined && { id }),
      ...(score !== undefined && { score }),
      ...(span && { span: { ...span } }),
    }
  })
}

/** The field that explanations are in, beside others; nothing where there are none. */
export function explanationFields(explanations: readonly Explanation[] | undefined): JsonObject | undefined {
  return explanations && explanations.length > 0
    ? { content_filter_explanations: writeExplanations(explanations) }
    : undefined
}

/** Writes results as JSON. A stream repeats the same object with every piece, so the last one's text is kept. */
export function createResultsWriter(): (results: FilterResults) => string {
  let last: FilterResults | undefined
  let text = ''
  return (results) => {
    if (results !== last) {
      text = JSON.stringify(results)
      last = results
    }
    return text
  }
}
