import { type Kysely, type Selectable, sql, type Transaction } from 'kysely'
import { Fault } from '../../core/fault.ts'
import { type JsonObject, parseJsonObject } from '../../core/json.ts'
import { randomId } from '../../core/text/id.ts'
import type { Schema } from '../tables/schema.ts'
import type { Job, Jobs } from './port.ts'

export type JobSchema = {
  job: {
    kind: string
    id: string
    state: string
    /** When it may be taken: what was asked for, or, while somebody has it, the end of his lease. */
    due_at: number
    /** null while nobody has it. One whose lease ran out stands here until another one takes the job. */
    owner: string | null
    attempt: number
    /** 1 when something happened to it while it was held. */
    is_woken: number
    created_at: number
    updated_at: number
  }
}

/** Runs a statement; the adapter turns its database's failures into Faults. */
type Attempt = <T>(statement: Promise<T>) => Promise<T>

type Holding = Pick<Job, 'kind' | 'id' | 'owner' | 'attempt'>

/**
 * Jobs in a table, one statement for each step: of any number of servers, one has a job. `now` is unix milliseconds; clocks that differ
 * between servers make a lease longer or shorter, but what a former holder writes counts in no case.
 */
export function createJobsTable(
  db: Kysely<Schema>,
  attempt: Attempt,
  now: () => number,
  dialect: 'sqlite' | 'postgres',
): Jobs {
  /** Those columns of the job if it is held, to be changed. */
  const change = ({ kind, id, owner, attempt }: Holding) =>
    db
      .updateTable('job')
      .where('kind', '=', kind)
      .where('id', '=', id)
      .where('owner', '=', owner)
      .where('attempt', '=', attempt)
      .where('due_at', '>', now())

  async function hasChanged(query: { executeTakeFirst(): Promise<{ readonly numUpdatedRows: bigint }> }) {
    const { numUpdatedRows } = await attempt(query.executeTakeFirst())
    return numUpdatedRows > 0n
  }

  return {
    async add({ kind, id, state, runAt }) {
      const time = now()
      const query = db
        .insertInto('job')
        .values({
          kind,
          id,
          state: JSON.stringify(state),
          due_at: Math.round(runAt),
          owner: null,
          attempt: 0,
          is_woken: 0,
          created_at: time,
          updated_at: time,
        })
        .onConflict((conflict) => conflict.columns(['id', 'kind']).doNothing())
      const { numInsertedOrUpdatedRows = 0n } = await attempt(query.executeTakeFirst())
      return numInsertedOrUpdatedRows > 0n
    },

    async claim(kinds, owner, leaseMs) {
      if (kinds.length === 0) return undefined
      const time = now()
      const next = db
        .selectFrom('job')
        .select(['id', 'kind'])
        .where('kind', 'in', kinds)
        .where('due_at', '<=', time)
        .orderBy('due_at')
        .limit(1)
        // Claimers do not wait for each other. SQLite lets one write at a time anyway.
        .$if(dialect === 'postgres', (query) => query.forUpdate().skipLocked())
      const query = db
        .updateTable('job')
        .set((row) => ({
          owner: `${owner}#${randomId(12)}`,
          attempt: row('attempt', '+', 1),
          due_at: time + leaseMs,
          is_woken: 0,
          updated_at: time,
        }))
        .where(({ eb, refTuple }) => eb(refTuple('id', 'kind'), '=', next.$asTuple('id', 'kind')))
        .returning(['kind', 'id', 'state', 'owner', 'attempt'])
      const row = await attempt(query.executeTakeFirst())
      return row && readJob(row)
    },

    renew: (job, leaseMs) => hasChanged(change(job).set({ due_at: now() + leaseMs, updated_at: now() })),

    note: (job, state) => hasChanged(change(job).set({ state: JSON.stringify(state), updated_at: now() })),

    release: (job, state, runAt) =>
      hasChanged(
        change(job).set({
          state: JSON.stringify(state),
          // Woken between the worker's last look and this: it has to look again.
          due_at: sql<number>`cast(case when is_woken = 1 then ${now()} else ${Math.round(runAt)} end as bigint)`,
          owner: null,
          is_woken: 0,
          updated_at: now(),
        }),
      ),

    async finish(job) {
      const { kind, id, owner, attempt: number } = job
      const query = db
        .deleteFrom('job')
        .where('kind', '=', kind)
        .where('id', '=', id)
        .where('owner', '=', owner)
        .where('attempt', '=', number)
        .where('due_at', '>', now())
        .where('is_woken', '=', 0)
      const { numDeletedRows } = await attempt(query.executeTakeFirst())
      if (numDeletedRows > 0n) return true
      // Nobody but its holder takes the mark away, so between the two statements it can only come.
      return hasChanged(
        change(job).where('is_woken', '=', 1).set({ due_at: now(), owner: null, is_woken: 0, updated_at: now() }),
      )
    },

    async releaseOf(owners) {
      const time = now()
      const query = db
        .updateTable('job')
        .set({
          due_at: sql<number>`case when due_at > ${time} then ${time} else due_at end`,
          owner: null,
          is_woken: 0,
          updated_at: time,
        })
        .where(sql<boolean>`substr(owner, 1, ${owners.length}) = ${owners}`)
      const { numUpdatedRows } = await attempt(query.executeTakeFirst())
      return Number(numUpdatedRows)
    },

    async wake(kind, id) {
      const time = now()
      const query = db
        .updateTable('job')
        .set({
          due_at: sql<number>`case when owner is null and due_at > ${time} then ${time} else due_at end`,
          is_woken: sql<number>`case when owner is null then 0 else 1 end`,
          updated_at: time,
        })
        .where('kind', '=', kind)
        .where('id', '=', id)
      await attempt(query.execute())
    },

    async nextDueAt(kinds) {
      if (kinds.length === 0) return undefined
      const query = db.selectFrom('job').select('due_at').where('kind', 'in', kinds).orderBy('due_at').limit(1)
      const row = await attempt(query.executeTakeFirst())
      // PostgreSQL's driver gives bigint as text.
      return row && Number(row.due_at)
    },
  }
}

/**
 * For other tables, as the first statement of a transaction that writes something for a job: whether whoever took it still has it. If so,
 * nobody else takes it before the transaction has ended. A lease that has run out is no matter as long as nobody else took the job.
 */
export async function isHeld(transaction: Transaction<Schema>, job: Holding): Promise<boolean> {
  // Writing locks the row, on every database. Reading first and writing then is what SQLite refuses when another process wrote between.
  const { numUpdatedRows } = await transaction
    .updateTable('job')
    .set((row) => ({ attempt: row.ref('attempt') }))
    .where('kind', '=', job.kind)
    .where('id', '=', job.id)
    .where('owner', '=', job.owner)
    .where('attempt', '=', job.attempt)
    .executeTakeFirst()
  return numUpdatedRows > 0n
}

function readJob(row: Selectable<Omit<JobSchema['job'], 'due_at' | 'is_woken' | 'created_at' | 'updated_at'>>): Job {
  return {
    kind: row.kind,
    id: row.id,
    state: readState(row),
    owner: row.owner as string,
    attempt: row.attempt,
  }
}

function readState({ kind, id, state }: { kind: string; id: string; state: string }): JsonObject {
  const object = parseJsonObject(state)
  if (object) return object
  throw new Fault('state-unusable', `The stored state of the job "${id}" of kind "${kind}" is not a JSON object.`)
}
