import type { FilterEngine } from '../../../core/filter/engine.ts'

/** An engine that fails this often within the window is left alone for as long. */
const failuresToOpen = 5
const windowMs = 10_000

export type Breaker = {
  /** Whether the engine may be asked now. */
  isClosed(engine: FilterEngine): boolean
  noteSuccess(engine: FilterEngine): void
  noteFailure(engine: FilterEngine): void
}

type State = { failures: number[]; openUntil: number }

/** Keeps texts from waiting, one after the other, for an engine that does not answer. */
export function createBreaker(now: () => number): Breaker {
  const states = new WeakMap<FilterEngine, State>()
  return {
    isClosed: (engine) => (states.get(engine)?.openUntil ?? 0) <= now(),
    noteSuccess: (engine) => void states.delete(engine),
    noteFailure(engine) {
      const at = now()
      const state = states.get(engine) ?? { failures: [], openUntil: 0 }
      state.failures = [...state.failures.filter((time) => time > at - windowMs), at]
      if (state.failures.length >= failuresToOpen) {
        state.openUntil = at + windowMs
        state.failures = []
      }
      states.set(engine, state)
    },
  }
}
