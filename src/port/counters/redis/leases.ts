import type { Demand } from '../port.ts'
import { type Charge, type Entry, foresee, sizeOf, windowNumberAt } from './ledger.ts'

/**
 * Leases: a busy node takes a little more from the store than it needs now and gives it out itself. They are charged in the store
 * when taken, so no sum over nodes can pass the limit. A window's lease dies with the window. What a node does not need soon goes back.
 */

/** Requests per 100 ms from which a counter is hot; below, every request is decided in the store. */
const hotRequests = 4
const idleMs = 200
/** Well before the store takes a leaky lease for spent. */
const leakyLifeMs = 1_000
const refusalMemoryMs = { least: 10, most: 50 }
const noLeaseMs = 100

export function isHot(entry: Entry, now: number): boolean {
  return foresee(entry.heat, now).requests >= hotRequests
}

/** Charges a demand to the lease, if it covers all of it. */
export function takeFromLease(entry: Entry, demand: Demand, now: number, storeMs: number): Charge | undefined {
  const lease = liveLease(entry, now, storeMs)
  // A lease that is used up says nothing of whether the store would still let anything in, not even what costs nothing.
  if (lease === undefined || lease.balance < Math.max(1, demand.cost)) return undefined
  lease.balance -= demand.cost
  lease.spent += demand.cost
  lease.usedAt = now
  return { entry, demand, place: 'lease', windowNumber: lease.windowNumber }
}

/** Undoes a charge, or corrects one by `less`. Returns how much of it the lease could not take. */
export function refundLease(charge: Charge, less: number, now: number, storeMs: number): number {
  const lease = liveLease(charge.entry, now, storeMs)
  if (lease === undefined || lease.windowNumber !== charge.windowNumber) return less
  // Of a leaky lease only what the store does not know of can be unspent.
  const taken = charge.demand.rule.kind === 'leaky' ? Math.min(less, lease.spent) : less
  lease.balance += taken
  lease.spent -= taken
  return less - taken
}

/** Charges more than was reserved. Returns how much of it the lease could not cover. */
export function chargeLease(charge: Charge, more: number, now: number, storeMs: number): number {
  const lease = liveLease(charge.entry, now, storeMs)
  if (lease === undefined || lease.windowNumber !== charge.windowNumber) return more
  const taken = Math.min(more, lease.balance)
  lease.balance -= taken
  lease.spent += taken
  return more - taken
}

/** What to ask for on top of a demand that goes to the store: what is likely to be needed soon, within this node's part. */
export function wishFor(entry: Entry, demand: Demand, now: number, liveMembers: number): number {
  if (demand.rule.kind === 'slots' || entry.refill !== undefined || now < entry.noLeaseUntil) return 0
  const ahead = foresee(entry.heat, now)
  if (ahead.requests < hotRequests) return 0
  const most = Math.min(ahead.cost, sizeOf(demand.rule) / (2 * liveMembers))
  return Math.max(0, Math.floor(most - demand.cost - (entry.lease?.balance ?? 0)))
}

/** The store now knows of what was spent. */
export function spendReported(entry: Entry, spent: number): void {
  if (entry.lease !== undefined) entry.lease.spent -= Math.min(entry.lease.spent, spent)
}

/** Books what the store granted on top in answer to a request sent at `sentAt`. */
export function addToLease(entry: Entry, granted: number, windowNumber: number, sentAt: number, now: number): void {
  const { lease } = entry
  // For a while the counter is too full for leases: nobody waits for one that will not come.
  if (granted === 0 && entry.refill !== undefined) entry.noLeaseUntil = now + noLeaseMs
  if (lease !== undefined && lease.windowNumber === windowNumber) {
    lease.balance += granted
    lease.renewedAt = sentAt
    lease.usedAt = now
  } else if (granted > 0) {
    entry.lease = { windowNumber, balance: granted, spent: 0, usedAt: now, renewedAt: sentAt }
  }
}

/**
 * What of a lease is to go back to the store now, and what was spent of it unknown to the store; undefined when nothing is to be
 * said. The lease is changed accordingly.
 */
export function trimLease(
  entry: Entry,
  now: number,
  storeMs: number,
  isLeaving: boolean,
): { readonly windowNumber: number; readonly back: number; readonly spent: number } | undefined {
  const { lease } = entry
  if (lease === undefined || (entry.refill !== undefined && !isLeaving)) return undefined
  if (liveLease(entry, now, storeMs) === undefined) {
    entry.lease = undefined
    return undefined
  }
  const isIdle = isLeaving || now - lease.usedAt > idleMs
  const back = isIdle ? lease.balance : Math.max(0, Math.floor(lease.balance - 2 * foresee(entry.heat, now).cost))
  if (back === 0 && !isIdle) return undefined
  const said = { windowNumber: lease.windowNumber, back, spent: lease.spent }
  lease.balance -= back
  lease.spent = 0
  if (isIdle) entry.lease = undefined
  return said
}

/** The store said no: for a moment that answer stands for every demand as large. Only where asking each time would cost. */
export function rememberRefusal(entry: Entry, cost: number, retryAfterMs: number, now: number): void {
  if (entry.rule.kind === 'slots' || !isHot(entry, now)) return
  const { least, most } = refusalMemoryMs
  entry.refusal = { cost, until: now + Math.max(least, Math.min(most, retryAfterMs)), retryAt: now + retryAfterMs }
}

/** Milliseconds after which a demand that was refused a moment ago may fit; undefined when it is worth asking. */
export function recallRefusal(entry: Entry, cost: number, now: number): number | undefined {
  const { refusal } = entry
  if (refusal === undefined || now >= refusal.until || cost < refusal.cost) return undefined
  return Math.max(1, Math.ceil(refusal.retryAt - now))
}

function liveLease(entry: Entry, now: number, storeMs: number) {
  const { lease, rule } = entry
  if (lease === undefined) return undefined
  const isLive =
    rule.kind === 'window'
      ? lease.windowNumber === windowNumberAt(rule, storeMs)
      : now >= lease.renewedAt && now - lease.renewedAt < leakyLifeMs
  return isLive ? lease : undefined
}
