import { type FilterCategory, filterCategories } from '../../core/filter/categories.ts'
import { type DocumentProblem, parseDocument } from '../../core/text/parse-document.ts'
import { piiTypes } from '../../policy/filter/pii/pii-types.ts'
import { type ContentFilter, categoryOfTitle, type PolicySpec, policySchema, spotlightingTitle } from './policy-spec.ts'

/** What a policy may name. */
export type PolicyRefs = {
  readonly blocklists: readonly string[]
  readonly topics: readonly { readonly name: string; readonly hasExamples: boolean }[]
  /** Besides the builtin one. */
  readonly engines: readonly { readonly name: string; readonly categories: ReadonlySet<FilterCategory> }[]
}

/** The embedded detector, as policies name it. */
export const builtinName = 'builtin'

/** What the builtin detector judges, some of it by words alone. */
export const builtinCategories: ReadonlySet<FilterCategory> = new Set<FilterCategory>([
  'hate',
  'sexual',
  'violence',
  'self_harm',
  'jailbreak',
  'indirect_attack',
  'profanity',
  'protected_material_text',
  'protected_material_code',
  'ungrounded_material',
  'personally_identifiable_information',
  'custom_topics',
])

export type PolicyReading = { readonly spec: PolicySpec } | { readonly problems: readonly DocumentProblem[] }

/**
 * Judges a policy as an operator wrote it: fields, names, sides and what its engines can do. Shared by the configuration file and the
 * management API, so that both refuse the same things in the same words. Names match without regard to case.
 */
export function readPolicy(input: unknown, refs: PolicyRefs): PolicyReading {
  const parsed = parseDocument(policySchema, input)
  if ('problems' in parsed) return parsed
  const { promptBlocklists = [], completionBlocklists = [], contentFilters, ...document } = parsed.data
  const problems: DocumentProblem[] = []
  if (/^microsoft\./i.test(document.name)) {
    const text = `got ${JSON.stringify(document.name)}, expected a name that does not begin with "Microsoft.": those come with Ponto`
    problems.push({ path: ['name'], text })
  }

  const filters: ContentFilter[] = []
  const places = new Map<string, number>()
  let { spotlighting } = document
  for (const [index, filter] of contentFilters.entries()) {
    const path = ['contentFilters', index]
    const found = judgeFilter(filter, path, refs)
    const place = `${filter.name}/${filter.source}`
    const earlier = places.get(place)
    if (earlier !== undefined) {
      const text = `the filter ${filter.name} for ${filter.source} is set before, in contentFilters[${earlier}]; set it once`
      found.push({ path, text })
    }
    places.set(place, index)
    problems.push(...found)
    if (filter.name === spotlightingTitle) spotlighting = filter.enabled
    else filters.push(withoutAction(filter))
  }

  const lists = [
    ...document.customBlocklists.map((list, index) => ({ ...list, path: ['customBlocklists', index] })),
    ...promptBlocklists.map((list, index) => ({
      ...list,
      source: 'Prompt' as const,
      path: ['promptBlocklists', index],
    })),
    ...completionBlocklists.map((list, index) => ({
      ...list,
      source: 'Completion' as const,
      path: ['completionBlocklists', index],
    })),
  ]
  problems.push(
    ...judgeNames(
      lists.map(({ blocklistName, source, path }) => ({
        name: blocklistName,
        source,
        path: [...path, 'blocklistName'],
      })),
      refs.blocklists,
      'blocklist',
    ),
    ...judgeNames(
      document.customTopics.map(({ topicName, source }, index) => ({
        name: topicName,
        source,
        path: ['customTopics', index, 'topicName'],
      })),
      refs.topics.map(({ name }) => name),
      'topic',
    ),
    ...judgeTopicEngines(document.customTopics, filters, refs),
  )
  if (problems.length > 0) return { problems }
  return {
    spec: {
      ...document,
      spotlighting,
      contentFilters: filters,
      customBlocklists: lists.map(({ path, ...list }) => list),
    },
  }
}

type ParsedFilter = ContentFilter & { readonly action?: 'None' | 'BLOCKING' | 'ANNOTATING' | undefined }

function withoutAction({ action, ...filter }: ParsedFilter): ContentFilter {
  if (filter.blocking !== undefined || action === undefined || action === 'None') return filter
  return { ...filter, blocking: action === 'BLOCKING' }
}

function judgeFilter(filter: ParsedFilter, path: readonly PropertyKey[], refs: PolicyRefs): DocumentProblem[] {
  const { name, source, action, blocking, engines = [], piiTypes, restoresRedacted } = filter
  const category = categoryOfTitle(name)
  const problems: DocumentProblem[] = []
  const sources: readonly string[] = category ? filterCategories[category].sources : ['Prompt']
  if (!sources.includes(source)) {
    const text = `got "${source}", expected "${sources[0]}": ${name} is a filter for that side only`
    problems.push({ path: [...path, 'source'], text })
  }
  const isBlocking = action === 'BLOCKING'
  if (blocking !== undefined && action !== undefined && action !== 'None' && blocking !== isBlocking) {
    const text = `got "${action}" beside blocking: ${blocking}, expected one of the two or both to say the same`
    problems.push({ path: [...path, 'action'], text })
  }
  const isPii = category === 'personally_identifiable_information'
  for (const field of ['piiTypes', 'restoresRedacted'] as const) {
    if (filter[field] === undefined || isPii) continue
    const text = `is for the filter ${filterCategories.personally_identifiable_information.title} only`
    problems.push({ path: [...path, field], text })
  }
  if (isPii && restoresRedacted && source !== 'Prompt') {
    problems.push({
      path: [...path, 'restoresRedacted'],
      text: 'got true, expected it with source "Prompt": only there something is redacted that can be put back',
    })
  }
  if (isPii) problems.push(...judgePiiTypes(piiTypes ?? [], [...path, 'piiTypes']))
  return [...problems, ...judgeEngines(engines, category, name, [...path, 'engines'], refs)]
}

function judgePiiTypes(types: readonly { readonly type: string }[], path: readonly PropertyKey[]): DocumentProblem[] {
  const seen = new Set<string>()
  return types.flatMap(({ type }, index): DocumentProblem[] => {
    const at = [...path, index, 'type']
    if (!Object.hasOwn(piiTypes, type)) return [{ path: at, text: describeUnknown(type, Object.keys(piiTypes)) }]
    if (seen.has(type)) return [{ path: at, text: `got ${JSON.stringify(type)} again, expected each type once` }]
    seen.add(type)
    return []
  })
}

function judgeEngines(
  engines: readonly string[],
  category: FilterCategory | undefined,
  title: string,
  path: readonly PropertyKey[],
  refs: PolicyRefs,
): DocumentProblem[] {
  const known = [{ name: builtinName, categories: builtinCategories }, ...refs.engines]
  const seen = new Set<string>()
  return engines.flatMap((name, index): DocumentProblem[] => {
    const at = [...path, index]
    const engine = known.find((other) => isSame(other.name, name))
    if (!engine)
      return [
        {
          path: at,
          text: describeUnknown(
            name,
            known.map((other) => other.name),
          ),
        },
      ]
    if (seen.has(name.toLowerCase())) {
      return [{ path: at, text: `got ${JSON.stringify(name)} again, expected each engine once` }]
    }
    seen.add(name.toLowerCase())
    if (!category || engine.categories.has(category)) return []
    const able = known.filter(({ categories }) => categories.has(category)).map((other) => other.name)
    const judged = [...engine.categories].map((other) => filterCategories[other].title).join(', ')
    const text = `the engine "${engine.name}" does not judge ${title}, but ${judged}; ${describeAble(able)}`
    return [{ path: at, text }]
  })
}

function describeAble(able: readonly string[]): string {
  return able.length > 0 ? `expected ${quoteAll(able)}` : 'none of the engines there are does'
}

/** The builtin knows of a topic only what its examples say: without any it would find nothing, and nobody would be told. */
function judgeTopicEngines(
  topics: PolicySpec['customTopics'],
  filters: readonly ContentFilter[],
  refs: PolicyRefs,
): DocumentProblem[] {
  return topics.flatMap(({ topicName, source }, index): DocumentProblem[] => {
    const topic = refs.topics.find(({ name }) => isSame(name, topicName))
    const title = filterCategories.custom_topics.title
    const filter = filters.find((other) => other.name === title && other.source === source)
    const hasOthers = filter?.engines?.some((name) => !isSame(name, builtinName)) ?? false
    if (!topic || topic.hasExamples || hasOthers) return []
    const text =
      `the topic "${topic.name}" has no examples, and the builtin engine looks for nothing else; give it some, or name another ` +
      `engine in contentFilters, under ${title} for ${source}`
    return [{ path: ['customTopics', index, 'topicName'], text }]
  })
}

/** Lists and topics: that they exist, and each once on a side. */
function judgeNames(
  named: readonly { readonly name: string; readonly source: string; readonly path: readonly PropertyKey[] }[],
  known: readonly string[],
  noun: string,
): DocumentProblem[] {
  const seen = new Set<string>()
  return named.flatMap(({ name, source, path }): DocumentProblem[] => {
    if (!known.some((other) => isSame(other, name))) {
      const text =
        known.length > 0 ? describeUnknown(name, known) : `there is no ${noun} ${JSON.stringify(name)}; make it first`
      return [{ path, text }]
    }
    const place = `${name.toLowerCase()}/${source}`
    if (seen.has(place)) return [{ path, text: `got ${JSON.stringify(name)} for ${source} again, expected it once` }]
    seen.add(place)
    return []
  })
}

/** `got "x", expected one of "a", "b"` */
export function describeUnknown(name: string, known: readonly string[]): string {
  return `got ${JSON.stringify(name)}, expected ${quoteAll(known)}`
}

function quoteAll(names: readonly string[]): string {
  const quoted = names.map((name) => JSON.stringify(name)).join(', ')
  return names.length > 1 ? `one of ${quoted}` : quoted
}

function isSame(a: string, b: string): boolean {
  return a.toLowerCase() === b.toLowerCase()
}
