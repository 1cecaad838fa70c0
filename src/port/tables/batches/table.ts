import { setImmediate as turn } from 'node:timers/promises'
import { type Insertable, type Kysely, type Selectable, sql, type Transaction, type Updateable } from 'kysely'
import { placeKey } from '../../../core/deployment.ts'
import type { Json, JsonObject } from '../../../core/json.ts'
import { resourceOf } from '../../../core/resource.ts'
import { isHeld } from '../../jobs/table.ts'
import type { Schema } from '../schema.ts'
import type { BatchChange, BatchesTable, BatchRow, BatchStatus, LineResult, NewLine } from './port.ts'

export type BatchSchema = {
  batch: {
    id: string
    owner: string
    endpoint: string
    input_file_id: string
    completion_window: string
    status: BatchStatus
    deployment: string | null
    /** By what the deployment is found, whatever the case. */
    deployment_key: string | null
    output_file_id: string | null
    error_file_id: string | null
    total: number
    completed: number
    failed: number
    input_tokens: number
    cached_tokens: number
    output_tokens: number
    reasoning_tokens: number
    enqueued_tokens: number
    created_at: number
    in_progress_at: number | null
    finalizing_at: number | null
    completed_at: number | null
    failed_at: number | null
    expired_at: number | null
    cancelling_at: number | null
    cancelled_at: number | null
    expires_at: number
    /** Seconds. */
    output_expires_after: number | null
    metadata: string | null
    errors: string | null
  }
  /** A row to lock: who asks for some of a deployment's quota waits until the one before has been told. */
  batch_quota: { deployment_key: string }
  batch_line: {
    batch_id: string
    line: number
    custom_id: string
    start: number
    bytes: number
    /** 1 until there is a result. Taking the mark away is what makes a result the only one of its line. */
    is_waiting: number
  }
  batch_result: { batch_id: string; line: number; state: LineResult['state']; record: string }
}

type Row = Selectable<BatchSchema['batch']>

/** Databases bound the parameters of a statement; SQLite's oldest limit is 999. */
const linesPerStatement = 160
const resultsPerStatement = 200
const keysPerStatement = 500
/** A database that answers one caller after the other must not be busy for long. */
const linesPerDelete = 500

/** Runs a statement; the adapter turns its database's failures into Faults. */
type Attempt = <T>(statement: Promise<T>) => Promise<T>

/** In SQL that SQLite and PostgreSQL share. */
export function createBatchesTable(db: Kysely<Schema>, attempt: Attempt): BatchesTable {
  return {
    async add(batch) {
      await attempt(db.insertInto('batch').values(writeRow(batch)).execute())
    },

    async get(id) {
      const row = await attempt(db.selectFrom('batch').selectAll().where('id', '=', id).executeTakeFirst())
      return row && readRow(row)
    },

    async list(owner, { after, limit, order }) {
      const last = after === undefined ? undefined : await attempt(findPlace(db, owner, after))
      if (after !== undefined && !last) return []
      let query = db
        .selectFrom('batch')
        .selectAll()
        .orderBy('created_at', order)
        .orderBy('id', order)
        .limit(limit + 1)
      if (owner !== undefined) query = query.where('owner', '=', owner)
      if (last) {
        query = query.where(({ eb, refTuple, tuple }) =>
          eb(refTuple('created_at', 'id'), order === 'asc' ? '>' : '<', tuple(last.created_at, last.id)),
        )
      }
      return (await attempt(query.execute())).map(readRow)
    },

    async update(id, from, change) {
      const query = db.updateTable('batch').set(writeChange(change)).where('id', '=', id).where('status', 'in', from)
      return (await attempt(query.executeTakeFirstOrThrow())).numUpdatedRows > 0n
    },

    async sumRunning() {
      const query = db
        .selectFrom('batch')
        .select(({ fn }) => [
          'status',
          fn.countAll().as('batches'),
          fn.sum('total').as('lines'),
          fn.sum('completed').as('completed'),
          fn.sum('failed').as('failed'),
        ])
        .where('status', 'in', ['validating', 'in_progress', 'finalizing', 'cancelling'])
        .groupBy('status')
        .orderBy('status')
      return (await attempt(query.execute())).map(({ status, batches, lines, completed, failed }) => ({
        status,
        batches: Number(batches),
        lines: Number(lines),
        completed: Number(completed),
        failed: Number(failed),
      }))
    },

    async sumEnqueued(deployment) {
      return Number((await attempt(sumEnqueued(db, placeKey(deployment)).executeTakeFirstOrThrow())).tokens)
    },

    enqueue(id, deployment, tokens, limit) {
      const key = placeKey(deployment)
      const run = async (transaction: Transaction<Schema>): Promise<boolean> => {
        // Whoever writes this row makes others wait, and what they read after it holds what was written before.
        await transaction
          .insertInto('batch_quota')
          .values({ deployment_key: key })
          .onConflict((conflict) => conflict.column('deployment_key').doUpdateSet({ deployment_key: key }))
          .execute()
        const { tokens: others } = await sumEnqueued(transaction, key).where('id', '!=', id).executeTakeFirstOrThrow()
        if (Number(others) + tokens > limit) return false
        const { numUpdatedRows } = await transaction
          .updateTable('batch')
          .set({ deployment: deployment.name, deployment_key: key, enqueued_tokens: tokens })
          .where('id', '=', id)
          .where('status', '=', 'validating')
          .executeTakeFirstOrThrow()
        return numUpdatedRows > 0n
      }
      return attempt(db.transaction().execute(run))
    },

    addLines(job, batchId, lines) {
      const run = async (transaction: Transaction<Schema>) => {
        if (!(await isHeld(transaction, job))) return undefined
        const taken: { line: number; customId: string }[] = []
        for (const some of inParts(lines, linesPerStatement)) {
          const added = await insertLines(transaction, batchId, some)
          if (added < some.length) taken.push(...(await findTaken(transaction, batchId, some)))
        }
        return taken
      }
      return attempt(db.transaction().execute(run))
    },

    async listWaiting(batchId, after, limit) {
      const query = selectWaiting(db, batchId).where('line', '>', after).limit(limit)
      return (await attempt(query.execute())).map(readLine)
    },

    async findWaiting(batchId, by) {
      const found: NewLine[] = []
      const query = selectWaiting(db, batchId)
      const asked =
        'lines' in by
          ? [...inParts(by.lines, keysPerStatement)].map((some) => query.where('line', 'in', some))
          : [...inParts(by.customIds, keysPerStatement)].map((some) => query.where('custom_id', 'in', some))
      for (const some of asked) found.push(...(await attempt(some.execute())).map(readLine))
      return found.sort((a, b) => a.line - b.line)
    },

    addResults(job, batchId, results, { tokens, releasedTokens }) {
      const run = async (transaction: Transaction<Schema>): Promise<boolean> => {
        if (!(await isHeld(transaction, job))) return false
        const fresh = await endWaiting(transaction, batchId, results)
        if (fresh.length === 0) return true
        for (const some of inParts(fresh, resultsPerStatement)) await insertResults(transaction, batchId, some)
        const completed = fresh.filter(({ state }) => state === 'done').length
        await transaction
          .updateTable('batch')
          .set(({ eb }) => ({
            completed: eb('completed', '+', completed),
            failed: eb('failed', '+', fresh.length - completed),
            input_tokens: eb('input_tokens', '+', tokens.input),
            cached_tokens: eb('cached_tokens', '+', tokens.cached),
            output_tokens: eb('output_tokens', '+', tokens.output),
            reasoning_tokens: eb('reasoning_tokens', '+', tokens.reasoning),
            enqueued_tokens: eb
              .case()
              .when('enqueued_tokens', '>', releasedTokens)
              .then(eb('enqueued_tokens', '-', releasedTokens))
              .else(0)
              .end(),
          }))
          .where('id', '=', batchId)
          .execute()
        return true
      }
      return attempt(db.transaction().execute(run))
    },

    async listResults(batchId, state, after, limit) {
      const query = db
        .selectFrom('batch_result')
        .select(['line', 'state', 'record'])
        .where('batch_id', '=', batchId)
        .where('state', '=', state)
        .where('line', '>', after)
        .orderBy('line')
        .limit(limit)
      return attempt(query.execute())
    },

    deleteLines: (batchId) => deleteLines(db, attempt, batchId),

    async delete(id) {
      await deleteLines(db, attempt, id)
      const query = db.deleteFrom('batch').where('id', '=', id)
      return (await attempt(query.executeTakeFirstOrThrow())).numDeletedRows > 0n
    },
  }
}

function selectWaiting(db: Kysely<Schema>, batchId: string) {
  return (
    db
      .selectFrom('batch_line')
      .select(['line', 'custom_id', 'start', 'bytes'])
      .where('batch_id', '=', batchId)
      // As the index has it: with a parameter in its place the index would not do.
      .where('is_waiting', '=', sql.lit(1))
      .orderBy('line')
  )
}

function readLine({
  custom_id,
  start,
  ...line
}: Omit<Selectable<BatchSchema['batch_line']>, 'batch_id' | 'is_waiting'>) {
  return { ...line, customId: custom_id, start: Number(start) }
}

function findPlace(db: Kysely<Schema>, owner: string | undefined, id: string) {
  const query = db.selectFrom('batch').select(['created_at', 'id']).where('id', '=', id)
  return (owner === undefined ? query : query.where('owner', '=', owner)).executeTakeFirst()
}

function sumEnqueued(db: Kysely<Schema>, key: string) {
  return db
    .selectFrom('batch')
    .select(({ fn }) => fn.coalesce(fn.sum<number>('enqueued_tokens'), sql.lit(0)).as('tokens'))
    .where('deployment_key', '=', key)
    .where('enqueued_tokens', '>', sql.lit(0))
}

/** How many were not there. */
async function insertLines(db: Transaction<Schema>, batchId: string, lines: readonly NewLine[]): Promise<number> {
  const values = lines.map(({ line, customId, start, bytes }) => ({
    batch_id: batchId,
    line,
    custom_id: customId,
    start,
    bytes,
    is_waiting: 1,
  }))
  const { numInsertedOrUpdatedRows = 0n } = await db
    .insertInto('batch_line')
    .values(values)
    .onConflict((conflict) => conflict.doNothing())
    .executeTakeFirstOrThrow()
  return Number(numInsertedOrUpdatedRows)
}

/** Those of the lines whose custom id another line has. */
async function findTaken(db: Transaction<Schema>, batchId: string, lines: readonly NewLine[]) {
  const ids = lines.map(({ customId }) => customId)
  const rows = await db
    .selectFrom('batch_line')
    .select(['line', 'custom_id'])
    .where('batch_id', '=', batchId)
    .where('custom_id', 'in', ids)
    .execute()
  const lineOf = new Map(rows.map(({ line, custom_id }) => [custom_id, line]))
  return lines
    .filter(({ line, customId }) => lineOf.get(customId) !== line)
    .map(({ line, customId }) => ({ line, customId }))
}

/** Those of the results whose lines had none. */
async function endWaiting(db: Transaction<Schema>, batchId: string, results: readonly LineResult[]) {
  const ended = new Set<number>()
  for (const some of inParts(results, keysPerStatement)) {
    const rows = await db
      .updateTable('batch_line')
      .set({ is_waiting: 0 })
      .where('batch_id', '=', batchId)
      .where(
        'line',
        'in',
        some.map(({ line }) => line),
      )
      .where('is_waiting', '=', sql.lit(1))
      .returning('line')
      .execute()
    for (const { line } of rows) ended.add(line)
  }
  // Of two results of one line the first counts.
  return results.filter(({ line }) => ended.delete(line))
}

async function insertResults(db: Transaction<Schema>, batchId: string, results: readonly LineResult[]): Promise<void> {
  const values = results.map(({ line, state, record }) => ({ batch_id: batchId, line, state, record }))
  await db.insertInto('batch_result').values(values).execute()
}

/** As the index has them: of the whole batch it would look at every result each time. */
const states: readonly LineResult['state'][] = ['done', 'failed']

async function deleteLines(db: Kysely<Schema>, attempt: Attempt, batchId: string): Promise<void> {
  const ofBatch = { batch_id: batchId }
  for (const state of states) {
    const own = { ...ofBatch, state }
    await deleteAll(attempt, () => {
      const some = db
        .selectFrom('batch_result')
        .select('line')
        .where(({ and }) => and(own))
        .limit(linesPerDelete)
      return db
        .deleteFrom('batch_result')
        .where(({ and }) => and(own))
        .where('line', 'in', some)
    })
  }
  await deleteAll(attempt, () => {
    const some = db
      .selectFrom('batch_line')
      .select('line')
      .where(({ and }) => and(ofBatch))
      .limit(linesPerDelete)
    return db
      .deleteFrom('batch_line')
      .where(({ and }) => and(ofBatch))
      .where('line', 'in', some)
  })
}

type Deletion = { executeTakeFirstOrThrow(): Promise<{ readonly numDeletedRows: bigint }> }

/** Until nothing is left, with a pause in which others have their turn. */
async function deleteAll(attempt: Attempt, deleteSome: () => Deletion): Promise<void> {
  while ((await attempt(deleteSome().executeTakeFirstOrThrow())).numDeletedRows > 0n) await turn()
}

function* inParts<T>(items: readonly T[], size: number): Generator<readonly T[]> {
  for (let at = 0; at < items.length; at += size) yield items.slice(at, at + size)
}

function writeRow(batch: BatchRow): Insertable<BatchSchema['batch']> {
  const { id, owner, endpoint, inputFileId, completionWindow, createdAt, expiresAt } = batch
  return {
    ...writeChange(batch),
    ...(batch.deployment !== undefined && {
      deployment_key: placeKey({ name: batch.deployment, resource: resourceOf(owner) }),
    }),
    id,
    owner,
    endpoint,
    input_file_id: inputFileId,
    completion_window: completionWindow,
    created_at: createdAt,
    expires_at: expiresAt,
    output_expires_after: batch.outputExpiresAfter ?? null,
    status: batch.status,
    total: batch.total,
    completed: batch.completed,
    failed: batch.failed,
    input_tokens: batch.tokens.input,
    cached_tokens: batch.tokens.cached,
    output_tokens: batch.tokens.output,
    reasoning_tokens: batch.tokens.reasoning,
    enqueued_tokens: batch.enqueuedTokens,
  }
}

/** A column that is undefined is not written. */
function writeChange({ tokens, ...change }: BatchChange): Updateable<BatchSchema['batch']> {
  return {
    status: change.status,
    deployment: change.deployment,
    output_file_id: change.outputFileId,
    error_file_id: change.errorFileId,
    total: change.total,
    completed: change.completed,
    failed: change.failed,
    input_tokens: tokens?.input,
    cached_tokens: tokens?.cached,
    output_tokens: tokens?.output,
    reasoning_tokens: tokens?.reasoning,
    enqueued_tokens: change.enqueuedTokens,
    in_progress_at: change.inProgressAt,
    finalizing_at: change.finalizingAt,
    completed_at: change.completedAt,
    failed_at: change.failedAt,
    expired_at: change.expiredAt,
    cancelling_at: change.cancellingAt,
    cancelled_at: change.cancelledAt,
    metadata: change.metadata && JSON.stringify(change.metadata),
    errors: change.errors && JSON.stringify(change.errors),
  }
}

/** Large numbers come as text from a database whose numbers are larger than ours. */
function readRow(row: Row): BatchRow {
  const toTime = (value: number | null): number | undefined => (value === null ? undefined : Number(value))
  return {
    id: row.id,
    owner: row.owner,
    endpoint: row.endpoint,
    inputFileId: row.input_file_id,
    completionWindow: row.completion_window,
    status: row.status,
    deployment: row.deployment ?? undefined,
    outputFileId: row.output_file_id ?? undefined,
    errorFileId: row.error_file_id ?? undefined,
    errors: row.errors === null ? undefined : (JSON.parse(row.errors) as Json[]),
    metadata: row.metadata === null ? undefined : (JSON.parse(row.metadata) as JsonObject),
    total: row.total,
    completed: row.completed,
    failed: row.failed,
    tokens: {
      input: Number(row.input_tokens),
      cached: Number(row.cached_tokens),
      output: Number(row.output_tokens),
      reasoning: Number(row.reasoning_tokens),
    },
    enqueuedTokens: Number(row.enqueued_tokens),
    createdAt: Number(row.created_at),
    inProgressAt: toTime(row.in_progress_at),
    finalizingAt: toTime(row.finalizing_at),
    completedAt: toTime(row.completed_at),
    failedAt: toTime(row.failed_at),
    expiredAt: toTime(row.expired_at),
    cancellingAt: toTime(row.cancelling_at),
    cancelledAt: toTime(row.cancelled_at),
    expiresAt: Number(row.expires_at),
    outputExpiresAfter: row.output_expires_after ?? undefined,
  }
}
