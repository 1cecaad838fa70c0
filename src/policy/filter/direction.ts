import { type FilterCategory, type FilterSource, filterCategories } from '../../core/filter/categories.ts'
import type { FilterResults } from '../../core/filter/results.ts'
import type { JsonObject } from '../../core/json.ts'
import { writeEngines } from './engine-header.ts'
import { compileTerms } from './match/terms.ts'
import type { TextMatcher } from './match/text-matcher.ts'
import type { DirectionPlan, FilterPlan, FilterRule } from './plan.ts'

/** A list of patterns and what a match of one means. */
export type PatternRule = {
  readonly category: 'custom_blocklists' | 'custom_topics'
  readonly name: string
  readonly blocking: boolean
  readonly matcher: TextMatcher
  itemOf(pattern: number): string
}

/** One side of a policy, with what can be worked out once for all calls. */
export type Direction = {
  readonly plan: FilterPlan
  readonly source: FilterSource
  readonly isEmpty: boolean
  readonly ruleOf: ReadonlyMap<FilterCategory, FilterRule>
  /** Annotations of a text in which nothing was found: the same object for all of them. */
  readonly clean: FilterResults
  readonly patterns: readonly PatternRule[]
  readonly pii: DirectionPlan['pii']
  /** Whether any type of personal data is made unreadable. */
  readonly redacts: boolean
  readonly topics: DirectionPlan['topics']
  /** What the builtin detector is asked for at once. */
  readonly detected: ReadonlySet<FilterCategory>
  /** What overlap with other texts shows, a sentence at a time. */
  readonly compared: ReadonlySet<FilterCategory>
  /** Rules that engines over the network judge. */
  readonly remote: readonly FilterRule[]
  /** Whether the builtin judges anything, and what by rules of its own. */
  readonly usesBuiltin: boolean
  readonly inline: readonly FilterCategory[]
}

/** Those that the detector finds by words; other categories are none of its own. */
const worded: ReadonlySet<FilterCategory> = new Set<FilterCategory>([
  'hate',
  'sexual',
  'violence',
  'self_harm',
  'jailbreak',
  'indirect_attack',
  'profanity',
])
const compared: ReadonlySet<FilterCategory> = new Set<FilterCategory>([
  'protected_material_text',
  'protected_material_code',
  'ungrounded_material',
])

const known = new WeakMap<DirectionPlan, Direction>()

/** The prompt's or the answer's side of a policy. */
export function directionOf(plan: FilterPlan, source: FilterSource): Direction {
  const own = source === 'Prompt' ? plan.prompt : plan.completion
  const before = known.get(own)
  if (before) return before
  const direction = compileDirection(plan, own, source)
  known.set(own, direction)
  return direction
}

function compileDirection(plan: FilterPlan, own: DirectionPlan, source: FilterSource): Direction {
  const inline = own.rules.filter(isInline)
  const pick = (among: ReadonlySet<FilterCategory>) =>
    new Set(inline.map(({ category }) => category).filter((category) => among.has(category)))
  const remote = own.rules.filter(({ engines }) => engines.length > 0)
  return {
    plan,
    source,
    isEmpty: own.isEmpty,
    ruleOf: new Map(own.rules.map((rule) => [rule.category, rule])),
    clean: writeClean(own),
    patterns: [
      ...own.blocklists.map((list) => ({ ...list, category: 'custom_blocklists' as const })),
      ...topicPatterns(own),
    ],
    pii: own.pii,
    redacts: own.pii !== undefined && [...own.pii.actions.values()].includes('redact'),
    topics: own.topics,
    detected: pick(worded),
    compared: pick(compared),
    remote,
    usesBuiltin: inline.length > 0 || own.blocklists.length > 0 || own.pii !== undefined,
    inline: inline.map(({ category }) => category),
  }
}

const headers = new WeakMap<FilterPlan, string>()

/** What judges both sides of a policy, for the answers to its calls: worked out once. */
export function engineHeaderOf(plan: FilterPlan): string {
  let header = headers.get(plan)
  if (header === undefined) {
    const sides = [directionOf(plan, 'Prompt'), directionOf(plan, 'Completion')]
    const { label } = plan.detector
    const usesBuiltin = sides.some((side) => side.usesBuiltin)
    header = writeEngines(
      usesBuiltin ? { label, categories: sides.flatMap((side) => side.inline) } : undefined,
      sides.flatMap(({ remote }) => remote.flatMap(({ engines }) => engines.map((engine) => engine.label))),
    )
    headers.set(plan, header)
  }
  return header
}

/** Whether the builtin's findings count by themselves, as soon as they are there. */
function isInline(rule: FilterRule): boolean {
  return rule.usesBuiltin && (rule.engines.length === 0 || rule.combine === 'max')
}

/** The builtin knows of a topic what its examples say, word for word. */
function topicPatterns(own: DirectionPlan): PatternRule[] {
  const rule = own.rules.find(({ category }) => category === 'custom_topics')
  if (rule && !rule.usesBuiltin) return []
  return own.topics
    .filter(({ examples }) => examples.length > 0)
    .map(({ name, examples, blocking }) => ({
      category: 'custom_topics',
      name,
      blocking,
      matcher: compileTerms(examples.map((text) => ({ text }))),
      itemOf: (pattern) => examples[pattern] ?? name,
    }))
}

function writeClean(own: DirectionPlan): FilterResults {
  const results: JsonObject = {}
  for (const { category } of own.rules) {
    const { kind } = filterCategories[category]
    if (kind === 'severity') results[category] = { filtered: false, severity: 'safe' }
    else if (kind === 'binary') results[category] = { detected: false, filtered: false }
  }
  if (own.blocklists.length > 0) results.custom_blocklists = { details: [], filtered: false }
  if (own.topics.length > 0) results.custom_topics = { details: [], filtered: false }
  if (own.pii) results.personally_identifiable_information = { detected: false, filtered: false, sub_categories: [] }
  return sortKeys(results)
}

/** As the service writes them. */
export function sortKeys(results: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(results).sort(([a], [b]) => (a < b ? -1 : 1)))
}
