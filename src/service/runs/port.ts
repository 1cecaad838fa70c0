import type { ItemRow, RunEventRow, RunRow } from '../../port/tables/runs/port.ts'

/** A run to be made. */
export type NewRun = {
  /** `queued`. Its `request` has been judged. */
  readonly run: RunRow
  /** What it is given, besides what lies in its thread or came before it. */
  readonly items: readonly ItemRow[]
  /** Events that come before its own: `thread.created`. */
  readonly events?: readonly Omit<RunEventRow, 'seq'>[] | undefined
  /** Whether it is gone on with when nobody waits for it, or its server has died. Else it fails then, saying why. */
  readonly isDurable: boolean
}

/** Runs runs. All reject with Fault `storage-unavailable` while the tables are away. */
export type RunEngine = {
  /** Makes and begins it. Rejects with Fault `invalid-request` where its thread has an active one, in the vendor's words. */
  start(run: NewRun): Promise<void>
  /** What its callers are told after event `after` (-1: everything), until it has ended or waits for its caller. Ends early when the signal is aborted. */
  follow(runId: string, after: number, signal: AbortSignal): AsyncIterable<RunEventRow>
  /** Resolves with it when it has ended or waits for its caller. */
  wait(runId: string, signal: AbortSignal): Promise<RunRow>
  /**
   * The outputs of all functions that it waits for, at once, by their call ids: it goes on. Rejects with Fault `invalid-request` for outputs
   * that are missing, unknown or doubled, and where it does not wait; of two callers one wins.
   */
  submit(owner: string, runId: string, outputs: ReadonlyMap<string, string>): Promise<RunRow>
  /** Ends it soon: `cancelling`, or `cancelled` at once where nothing of it runs. undefined where this owner has none; Fault `invalid-request` where it has ended. */
  cancel(owner: string, runId: string): Promise<RunRow | undefined>
  /** Nothing of it is kept: for responses that are not stored. Ends when the signal is aborted. */
  runOnce(
    run: NewRun,
    signal: AbortSignal,
  ): {
    readonly events: AsyncIterable<RunEventRow>
    readonly ended: Promise<{ readonly run: RunRow; readonly items: readonly ItemRow[] }>
  }
}
