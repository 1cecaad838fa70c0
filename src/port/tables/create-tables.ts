import type { Kysely } from 'kysely'
import { ownResource, resourceKey } from '../../core/resource.ts'
import { randomId } from '../../core/text/id.ts'
import { createJobsTable } from '../jobs/table.ts'
import { createIdentityTable } from './access/identity/table.ts'
import { createAuditTable } from './audit/table.ts'
import { createBatchesTable } from './batches/table.ts'
import { createFilesTable } from './files/table.ts'
import type { Tables } from './port.ts'
import { createBelongings } from './resources/belongings.ts'
import { createGroupsTable } from './resources/groups/table.ts'
import { createQuotaTable } from './resources/quota/table.ts'
import { createResourcesTable } from './resources/table.ts'
import type { Schema } from './schema.ts'
import { createStoredCompletionsTable } from './stored-completions/table.ts'
import { createUsageTable } from './usage/table.ts'

export type TablesParts = {
  readonly db: Kysely<Schema>
  readonly dialect: 'sqlite' | 'postgres'
  /** Runs a statement; its database's failures become Faults. */
  attempt<T>(statement: Promise<T>): Promise<T>
  /** Unix milliseconds. */
  now(): number
  /** The database, as messages call it. */
  readonly place: string
}

/** All tables, in SQL that SQLite and PostgreSQL share. */
export function createTables(parts: TablesParts): Omit<Tables, 'exclusively' | 'subscribe' | 'close'> {
  const { db, dialect, attempt, now } = parts
  const own = createBelongings(parts, ownResource)
  return {
    ...own,
    of: (resource) => (resource === ownResource ? own : createBelongings(parts, resource)),
    resources: createResourcesTable(db, attempt),
    groups: createGroupsTable(db, attempt),

    async getResource() {
      const query = db.selectFrom('resource').selectAll().where('id', '=', ownResource)
      const row = await attempt(query.executeTakeFirst())
      return row && { name: row.name, createdAt: row.created_at }
    },
    async putResource({ name, createdAt }) {
      const row = { key: resourceKey(name), name, etag: randomId(20), created_at: createdAt, updated_at: now() }
      await attempt(
        db
          .insertInto('resource')
          .values({ id: ownResource, document: '{}', deleted_at: null, ...row })
          .onConflict((conflict) => conflict.column('id').doUpdateSet(row))
          .execute(),
      )
    },

    storedCompletions: createStoredCompletionsTable(db, attempt),
    quota: createQuotaTable(db, attempt),
    usage: createUsageTable(db, attempt),
    files: createFilesTable(db, attempt),
    jobs: createJobsTable(db, attempt, now, dialect),
    batches: createBatchesTable(db, attempt),
    audit: createAuditTable(db, attempt),
    identity: createIdentityTable(db, attempt),
  }
}
