import { toFault } from '../../../core/fault.ts'
import { type FilterCategory, type FilterSource, filterCategories } from '../../../core/filter/categories.ts'
import type { FilterEngine, Finding, Segment, Topic, Verdict } from '../../../core/filter/engine.ts'
import type { FilterRule } from '../plan.ts'
import type { Breaker } from './breaker.ts'
import { placeFinding, splitSegments } from './split.ts'
import { type VerdictCache, verdictKey } from './verdict-cache.ts'

/** A finding and what made it. */
export type Found = { readonly finding: Finding; readonly engine: string }

export type RemoteVerdict = {
  readonly found: readonly Found[]
  /** Rules about which no engine could say anything. */
  readonly failed: readonly FilterRule[]
}

export type RemoteQuestion = {
  readonly rules: readonly FilterRule[]
  /** Of the policy: verdicts are not kept across a change of it or of its engines. */
  readonly version: string
  readonly segments: readonly Segment[]
  readonly source: FilterSource
  readonly topics: readonly Topic[]
  /** Which of an engine's two deadlines holds. */
  readonly pace: 'prompt' | 'window'
  readonly signal: AbortSignal
  /** What the builtin finds in the same texts: counts where a rule asks it too, or where nobody else can answer. */
  readonly builtin: { readonly label: string; find(categories: ReadonlySet<FilterCategory>): readonly Finding[] }
}

export type RemoteParts = {
  readonly breaker: Breaker
  readonly cache: VerdictCache
  /** Told of every failure of an engine, for the log. */
  onFailure(engine: FilterEngine, reason: string): void
}

/** Asks all engines that the rules name, at once, each once, and makes one verdict of what they say. Never rejects. */
export async function judgeRemotely(question: RemoteQuestion, parts: RemoteParts): Promise<RemoteVerdict> {
  const { rules } = question
  const engines = [...new Set(rules.flatMap((rule) => rule.engines))]
  const answers = new Map<FilterEngine, Verdict | undefined>(
    await Promise.all(
      engines.map(async (engine) => {
        const categories = new Set(rules.filter((rule) => rule.engines.includes(engine)).map((rule) => rule.category))
        return [engine, await askSafely(engine, categories, question, parts)] as const
      }),
    ),
  )
  const found: Found[] = []
  const failed: FilterRule[] = []
  for (const rule of rules) {
    const said = rule.engines.flatMap((engine) => {
      const verdict = answers.get(engine)
      const findings = ofCategory(verdict?.findings ?? [], rule.category)
      const hasJudged = verdict && (!verdict.isPartial || findings.length > 0)
      return hasJudged ? [{ engine: engine.label, findings }] : []
    })
    const isSilent = said.length === 0
    if (isSilent) failed.push(rule)
    // With `max` the builtin's findings are noted anyway, where the rule asks it.
    const asksBuiltin = isSilent || (rule.usesBuiltin && rule.combine !== 'max')
    if (asksBuiltin) {
      const findings = question.builtin.find(new Set([rule.category]))
      said.push({ engine: question.builtin.label, findings })
    }
    found.push(...combine(rule, said))
  }
  return { found, failed }
}

type Said = { readonly engine: string; readonly findings: readonly Finding[] }

function combine(rule: FilterRule, said: readonly Said[]): Found[] {
  const all = said.flatMap(({ engine, findings }) => findings.map((finding) => ({ finding, engine })))
  if (rule.combine === 'max' || filterCategories[rule.category].kind === 'list') return all
  if (rule.combine === 'first') return all.filter(({ engine }) => engine === said[0]?.engine)
  // What more than half of them say at least.
  const severities = said.map(({ findings }) => worst(findings)).sort((a, b) => b - a)
  const agreed = severities[Math.floor(severities.length / 2)] ?? 0
  if (agreed === 0) return []
  const best = all.toSorted((a, b) => b.finding.severity - a.finding.severity)[0]
  return best ? [{ ...best, finding: { ...best.finding, severity: Math.min(agreed, best.finding.severity) } }] : []
}

const worst = (findings: readonly Finding[]): number =>
  findings.reduce((most, { severity }) => Math.max(most, severity), 0)

const ofCategory = (findings: readonly Finding[], category: FilterCategory): readonly Finding[] =>
  findings.filter((finding) => finding.category === category)

/** undefined where the engine could not judge, or is being left alone. */
async function askSafely(
  engine: FilterEngine,
  categories: ReadonlySet<FilterCategory>,
  question: RemoteQuestion,
  { breaker, cache, onFailure }: RemoteParts,
): Promise<Verdict | undefined> {
  if (!breaker.isClosed(engine)) return undefined
  const ms = engine.deadlineMs[question.pace]
  let isLate = false
  try {
    const portions = splitSegments(question.segments, engine.maxChars, question.source)
    const verdicts = await mapFew(portions, mostAtOnce, question.signal, async (portion, among) => {
      const deadline = AbortSignal.timeout(ms)
      const signal = AbortSignal.any([among, deadline])
      const asked = { categories, source: question.source, topics: question.topics, signal }
      try {
        const verdict = await judgeOnce(engine, question.version, portion.segments, asked, cache)
        return { ...verdict, findings: verdict.findings.map((finding) => placeFinding(finding, portion)) }
      } finally {
        isLate ||= deadline.aborted
      }
    })
    const isPartial = verdicts.some((verdict) => verdict.isPartial)
    if (isPartial) {
      breaker.noteFailure(engine)
      onFailure(engine, 'a part of the question was not answered')
    } else breaker.noteSuccess(engine)
    return { findings: verdicts.flatMap(({ findings }) => findings), isPartial }
  } catch (error) {
    // A caller that has gone says nothing about the engine.
    if (question.signal.aborted) return undefined
    breaker.noteFailure(engine)
    onFailure(engine, isLate ? `no verdict within ${ms} ms` : toFault(error).message)
    return undefined
  }
}

/** Portions of a long text that an engine judges at the same time: a caller must not drown it for all others. */
const mostAtOnce = 8

/** Works on as many at a time, each with the signal that ends them all; the first failure does. */
async function mapFew<T, R>(
  values: readonly T[],
  most: number,
  outer: AbortSignal,
  work: (value: T, signal: AbortSignal) => Promise<R>,
): Promise<readonly R[]> {
  const stop = new AbortController()
  const signal = AbortSignal.any([outer, stop.signal])
  const results: R[] = []
  let next = 0
  const workOn = async (): Promise<void> => {
    for (let place = next++; place < values.length; place = next++) {
      signal.throwIfAborted()
      results[place] = await work(values[place] as T, signal)
    }
  }
  try {
    await Promise.all(Array.from({ length: Math.min(most, values.length) }, workOn))
    return results
  } catch (error) {
    stop.abort()
    throw error
  }
}

type Asked = Parameters<FilterEngine['judge']>[1]

async function judgeOnce(
  engine: FilterEngine,
  version: string,
  segments: readonly Segment[],
  asked: Asked,
  cache: VerdictCache,
): Promise<Verdict> {
  const about = [version, engine.name, asked.source, [...asked.categories].sort().join()]
  const key = verdictKey(about, segments)
  const known = cache.get(key)
  if (known) return known
  const verdict = await raceSignal(engine.judge(segments, asked), asked.signal)
  if (!verdict.isPartial) cache.put(key, verdict)
  return verdict
}

/** An engine that overlooks its signal is not waited for. */
function raceSignal<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const stop = () => reject(signal.reason)
    if (signal.aborted) return stop()
    signal.addEventListener('abort', stop, { once: true })
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', stop))
  })
}
