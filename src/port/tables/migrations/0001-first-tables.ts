import { type Kysely, sql } from 'kysely'

/** Types and clauses that SQLite and PostgreSQL share: bigint for times, text for JSON. */
export async function createFirstTables(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('resource')
    .addColumn('id', 'integer', (column) => column.primaryKey().check(sql`id = 1`))
    .addColumn('name', 'text', (column) => column.notNull())
    .addColumn('created_at', 'bigint', (column) => column.notNull())
    .execute()
  await db.schema
    .createTable('resource_key')
    .addColumn('name', 'text', (column) => column.primaryKey().check(sql`name in ('key1', 'key2')`))
    .addColumn('sealed', 'text', (column) => column.notNull())
    .addColumn('created_at', 'bigint', (column) => column.notNull())
    .execute()
  await db.schema
    .createTable('deployment')
    .addColumn('key', 'text', (column) => column.primaryKey())
    .addColumn('name', 'text', (column) => column.notNull())
    .addColumn('document', 'text', (column) => column.notNull())
    .addColumn('etag', 'text', (column) => column.notNull())
    .addColumn('created_at', 'bigint', (column) => column.notNull())
    .addColumn('updated_at', 'bigint', (column) => column.notNull())
    .execute()
}
