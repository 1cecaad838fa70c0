import type { Exchange, Hold } from '../core/exchange.ts'
import type { LimitCounter, RecordListener, RequestRecord } from '../core/usage/request-record.ts'

/** What a deployment did within the last minute, for those who watch. Rates are per second but for the tokens. */
export type LiveView = {
  readonly resource: string
  readonly deployment: string
  readonly model: string
  readonly inFlight: number
  readonly requestsPerSecond: number
  readonly tokensPerMinute: number
  /** Milliseconds, within a tenth; absent where there were none. */
  readonly p50Ms?: number
  readonly p95Ms?: number
  readonly firstTokenP50Ms?: number
  readonly firstTokenP95Ms?: number
  /** Within the minute: refused by a limit, kept back by a filter, gone wrong otherwise. */
  readonly limited: number
  readonly filtered: number
  readonly failed: number
  /** What its own limits stand at, as far as its last call told. */
  readonly limits: readonly { readonly measure: string; readonly limit: number; readonly used: number }[]
}

export type LiveCounts = {
  /** To be held by every call while it is answered. */
  hold(exchange: Exchange): Hold
  readonly listener: RecordListener
  /** Busiest first. */
  views(): LiveView[]
}

const slotMs = 5_000
const slots = 12
/** Bounds of latencies grow by a tenth each, from one millisecond to a quarter of an hour. */
const growth = Math.log(1.1)
const bounds = 144
/** Deployments come and go; more than so many at once have no counts. */
const maxDeployments = 1_000

type Slot = {
  number: number
  requests: number
  tokens: number
  limited: number
  filtered: number
  failed: number
  readonly total: Uint32Array
  readonly first: Uint32Array
}

type Entry = {
  readonly resource: string
  readonly deployment: string
  model: string
  inFlight: number
  readonly running: Hold
  readonly slots: Slot[]
  counters: readonly LimitCounter[]
  countersAt: number
}

const nothing: Hold = { release() {} }

/** Counts by deployment over the last minute, in memory. `now` is unix milliseconds. */
export function createLiveCounts(now: () => number): LiveCounts {
  const entries = new Map<string, Map<string, Entry>>()

  function open(resource: string, deployment: string): Entry | undefined {
    const ofResource = entries.get(resource) ?? new Map<string, Entry>()
    entries.set(resource, ofResource)
    const known = ofResource.get(deployment)
    if (known) return known
    if (ofResource.size >= maxDeployments) forgetIdle(ofResource)
    if (ofResource.size >= maxDeployments) return undefined
    const entry: Entry = {
      ...{ resource, deployment, model: '', inFlight: 0, slots: [], counters: [], countersAt: 0 },
      running: { release: () => void entry.inFlight-- },
    }
    ofResource.set(deployment, entry)
    return entry
  }

  function forgetIdle(ofResource: Map<string, Entry>): void {
    const oldest = currentSlot() - slots
    for (const [name, { inFlight, slots: own }] of ofResource) {
      if (inFlight === 0 && own.every(({ number }) => number <= oldest)) ofResource.delete(name)
    }
  }

  const currentSlot = (): number => Math.floor(now() / slotMs)

  const listener: RecordListener = (record) => {
    if (record.deployment === '') return
    const entry = open(record.resource, record.deployment)
    if (!entry) return
    entry.model = record.model
    count(slotOf(entry, currentSlot()), record)
    const decision = record.limits.at(-1)
    if (decision && decision.deployment === record.deployment) {
      entry.counters = decision.counters
      entry.countersAt = now()
    }
  }

  return {
    hold({ record, deployment }) {
      const entry = open(record.resource, deployment.name)
      if (!entry) return nothing
      entry.inFlight++
      return entry.running
    },
    listener,
    views() {
      const current = currentSlot()
      return [...entries.values()]
        .flatMap((ofResource) => [...ofResource.values()])
        .map((entry) => view(entry, current, now()))
        .filter(({ requestsPerSecond, inFlight }) => requestsPerSecond > 0 || inFlight > 0)
        .sort((a, b) => b.requestsPerSecond - a.requestsPerSecond || (a.deployment < b.deployment ? -1 : 1))
    },
  }
}

function slotOf({ slots: own }: Entry, number: number): Slot {
  const at = number % slots
  const known = own[at]
  if (known?.number === number) return known
  const slot: Slot = {
    ...{ number, requests: 0, tokens: 0, limited: 0, filtered: 0, failed: 0 },
    total: known?.total.fill(0) ?? new Uint32Array(bounds),
    first: known?.first.fill(0) ?? new Uint32Array(bounds),
  }
  // A list with gaps would be slower for all of its life.
  while (own.length < at)
    own.push({ ...slot, number: 0, total: new Uint32Array(bounds), first: new Uint32Array(bounds) })
  own[at] = slot
  return slot
}

function count(slot: Slot, record: RequestRecord): void {
  slot.requests++
  slot.tokens += record.promptTokens + record.completionTokens
  if (record.isLimited) slot.limited++
  else if (record.code === 'content-filtered') slot.filtered++
  else if (record.outcome === 'failed' || record.outcome === 'refused') slot.failed++
  // What was refused at once says nothing of how fast answers are.
  if (record.outcome !== 'done') return
  bump(slot.total, record.totalMs)
  if (record.firstTokenMs >= 0) bump(slot.first, record.firstTokenMs)
}

function bump(counts: Uint32Array, ms: number): void {
  const at = ms <= 1 ? 0 : Math.min(bounds - 1, Math.ceil(Math.log(ms) / growth))
  counts[at] = (counts[at] as number) + 1
}

function view(entry: Entry, current: number, nowMs: number): LiveView {
  const { resource, deployment, model, inFlight, counters, countersAt } = entry
  const recent = entry.slots.filter(({ number }) => number > current - slots)
  const sum = (read: (slot: Slot) => number) => recent.reduce((total, slot) => total + read(slot), 0)
  // The slot that is open now has had less time than the others.
  const seconds = ((slots - 1) * slotMs + (nowMs % slotMs)) / 1000
  const totals = { p50Ms: quantile(recent, 'total', 0.5), p95Ms: quantile(recent, 'total', 0.95) }
  const firsts = { firstTokenP50Ms: quantile(recent, 'first', 0.5), firstTokenP95Ms: quantile(recent, 'first', 0.95) }
  return {
    ...{ resource, deployment, model, inFlight },
    requestsPerSecond: sum(({ requests }) => requests) / seconds,
    tokensPerMinute: (sum(({ tokens }) => tokens) * 60) / seconds,
    ...(totals.p50Ms !== undefined && (totals as Required<typeof totals>)),
    ...(firsts.firstTokenP50Ms !== undefined && (firsts as Required<typeof firsts>)),
    limited: sum(({ limited }) => limited),
    filtered: sum(({ filtered }) => filtered),
    failed: sum(({ failed }) => failed),
    limits: counters
      .filter(({ owner }) => owner === 'deployment')
      .map(({ measure, limit, used, resetMs }) => ({
        measure,
        limit,
        // Windows that are over hold nothing; slots are told by what is in flight.
        used: measure === 'slots' ? inFlight : nowMs - countersAt >= resetMs ? 0 : used,
      })),
  }
}

/** The end of the bucket in which it lies. */
function quantile(recent: readonly Slot[], list: 'total' | 'first', share: number): number | undefined {
  const counts = new Uint32Array(bounds)
  let all = 0
  for (const slot of recent) {
    slot[list].forEach((count, i) => {
      counts[i] = (counts[i] as number) + count
      all += count
    })
  }
  if (all === 0) return undefined
  let left = Math.ceil(all * share)
  const at = counts.findIndex((count) => {
    left -= count
    return left <= 0
  })
  return Math.round(Math.exp(at * growth) * 10) / 10
}
