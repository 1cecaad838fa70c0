import { filterCategories, levelOf } from '../../core/filter/categories.ts'
import type { Finding } from '../../core/filter/engine.ts'
import type { Explanation, FilterResults } from '../../core/filter/results.ts'
import type { Json, JsonObject } from '../../core/json.ts'
import { type Direction, sortKeys } from './direction.ts'
import { writePiiAnnotation } from './pii/annotation.ts'
import type { PiiAction, PiiMatch } from './plan.ts'

/** Where a text stands whose findings are noted, and what found them. */
export type Where = {
  /** `messages[2].content`, `choices[0].text`. */
  readonly at: string
  /** Where the text that was judged begins in it, in UTF-16 units. */
  readonly offset: number
  readonly engine: string
}

/**
 * What has been found so far on one side of a call: in its prompt, or in one of its answers. Findings only make it worse, so that an
 * annotation can be given at any time.
 */
export type Ledger = {
  /** Whether this finding is one that the policy keeps back. */
  note(finding: Finding, where: Where): boolean
  notePattern(
    list: Direction['patterns'][number],
    pattern: number,
    span: readonly [number, number],
    where: Where,
  ): boolean
  notePii(match: PiiMatch, action: PiiAction, where: Where): boolean
  /** That a filter could not run. */
  noteError(): void
  readonly isFiltered: boolean
  readonly hasError: boolean
  /** The same object as long as nothing new was noted. */
  results(): FilterResults
  readonly explanations: readonly Explanation[]
}

/** More of the same say nothing new. */
const maxExplanations = 50
/** As the service writes it. */
const errorNote = { code: 'content_filter_error', message: 'The contents are not filtered' }

export function openLedger(direction: Direction): Ledger {
  const changed: JsonObject = {}
  const severities = new Map<string, number>()
  const lists = new Map<string, Map<string, boolean>>()
  const personal = new Map<string, PiiAction>()
  const explanations: Explanation[] = []
  let results: FilterResults | undefined = direction.clean
  let isFiltered = false
  let hasError = false

  function explain(explanation: Omit<Explanation, 'source' | 'policy'>): void {
    if (explanations.length >= maxExplanations) return
    explanations.push({ source: direction.source, policy: direction.plan.policy, ...explanation })
  }

  function noteList(category: 'custom_blocklists' | 'custom_topics', id: string, filtered: boolean): void {
    const ids = lists.get(category) ?? new Map<string, boolean>()
    ids.set(id, filtered || ids.get(id) === true)
    lists.set(category, ids)
    const all = [...ids].map(
      ([name, wasFiltered]): Json => ({
        id: name,
        ...(category === 'custom_topics' && { detected: true }),
        filtered: wasFiltered,
      }),
    )
    changed[category] = { details: all, filtered: [...ids.values()].includes(true) }
    results = undefined
    isFiltered ||= filtered
  }

  return {
    note(finding, { at, offset, engine }) {
      const { category, severity, span } = finding
      const rule = direction.ruleOf.get(category)
      if (!rule) return false
      const { kind } = filterCategories[category]
      const isThere = kind === 'severity' ? levelOf(severity) !== 'safe' : severity > 0
      if (!isThere) return false
      const isBad = kind === 'severity' ? severity >= rule.leastSeverity : true
      const topic = kind === 'list' ? direction.topics.find(({ name }) => name === finding.id) : undefined
      if (kind === 'list' && !topic) return false
      const filtered = isBad && (topic ?? rule).blocking
      explain({
        category,
        filtered,
        severity: levelOf(severity),
        threshold: rule.blocking && kind === 'severity' ? levelOf(rule.leastSeverity) : undefined,
        engine,
        rule: finding.rule,
        id: finding.id,
        score: finding.score,
        span: span && { at, start: span.start + offset, end: span.end + offset },
      })
      if (topic) {
        noteList('custom_topics', topic.name, filtered)
        return filtered
      }
      const worst = Math.max(severity, severities.get(category) ?? 0)
      severities.set(category, worst)
      const before = changed[category] as JsonObject | undefined
      const wasFiltered = before?.filtered === true || filtered
      changed[category] = {
        ...before,
        ...(kind === 'severity'
          ? { filtered: wasFiltered, severity: levelOf(worst) }
          : { detected: true, filtered: wasFiltered }),
        ...mergeDetails(before, finding.annotation),
      }
      results = undefined
      isFiltered ||= filtered
      return filtered
    },
    notePattern(list, pattern, [start, end], { at, offset, engine }) {
      noteList(list.category, list.name, list.blocking)
      explain({
        category: list.category,
        filtered: list.blocking,
        severity: 'high',
        engine,
        id: list.name,
        rule: list.itemOf(pattern),
        span: { at, start: start + offset, end: end + offset },
      })
      return list.blocking
    },
    notePii({ type, start, end }, action, { at, offset, engine }) {
      // Of two actions for one type in two places the stricter is told.
      if (personal.get(type) !== 'block') personal.set(type, action)
      changed.personally_identifiable_information = writePiiAnnotation(
        [...personal].map(([name, taken]) => ({ type: name, action: taken })),
      )
      results = undefined
      const filtered = action === 'block'
      isFiltered ||= filtered
      explain({
        category: 'personally_identifiable_information',
        filtered,
        severity: 'high',
        engine,
        id: type,
        span: { at, start: start + offset, end: end + offset },
      })
      return filtered
    },
    noteError() {
      if (hasError) return
      hasError = true
      changed.error = errorNote
      results = undefined
    },
    get isFiltered() {
      return isFiltered
    },
    get hasError() {
      return hasError
    },
    results() {
      results ??= sortKeys({ ...direction.clean, ...changed })
      return results
    },
    explanations,
  }
}

/** Lists within annotations grow; other members are those of the latest finding. */
function mergeDetails(before: JsonObject | undefined, annotation: JsonObject | undefined): JsonObject | undefined {
  if (!annotation) return undefined
  const { details } = annotation
  if (!Array.isArray(details) || !Array.isArray(before?.details)) return annotation
  return { ...annotation, details: [...before.details, ...details] }
}
