import type { Demand } from '../port.ts'
import { type Charge, drain, type Entry, windowNumberAt } from './ledger.ts'

/**
 * Without the store every node goes on with its part of each limit: the limit by the number of members last seen. Of a window in
 * progress only what was left counts.
 */
export type Sharing = {
  /** How many share, and which one of them this is, from 0. */
  readonly members: number
  readonly rank: number
  /** When the store was last heard of, by its clock; undefined if never. Windows begun before it are partly used. */
  readonly blindSince: number | undefined
}

/** A reading older than this says too little of a window in progress. */
const freshMs = 1_000

/** Charges a demand to this node's part, or says in how many milliseconds it may fit. */
export function takeFromShare(
  entry: Entry,
  demand: Demand,
  now: number,
  storeMs: number,
  sharing: Sharing,
): Charge | number {
  const { rule, cost } = demand
  const charge = (windowNumber: number): Charge => ({ entry, demand, place: 'share', windowNumber })
  if (rule.kind === 'slots') {
    if (entry.slots.held + cost > partOf(rule.limit, sharing)) return slotsRetryMs
    entry.slots.held += cost
    return charge(0)
  }
  if (rule.kind === 'leaky') {
    const share = openLeakyShare(entry, rule, now, sharing)
    const depth = rule.depth / sharing.members
    const level = share.before + share.used
    if (level > depth) return Math.max(1, Math.ceil((level - depth) / (rule.drainPerMs / sharing.members)))
    share.used += cost
    return charge(0)
  }
  const number = windowNumberAt(rule, storeMs)
  if (entry.share?.windowNumber !== number) {
    const allowance = partOf(leftOf(entry, rule, number, now, storeMs, sharing), sharing)
    entry.share = { windowNumber: number, allowance, used: 0, before: 0, at: now }
  }
  const { share } = entry
  if (share.used + cost > share.allowance) return Math.max(1, Math.ceil((number + 1) * rule.windowMs - storeMs))
  share.used += cost
  return charge(number)
}

/** An estimate: when a slot comes free depends on the calls that hold them. */
export const slotsRetryMs = 1_000

/** Corrects a charge by `difference`. False where the share it was charged to is gone. */
export function correctShare(charge: Charge, difference: number, now: number, members: number): boolean {
  const { share, rule } = charge.entry
  if (share === undefined) return false
  if (rule.kind === 'leaky') {
    drainShare(share, rule.drainPerMs / members, now)
    share.used = Math.max(0, share.used + difference)
  } else if (share.windowNumber === charge.windowNumber) {
    share.used = Math.max(0, share.used + difference)
  } else if (difference > 0) {
    share.used += difference
  }
  return true
}

/** This member's part of a whole number. The parts of all members add up to it. */
function partOf(whole: number, { members, rank }: Sharing): number {
  return Math.max(0, Math.floor((whole + members - 1 - Math.min(rank, members - 1)) / members))
}

/** What a window has left for all members together, as far as this one knows. */
function leftOf(
  entry: Entry,
  rule: { readonly limit: number; readonly windowMs: number },
  number: number,
  now: number,
  storeMs: number,
  { blindSince }: Sharing,
): number {
  const begunAt = number * rule.windowMs
  if (blindSince !== undefined && begunAt >= blindSince) return rule.limit
  const { seen } = entry
  const isKnown = seen?.windowNumber === number
  const left = rule.limit - (isKnown ? seen.used : 0)
  if (isKnown && blindSince !== undefined && now - seen.at - (storeMs - blindSince) <= freshMs) return Math.max(0, left)
  // Others may have used it since: no more than the time that is left would bring.
  return Math.max(0, Math.min(left, Math.floor((rule.limit * (begunAt + rule.windowMs - storeMs)) / rule.windowMs)))
}

function openLeakyShare(
  entry: Entry,
  rule: { readonly drainPerMs: number; readonly depth: number },
  now: number,
  { members }: Sharing,
) {
  const { seen } = entry
  // Of a counter never seen there is one second's worth.
  const level =
    seen === undefined
      ? Math.max(0, rule.depth - rule.drainPerMs * 1_000)
      : drain(seen.used, rule.drainPerMs, now - seen.at)
  entry.share ??= { windowNumber: 0, allowance: 0, used: 0, before: level / members, at: now }
  drainShare(entry.share, rule.drainPerMs / members, now)
  return entry.share
}

/** What stood there before drains first. */
function drainShare(share: { used: number; before: number; at: number }, perMs: number, now: number): void {
  const drained = perMs * Math.max(0, now - share.at)
  share.used = Math.max(0, share.used - Math.max(0, drained - share.before))
  share.before = Math.max(0, share.before - drained)
  share.at = now
}
