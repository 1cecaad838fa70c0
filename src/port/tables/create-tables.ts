import type { Insertable, Kysely, Selectable } from 'kysely'
import { deploymentKey } from '../../core/deployment.ts'
import { Fault } from '../../core/fault.ts'
import { randomId } from '../../core/id.ts'
import { isJsonObject, type JsonObject } from '../../core/json.ts'
import { createJobsTable } from '../jobs/table.ts'
import { createBatchesTable } from './batches/table.ts'
import { createFilesTable } from './files/table.ts'
import { createFiltersTable } from './filters/table.ts'
import { createNamedKeysTable } from './named-keys/table.ts'
import type { DeploymentRow, Tables } from './port.ts'
import { createQuotaTable } from './quota/table.ts'
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
export function createTables({ db, dialect, attempt, now, place }: TablesParts): Omit<Tables, 'exclusively' | 'close'> {
  return {
    async getResource() {
      const row = await attempt(db.selectFrom('resource').selectAll().executeTakeFirst())
      return row && { name: row.name, createdAt: row.created_at }
    },
    async putResource({ name, createdAt }) {
      const row: Insertable<Schema['resource']> = { id: 1, name, created_at: createdAt }
      await attempt(
        db
          .insertInto('resource')
          .values(row)
          .onConflict((conflict) => conflict.column('id').doUpdateSet(row))
          .execute(),
      )
    },

    async listKeys() {
      const rows = await attempt(db.selectFrom('resource_key').selectAll().orderBy('name').execute())
      return rows.map(({ name, sealed, created_at }) => ({ name, sealed, createdAt: created_at }))
    },
    async putKey({ name, sealed, createdAt }) {
      const row: Insertable<Schema['resource_key']> = { name, sealed, created_at: createdAt }
      await attempt(
        db
          .insertInto('resource_key')
          .values(row)
          .onConflict((conflict) => conflict.column('name').doUpdateSet(row))
          .execute(),
      )
    },

    async listDeployments() {
      const rows = await attempt(db.selectFrom('deployment').selectAll().orderBy('key').execute())
      return rows.map((row) => readDeployment(row, place))
    },
    async getDeployment(name) {
      const query = db.selectFrom('deployment').selectAll().where('key', '=', deploymentKey(name))
      const row = await attempt(query.executeTakeFirst())
      return row && readDeployment(row, place)
    },
    async putDeployment(name, document, expectedEtag) {
      const key = deploymentKey(name)
      const time = now()
      const change = { document: JSON.stringify(document), etag: randomId(20), updated_at: time }
      const insert = db.insertInto('deployment').values({ key, name, ...change, created_at: time })
      // One statement each, so that comparing and writing cannot be parted.
      const query =
        expectedEtag === undefined
          ? insert.onConflict((conflict) => conflict.column('key').doUpdateSet(change)).returningAll()
          : expectedEtag === null
            ? insert.onConflict((conflict) => conflict.column('key').doNothing()).returningAll()
            : db
                .updateTable('deployment')
                .set(change)
                .where('key', '=', key)
                .where('etag', '=', expectedEtag)
                .returningAll()
      const row = await attempt<Selectable<Schema['deployment']> | undefined>(query.executeTakeFirst())
      return row && readDeployment(row, place)
    },
    async deleteDeployment(name) {
      const query = db.deleteFrom('deployment').where('key', '=', deploymentKey(name))
      const { numDeletedRows } = await attempt(query.executeTakeFirst())
      return numDeletedRows > 0n
    },

    namedKeys: createNamedKeysTable(db, attempt),
    storedCompletions: createStoredCompletionsTable(db, attempt),
    quota: createQuotaTable(db, attempt),
    usage: createUsageTable(db, attempt),
    filters: createFiltersTable(db, attempt),
    files: createFilesTable(db, attempt),
    jobs: createJobsTable(db, attempt, now, dialect),
    batches: createBatchesTable(db, attempt),
  }
}

function readDeployment(row: Selectable<Schema['deployment']>, place: string): DeploymentRow {
  return {
    name: row.name,
    document: readDocument(row, place),
    etag: row.etag,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
  }
}

function readDocument(row: Selectable<Schema['deployment']>, place: string): JsonObject {
  try {
    const document: unknown = JSON.parse(row.document)
    if (isJsonObject(document)) return document
  } catch {
    // Falls through to the same Fault as a document of another kind.
  }
  throw new Fault(
    'state-unusable',
    `The stored deployment "${row.name}" in ${place} is not a JSON object. Delete it and make it anew.`,
  )
}
