import type { Kysely } from 'kysely'

/** Answers that callers asked to be kept, and the labels by which they are listed. */
export async function addStoredCompletions(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('stored_completion')
    .addColumn('owner', 'text', (column) => column.notNull())
    .addColumn('id', 'text', (column) => column.notNull())
    .addColumn('created_at', 'bigint', (column) => column.notNull())
    .addColumn('size', 'integer', (column) => column.notNull())
    // The documents come last: to read what stands before them, SQLite does not read them.
    .addColumn('metadata', 'text', (column) => column.notNull())
    .addColumn('completion', 'text')
    .addColumn('messages', 'text', (column) => column.notNull())
    .addPrimaryKeyConstraint('stored_completion_key', ['owner', 'id'])
    .execute()
  await db.schema
    .createIndex('stored_completion_by_age')
    .on('stored_completion')
    .columns(['created_at', 'owner', 'id'])
    .execute()
  await db.schema
    .createTable('stored_completion_label')
    .addColumn('owner', 'text', (column) => column.notNull())
    .addColumn('id', 'text', (column) => column.notNull())
    .addColumn('label', 'text', (column) => column.notNull())
    .addColumn('created_at', 'bigint', (column) => column.notNull())
    .addPrimaryKeyConstraint('stored_completion_label_key', ['owner', 'id', 'label'])
    .addForeignKeyConstraint(
      'stored_completion_label_of',
      ['owner', 'id'],
      'stored_completion',
      ['owner', 'id'],
      (constraint) => constraint.onDelete('cascade'),
    )
    .execute()
  await db.schema
    .createIndex('stored_completion_label_by_time')
    .on('stored_completion_label')
    .columns(['owner', 'label', 'created_at', 'id'])
    .execute()
}
