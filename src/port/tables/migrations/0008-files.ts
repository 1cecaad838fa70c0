import type { Kysely } from 'kysely'

/** Files that callers uploaded or that work for them made, and files that come in parts. The contents are blobs. */
export async function addFiles(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('file')
    .addColumn('id', 'text', (column) => column.primaryKey())
    .addColumn('owner', 'text', (column) => column.notNull())
    .addColumn('filename', 'text', (column) => column.notNull())
    .addColumn('purpose', 'text', (column) => column.notNull())
    .addColumn('bytes', 'bigint', (column) => column.notNull())
    .addColumn('status', 'text', (column) => column.notNull())
    .addColumn('status_details', 'text')
    .addColumn('created_at', 'bigint', (column) => column.notNull())
    .addColumn('expires_at', 'bigint')
    .execute()
  await db.schema.createIndex('file_by_owner').on('file').columns(['owner', 'id']).execute()
  await db.schema.createIndex('file_by_expiry').on('file').columns(['expires_at']).execute()
  await db.schema.createIndex('file_by_status').on('file').columns(['status']).execute()
  await db.schema
    .createTable('upload')
    .addColumn('id', 'text', (column) => column.primaryKey())
    .addColumn('owner', 'text', (column) => column.notNull())
    .addColumn('filename', 'text', (column) => column.notNull())
    .addColumn('purpose', 'text', (column) => column.notNull())
    .addColumn('bytes', 'bigint', (column) => column.notNull())
    .addColumn('mime_type', 'text', (column) => column.notNull())
    .addColumn('status', 'text', (column) => column.notNull())
    .addColumn('file_id', 'text')
    .addColumn('created_at', 'bigint', (column) => column.notNull())
    .addColumn('expires_at', 'bigint', (column) => column.notNull())
    .addColumn('file_lasts_ms', 'bigint')
    .execute()
  await db.schema.createIndex('upload_by_owner').on('upload').columns(['owner', 'status']).execute()
  await db.schema.createIndex('upload_by_expiry').on('upload').columns(['expires_at']).execute()
  await db.schema
    .createTable('upload_part')
    .addColumn('upload_id', 'text', (column) => column.notNull())
    .addColumn('id', 'text', (column) => column.notNull())
    .addColumn('bytes', 'bigint', (column) => column.notNull())
    .addColumn('created_at', 'bigint', (column) => column.notNull())
    .addPrimaryKeyConstraint('upload_part_key', ['upload_id', 'id'])
    .addForeignKeyConstraint('upload_part_of', ['upload_id'], 'upload', ['id'], (constraint) =>
      constraint.onDelete('cascade'),
    )
    .execute()
}
