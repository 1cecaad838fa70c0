import type { Kysely } from 'kysely'

/** Content filters: policies, blocklists, engines and topics as documents, and the items of blocklists as rows. */
export async function addFilters(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('filter_document')
    .addColumn('kind', 'text', (column) => column.notNull())
    .addColumn('key', 'text', (column) => column.notNull())
    .addColumn('name', 'text', (column) => column.notNull())
    .addColumn('document', 'text', (column) => column.notNull())
    .addColumn('etag', 'text', (column) => column.notNull())
    .addColumn('created_at', 'bigint', (column) => column.notNull())
    .addColumn('updated_at', 'bigint', (column) => column.notNull())
    .addPrimaryKeyConstraint('filter_document_key', ['kind', 'key'])
    .execute()
  await db.schema
    .createTable('filter_item')
    .addColumn('list', 'text', (column) => column.notNull())
    .addColumn('key', 'text', (column) => column.notNull())
    .addColumn('name', 'text', (column) => column.notNull())
    .addColumn('pattern', 'text', (column) => column.notNull())
    .addColumn('is_regex', 'integer', (column) => column.notNull())
    .addPrimaryKeyConstraint('filter_item_key', ['list', 'key'])
    .execute()
}
