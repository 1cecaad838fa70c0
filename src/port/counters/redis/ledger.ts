import type { CounterRule, CounterState, Demand } from '../port.ts'
import { kindOf, nameCounter } from './keys.ts'

/** What this node knows of one counter. Times are this node's clock unless a name says otherwise. */
export type Entry = {
  rule: CounterRule
  readonly key: string
  usedAt: number
  readonly heat: Heat
  /** What the store last said. `windowNumber` is 0 for other kinds. */
  seen: { readonly used: number; readonly windowNumber: number; readonly at: number } | undefined
  lease: Lease | undefined
  /** A call that may bring a lease is on its way. */
  refill: Promise<void> | undefined
  /** Nothing could be leased a moment ago: until then nobody asks. */
  noLeaseUntil: number
  /** The store refused `cost` a moment ago; `until` is when to ask again, `retryAt` when it may fit. */
  refusal: { readonly cost: number; readonly until: number; readonly retryAt: number } | undefined
  share: Share | undefined
  readonly slots: HeldSlots
}

/** Demand on this node in slices of 100 ms, smoothed over a few of them. */
export type Heat = { sliceAt: number; requests: number; cost: number; pastRequests: number; pastCost: number }

/** Charged in the store, not yet spent here. */
export type Lease = {
  readonly windowNumber: number
  balance: number
  /** Leaky: spent here, and the store does not know yet. */
  spent: number
  usedAt: number
  /** Leaky: when the request was sent that renewed it. */
  renewedAt: number
}

/** What this node may give out by itself while the store is away. */
export type Share = {
  readonly windowNumber: number
  /** Windows: the most it may give out. */
  readonly allowance: number
  /** Windows: given out. Leaky: the level of what was given out. */
  used: number
  /** Leaky: what the level stood at before, this node's part of it. */
  before: number
  at: number
}

export type HeldSlots = {
  held: number
  /** Reservations the store has not answered. */
  readonly flights: Set<SlotFlight>
  /** The store may have a number that is no longer true. */
  isDirty: boolean
}

/** A reservation of slots on its way. */
export type SlotFlight = {
  readonly cost: number
  /** It is to be held if the store admits it; not once its caller has gone on without it. */
  isWanted: boolean
  /** What the last absolute number sent after it said about it: included or not. */
  asserted: boolean | undefined
}

/** Where a demand was charged, so that it can be settled there. */
export type Charge = {
  readonly entry: Entry
  readonly demand: Demand
  readonly place: 'store' | 'lease' | 'share'
  readonly windowNumber: number
}

const sliceMs = 100
const forgetAfterMs = 60_000

export type Ledger = {
  find(rule: CounterRule): Entry
  entries(): Iterable<Entry>
  /** Those that have, or lately had, a lease. */
  readonly leasing: Set<Entry>
  /** Lets go of counters that nobody has asked about for a while. */
  forget(now: number): void
}

export function createLedger(prefix: string): Ledger {
  const entries = new Map<string, Entry>()
  return {
    find(rule) {
      const name = `${kindOf(rule)} ${rule.key}`
      let entry = entries.get(name)
      if (entry === undefined) {
        entry = openEntry(prefix, rule)
        entries.set(name, entry)
      }
      // Limits change; the counter stays.
      entry.rule = rule
      return entry
    },
    entries: () => entries.values(),
    leasing: new Set(),
    forget(now) {
      for (const [name, entry] of entries) if (isForgettable(entry, now)) entries.delete(name)
    },
  }
}

function openEntry(prefix: string, rule: CounterRule): Entry {
  return {
    rule,
    key: nameCounter(prefix, rule),
    usedAt: 0,
    heat: { sliceAt: 0, requests: 0, cost: 0, pastRequests: 0, pastCost: 0 },
    seen: undefined,
    lease: undefined,
    refill: undefined,
    noLeaseUntil: 0,
    refusal: undefined,
    share: undefined,
    slots: { held: 0, flights: new Set(), isDirty: false },
  }
}

function isForgettable(entry: Entry, now: number): boolean {
  const { slots } = entry
  const isBusy = entry.refill !== undefined || slots.held > 0 || slots.flights.size > 0 || slots.isDirty
  const lifeMs = entry.rule.kind === 'window' ? Math.max(forgetAfterMs, 2 * entry.rule.windowMs) : forgetAfterMs
  return !isBusy && entry.lease === undefined && now - entry.usedAt > lifeMs
}

/** Counts a demand of this node. */
export function noteDemand(entry: Entry, cost: number, now: number): void {
  entry.usedAt = now
  const { heat } = entry
  coolDown(heat, now)
  heat.requests += 1
  heat.cost += cost
}

/** What this node is likely to ask for in the next 100 ms. */
export function foresee(heat: Heat, now: number): { readonly requests: number; readonly cost: number } {
  coolDown(heat, now)
  return { requests: heat.pastRequests, cost: heat.pastCost }
}

function coolDown(heat: Heat, now: number): void {
  const slices = Math.floor((now - heat.sliceAt) / sliceMs)
  if (slices === 0) return
  // A clock that went back, or a long rest: begin anew.
  const isStale = slices < 0 || slices > 10
  const fade = isStale ? 0 : 0.5 ** slices
  heat.pastRequests = isStale ? 0 : heat.pastRequests * fade + heat.requests * fade
  heat.pastCost = isStale ? 0 : heat.pastCost * fade + heat.cost * fade
  heat.requests = 0
  heat.cost = 0
  heat.sliceAt = isStale ? now : heat.sliceAt + slices * sliceMs
}

/** Number of a window of this rule at a time of the store's; 0 for rules without windows. */
export function windowNumberAt(rule: CounterRule, storeMs: number): number {
  return rule.kind === 'window' ? Math.floor(storeMs / rule.windowMs) : 0
}

/** The most a counter lets through: a window's limit, a leaky counter's depth. */
export function sizeOf(rule: CounterRule): number {
  return rule.kind === 'leaky' ? rule.depth : rule.limit
}

/** What the node believes a counter stands at, without asking. */
export function guessState(entry: Entry, now: number, storeMs: number): CounterState {
  const { rule, share, seen, lease } = entry
  if (rule.kind === 'slots') return { used: Math.max(entry.slots.held, seen?.used ?? 0), resetMs: 0 }
  const unspent = lease?.balance ?? 0
  if (rule.kind === 'leaky') {
    const level = seen === undefined ? 0 : drain(seen.used, rule.drainPerMs, now - seen.at)
    const used = Math.max(0, share === undefined ? level - unspent : share.before + share.used)
    return { used, resetMs: Math.ceil(used / rule.drainPerMs) }
  }
  const number = windowNumberAt(rule, storeMs)
  const resetMs = Math.max(1, (number + 1) * rule.windowMs - storeMs)
  if (share?.windowNumber === number) {
    return { used: Math.max(0, rule.limit - share.allowance + share.used), resetMs }
  }
  const used = seen?.windowNumber === number ? seen.used : 0
  return { used: Math.max(0, used - (lease?.windowNumber === number ? unspent : 0)), resetMs }
}

export function drain(level: number, perMs: number, forMs: number): number {
  return Math.max(0, level - perMs * Math.max(0, forMs))
}
