import { createHash } from 'node:crypto'
import type { EngineSpec } from '../../backend/guards/kinds.ts'
import { Fault, toFault } from '../../core/fault.ts'
import type { FilterSource } from '../../core/filter/categories.ts'
import type { FilterEngine } from '../../core/filter/engine.ts'
import type { JsonObject } from '../../core/json.ts'
import type { Detector } from '../../policy/filter/builtin/detector.ts'
import type {
  BlocklistRule,
  DirectionPlan,
  FilterPlan,
  FilterRule,
  PiiRule,
  ProtectedIndex,
} from '../../policy/filter/plan.ts'
import type { BlocklistSpec } from './blocklist-spec.ts'
import { keyOf } from './collection.ts'
import { categoriesOf, type EngineDocument, resolveEngine } from './engine-spec.ts'
import type { Filters } from './filters.ts'
import type { FiltersState } from './filters-state.ts'
import { type CompiledList, compileList } from './list-matcher.ts'
import { compilePii } from './pii.ts'
import type { PolicySpec } from './policy-spec.ts'
import { builtinName } from './read-policy.ts'
import { type ResolvedFilter, resolveFilters } from './resolve-policy.ts'

/** An engine that is in use, and how to close its connections. */
export type OpenEngine = { readonly engine: FilterEngine; close(): void }

/** A text that answers shall not repeat. `annotation`: what is told besides where it is repeated. */
export type ProtectedText = {
  readonly name: string
  readonly text: string
  readonly annotation?: JsonObject | undefined
}

export type PlanCompilerParts = {
  /** What tells plans apart whose policies are the same but whose engines ask other deployments: the resource. */
  readonly scope?: string | undefined
  readonly detector: Detector
  /** Throws a Fault for a description that cannot work. */
  openEngine(spec: EngineSpec): OpenEngine
  /** The secret that an engine is called with, if it has one. Throws a Fault when it cannot be had. */
  readCredential(engine: EngineDocument): string | undefined
  indexProtected(texts: readonly ProtectedText[]): ProtectedIndex
}

export type PlanCompiler = {
  /** `named`: the policies that deployments have. */
  compile(
    state: Pick<FiltersState, 'policies' | 'blocklists' | 'engines' | 'topics'>,
    named: readonly string[],
  ): Filters
  /** Policies that could not be compiled at the last time, and why: calls under them are refused. */
  listWarnings(): readonly string[]
  close(): void
}

type State = Parameters<PlanCompiler['compile']>[0]

/** Things by what they are made of. What nothing asked for since the last `turn` is given up. */
type Cache<T> = { get(key: string, make: () => T): T; turn(): void }

function createCache<T>(drop: (value: T) => void = () => {}): Cache<T> {
  let kept = new Map<string, T>()
  let asked = new Map<string, T>()
  return {
    get(key, make) {
      const value = asked.get(key) ?? kept.get(key) ?? make()
      asked.set(key, value)
      return value
    },
    turn() {
      for (const [key, value] of kept) if (!asked.has(key)) drop(value)
      kept = asked
      asked = new Map()
    },
  }
}

/**
 * Turns policies into plans. What has not changed since the last time is taken over, so that a change elsewhere compiles no list anew, and
 * verdicts and connections outlive it.
 */
export function createPlanCompiler(parts: PlanCompilerParts): PlanCompiler {
  const plans = createCache<FilterPlan>()
  const lists = createCache<CompiledList>()
  const engines = createCache<OpenEngine & { readonly identity: string }>(({ close }) => close())
  const indexes = createCache<ProtectedIndex>()
  const piiRules = createCache<PiiRule>()
  /** Digests of long things, made once for each that there is. */
  const digests = new WeakMap<object, string>()
  let warnings: readonly string[] = []

  function digestOf(value: readonly unknown[]): string {
    const known = digests.get(value)
    if (known) return known
    const digest = hash(value)
    digests.set(value, digest)
    return digest
  }

  function openEngine(document: EngineDocument): OpenEngine & { readonly identity: string } {
    let credential: string | undefined
    try {
      credential = parts.readCredential(document)
    } catch (error) {
      return unusableEngine(document, error)
    }
    const identity = hash([document, credential])
    return engines.get(identity, () => {
      try {
        return { ...parts.openEngine(resolveEngine(document, credential)), identity }
      } catch (error) {
        return unusableEngine(document, error)
      }
    })
  }

  function index(texts: PolicySpec['protectedCode']): ProtectedIndex | undefined {
    if (texts.length === 0) return undefined
    return indexes.get(digestOf(texts), () =>
      parts.indexProtected(
        texts.map(({ name, text, url, license }) => {
          const citation = { ...(url !== undefined && { URL: url }), ...(license !== undefined && { license }) }
          return { name, text, ...(Object.keys(citation).length > 0 && { annotation: { citation } }) }
        }),
      ),
    )
  }

  function compileSide(policy: PolicySpec, source: FilterSource, filters: readonly ResolvedFilter[], state: State) {
    const own = filters.filter((filter) => filter.source === source)
    const opened = new Map<string, string>()
    const rules = own.map(({ category, blocking, leastSeverity, engines: names, combine, onError }): FilterRule => {
      const remote = names
        .filter((name) => keyOf(name) !== builtinName)
        .map((name) => {
          const { engine, identity } = openEngine(need(state.engines, name, 'filter engine'))
          opened.set(keyOf(name), identity)
          return engine
        })
      return {
        category,
        leastSeverity,
        blocking,
        usesBuiltin: names.length > remote.length,
        engines: remote,
        combine,
        onError,
      }
    })
    const blocklists = policy.customBlocklists
      .filter((list) => list.source === source)
      .map(({ blocklistName, blocking }): BlocklistRule & { readonly digest: string } => {
        const { name, items } = need<BlocklistSpec>(state.blocklists, blocklistName, 'blocklist')
        const digest = digestOf(items)
        return { name, blocking, digest, ...lists.get(digest, () => compileList(items)) }
      })
    const topics = policy.customTopics
      .filter((topic) => topic.source === source)
      .map(({ topicName, blocking }) => ({ ...need(state.topics, topicName, 'topic'), blocking }))
    const pii = own.find(({ category }) => category === 'personally_identifiable_information')
    const usesBuiltinPii = pii?.engines.some((name) => keyOf(name) === builtinName) ?? false
    const side: DirectionPlan = {
      rules,
      blocklists: blocklists.map(({ digest, ...rule }) => rule),
      topics,
      pii:
        pii && usesBuiltinPii
          ? piiRules.get(hash([pii.piiTypes, pii.blocking, pii.restoresRedacted]), () => compilePii(pii))
          : undefined,
      isEmpty: rules.length + blocklists.length + topics.length === 0,
    }
    const identity = [
      own,
      [...opened],
      blocklists.map(({ name, blocking, digest }) => [name, blocking, digest]),
      topics,
    ]
    return { side, identity }
  }

  function compilePolicy(policy: PolicySpec, state: State): FilterPlan {
    const filters = resolveFilters(policy)
    const prompt = compileSide(policy, 'Prompt', filters, state)
    const completion = compileSide(policy, 'Completion', filters, state)
    const { protectedTexts, protectedCode, description, ...document } = policy
    const protectedDigests = [digestOf(protectedTexts), digestOf(protectedCode)]
    const version = hash([
      document,
      prompt.identity,
      completion.identity,
      protectedDigests,
      parts.detector.label,
      parts.scope,
    ])
    const texts = index(protectedTexts)
    const code = index(protectedCode)
    return plans.get(version, () => ({
      policy: policy.name,
      version,
      mode: policy.mode === 'Asynchronous_filter' || policy.mode === 'Deferred' ? 'asynchronous' : 'blocking',
      detector: parts.detector,
      prompt: prompt.side,
      completion: completion.side,
      scope: policy.scope,
      promptCheck: policy.promptCheck,
      spotlighting: policy.spotlighting,
      strictAzureChunks: policy.strictAzureChunks,
      isSelectable: policy.selectable,
      protectedTexts: texts,
      protectedCode: code,
    }))
  }

  function turnAll(): void {
    for (const cache of [plans, lists, engines, indexes, piiRules]) cache.turn()
  }

  return {
    compile(state, named) {
      const compiled = new Map<string, FilterPlan>()
      const broken = new Map<string, string>()
      for (const name of named) {
        if (state.policies.get(name)) continue
        broken.set(
          keyOf(name),
          `There is no content filter policy "${name}", which deployments have; calls to them are refused.`,
        )
      }
      for (const { spec } of state.policies.list()) {
        try {
          compiled.set(keyOf(spec.name), compilePolicy(spec, state))
        } catch (error) {
          const { message } = toFault(error)
          const text = `The content filter policy "${spec.name}" cannot be used, and calls under it are refused: ${message}`
          broken.set(keyOf(spec.name), text)
        }
      }
      warnings = [...broken.values()]
      turnAll()
      return {
        find(name) {
          const plan = compiled.get(keyOf(name))
          // A call that was to be filtered must not go through because its filter is broken.
          if (!plan && broken.has(keyOf(name))) {
            throw new Fault('filter-unavailable', `The content filter policy "${name}" cannot be used at the moment.`)
          }
          return plan
        },
      }
    },
    listWarnings: () => warnings,
    close() {
      turnAll()
      turnAll()
    },
  }
}

/** What a stored policy names may have been in a file that no longer declares it. */
function need<T>(collection: { get(name: string): { readonly spec: T } | undefined }, name: string, noun: string): T {
  const found = collection.get(name)
  if (found) return found.spec
  throw new Fault('invalid-request', `It names the ${noun} "${name}", which there is no longer.`)
}

/** It stays in its policies and says what is wrong when it is asked; what then happens they say. */
function unusableEngine(document: EngineDocument, error: unknown): OpenEngine & { readonly identity: string } {
  const fault =
    error instanceof Fault ? error : new Fault('upstream-misconfigured', 'The engine cannot be used as configured.')
  return {
    identity: hash([document, fault.message]),
    engine: {
      name: document.name,
      label: document.profile === undefined ? document.kind : `${document.kind}/${document.profile}`,
      categories: categoriesOf(document),
      maxChars: document.maxChars ?? 10_000,
      deadlineMs: document.deadlineMs ?? { prompt: 1, window: 1 },
      judge: () => Promise.reject(fault),
    },
    close: () => {},
  }
}

function hash(value: unknown): string {
  return createHash('sha256').update(JSON.stringify(value)).digest('base64url').slice(0, 22)
}
