import type { Kysely } from 'kysely'

/** Keys beside the resource's two. Their secrets are known by digests only. */
export async function addNamedKeys(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('named_key')
    .addColumn('key', 'text', (column) => column.primaryKey())
    .addColumn('name', 'text', (column) => column.notNull())
    .addColumn('document', 'text', (column) => column.notNull())
    .addColumn('digest', 'text', (column) => column.notNull())
    .addColumn('previous_digest', 'text')
    .addColumn('previous_ends_at', 'bigint')
    .addColumn('revoked_at', 'bigint')
    .addColumn('etag', 'text', (column) => column.notNull())
    .addColumn('created_at', 'bigint', (column) => column.notNull())
    .addColumn('updated_at', 'bigint', (column) => column.notNull())
    .execute()
}
