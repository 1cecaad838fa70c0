import type { Kysely, Selectable } from 'kysely'
import type { Schema } from '../../schema.ts'
import type { GroupRow, GroupsTable } from './port.ts'

export type GroupSchema = {
  resource_group: {
    subscription: string
    /** The name in lower case: what it is found by. */
    key: string
    name: string
    location: string
    /** A JSON object. */
    tags: string
    created_at: number
    updated_at: number
  }
}

/** Runs a statement; the adapter turns its database's failures into Faults. */
type Attempt = <T>(statement: Promise<T>) => Promise<T>

/** In SQL that SQLite and PostgreSQL share. */
export function createGroupsTable(db: Kysely<Schema>, attempt: Attempt): GroupsTable {
  return {
    async list() {
      const query = db.selectFrom('resource_group').selectAll().orderBy('subscription').orderBy('key')
      return (await attempt(query.execute())).map(readRow)
    },
    async get(subscription, name) {
      const query = db
        .selectFrom('resource_group')
        .selectAll()
        .where('subscription', '=', subscription)
        .where('key', '=', name.toLowerCase())
      const row = await attempt<Selectable<GroupSchema['resource_group']> | undefined>(query.executeTakeFirst())
      return row && readRow(row)
    },
    async put({ subscription, name, location, tags }, now) {
      const change = { tags: JSON.stringify(tags), updated_at: now }
      const query = db
        .insertInto('resource_group')
        .values({ subscription, key: name.toLowerCase(), name, location, created_at: now, ...change })
        .onConflict((conflict) => conflict.columns(['subscription', 'key']).doUpdateSet(change))
        .returningAll()
      return readRow(await attempt(query.executeTakeFirstOrThrow()))
    },
    async delete(subscription, name) {
      const query = db
        .deleteFrom('resource_group')
        .where('subscription', '=', subscription)
        .where('key', '=', name.toLowerCase())
      const { numDeletedRows } = await attempt(query.executeTakeFirst())
      return numDeletedRows > 0n
    },
  }
}

function readRow(row: Selectable<GroupSchema['resource_group']>): GroupRow {
  return {
    subscription: row.subscription,
    name: row.name,
    location: row.location,
    tags: JSON.parse(row.tags),
    // PostgreSQL's driver gives bigint as text.
    createdAt: Number(row.created_at),
    updatedAt: Number(row.updated_at),
  }
}
