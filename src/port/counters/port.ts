/**
 * Counters that every thread and every replica of a server share: the one primitive behind all limits. A call reserves what it may
 * cost before it runs and settles what it did cost when it has ended.
 *
 * Three kinds:
 * - `window`: at most `limit` per fixed window of the store's clock (window number = floor(now / windowMs)). What does not settle
 *   counts its estimate until the window ends, as Azure does. What settles is corrected by the difference: within the same window
 *   both ways; once that window is over only a shortfall counts, as a debt of the window then open.
 * - `leaky`: a level that drains by `drainPerMs`. Admits while the level is at most `depth` and then adds the cost, so one call may
 *   go over; a refusal waits until the level is back at `depth`. Settles by the difference, never below empty.
 * - `slots`: at most `limit` holders at once, `cost` slots each. Settling gives the slots back. Those of a node or thread that died
 *   come back by themselves.
 *
 * Of several rules of one reservation either all are charged or none is. `since` is when that which is counted began to exist, in unix
 * milliseconds: after a store has lost its counters, nothing can have been used of what is younger.
 */
export type CounterRule =
  | {
      readonly kind: 'window'
      readonly key: string
      readonly limit: number
      readonly windowMs: number
      readonly settles: boolean
      readonly since?: number | undefined
    }
  | {
      readonly kind: 'leaky'
      readonly key: string
      readonly drainPerMs: number
      readonly depth: number
      readonly since?: number | undefined
    }
  | { readonly kind: 'slots'; readonly key: string; readonly limit: number }

/** `cost` is at least 0 and whole. */
export type Demand = { readonly rule: CounterRule; readonly cost: number }

/** A counter after the decision. `used` may be over the limit: a leaky level, a debt. */
export type CounterState = {
  readonly used: number
  /** Milliseconds until the window ends, or until the leaky level is empty; 0 for slots. */
  readonly resetMs: number
}

export type Reservation = {
  /** In the order of the demands. */
  readonly states: readonly CounterState[]
  /**
   * What each demand really cost, in their order; of slots the number is not looked at. Takes effect once; later calls do nothing.
   * Never throws and never waits: a store that is away is told when it is back, or forgets by itself.
   */
  settle(actual: readonly number[]): void
}

export type Verdict =
  | { readonly isAdmitted: true; readonly reservation: Reservation }
  | {
      readonly isAdmitted: false
      /** Index of the first demand that does not fit. */
      readonly refusedBy: number
      /** Milliseconds until that demand may fit, if nobody else takes it first; at least 1. For slots an estimate. */
      readonly retryAfterMs: number
      readonly states: readonly CounterState[]
    }

/** Every adapter passes `contract.ts`. */
export type Counters = {
  /** Never rejects: without its store an adapter goes on deciding by what it knows, and never lets everything through. */
  reserve(demands: readonly Demand[]): Verdict | Promise<Verdict>
  /** What the counters of these rules stand at. Charges nothing. */
  read(rules: readonly CounterRule[]): readonly CounterState[] | Promise<readonly CounterState[]>
  /** Why decisions are made without the shared store, if they are. */
  degradedReason(): string | undefined
  close(): Promise<void>
}
