import { createCorrections, describeHold } from './corrections.ts'
import { chargeLease, isHot, refundLease, trimLease } from './leases.ts'
import { type Charge, type Entry, type Ledger, windowNumberAt } from './ledger.ts'
import { correctShare } from './shares.ts'
import type { Store } from './store.ts'

/** What happens to a charge after it was made. */
export type Settlement = {
  /** The real cost of a charge. */
  settle(charge: Charge, actual: number): void
  /** As if a charge had never been made. */
  undo(charge: Charge): void
  /** Takes back what the store charged for a reservation that nobody waits for any more. */
  undoInStore(entry: Entry, windowNumber: number, cost: number, leased: number): void
  /** Sends what is due before the store is asked again. */
  flushDue(): void
  /** Everything that was not told so far. */
  flush(): void
  /** Tells the store how many slots this member holds, those on their way included, and so that it is alive. */
  assertSlots(): void
  /** Gives back leases that are not needed. */
  trimLeases(): void
  /** Gives back every lease and every slot: this member leaves. */
  giveBackAll(): void
  /** The store went away: what is uncertain is asserted when it is back. */
  forgetUncertain(): void
  /** The store is back: what was given out meanwhile is to be told. */
  report(): void
}

/** Settlements of a hot counter wait this long for each other. */
const coalesceMs = 25

/** Whether a window is decided here although the store is up: the store has lost what it counted of it, and this node knows more. */
export function isGoverned(store: Store, entry: Entry, at: number): boolean {
  const { rule, share, seen } = entry
  const lostAt = store.lostAt()
  if (rule.kind !== 'window' || lostAt === 0) return false
  const number = windowNumberAt(rule, store.timeAt(at))
  if (number * rule.windowMs >= lostAt) return false
  return share?.windowNumber === number || (seen?.windowNumber === number && store.timeAt(seen.at) < lostAt)
}

export function createSettlement(store: Store, ledger: Ledger, now: () => number): Settlement {
  const corrections = createCorrections()
  let timer: NodeJS.Timeout | undefined
  let isDue = false

  function flush(): void {
    isDue = false
    clearTimeout(timer)
    timer = undefined
    if (!store.isUp()) return
    const all = corrections.take()
    if (all !== undefined) store.settle(all.keys, all.args)
  }

  /** Soon; of a hot counter several together. */
  function flushSoon(entry: Entry): void {
    if (isDue || !store.isUp()) return
    if (isHot(entry, now())) {
      timer ??= setTimeout(flush, coalesceMs)
      return
    }
    isDue = true
    queueMicrotask(() => {
      if (isDue) flush()
    })
  }

  function correct(entry: Entry, windowNumber: number, difference: number): void {
    corrections.correct(entry, windowNumber, difference)
    flushSoon(entry)
  }

  function assertEntry({ key, rule, slots }: Entry): void {
    let held = slots.held
    for (const flight of slots.flights) {
      flight.asserted = flight.isWanted
      if (flight.isWanted) held += flight.cost
    }
    if (held === 0 && !slots.isDirty) return
    slots.isDirty = false
    store.settle([key], describeHold(rule, held))
  }

  function assertSlots(): void {
    flush()
    for (const entry of ledger.entries()) if (entry.rule.kind === 'slots') assertEntry(entry)
  }

  function trimLeases(isLeaving: boolean): void {
    const at = now()
    for (const entry of ledger.leasing) {
      const said = trimLease(entry, at, store.timeAt(at), isLeaving)
      if (entry.lease === undefined) ledger.leasing.delete(entry)
      if (said === undefined || !store.isUp()) continue
      corrections.giveBackLease(entry, said.windowNumber, said.spent, said.back)
      flushSoon(entry)
    }
  }

  function releaseSlots(entry: Entry, cost: number): void {
    entry.slots.held -= cost
    if (store.isUp()) correct(entry, 0, -cost)
    else entry.slots.isDirty = true
  }

  function change(charge: Charge, difference: number): void {
    const { entry, windowNumber } = charge
    const at = now()
    const isHere = !store.isUp() || isGoverned(store, entry, at)
    if (charge.place === 'share' && isHere && correctShare(charge, difference, at, store.members())) return
    let rest = Math.abs(difference)
    if (charge.place === 'lease') {
      rest = (difference > 0 ? chargeLease : refundLease)(charge, rest, at, store.timeAt(at))
    }
    const isForgotten = entry.rule.kind === 'window' && windowNumber * entry.rule.windowMs < store.lostAt()
    if (rest === 0 || (isForgotten && difference < 0)) return
    correct(entry, windowNumber, difference > 0 ? rest : -rest)
  }

  return {
    settle(charge, actual) {
      const { entry, demand } = charge
      if (demand.rule.kind === 'slots') return releaseSlots(entry, demand.cost)
      if (demand.rule.kind === 'window' && !demand.rule.settles) return
      const difference = Math.max(0, actual) - demand.cost
      // A cost that is no number would spoil the counter for everybody: the estimate stays.
      if (difference === 0 || !Number.isFinite(difference)) return
      if (difference < 0) entry.refusal = undefined
      change(charge, difference)
    },
    undo(charge) {
      const { entry, demand } = charge
      if (demand.rule.kind === 'slots') releaseSlots(entry, demand.cost)
      else if (demand.cost > 0) change(charge, -demand.cost)
    },
    undoInStore(entry, windowNumber, cost, leased) {
      if (leased > 0) corrections.giveBackLease(entry, windowNumber, 0, leased)
      correct(entry, windowNumber, -cost)
    },
    flushDue() {
      if (isDue) flush()
    },
    flush,
    assertSlots,
    trimLeases: () => trimLeases(false),
    giveBackAll() {
      trimLeases(true)
      for (const { slots } of ledger.entries()) {
        slots.isDirty ||= slots.held > 0
        slots.held = 0
      }
      assertSlots()
    },
    forgetUncertain() {
      corrections.forgetSlots()
      for (const entry of ledger.entries()) {
        if (entry.rule.kind === 'slots') entry.slots.isDirty = true
        // What is leased of a leaky counter would have to be renewed.
        if (entry.rule.kind === 'leaky') entry.lease = undefined
      }
    },
    report() {
      const at = now()
      for (const entry of ledger.entries()) {
        const { share } = entry
        if (share === undefined || isGoverned(store, entry, at)) continue
        if (share.used > 0) corrections.report(entry, share.windowNumber, share.used)
        entry.share = undefined
      }
    },
  }
}
