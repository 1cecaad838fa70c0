import {
  type FilterCategory,
  type FilterSource,
  filterCategories,
  leastSeverity,
  type SeverityLevel,
} from '../../core/filter/categories.ts'
import type { Combine, PiiAction } from '../../policy/filter/plan.ts'
import { type ContentFilter, categoryOfTitle, type PolicySpec } from './policy-spec.ts'
import { builtinName } from './read-policy.ts'
import { systemPolicies } from './system-policies.ts'

/** A filter that is on, with everything its base policy and the defaults give it. */
export type ResolvedFilter = {
  readonly category: FilterCategory
  readonly source: FilterSource
  readonly blocking: boolean
  /** 0 to 7. */
  readonly leastSeverity: number
  readonly engines: readonly string[]
  readonly combine: Combine
  readonly onError: 'open' | 'closed'
  /** undefined: all types, by `blocking`. */
  readonly piiTypes: readonly { readonly type: string; readonly action: PiiAction }[] | undefined
  readonly restoresRedacted: boolean
}

/** The filters of a policy: its own over those of its base. On a side with topics their filter is on, since they are what it looks for. */
export function resolveFilters(policy: PolicySpec): readonly ResolvedFilter[] {
  const filters = new Map<string, ContentFilter>()
  for (const { contentFilters } of [systemPolicies[policy.basePolicyName], policy]) {
    for (const filter of contentFilters) {
      const key = `${filter.name}/${filter.source}`
      filters.set(key, { ...filters.get(key), ...withoutGaps(filter) })
    }
  }
  const topicsTitle = filterCategories.custom_topics.title
  for (const { source } of policy.customTopics) {
    const key = `${topicsTitle}/${source}`
    filters.set(key, { name: topicsTitle, source, ...filters.get(key), enabled: true })
  }
  return [...filters.values()].flatMap((filter) => {
    const category = categoryOfTitle(filter.name)
    if (!category || !filter.enabled) return []
    if (category === 'custom_topics' && !policy.customTopics.some(({ source }) => source === filter.source)) return []
    return [resolveFilter(category, filter)]
  })
}

function resolveFilter(category: FilterCategory, filter: ContentFilter): ResolvedFilter {
  const threshold = (filter.severityThreshold ?? 'Medium').toLowerCase() as Exclude<SeverityLevel, 'safe'>
  return {
    category,
    source: filter.source,
    blocking: filter.blocking ?? true,
    leastSeverity: filterCategories[category].kind === 'severity' ? leastSeverity(threshold) : 1,
    engines: filter.engines ?? [builtinName],
    combine: filter.combine ?? 'max',
    onError: filter.onError ?? 'open',
    piiTypes: filter.piiTypes,
    restoresRedacted: filter.restoresRedacted ?? false,
  }
}

/** A field that is there without a value must not hide that of the base. */
function withoutGaps(filter: ContentFilter): ContentFilter {
  return Object.fromEntries(Object.entries(filter).filter(([, value]) => value !== undefined)) as ContentFilter
}
