import type { Kysely } from 'kysely'

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

/** What was used, by hour, deployment, model and key. */
export async function addUsage(db: Kysely<unknown>): Promise<void> {
  const table = db.schema
    .createTable('usage_hour')
    .addColumn('hour', 'bigint', (column) => column.notNull())
    .addColumn('deployment', 'text', (column) => column.notNull())
    .addColumn('model', 'text', (column) => column.notNull())
    .addColumn('key_name', 'text', (column) => column.notNull())
    .addPrimaryKeyConstraint('usage_hour_key', ['hour', 'deployment', 'model', 'key_name'])
  await counts.reduce((all, name) => all.addColumn(name, 'bigint', (column) => column.notNull()), table).execute()
  await db.schema.createIndex('usage_hour_by_key').on('usage_hour').columns(['key_name', 'hour']).execute()
}
