import type { Deployment } from '../../../core/deployment.ts'
import type { Json, JsonObject } from '../../../core/json.ts'
import type { Job } from '../../jobs/port.ts'
import type { PageOf } from '../files/port.ts'

export type BatchStatus =
  | 'validating'
  | 'failed'
  | 'in_progress'
  | 'finalizing'
  | 'completed'
  | 'expired'
  | 'cancelling'
  | 'cancelled'

/** What its lines have used so far; cached ones are part of the input, those of reasoning part of the output. */
export type BatchTokens = {
  readonly input: number
  readonly cached: number
  readonly output: number
  readonly reasoning: number
}

/** Times are unix milliseconds. */
export type BatchRow = {
  readonly id: string
  /** The name of the key that owns it; others do not see it. */
  readonly owner: string
  /** As the caller wrote it: `/chat/completions`. */
  readonly endpoint: string
  readonly inputFileId: string
  readonly completionWindow: string
  readonly status: BatchStatus
  /** The deployment that all lines name, once that is known. */
  readonly deployment?: string | undefined
  readonly outputFileId?: string | undefined
  readonly errorFileId?: string | undefined
  /** What is wrong with the input: `{code, message, param, line}` each. */
  readonly errors?: readonly Json[] | undefined
  readonly metadata?: JsonObject | undefined
  readonly total: number
  readonly completed: number
  readonly failed: number
  readonly tokens: BatchTokens
  /** What its waiting lines hold of the deployment's quota; 0 when it has ended. */
  readonly enqueuedTokens: number
  readonly createdAt: number
  readonly inProgressAt?: number | undefined
  readonly finalizingAt?: number | undefined
  readonly completedAt?: number | undefined
  readonly failedAt?: number | undefined
  readonly expiredAt?: number | undefined
  readonly cancellingAt?: number | undefined
  readonly cancelledAt?: number | undefined
  /** When its window ends. */
  readonly expiresAt: number
  /** For how many seconds its output and error file are kept; absent: as long as any file. */
  readonly outputExpiresAfter?: number | undefined
}

/** A line of the input, and where it lies in the file. */
export type NewLine = {
  /** From 1. */
  readonly line: number
  readonly customId: string
  readonly start: number
  readonly bytes: number
}

/** `done`: answered with 200; `failed`: anything else. `record` is the line of the output or error file, without the line break. */
export type LineResult = { readonly line: number; readonly state: 'done' | 'failed'; readonly record: string }

export type WaitingKeys = { readonly customIds: readonly string[] } | { readonly lines: readonly number[] }

export type BatchChange = Partial<
  Omit<
    BatchRow,
    'id' | 'owner' | 'endpoint' | 'inputFileId' | 'completionWindow' | 'createdAt' | 'expiresAt' | 'outputExpiresAfter'
  >
>

export type BatchSum = {
  readonly status: BatchStatus
  readonly batches: number
  readonly lines: number
  readonly completed: number
  readonly failed: number
}

export type BatchesTable = {
  add(batch: BatchRow): Promise<void>
  get(id: string): Promise<BatchRow | undefined>
  /** Those of an owner (all owners when absent), one more than `limit` where there are more. None when `after` is not one of them. */
  list(owner: string | undefined, page: PageOf): Promise<BatchRow[]>
  /** Changes what is given, if the batch has one of these states. Whether it had. */
  update(id: string, from: readonly BatchStatus[], change: BatchChange): Promise<boolean>
  /** Those of all owners that have not ended: how many have each state, and what has become of their lines. */
  sumRunning(): Promise<readonly BatchSum[]>
  /** Tokens that the waiting batches of a deployment hold together. */
  sumEnqueued(deployment: Pick<Deployment, 'name' | 'resource'>): Promise<number>
  /**
   * Holds so many for a batch that is being validated, in place of those it held, unless all of the deployment's together would be more
   * than `limit`. Of two servers that ask at once the second one sees what the first one took. Whether it holds them now.
   */
  enqueue(
    id: string,
    deployment: Pick<Deployment, 'name' | 'resource'>,
    tokens: number,
    limit: number,
  ): Promise<boolean>

  /**
   * Adds lines while the job is held. Those that are there already stay as they are: reading the input can begin again. Resolves to the
   * custom ids that another line of the batch has; `undefined` when the job is held no more.
   */
  addLines(
    job: Job,
    batchId: string,
    lines: readonly NewLine[],
  ): Promise<readonly { readonly line: number; readonly customId: string }[] | undefined>
  /** Lines without a result, in their order, from `after` on. */
  listWaiting(batchId: string, after: number, limit: number): Promise<NewLine[]>
  /** Those of the lines that have no result, in their order; told by their custom ids, or by their numbers. */
  findWaiting(batchId: string, by: WaitingKeys): Promise<NewLine[]>
  /**
   * Notes results, adds to the counts and tokens, and lets go of what the lines held of the quota: together, and of each line once. Whether
   * the job was still held; else nothing was written. A call whose end nobody saw may be made again as it was: what it has written stays.
   */
  addResults(
    job: Job,
    batchId: string,
    results: readonly LineResult[],
    sums: { readonly tokens: BatchTokens; readonly releasedTokens: number },
  ): Promise<boolean>
  /** In the order of their lines. */
  listResults(batchId: string, state: LineResult['state'], after: number, limit: number): Promise<LineResult[]>
  /** Lines and results, once the files are made. */
  deleteLines(batchId: string): Promise<void>
  delete(id: string): Promise<boolean>
}
