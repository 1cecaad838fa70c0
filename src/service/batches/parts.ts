import type { CallKind } from '../../core/call.ts'
import type { Deployment } from '../../core/deployment.ts'
import type { JsonObject } from '../../core/json.ts'
import type { NativeBatches, UpstreamLine } from '../../core/reply.ts'
import type { Usage } from '../../core/usage/usage.ts'
import type { StartTimer } from '../../policy/limit/wait-queue.ts'
import type { ByteRange, ReadOptions } from '../../port/blobs/port.ts'
import type { Jobs } from '../../port/jobs/port.ts'
import type { BatchesTable, BatchRow } from '../../port/tables/batches/port.ts'
import type { FileRow } from '../../port/tables/files/port.ts'
import type { Logger } from '../../telemetry/logger.ts'
import type { ServerEnd } from '../../wire/wire.ts'
import type { BatchSettings } from './settings.ts'

/** A file that work for an owner made. Times are unix milliseconds. */
export type NewOutputFile = Pick<FileRow, 'id' | 'owner' | 'filename' | 'purpose' | 'createdAt' | 'expiresAt'>

/** What batches need of the files. Reading and writing reject with Fault `storage-unavailable` while the store is away. */
export type BatchFiles = {
  /** undefined where this owner has no such file. */
  find(owner: string, id: string): Promise<Pick<FileRow, 'id' | 'purpose' | 'bytes' | 'status'> | undefined>
  /** Rejects with Fault `not-found` before the first piece where the content is gone. */
  read(id: string, range?: ByteRange, options?: ReadOptions): AsyncIterable<Uint8Array>
  makeId(): string
  /** The file with its content, whole or not at all, in place of what was there under this id. */
  createFile(file: NewOutputFile, content: AsyncIterable<Uint8Array>): Promise<void>
}

/** One line to be answered, as a call of its owner. */
export type LineRun = {
  /** Reads the body and writes the answer. */
  readonly end: ServerEnd
  /** As the batch names it: `/v1/chat/completions`. */
  readonly endpoint: string
  readonly body: JsonObject
  readonly deployment: string
  readonly owner: string
  readonly batchId: string
  readonly customId: string
  /** The same whenever this line is run: goes upstream as `x-ms-client-request-id`, so that a second run can be known for one. */
  readonly runId: string
  /** Aborted when the answer is not wanted any more. */
  readonly signal: AbortSignal
}

export type LineAnswer = {
  readonly status: number
  readonly requestId: string
  /** JSON text. */
  readonly body: string
  readonly usage?: Usage | undefined
  /** Whether asking again later may help; absent: as the status says. */
  readonly isRepeatable?: boolean | undefined
  readonly retryAfterMs?: number | undefined
}

/** May also reject with a Fault. */
export type RunLine = (run: LineRun) => Promise<LineAnswer>

/** Lines that go upstream as whole batches. What judges and counts calls judges and counts these. */
export type NativeLines = {
  /** Where batches of the deployment go for this owner, or went when they went to `home`; undefined where they are run here. */
  find(deployment: string, owner: string, kind: CallKind, home?: string): NativeBatches | undefined
  /** What goes upstream for a line, or the answer that it gets without going there. */
  prepare(run: LineRun, batches: NativeBatches, name: string): Promise<{ readonly text: string } | LineAnswer>
  /** The line's answer, of what the upstream said to it. */
  answer(run: LineRun, batches: NativeBatches, said: UpstreamLine): Promise<LineAnswer>
}

export type BatchParts = {
  readonly table: BatchesTable
  readonly jobs: Pick<Jobs, 'add' | 'wake'>
  readonly files: BatchFiles
  readonly runLine: RunLine
  /** Nothing goes upstream as a batch when absent. */
  readonly native?: NativeLines | undefined
  /** The deployment of that name that this owner may use. */
  readonly findDeployment: (name: string, owner: string) => Deployment | undefined
  /** How many live calls the deployment answers now, or did a moment ago: lines keep out of their way. None when absent. */
  readonly load?: ((deployment: string) => number) | undefined
  /**
   * Told of every batch that has ended, whichever way: once, or once more where the server died at that moment. Awaited, and tried again
   * when it rejects.
   */
  readonly onEnd?: ((batch: BatchRow) => void | Promise<void>) | undefined
  /** There is something to do for the worker of this process. */
  readonly nudge?: (() => void) | undefined
  /** Unix milliseconds. */
  readonly now: () => number
  readonly log: Logger
  /** What is absent is as in `defaultSettings`. */
  readonly settings?: Partial<BatchSettings> | undefined
  /** `setTimeout` when absent. */
  readonly startTimer?: StartTimer | undefined
  /** From 0 to below 1; `Math.random` when absent. */
  readonly random?: (() => number) | undefined
}

/** The same with everything in its place. */
export type BatchWorld = Required<Omit<BatchParts, 'settings'>> & {
  readonly settings: BatchSettings
  /** Batches whose lines run in this process. */
  readonly running: RunningBatches
  /** The batch whose lines are on their way upstream from this process, one at a time: they are held in memory. */
  readonly ordering: Set<string>
}

/** By the id of the batch. */
export type RunningBatches = Map<string, RunningBatch>

export type RunningBatch = {
  /** Makes the run look whether it is still wanted. */
  look(): void
  /** Whether lines of it run at the moment: one that waits for its deployment leaves its place to others. */
  isActive(): boolean
}
