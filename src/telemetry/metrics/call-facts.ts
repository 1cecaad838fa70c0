import type { Deployment } from '../../core/deployment.ts'
import type { Hold } from '../../core/exchange.ts'
import type { Attempt, RequestRecord } from '../../core/usage/request-record.ts'
import { buckets } from './buckets.ts'
import { type Histogram, observe, openHistogram } from './family.ts'

/** How some of the requests of a lane have ended. */
export type Ending = {
  readonly status: number
  /** The fault's code; empty for those that went well. */
  readonly code: string
  readonly isSpillover: boolean
  readonly tier: string
  /** Seconds from when the request came to its last byte, and to when its answer began: the first piece of a stream. */
  readonly duration: Histogram
  readonly response: Histogram
}

/** Requests that are alike in all that tells one line of a diagram from another but for how they ended. */
export type Lane = {
  /** The name of the resource; empty where none was found. */
  readonly resource: string
  readonly deployment: string
  readonly model: string
  readonly modelVersion: string
  /** The kind of call; empty where none was read. */
  readonly operation: string
  /** The protocol that was spoken. */
  readonly surface: string
  readonly isStream: boolean
  readonly isBatch: boolean
  readonly endings: Ending[]
  /** Seconds, of those that waited. */
  readonly queue: Histogram
  /** Seconds until the backend that answered had begun to. */
  readonly upstream: Histogram
  /** Seconds to the first piece of a stream, and those between two tokens of it. */
  readonly firstToken: Histogram
  readonly betweenTokens: Histogram
  /** Milliseconds to the first piece for each token of the prompt. */
  readonly firstTokenByPrompt: Histogram
  readonly tokensPerSecond: Histogram
  /** Tokens of one request. */
  readonly input: Histogram
  readonly output: Histogram
  cachedTokens: number
  reasoningTokens: number
  /** Requests whose tokens nobody counted. */
  estimated: number
}

/** What was asked of a backend for a deployment. */
export type AttemptLane = {
  readonly resource: string
  readonly deployment: string
  readonly model: string
  readonly operation: string
  readonly backend: string
  readonly code: string
  /** Seconds until the answer began, or it failed. */
  readonly begin: Histogram
  /** Seconds until the answer had gone out, or it failed. */
  readonly whole: Histogram
}

/** A count by a few words: which rule refused, what a filter found. */
export type Tally = {
  readonly resource: string
  readonly deployment: string
  readonly words: readonly string[]
  count: number
}

/** Plain numbers that every request adds to. They are read when somebody asks for them, and put into families there. */
export type CallFacts = {
  /** To be held by every request while a deployment answers it. */
  holdRunning(deployment: Deployment, resource: string): Hold
  readonly note: (record: RequestRecord) => void
  lanes(): Lane[]
  attempts(): AttemptLane[]
  /** By owner and measure of the limit. */
  limited(): Tally[]
  /** By source, category, severity and whether it was kept back. */
  findings(): Tally[]
  /** Requests that content filters judged, and those for which one could not run. */
  judged(): Tally[]
  filterErrors(): Tally[]
  running(): Tally[]
  /** Forgets deployments that there are no more. */
  keepOnly(isThere: (deployment: string, resource: string) => boolean): void
}

type OfDeployment = {
  readonly resource: string
  readonly deployment: string
  running: number
  judged: number
  readonly lanes: Lane[]
  readonly attempts: AttemptLane[]
  readonly limited: Tally[]
  readonly findings: Tally[]
  readonly filterErrors: Tally[]
}

/**
 * Names become labels only where a configuration has them, and what else tells requests apart has few values each: how many numbers
 * there are is bounded by what is configured.
 */
export function createCallFacts(): CallFacts {
  const resources = new Map<string, Map<string, OfDeployment>>()
  const holds = new WeakMap<Deployment, { readonly facts: OfDeployment; readonly hold: Hold }>()

  function open(resource: string, deployment: string): OfDeployment {
    const ofResource = resources.get(resource)
    const known = ofResource?.get(deployment)
    if (known) return known
    const facts = {
      resource,
      deployment,
      running: 0,
      judged: 0,
      lanes: [],
      attempts: [],
      limited: [],
      findings: [],
      filterErrors: [],
    }
    if (ofResource) ofResource.set(deployment, facts)
    else resources.set(resource, new Map([[deployment, facts]]))
    return facts
  }

  function note(record: RequestRecord): void {
    const { resource } = record
    const facts = open(resource, record.deployment)
    noteLane(findLane(facts.lanes, record), record)
    const { attempts, limits, findings } = record
    for (let i = 0; i < attempts.length; i++) noteAttempt(facts.attempts, attempts[i] as Attempt, record, i)
    for (const limit of limits) {
      if (limit.action === 'admitted') continue
      const counter = limit.counters[limit.refusedBy]
      const words = counter ? [counter.owner, counter.measure] : ['deployment', 'tokens']
      add(open(resource, limit.deployment), 'limited', words)
    }
    const other = refusalWithoutDecision(record)
    if (other) add(facts, 'limited', other)
    for (const { source, category, severity, filtered } of findings) {
      add(facts, 'findings', [source, category, severity, filtered ? 'filtered' : 'annotated'])
    }
    if (record.filterPolicy !== '') facts.judged++
    if (record.hasFilterError) add(facts, 'filterErrors', [])
  }

  const list = (): OfDeployment[] => [...resources.values()].flatMap((ofResource) => [...ofResource.values()])
  const collect = <T>(pick: (facts: OfDeployment) => readonly T[]): T[] => list().flatMap(pick)
  const count = ({ resource, deployment }: OfDeployment, number: number): Tally => ({
    ...{ resource, deployment, words: [], count: number },
  })
  return {
    holdRunning(deployment, resource) {
      let entry = holds.get(deployment)
      if (!entry) {
        const facts = open(resource, deployment.name)
        entry = { facts, hold: { release: () => void facts.running-- } }
        holds.set(deployment, entry)
      }
      entry.facts.running++
      return entry.hold
    },
    note,
    lanes: () => collect(({ lanes }) => lanes),
    attempts: () => collect(({ attempts }) => attempts),
    limited: () => collect(({ limited }) => limited),
    findings: () => collect(({ findings }) => findings),
    filterErrors: () => collect(({ filterErrors }) => filterErrors),
    judged: () => list().flatMap((facts) => (facts.judged > 0 ? [count(facts, facts.judged)] : [])),
    running: () => list().flatMap((facts) => (facts.deployment === '' ? [] : [count(facts, facts.running)])),
    keepOnly(isThere) {
      for (const { resource, deployment, running } of list()) {
        if (deployment === '' || running > 0 || isThere(deployment, resource)) continue
        resources.get(resource)?.delete(deployment)
      }
    },
  }
}

/** There are few for each deployment, and the same strings: comparing them is quicker than making a key of them. */
function findLane(lanes: Lane[], record: RequestRecord): Lane {
  for (const lane of lanes) {
    if (
      lane.operation === record.operation &&
      lane.surface === record.surface &&
      lane.isStream === record.isStream &&
      lane.isBatch === record.isBatch &&
      lane.model === record.model &&
      lane.modelVersion === record.modelVersion
    ) {
      return lane
    }
  }
  const { resource, deployment, model, modelVersion, operation, surface, isStream, isBatch } = record
  const lane: Lane = {
    ...{ resource, deployment, model, modelVersion, operation, surface, isStream, isBatch },
    endings: [],
    queue: openHistogram(buckets.seconds),
    upstream: openHistogram(buckets.seconds),
    firstToken: openHistogram(buckets.firstToken),
    betweenTokens: openHistogram(buckets.betweenTokens),
    firstTokenByPrompt: openHistogram(buckets.msPerToken),
    tokensPerSecond: openHistogram(buckets.tokensPerSecond),
    input: openHistogram(buckets.tokens),
    output: openHistogram(buckets.tokens),
    cachedTokens: 0,
    reasoningTokens: 0,
    estimated: 0,
  }
  lanes.push(lane)
  return lane
}

function noteLane(lane: Lane, record: RequestRecord): void {
  const { totalMs, firstTokenMs, upstreamMs, queueMs, promptTokens, completionTokens } = record
  const ending = findEnding(lane.endings, record)
  observe(ending.duration, totalMs / 1000)
  observe(ending.response, (firstTokenMs >= 0 ? firstTokenMs : totalMs) / 1000)
  if (queueMs > 0) observe(lane.queue, queueMs / 1000)
  if (upstreamMs >= 0) observe(lane.upstream, upstreamMs / 1000)
  if (promptTokens + completionTokens > 0) {
    observe(lane.input, promptTokens)
    observe(lane.output, completionTokens)
    lane.cachedTokens += record.cachedTokens
    lane.reasoningTokens += record.reasoningTokens
  }
  if (record.isEstimated) lane.estimated++
  if (firstTokenMs < 0) return
  observe(lane.firstToken, firstTokenMs / 1000)
  if (promptTokens > 0) observe(lane.firstTokenByPrompt, firstTokenMs / promptTokens)
  const restMs = totalMs - firstTokenMs
  // Of an answer that came in one piece nothing can be said.
  if (completionTokens < 2 || restMs <= 0 || record.outcome !== 'done') return
  observe(lane.betweenTokens, restMs / 1000 / (completionTokens - 1))
  observe(lane.tokensPerSecond, (completionTokens - 1) / (restMs / 1000))
}

function findEnding(endings: Ending[], { status, code, spilledFrom, tier }: RequestRecord): Ending {
  const isSpillover = spilledFrom !== ''
  for (const ending of endings) {
    if (
      ending.status === status &&
      ending.code === code &&
      ending.isSpillover === isSpillover &&
      ending.tier === tier
    ) {
      return ending
    }
  }
  const ending: Ending = {
    status,
    code,
    isSpillover,
    tier,
    duration: openHistogram(buckets.seconds),
    response: openHistogram(buckets.seconds),
  }
  endings.push(ending)
  return ending
}

/** The last one is the one that answered, if any did: it is at work until the answer has gone out. */
function noteAttempt(lanes: AttemptLane[], attempt: Attempt, record: RequestRecord, index: number): void {
  const { backend, code, startedMs, ms } = attempt
  const { operation, model, resource, deployment, totalMs } = record
  let lane: AttemptLane | undefined
  for (const known of lanes) {
    if (known.backend === backend && known.code === code && known.operation === operation && known.model === model) {
      lane = known
      break
    }
  }
  if (!lane) {
    const begin = openHistogram(buckets.seconds)
    lane = { resource, deployment, model, operation, backend, code, begin, whole: openHistogram(buckets.seconds) }
    lanes.push(lane)
  }
  if (ms >= 0) observe(lane.begin, ms / 1000)
  const isLast = index === record.attempts.length - 1
  observe(lane.whole, (isLast && code === '' ? totalMs - startedMs : ms) / 1000)
}

/** 429 that no limiter of ours decided: a budget, or who would have answered. */
function refusalWithoutDecision(record: RequestRecord): readonly [string, string] | undefined {
  const { code, limits } = record
  if (code === 'budget-exhausted') return ['key', 'budget']
  if (code === 'engine-busy') return ['backend', 'queue']
  if (code !== 'rate-limited' || limits.at(-1)?.action === 'refused') return undefined
  return ['backend', record.attempts.length > 0 ? 'rate' : 'places']
}

function add(facts: OfDeployment, kind: 'limited' | 'findings' | 'filterErrors', words: readonly string[]): void {
  const tallies = facts[kind]
  for (const tally of tallies) {
    if (tally.words.every((word, i) => word === words[i])) {
      tally.count++
      return
    }
  }
  tallies.push({ resource: facts.resource, deployment: facts.deployment, words, count: 1 })
}
