import { z } from 'zod'
import { filterCategories } from '../../core/filter/categories.ts'
import { isJsonObject } from '../../core/json.ts'
import { type DocumentProblem, parseDocument } from '../../core/text/parse-document.ts'
import { readBlocklist } from '../filter/blocklist-spec.ts'
import type { Declared } from '../filter/collection.ts'
import { categoriesOf, readEngine } from '../filter/engine-spec.ts'
import type { DeclaredFilters } from '../filter/filters-state.ts'
import { systemPolicyNames } from '../filter/policy-spec.ts'
import { type PolicyRefs, readPolicy } from '../filter/read-policy.ts'
import { readTopic } from '../filter/topic-spec.ts'

const section = z.array(z.unknown()).max(1_000).optional()

/** The sections of the file that say which content filters there are. */
export const filterSections = {
  filterEngines: section,
  raiPolicies: section,
  raiBlocklists: section,
  raiTopics: section,
} as const

export type FilterSection = keyof typeof filterSections

/** What is not in the file, but may be named in it. */
export type StoredNames = {
  readonly deployments: readonly string[]
  readonly policies: readonly string[]
  readonly refs: PolicyRefs
}

export type FilterSectionOptions = {
  /** The value of an environment variable. */
  readSecret(name: string): string | undefined
  /** The text of a file that the configuration file names. Throws an Error that says why there is none. */
  readonly readTextFile?: ((path: string) => string) | undefined
  readonly listStored?: (() => StoredNames) | undefined
}

export type FilterReading = {
  readonly filters: DeclaredFilters
  readonly problems: readonly DocumentProblem[]
  /** The policies that deployments may name. */
  readonly policyNames: readonly string[]
}

const credentialRule =
  '{env: PONTO_SECRET_NAME}, with the secret in that variable: a secret does not belong in this file. ' +
  'Or make the engine with "PUT /management/filter-engines/NAME", which stores its credential encrypted'

const none: StoredNames = { deployments: [], policies: [], refs: { blocklists: [], topics: [], engines: [] } }

/**
 * Judges the sections. What one of them names may be in another, in the tables, or come with Ponto. `lineOf` tells where an entry begins.
 * That the file is an object is for others to judge.
 */
export function readFilterSections(
  value: unknown,
  file: string,
  options: FilterSectionOptions,
  lineOf: (section: FilterSection, index: number) => number,
): FilterReading {
  const document = isJsonObject(value) ? value : {}
  const stored = options.listStored?.() ?? none
  const parsed = parseDocument(z.object(filterSections), document)
  const problems: DocumentProblem[] = 'problems' in parsed ? [...parsed.problems] : []
  const sections = 'data' in parsed ? parsed.data : {}

  function readAll<T extends { readonly name: string }>(
    name: FilterSection,
    read: (input: unknown) => { readonly spec: T } | { readonly problems: readonly DocumentProblem[] },
  ): Declared<T>[] {
    const first = new Map<string, number>()
    return (sections[name] ?? []).flatMap((input, index): Declared<T>[] => {
      const reading = read(input)
      if ('problems' in reading) {
        problems.push(...reading.problems.map((problem) => ({ ...problem, path: [name, index, ...problem.path] })))
        return []
      }
      const { spec } = reading
      const earlier = first.get(spec.name.toLowerCase())
      if (earlier !== undefined) {
        const text =
          `"${spec.name}" in line ${lineOf(name, index)} is declared before, in line ${lineOf(name, earlier)} ` +
          '(names match without regard to case)'
        problems.push({ path: [name, index, 'name'], text })
        return []
      }
      first.set(spec.name.toLowerCase(), index)
      return [{ spec, file, line: lineOf(name, index) }]
    })
  }

  const engines = readAll('filterEngines', (input) => {
    const secret = findSecret(input)
    if (secret) return { problems: [secret] }
    const deployments = [...namesIn(document.deployments), ...stored.deployments]
    return readEngine(input, { readSecret: options.readSecret, credentialRule, deployments })
  })
  const blocklists = readAll('raiBlocklists', (input) => readBlocklist(input))
  const topics = readAll('raiTopics', readTopic)
  const refs: PolicyRefs = {
    blocklists: [...namesIn(sections.raiBlocklists), ...stored.refs.blocklists],
    topics: [
      ...topics.map(({ spec }) => ({ name: spec.name, hasExamples: spec.examples.length > 0 })),
      // Those that are wrong are told of themselves, and not once more by every policy that names them.
      ...namesIn(sections.raiTopics).map((name) => ({ name, hasExamples: true })),
      ...stored.refs.topics,
    ],
    engines: [
      ...engines.map(({ spec }) => ({ name: spec.name, categories: categoriesOf(spec) })),
      ...namesIn(sections.filterEngines).map((name) => ({ name, categories: everyCategory })),
      ...stored.refs.engines,
    ],
  }
  const policies = readAll('raiPolicies', (input) => {
    const loaded = loadTexts(input, options.readTextFile)
    return 'problems' in loaded ? loaded : readPolicy(loaded.input, unique(refs))
  })
  return {
    filters: { policies, blocklists, engines, topics },
    problems,
    policyNames: [...new Set([...systemPolicyNames, ...namesIn(sections.raiPolicies), ...stored.policies])],
  }
}

const everyCategory = new Set(Object.keys(filterCategories) as (keyof typeof filterCategories)[])

/** The file's own come first and win. */
function unique({ blocklists, topics, engines }: PolicyRefs): PolicyRefs {
  const firsts = <T>(items: readonly T[], nameOf: (item: T) => string): T[] => {
    const seen = new Map<string, T>()
    for (const item of items) if (!seen.has(nameOf(item).toLowerCase())) seen.set(nameOf(item).toLowerCase(), item)
    return [...seen.values()]
  }
  return {
    blocklists: firsts(blocklists, (name) => name),
    topics: firsts(topics, ({ name }) => name),
    engines: firsts(engines, ({ name }) => name),
  }
}

/** Names as they are written, whatever else is wrong with what has them. */
function namesIn(list: unknown): string[] {
  if (!Array.isArray(list)) return []
  return list.flatMap((item: unknown) => (isJsonObject(item) && typeof item.name === 'string' ? item.name : []))
}

function findSecret(input: unknown): DocumentProblem | undefined {
  const credential: unknown = isJsonObject(input) ? input.credential : undefined
  const isSecret = isJsonObject(credential) && ('value' in credential || 'sealed' in credential)
  return isSecret ? { path: ['credential'], text: `got a secret, expected ${credentialRule}` } : undefined
}

/** Puts the texts of files in the place of their names: `protectedTexts: [{name: terms, file: terms.txt}]`. */
function loadTexts(
  input: unknown,
  readTextFile: FilterSectionOptions['readTextFile'],
): { readonly input: unknown } | { readonly problems: readonly DocumentProblem[] } {
  if (!isJsonObject(input) || !readTextFile) return { input }
  const problems: DocumentProblem[] = []
  const loaded: Record<string, unknown> = { ...input }
  for (const field of ['protectedTexts', 'protectedCode']) {
    const texts: unknown = input[field]
    if (!Array.isArray(texts)) continue
    loaded[field] = texts.map((entry: unknown, index): unknown => {
      if (!isJsonObject(entry) || typeof entry.file !== 'string' || 'text' in entry) return entry
      const { file, ...rest } = entry
      try {
        return { ...rest, text: readTextFile(file as string) }
      } catch (error) {
        const text = `cannot be used: ${error instanceof Error ? error.message : String(error)}`
        problems.push({ path: [field, index, 'file'], text })
        return entry
      }
    })
  }
  return problems.length > 0 ? { problems } : { input: loaded }
}
