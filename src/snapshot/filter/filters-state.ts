import type { z } from 'zod'
import type { JsonObject } from '../../core/json.ts'
import { type DocumentProblem, formatProblem, parseDocument } from '../../core/text/parse-document.ts'
import type { FilterKind, FilterRow, FiltersTable, ItemChange } from '../../port/tables/filters/port.ts'
import { guardCredentials } from '../deployment-spec.ts'
import type { Queue } from '../queue.ts'
import { type BlocklistItem, type BlocklistSpec, blocklistSchema, isSameItem } from './blocklist-spec.ts'
import { type Collection, createCollection, type Declared, keyOf, type OpenCollection } from './collection.ts'
import { categoriesOf, type EngineDocument, engineSchema } from './engine-spec.ts'
import { type PolicySpec, policySchema } from './policy-spec.ts'
import type { PolicyRefs } from './read-policy.ts'
import { systemPolicies } from './system-policies.ts'
import { type TopicSpec, topicSchema } from './topic-spec.ts'

/** What the configuration file declares of content filters. */
export type DeclaredFilters = {
  readonly policies: readonly Declared<PolicySpec>[]
  readonly blocklists: readonly Declared<BlocklistSpec>[]
  readonly engines: readonly Declared<EngineDocument>[]
  readonly topics: readonly Declared<TopicSpec>[]
}

/** Which content filter policies there should be, and what they are made of. */
export type FiltersState = {
  readonly policies: Collection<PolicySpec>
  readonly blocklists: Collection<BlocklistSpec>
  /** Credentials are sealed or name a variable. */
  readonly engines: Collection<EngineDocument>
  readonly topics: Collection<TopicSpec>
  /** What a policy may name now. */
  refs(): PolicyRefs
  /** What of that is stored, and stays when the file changes. */
  storedRefs(): PolicyRefs
  /** What an operator should know: names that are both stored and in the file, stored documents that cannot be read. */
  listWarnings(): readonly string[]
  /** Calls `listener` after every change; the function returned ends that. */
  subscribe(listener: () => void): () => void
  /** Reads again what is stored, as `DesiredState.reread` does. */
  reread(): Promise<() => void>
  /** Takes over what the configuration file declares, whole. `modifiedAt` is unix milliseconds. */
  declare(filters: DeclaredFilters, modifiedAt: number): void
}

export type FiltersStateOptions = {
  readonly table: FiltersTable
  /** Unix milliseconds. */
  readonly now: () => number
  /** The one that deployments are written in too, so that none comes to name a policy while that is being deleted. */
  readonly enqueue: Queue
  /** All that there are, with the policy each has. */
  listDeployments(): readonly { readonly name: string; readonly raiPolicyName?: string | undefined }[]
  /** The policy of deployments that name none. */
  readonly defaultPolicy: string
}

/** Reads what is stored and holds its state from then on: whoever else writes that table has to be told of by `reread`. */
export async function openFiltersState(options: FiltersStateOptions): Promise<FiltersState> {
  const { table, now, enqueue } = options
  const listeners = new Set<() => void>()
  const announceChange = () => {
    for (const listener of listeners) listener()
  }

  async function open<T extends { readonly name: string }>(
    kind: FilterKind,
    noun: string,
    read: (row: FilterRow) => Promise<Reading<T>>,
    listUsers: (name: string) => readonly string[],
    fixed: readonly T[] = [],
    split: Split<T> = (spec) => ({ document: spec as unknown as JsonObject }),
  ): Promise<OpenCollection<T>> {
    const collection = createCollection<T>({
      noun,
      enqueue,
      fixed,
      listRows: () => table.list(kind),
      async readRow(row) {
        const reading = await read(row)
        return 'spec' in reading ? reading : { problem: reading.problems.map(formatProblem).join('; ') }
      },
      save(spec, before, expectedEtag) {
        const { document, items } = split(spec, before)
        return table.put(kind, spec.name, document, expectedEtag, now(), items)
      },
      drop: (name) => table.delete(kind, name),
      listUsers,
      onChange: announceChange,
    })
    const takeOver = await collection.reread()
    takeOver()
    return collection
  }

  const policies: OpenCollection<PolicySpec> = await open<PolicySpec>(
    'policy',
    'content filter policy',
    async ({ document, name }) => reread(policySchema, { ...document, name }),
    (name) => [
      ...(isSame(name, options.defaultPolicy) ? ['every deployment that names none'] : []),
      ...options
        .listDeployments()
        .filter(({ raiPolicyName }) => isSame(raiPolicyName, name))
        .map((deployment) => `the deployment "${deployment.name}"`),
    ],
    Object.values(systemPolicies),
  )
  const blocklists = await open<BlocklistSpec>(
    'blocklist',
    'blocklist',
    async ({ document, name }) => {
      const reading = reread(blocklistSchema, { ...document, name })
      return 'spec' in reading ? { spec: { ...reading.spec, items: await table.listItems(name) } } : reading
    },
    (name) => usersOf(({ customBlocklists }) => customBlocklists.some((list) => isSame(list.blocklistName, name))),
    [],
    ({ items, ...document }, before) => ({
      document: document as unknown as JsonObject,
      items: compareItems(before?.items, items),
    }),
  )
  const engines = await open<EngineDocument>(
    'engine',
    'filter engine',
    async ({ document, name }) => reread(engineSchema, { ...document, name }),
    (name) => usersOf(({ contentFilters }) => contentFilters.some((one) => one.engines?.some((e) => isSame(e, name)))),
  )
  const topics = await open<TopicSpec>(
    'topic',
    'topic',
    async ({ document, name }) => reread(topicSchema, { ...document, name }),
    (name) => usersOf(({ customTopics }) => customTopics.some((topic) => isSame(topic.topicName, name))),
  )
  const all = [policies, blocklists, engines, topics]

  function usersOf(uses: (policy: PolicySpec) => boolean): string[] {
    return policies
      .list()
      .filter(({ spec }) => uses(spec))
      .map(({ spec }) => `the content filter policy "${spec.name}"`)
  }

  function collectRefs(which: 'list' | 'listStored'): PolicyRefs {
    return {
      blocklists: blocklists[which]().map(({ spec }) => spec.name),
      topics: topics[which]().map(({ spec }) => ({ name: spec.name, hasExamples: spec.examples.length > 0 })),
      engines: engines[which]().map(({ spec }) => ({ name: spec.name, categories: categoriesOf(spec) })),
    }
  }

  return {
    policies,
    blocklists,
    engines,
    topics,
    refs: () => collectRefs('list'),
    storedRefs: () => collectRefs('listStored'),
    listWarnings: () => all.flatMap((collection) => collection.listWarnings()),
    subscribe(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    async reread() {
      const read = await Promise.all(all.map((collection) => collection.reread()))
      return () => {
        if (read.map((takeOver) => takeOver()).some(Boolean)) announceChange()
      }
    },
    declare(filters, modifiedAt) {
      policies.declare(filters.policies, modifiedAt)
      blocklists.declare(filters.blocklists, modifiedAt)
      engines.declare(filters.engines, modifiedAt)
      topics.declare(filters.topics, modifiedAt)
      announceChange()
    },
  }
}

type Reading<T> = { readonly spec: T } | { readonly problems: readonly DocumentProblem[] }
type Split<T> = (spec: T, before: T | undefined) => { readonly document: JsonObject; readonly items?: ItemChange }

/** What was judged when it was written is only read again: whether its names still stand for something is seen where it is compiled. */
function reread<S extends z.ZodType>(schema: S, input: unknown): Reading<z.output<S>> {
  const parsed = parseDocument(schema, input, guardCredentials('a credential'))
  return 'problems' in parsed ? parsed : { spec: parsed.data }
}

/** Only what differs is written: a list may have 10,000 items. */
function compareItems(before: readonly BlocklistItem[] | undefined, after: readonly BlocklistItem[]): ItemChange {
  if (before === after) return { remove: [], put: [] }
  const known = new Map((before ?? []).map((item) => [keyOf(item.name), item]))
  const put = after.filter((item) => {
    const same = known.get(keyOf(item.name))
    known.delete(keyOf(item.name))
    return !same || !isSameItem(same, item)
  })
  return { remove: [...known.values()].map(({ name }) => name), put }
}

function isSame(a: string | undefined, b: string): boolean {
  return a !== undefined && keyOf(a) === keyOf(b)
}
