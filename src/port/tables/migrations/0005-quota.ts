import type { Kysely } from 'kysely'

/** How many units of capacity deployments may have together. */
export async function addQuota(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('quota_pool')
    .addColumn('key', 'text', (column) => column.primaryKey())
    .addColumn('name', 'text', (column) => column.notNull())
    .addColumn('format', 'text')
    .addColumn('model', 'text')
    .addColumn('sku', 'text', (column) => column.notNull())
    .addColumn('units', 'bigint', (column) => column.notNull())
    .addColumn('created_at', 'bigint', (column) => column.notNull())
    .addColumn('updated_at', 'bigint', (column) => column.notNull())
    .execute()
}
