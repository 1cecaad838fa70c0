import type { Kysely } from 'kysely'

/** Durable work: what has to be done, how far it is, and who is at it until when. */
export async function addJobs(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('job')
    .addColumn('kind', 'text', (column) => column.notNull())
    .addColumn('id', 'text', (column) => column.notNull())
    .addColumn('state', 'text', (column) => column.notNull())
    .addColumn('due_at', 'bigint', (column) => column.notNull())
    .addColumn('owner', 'text')
    .addColumn('attempt', 'integer', (column) => column.notNull())
    .addColumn('is_woken', 'integer', (column) => column.notNull())
    .addColumn('created_at', 'bigint', (column) => column.notNull())
    .addColumn('updated_at', 'bigint', (column) => column.notNull())
    // By its id first: with the kind in front, SQLite would rather sort all jobs of a kind than walk along the index below.
    .addPrimaryKeyConstraint('job_key', ['id', 'kind'])
    .execute()
  await db.schema.createIndex('job_by_time').on('job').columns(['due_at', 'kind']).execute()
}
