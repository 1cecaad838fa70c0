import type { CounterRule } from '../port.ts'
import type { Entry } from './ledger.ts'
import type { ScriptArgument } from './store-link.ts'

/** What the store is to be told of a counter, summed up until it is sent. */
type Correction = {
  readonly entry: Entry
  readonly windowNumber: number
  more: number
  less: number
  leaseSpent: number
  leaseBack: number
}

export type Corrections = {
  /** The actual cost was more than what was charged in that window, or less where negative. */
  correct(entry: Entry, windowNumber: number, difference: number): void
  /** What was let in while the store was away; of no interest once that window is over. */
  report(entry: Entry, windowNumber: number, amount: number): void
  giveBackLease(entry: Entry, windowNumber: number, spent: number, back: number): void
  /** Slots are told as they are when the store is back, not as they changed. */
  forgetSlots(): void
  /** Everything said so far as one script call, and forgets it. Undefined when there is nothing to say. */
  take(): { readonly keys: readonly string[]; readonly args: readonly ScriptArgument[] } | undefined
}

/** More counters than this are not remembered while the store is away: windows end and levels drain without being told. */
const mostRemembered = 10_000

export function createCorrections(): Corrections {
  const pending = new Map<string, Correction>()

  function find(entry: Entry, windowNumber: number): Correction {
    const name = `${windowNumber} ${entry.key}`
    let found = pending.get(name)
    if (found === undefined) {
      found = { entry, windowNumber, more: 0, less: 0, leaseSpent: 0, leaseBack: 0 }
      if (pending.size >= mostRemembered) pending.delete(pending.keys().next().value as string)
      pending.set(name, found)
    }
    return found
  }

  return {
    correct(entry, windowNumber, difference) {
      const found = find(entry, windowNumber)
      // Kept apart: of a window that is over only what is more counts.
      if (difference > 0) found.more += difference
      else found.less -= difference
    },
    report(entry, windowNumber, amount) {
      // Unlike what is more, what is less is dropped with its window.
      find(entry, windowNumber).less -= amount
    },
    giveBackLease(entry, windowNumber, spent, back) {
      const found = find(entry, windowNumber)
      // A window is charged when the lease is taken: giving back is a cost that did not come about.
      if (entry.rule.kind === 'window') found.less += back
      else {
        found.leaseSpent += spent
        found.leaseBack += back
      }
    },
    forgetSlots() {
      for (const [name, { entry }] of pending) if (entry.rule.kind === 'slots') pending.delete(name)
    },
    take() {
      if (pending.size === 0) return undefined
      const all = [...pending.values()]
      pending.clear()
      return {
        keys: all.map(({ entry }) => entry.key),
        args: all.flatMap(({ entry, windowNumber, more, less, leaseSpent, leaseBack }) => [
          ...describeRule(entry.rule),
          windowNumber,
          more,
          less,
          leaseSpent,
          leaseBack,
        ]),
      }
    },
  }
}

/** Kind, limit or depth, window or drain, as the scripts read them. */
export function describeRule(rule: CounterRule): readonly [string, number, number] {
  if (rule.kind === 'window') return [rule.kind, rule.limit, rule.windowMs]
  return rule.kind === 'leaky' ? [rule.kind, rule.depth, rule.drainPerMs] : [rule.kind, rule.limit, 0]
}

/** The arguments that set a member's slots to what it holds, whatever the store had. */
export function describeHold(rule: CounterRule, held: number): readonly ScriptArgument[] {
  return ['hold', ...describeRule(rule).slice(1), 0, held, 0, 0, 0]
}
