import type { CounterState, Demand, Verdict } from '../port.ts'
import { describeRule } from './corrections.ts'
import { addToLease, recallRefusal, rememberRefusal, spendReported, takeFromLease, wishFor } from './leases.ts'
import { type Charge, type Entry, guessState, type Ledger, type SlotFlight } from './ledger.ts'
import { isGoverned, type Settlement } from './settlement.ts'
import { slotsRetryMs, takeFromShare } from './shares.ts'
import type { Store } from './store.ts'
import type { ScriptArgument } from './store-link.ts'
import { late, within } from './within.ts'

/** Demands to be decided, with the counters they are about, in their order. */
export type Question = {
  readonly demands: readonly Demand[]
  readonly entries: readonly Entry[]
  /** On `performance.now`: after it the store is not waited for. */
  readonly deadline: number
  hasWaited: boolean
}

type Flight = {
  readonly entry: Entry
  readonly demand: Demand
  /** What of a leaky lease the store is told was spent. */
  readonly spent: number
  readonly slots: SlotFlight | undefined
}

type Answer = {
  readonly storeMs: number
  /** Index among the asked, or -1. */
  readonly refusedBy: number
  readonly retryAfterMs: number
  readonly rows: readonly { readonly state: CounterState; readonly leased: number; readonly windowNumber: number }[]
}

/**
 * Decides reservations: from leases and, where the store cannot say, from this node's share; else by one script call.
 * `decide` never rejects.
 */
export function createDecision(
  store: Store,
  ledger: Ledger,
  settlement: Settlement,
  now: () => number,
  budgetMs: number,
) {
  const guess = (entry: Entry): CounterState => {
    const at = now()
    return guessState(entry, at, store.timeAt(at))
  }

  function decide(question: Question): Verdict | Promise<Verdict> {
    const { demands, entries } = question
    if (!store.isUp() && store.reason() === undefined) return decideWhenMet(question)
    const at = now()
    const charges: (Charge | undefined)[] = []
    for (const [i, demand] of demands.entries()) {
      const taken = takeHere(entries[i] as Entry, demand, at)
      if (typeof taken === 'number') {
        undo(charges)
        return { isAdmitted: false, refusedBy: i, retryAfterMs: taken, states: entries.map(guess) }
      }
      charges.push(taken)
    }
    return charges.includes(undefined) ? askStore(question, charges) : admit(charges as Charge[], entries.map(guess))
  }

  async function decideWhenMet(question: Question): Promise<Verdict> {
    const outcome = await within(store.firstOutcome, question.deadline - performance.now())
    if (outcome === late) store.trip('it has not been reached yet')
    return decide(question)
  }

  /** A charge made here; where it is refused here, the milliseconds to wait; undefined where the store is to say. */
  function takeHere(entry: Entry, demand: Demand, at: number): Charge | number | undefined {
    const storeMs = store.timeAt(at)
    const leased = takeFromLease(entry, demand, at, storeMs)
    if (leased !== undefined) return leased
    if (store.isUp() && !isGoverned(store, entry, at)) return recallRefusal(entry, demand.cost, at)
    const sharing = { members: store.members(), rank: store.rank(), blindSince: store.blindSince() }
    return takeFromShare(entry, demand, at, storeMs, sharing)
  }

  function undo(charges: readonly (Charge | undefined)[]): void {
    for (const charge of charges) if (charge !== undefined) settlement.undo(charge)
  }

  function admit(charges: readonly Charge[], states: readonly CounterState[]): Verdict {
    let isSettled = false
    return {
      isAdmitted: true,
      reservation: {
        states,
        settle(actual) {
          if (isSettled) return
          isSettled = true
          for (const [i, charge] of charges.entries()) settlement.settle(charge, actual[i] ?? charge.demand.cost)
        },
      },
    }
  }

  async function askStore(question: Question, charges: (Charge | undefined)[]): Promise<Verdict> {
    const { demands, entries, deadline } = question
    const asked = [...demands.keys()].filter((i) => charges[i] === undefined)

    const refill = asked.map((i) => (entries[i] as Entry).refill).find((pending) => pending !== undefined)
    if (refill !== undefined && !question.hasWaited) {
      question.hasWaited = true
      undo(charges)
      await within(refill, deadline - performance.now())
      return decide(question)
    }

    const { promise: refilled, resolve: endRefill } = Promise.withResolvers<void>()
    const sentAt = now()
    const flights: Flight[] = []
    const keys: string[] = []
    const args: ScriptArgument[] = []
    const leasing: Entry[] = []
    for (const i of asked) {
      const entry = entries[i] as Entry
      const demand = demands[i] as Demand
      const wish = wishFor(entry, demand, sentAt, store.members())
      if (wish > 0) {
        entry.refill = refilled
        leasing.push(entry)
      }
      const flight = openFlight(entry, demand, wish > 0)
      flights.push(flight)
      keys.push(entry.key)
      args.push(...describeRule(demand.rule), demand.cost, wish, flight.spent)
    }
    settlement.flushDue()
    const call = store.reserve('charge', keys, args)
    const answer = await within(call, deadline - performance.now()).catch((error: Error) => error)

    if (answer === late || answer instanceof Error) {
      store.trip(answer === late ? `no answer within ${budgetMs} ms` : answer.message)
      loseFlights(flights, answer === late ? call : undefined)
    } else {
      land(flights, readAnswer(answer), sentAt)
    }
    for (const entry of leasing) entry.refill = undefined
    endRefill()

    if (answer === late || answer instanceof Error) {
      undo(charges)
      return decide(question)
    }
    return conclude(question, charges, asked, readAnswer(answer))
  }

  function conclude(
    { demands, entries }: Question,
    charges: (Charge | undefined)[],
    asked: readonly number[],
    { refusedBy, retryAfterMs, rows }: Answer,
  ): Verdict {
    const stateOf = (entry: Entry, i: number): CounterState => rows[asked.indexOf(i)]?.state ?? guess(entry)
    if (refusedBy < 0) {
      for (const [row, i] of asked.entries()) {
        const windowNumber = rows[row]?.windowNumber ?? 0
        charges[i] = { entry: entries[i] as Entry, demand: demands[i] as Demand, place: 'store', windowNumber }
      }
      return admit(charges as Charge[], entries.map(stateOf))
    }
    undo(charges)
    const states = entries.map(stateOf)
    return { isAdmitted: false, refusedBy: asked[refusedBy] as number, retryAfterMs, states }
  }

  /** Books what the store said about each demand. */
  function land(flights: readonly Flight[], { storeMs, refusedBy, retryAfterMs, rows }: Answer, sentAt: number): void {
    const at = now()
    store.observe(sentAt, storeMs)
    for (const [i, { entry, demand, spent, slots }] of flights.entries()) {
      const { state, leased, windowNumber } = rows[i] as Answer['rows'][number]
      entry.seen = { used: state.used, windowNumber, at }
      if (refusedBy === i) rememberRefusal(entry, demand.cost, retryAfterMs, at)
      if (refusedBy < 0 && demand.rule.kind !== 'slots') {
        spendReported(entry, spent)
        addToLease(entry, leased, windowNumber, sentAt, at)
        if (leased > 0) ledger.leasing.add(entry)
      }
      if (slots === undefined) continue
      entry.slots.flights.delete(slots)
      if (refusedBy < 0) entry.slots.held += demand.cost
      else if (slots.asserted) settlement.undoInStore(entry, 0, demand.cost, 0)
    }
  }

  /** Nobody waits for these any more. What the store did charge is taken back if it ever says so. */
  function loseFlights(flights: readonly Flight[], call: Promise<readonly unknown[]> | undefined): void {
    for (const { slots } of flights) if (slots !== undefined) slots.isWanted = false
    const forget = ({ entry, slots }: Flight): void => {
      if (slots === undefined) return
      entry.slots.flights.delete(slots)
      entry.slots.isDirty = true
    }
    if (call === undefined) {
      flights.forEach(forget)
      return
    }
    call.then(
      (raw) => {
        const { refusedBy, rows } = readAnswer(raw)
        for (const [i, { entry, demand, slots }] of flights.entries()) {
          if (slots !== undefined) entry.slots.flights.delete(slots)
          const isCharged = slots?.asserted ?? refusedBy < 0
          const { leased, windowNumber } = rows[i] as Answer['rows'][number]
          if (isCharged) settlement.undoInStore(entry, windowNumber, demand.cost, leased)
        }
      },
      () => flights.forEach(forget),
    )
  }

  return { decide, guess }
}

function openFlight(entry: Entry, demand: Demand, isLeasing: boolean): Flight {
  const spent = isLeasing && demand.rule.kind === 'leaky' ? (entry.lease?.spent ?? 0) : 0
  if (demand.rule.kind !== 'slots') return { entry, demand, spent, slots: undefined }
  const slots: SlotFlight = { cost: demand.cost, isWanted: true, asserted: undefined }
  entry.slots.flights.add(slots)
  return { entry, demand, spent, slots }
}

/** The answer of the reserve script. */
export function readAnswer(raw: readonly unknown[]): Answer {
  const [storeMs, refusedBy, retryMs] = raw as [number, number, number]
  const rows: Answer['rows'][number][] = []
  for (let i = 3; i < raw.length; i += 4) {
    const [used, resetMs, leased, windowNumber] = raw.slice(i, i + 4) as [string, number, number, number]
    rows.push({ state: { used: Number(used), resetMs }, leased, windowNumber })
  }
  const isSlots = refusedBy > 0 && retryMs === 0
  return { storeMs, refusedBy: refusedBy - 1, retryAfterMs: isSlots ? slotsRetryMs : Math.max(1, retryMs), rows }
}
