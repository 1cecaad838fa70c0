import { type Kysely, sql } from 'kysely'
import type { Migration } from '../tables/migrations/index.ts'

/** Times are unix milliseconds with fractions. */
export type RequestSchema = {
  request_block: {
    id: string
    /** Who wrote it: whoever else shares the store does not pack it anew. */
    node: string
    /** How often it was packed together with others; -1 when it stays as it is. */
    level: number
    first_at: number
    last_at: number
    min_id: string
    max_id: string
    count: number
    bytes: number
    max_ms: number
    has_filtered: number
    has_limited: number
    words: Uint8Array
  }
  request_data: {
    /** Of the block. */
    id: string
    lists: string
    columns: Uint8Array
    details: Uint8Array
  }
  request_content: { id: string; expires_at: number; document: Uint8Array }
}

/** Blocks of requests, what is in them, and what was captured of some. The first of these is small, and gone through by every search. */
const createRequestTables: Migration = async (db) => {
  // SQLite keeps bytes as they are, whatever a column is called.
  const bytes = sql`bytea`
  await db.schema
    .createTable('request_block')
    .addColumn('id', 'text', (column) => column.primaryKey().notNull())
    .addColumn('node', 'text', (column) => column.notNull())
    .addColumn('level', 'integer', (column) => column.notNull())
    .addColumn('first_at', 'double precision', (column) => column.notNull())
    .addColumn('last_at', 'double precision', (column) => column.notNull())
    .addColumn('min_id', 'text', (column) => column.notNull())
    .addColumn('max_id', 'text', (column) => column.notNull())
    .addColumn('count', 'integer', (column) => column.notNull())
    .addColumn('bytes', 'integer', (column) => column.notNull())
    .addColumn('max_ms', 'double precision', (column) => column.notNull())
    .addColumn('has_filtered', 'integer', (column) => column.notNull())
    .addColumn('has_limited', 'integer', (column) => column.notNull())
    .addColumn('words', bytes, (column) => column.notNull())
    .execute()
  await index(db, 'request_block_by_end', 'request_block', ['last_at', 'id'])
  await index(db, 'request_block_by_level', 'request_block', ['node', 'level', 'last_at'])
  await db.schema
    .createTable('request_data')
    .addColumn('id', 'text', (column) => column.primaryKey().notNull())
    .addColumn('lists', 'text', (column) => column.notNull())
    .addColumn('columns', bytes, (column) => column.notNull())
    .addColumn('details', bytes, (column) => column.notNull())
    .execute()
  await db.schema
    .createTable('request_content')
    .addColumn('id', 'text', (column) => column.primaryKey().notNull())
    .addColumn('expires_at', 'double precision', (column) => column.notNull())
    .addColumn('document', bytes, (column) => column.notNull())
    .execute()
  await index(db, 'request_content_by_end', 'request_content', ['expires_at'])
}

function index(db: Kysely<unknown>, name: string, table: string, columns: string[]): Promise<void> {
  return db.schema.createIndex(name).on(table).columns(columns).execute()
}

/** The steps of this store's own schema; they never change after they were released. */
export const requestMigrations: readonly Migration[] = [createRequestTables]
