import { type Kysely, sql } from 'kysely'

/**
 * Several resources instead of one. What belongs to one says to which; what was there belongs to the server's own, whose id is ''. Tables
 * whose keys change are made anew, in words that both databases know.
 */
export async function addResources(db: Kysely<unknown>): Promise<void> {
  const rebuild = async (name: string, create: () => Promise<void>, copy: string): Promise<void> => {
    await db.schema.alterTable(name).renameTo(`${name}_before`).execute()
    await create()
    await sql.raw(copy).execute(db)
    await db.schema.dropTable(`${name}_before`).execute()
  }

  await rebuild(
    'resource',
    () =>
      db.schema
        .createTable('resource')
        .addColumn('id', 'text', (column) => column.notNull())
        .addColumn('key', 'text', (column) => column.notNull())
        .addColumn('name', 'text', (column) => column.notNull())
        .addColumn('document', 'text', (column) => column.notNull())
        .addColumn('etag', 'text', (column) => column.notNull())
        .addColumn('created_at', 'bigint', (column) => column.notNull())
        .addColumn('updated_at', 'bigint', (column) => column.notNull())
        .addColumn('deleted_at', 'bigint')
        .addPrimaryKeyConstraint('resource_by_id', ['id'])
        .addUniqueConstraint('resource_by_name', ['key'])
        .execute(),
    `insert into resource (id, key, name, document, etag, created_at, updated_at)
     select '', lower(name), name, '{}', 'first', created_at, created_at from resource_before`,
  )
  await rebuild(
    'resource_key',
    () =>
      db.schema
        .createTable('resource_key')
        .addColumn('resource', 'text', (column) => column.notNull())
        .addColumn('name', 'text', (column) => column.notNull().check(sql`name in ('key1', 'key2')`))
        .addColumn('sealed', 'text', (column) => column.notNull())
        .addColumn('created_at', 'bigint', (column) => column.notNull())
        .addPrimaryKeyConstraint('resource_key_of', ['resource', 'name'])
        .execute(),
    `insert into resource_key (resource, name, sealed, created_at)
     select '', name, sealed, created_at from resource_key_before`,
  )
  await rebuild(
    'deployment',
    () =>
      db.schema
        .createTable('deployment')
        .addColumn('resource', 'text', (column) => column.notNull())
        .addColumn('key', 'text', (column) => column.notNull())
        .addColumn('name', 'text', (column) => column.notNull())
        .addColumn('document', 'text', (column) => column.notNull())
        .addColumn('etag', 'text', (column) => column.notNull())
        .addColumn('created_at', 'bigint', (column) => column.notNull())
        .addColumn('updated_at', 'bigint', (column) => column.notNull())
        .addPrimaryKeyConstraint('deployment_of', ['resource', 'key'])
        .execute(),
    `insert into deployment (resource, key, name, document, etag, created_at, updated_at)
     select '', key, name, document, etag, created_at, updated_at from deployment_before`,
  )
  await rebuild(
    'named_key',
    () =>
      db.schema
        .createTable('named_key')
        .addColumn('resource', 'text', (column) => column.notNull())
        .addColumn('key', 'text', (column) => column.notNull())
        .addColumn('name', 'text', (column) => column.notNull())
        .addColumn('document', 'text', (column) => column.notNull())
        .addColumn('digest', 'text', (column) => column.notNull())
        .addColumn('previous_digest', 'text')
        .addColumn('previous_ends_at', 'bigint')
        .addColumn('revoked_at', 'bigint')
        .addColumn('etag', 'text', (column) => column.notNull())
        .addColumn('created_at', 'bigint', (column) => column.notNull())
        .addColumn('updated_at', 'bigint', (column) => column.notNull())
        .addPrimaryKeyConstraint('named_key_of', ['resource', 'key'])
        .execute(),
    `insert into named_key (resource, key, name, document, digest, previous_digest, previous_ends_at, revoked_at, etag, created_at, updated_at)
     select '', key, name, document, digest, previous_digest, previous_ends_at, revoked_at, etag, created_at, updated_at
     from named_key_before`,
  )
  await rebuild(
    'filter_document',
    () =>
      db.schema
        .createTable('filter_document')
        .addColumn('resource', 'text', (column) => column.notNull())
        .addColumn('kind', 'text', (column) => column.notNull())
        .addColumn('key', 'text', (column) => column.notNull())
        .addColumn('name', 'text', (column) => column.notNull())
        .addColumn('document', 'text', (column) => column.notNull())
        .addColumn('etag', 'text', (column) => column.notNull())
        .addColumn('created_at', 'bigint', (column) => column.notNull())
        .addColumn('updated_at', 'bigint', (column) => column.notNull())
        .addPrimaryKeyConstraint('filter_document_of', ['resource', 'kind', 'key'])
        .execute(),
    `insert into filter_document (resource, kind, key, name, document, etag, created_at, updated_at)
     select '', kind, key, name, document, etag, created_at, updated_at from filter_document_before`,
  )
  await rebuild(
    'filter_item',
    () =>
      db.schema
        .createTable('filter_item')
        .addColumn('resource', 'text', (column) => column.notNull())
        .addColumn('list', 'text', (column) => column.notNull())
        .addColumn('key', 'text', (column) => column.notNull())
        .addColumn('name', 'text', (column) => column.notNull())
        .addColumn('pattern', 'text', (column) => column.notNull())
        .addColumn('is_regex', 'integer', (column) => column.notNull())
        .addPrimaryKeyConstraint('filter_item_of', ['resource', 'list', 'key'])
        .execute(),
    `insert into filter_item (resource, list, key, name, pattern, is_regex)
     select '', list, key, name, pattern, is_regex from filter_item_before`,
  )
  await rebuildUsage(db, rebuild)
}

const counts = [
  'requests',
  'failed',
  'refused',
  'estimated',
  'prompt_tokens',
  'cached_tokens',
  'completion_tokens',
  'reasoning_tokens',
  'cost_micros',
] as const

async function rebuildUsage(
  db: Kysely<unknown>,
  rebuild: (name: string, create: () => Promise<void>, copy: string) => Promise<void>,
): Promise<void> {
  const columns = ['hour', 'deployment', 'model', 'key_name', ...counts].join(', ')
  await rebuild(
    'usage_hour',
    () => {
      const table = db.schema
        .createTable('usage_hour')
        .addColumn('hour', 'bigint', (column) => column.notNull())
        .addColumn('resource', 'text', (column) => column.notNull())
        .addColumn('deployment', 'text', (column) => column.notNull())
        .addColumn('model', 'text', (column) => column.notNull())
        .addColumn('key_name', 'text', (column) => column.notNull())
        .addPrimaryKeyConstraint('usage_hour_of', ['hour', 'resource', 'deployment', 'model', 'key_name'])
      return counts.reduce((all, name) => all.addColumn(name, 'bigint', (column) => column.notNull()), table).execute()
    },
    `insert into usage_hour (resource, ${columns}) select '', ${columns} from usage_hour_before`,
  )
  // Its name was that of an index of the table before, which is gone now.
  await db.schema.createIndex('usage_hour_by_key').on('usage_hour').columns(['resource', 'key_name', 'hour']).execute()
}
