import type { Kysely, Selectable } from 'kysely'
import type { Schema } from '../../schema.ts'
import type { QuotaRow, QuotaTable } from './port.ts'

export type QuotaSchema = {
  quota_pool: {
    /** The name in lower case: what it is found by. */
    key: string
    name: string
    format: string | null
    model: string | null
    sku: string
    /** `limit` is a word of SQL. */
    units: number
    created_at: number
    updated_at: number
  }
}

/** Runs a statement; the adapter turns its database's failures into Faults. */
type Attempt = <T>(statement: Promise<T>) => Promise<T>

/** In SQL that SQLite and PostgreSQL share. */
export function createQuotaTable(db: Kysely<Schema>, attempt: Attempt): QuotaTable {
  return {
    async list() {
      const rows = await attempt(db.selectFrom('quota_pool').selectAll().orderBy('key').execute())
      return rows.map(readRow)
    },
    async put({ name, format = null, model = null, sku, limit }, now) {
      const change = { units: limit, updated_at: now }
      const query = db
        .insertInto('quota_pool')
        .values({ key: name.toLowerCase(), name, format, model, sku, created_at: now, ...change })
        .onConflict((conflict) => conflict.column('key').doUpdateSet(change))
        .returningAll()
      return readRow(await attempt(query.executeTakeFirstOrThrow()))
    },
    async delete(name) {
      const query = db.deleteFrom('quota_pool').where('key', '=', name.toLowerCase())
      const { numDeletedRows } = await attempt(query.executeTakeFirst())
      return numDeletedRows > 0n
    },
  }
}

function readRow(row: Selectable<QuotaSchema['quota_pool']>): QuotaRow {
  return {
    name: row.name,
    format: row.format ?? undefined,
    model: row.model ?? undefined,
    sku: row.sku,
    // PostgreSQL's driver gives bigint as text.
    limit: Number(row.units),
    createdAt: Number(row.created_at),
    updatedAt: Number(row.updated_at),
  }
}
