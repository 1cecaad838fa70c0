import { Fault } from '../../core/fault.ts'
import type { Json, JsonObject } from '../../core/json.ts'
import type { BatchChange, BatchesTable, BatchRow, BatchStatus, LineResult } from '../../port/tables/batches/port.ts'
import type { BatchWorld } from './parts.ts'
import { persist } from './persist.ts'

export type Finalizing = {
  readonly batch: BatchRow
  readonly signal: AbortSignal
  /** What was noted before, and how more is. */
  readonly state: JsonObject
  note(state: JsonObject): Promise<void>
}

/** Results are read in pages of about so many characters. */
const charactersPerPage = 128 * 1024
const mostPerPage = 500

/**
 * Makes the files of a batch whose lines have come to an end, and ends it. Can be done again from any point: the ids of the files are noted
 * before there are files, a file is in place of one that was made under its id, and the batch names them when both are there. Whether
 * this ended it: false when somebody else has.
 */
export async function finalizeBatch(world: BatchWorld, finalizing: Finalizing): Promise<boolean> {
  const { batch, signal, state, note } = finalizing
  const { table, files, now } = world
  const ids = readIds(state) ?? { output: files.makeId(), error: files.makeId() }
  await note(writeIds(ids))
  const outputFileId = await makeFile('done', 'output', ids.output, batch.completed)
  const errorFileId = await makeFile('failed', 'error', ids.error, batch.failed)
  const change: BatchChange = { ...endOf(batch, now()), outputFileId, errorFileId, enqueuedTokens: 0 }
  return persist(world, signal, () => table.update(batch.id, [batch.status], change))

  async function makeFile(
    lines: LineResult['state'],
    name: string,
    id: string,
    count: number,
  ): Promise<string | undefined> {
    if (!isFileWanted(world, batch, count)) return undefined
    const createdAt = now()
    const file = {
      id,
      owner: batch.owner,
      filename: `${batch.id}_${name}.jsonl`,
      purpose: 'batch_output',
      createdAt,
      expiresAt: batch.outputExpiresAfter === undefined ? undefined : createdAt + batch.outputExpiresAfter * 1000,
    }
    await persist(world, signal, () => files.createFile(file, readRecords(table, batch.id, lines, count, signal)))
    return id
  }
}

/** A batch that was cancelled before it ran has no files. */
function isFileWanted({ settings }: BatchWorld, { inProgressAt }: BatchRow, count: number): boolean {
  return count > 0 || (settings.behaviour === 'azure' && inProgressAt !== undefined)
}

function endOf({ status, expiredAt }: BatchRow, time: number): { readonly status: BatchStatus } & BatchChange {
  if (status === 'cancelling') return { status: 'cancelled', cancelledAt: time }
  return expiredAt === undefined ? { status: 'completed', completedAt: time } : { status: 'expired' }
}

/** A worker that lost the job meanwhile may find no lines any more. What it has begun must not replace what is complete. */
async function* readRecords(
  table: BatchesTable,
  batchId: string,
  state: LineResult['state'],
  expected: number,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
  let after = 0
  let count = 0
  let limit = 50
  for (;;) {
    signal.throwIfAborted()
    const results = await table.listResults(batchId, state, after, limit)
    if (results.length === 0) break
    const text = results.map(({ record }) => `${record}\n`).join('')
    yield Buffer.from(text)
    count += results.length
    after = (results.at(-1) as LineResult).line
    const perResult = text.length / results.length
    limit = Math.max(1, Math.min(mostPerPage, Math.floor(charactersPerPage / perResult)))
  }
  if (count !== expected) {
    throw new Fault('conflict', `The batch ${batchId} has ${count} results of lines where ${expected} were counted.`)
  }
}

type FileIds = { readonly output: string; readonly error: string }

function writeIds({ output, error }: FileIds): JsonObject {
  return { files: { output, error } as unknown as Json }
}

function readIds({ files }: JsonObject): FileIds | undefined {
  return files as unknown as FileIds | undefined
}
