import type { RunRow, RunsTable } from '../../port/tables/runs/port.ts'
import type { Logger } from '../../telemetry/logger.ts'
import type { AskModels } from '../tools/ask.ts'
import type { HostedTools } from '../tools/hosted-tool.ts'
import type { StartTimer } from '../worker/timer.ts'
import type { Face } from './face.ts'
import type { RunSettings } from './settings.ts'

/** A file that a message has, to be shown to the model. */
export type AttachedFile = { readonly filename: string; readonly type: string; readonly bytes: Uint8Array }

export type RunParts = {
  readonly table: RunsTable
  readonly ask: AskModels
  readonly tools: HostedTools
  /** By the kind of run. */
  readonly faces: { readonly [K in RunRow['kind']]?: Face | undefined }
  /** There is a job for the worker of this process. */
  readonly nudge: () => void
  /** Unix milliseconds. */
  readonly now: () => number
  readonly log: Logger
  readonly settings?: Partial<RunSettings> | undefined
  /** A new id of that prefix: `msg_`. Ids go in the order in which they were made. */
  readonly makeId: (prefix: string) => string
  /** What a deployment takes at once, prompt and answer together, where that is known. */
  readonly contextTokens?: ((owner: string, deployment: string) => number | undefined) | undefined
  /** A file by its id; undefined where this owner has none. Rejects with Fault `invalid-request` where it has more than `maxBytes`. */
  readonly readFile?:
    | ((owner: string, fileId: string, maxBytes: number) => Promise<AttachedFile | undefined>)
    | undefined
  /** Told of every run that has ended, once, by the server that ended it. */
  readonly onEnd?: ((run: RunRow) => void) | undefined
  /** `setTimeout` when absent. */
  readonly startTimer?: StartTimer | undefined
  /** `Math.random` when absent. */
  readonly random?: (() => number) | undefined
}

export type RunWorld = Omit<RunParts, 'settings'> & {
  readonly settings: RunSettings
  readonly startTimer: StartTimer
  readonly random: () => number
}
