import type { Kysely } from 'kysely'

/** Names under which resources lie, kept so that one may be there before any resource does. */
export async function addResourceGroups(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('resource_group')
    .addColumn('subscription', 'text', (column) => column.notNull())
    .addColumn('key', 'text', (column) => column.notNull())
    .addColumn('name', 'text', (column) => column.notNull())
    .addColumn('location', 'text', (column) => column.notNull())
    .addColumn('tags', 'text', (column) => column.notNull())
    .addColumn('created_at', 'bigint', (column) => column.notNull())
    .addColumn('updated_at', 'bigint', (column) => column.notNull())
    .addPrimaryKeyConstraint('resource_group_of', ['subscription', 'key'])
    .execute()
}
