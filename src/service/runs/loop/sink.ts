import type { ItemRow, RunChange, RunStatus } from '../../../port/tables/runs/port.ts'
import type { RunEvent } from '../face.ts'

/** Where a run writes what it does: a table that outlives the process, or memory. */
export type Sink = {
  /** Callers hear it at once; it is written soon. Items of `item-added` and `item-done` are written with it. */
  tell(event: RunEvent): void
  /** Written with the next write. */
  keep(items: readonly ItemRow[]): void
  /**
   * Resolves when everything told, and this, has been written. `last` is told when it has: whoever hears that a run has ended finds it so.
   * Rejects with a Halt where the run is held no more, or was cancelled.
   */
  commit(change: RunChange, last?: RunEvent): Promise<void>
  /** A promise where more was told than has been written or read: whoever tells more waits for it first. */
  room(): Promise<void> | undefined
  /** How many events have been told, and so the number of the next one. */
  readonly next: number
  /** From here on the run may be one that a caller has cancelled. */
  mayBe(status: RunStatus): void
}
