import type { Insertable, Kysely, Selectable } from 'kysely'
import { deploymentKey } from '../../../core/deployment.ts'
import { Fault } from '../../../core/fault.ts'
import { isJsonObject, type JsonObject } from '../../../core/json.ts'
import type { ResourceId } from '../../../core/resource.ts'
import { randomId } from '../../../core/text/id.ts'
import { createNamedKeysTable } from '../access/named-keys/table.ts'
import { createFiltersTable } from '../filters/table.ts'
import type { DeploymentRow, KeyName, ResourceTables } from '../port.ts'
import type { Schema } from '../schema.ts'

export type BelongingsSchema = {
  resource_key: { resource: ResourceId; name: KeyName; sealed: string; created_at: number }
  deployment: {
    resource: ResourceId
    /** The name in lower case: what it is found by. */
    key: string
    name: string
    document: string
    etag: string
    created_at: number
    updated_at: number
  }
}

export type BelongingsParts = {
  readonly db: Kysely<Schema>
  /** Runs a statement; its database's failures become Faults. */
  attempt<T>(statement: Promise<T>): Promise<T>
  /** Unix milliseconds. */
  now(): number
  /** The database, as messages call it. */
  readonly place: string
}

/** What belongs to one resource, in SQL that SQLite and PostgreSQL share. */
export function createBelongings({ db, attempt, now, place }: BelongingsParts, resource: ResourceId): ResourceTables {
  return {
    async listKeys() {
      const query = db.selectFrom('resource_key').selectAll().where('resource', '=', resource).orderBy('name')
      const rows = await attempt(query.execute())
      return rows.map(({ name, sealed, created_at }) => ({ name, sealed, createdAt: created_at }))
    },
    async putKey({ name, sealed, createdAt }) {
      const row: Insertable<Schema['resource_key']> = { resource, name, sealed, created_at: createdAt }
      await attempt(
        db
          .insertInto('resource_key')
          .values(row)
          .onConflict((conflict) => conflict.columns(['resource', 'name']).doUpdateSet(row))
          .execute(),
      )
    },

    async listDeployments() {
      const query = db.selectFrom('deployment').selectAll().where('resource', '=', resource).orderBy('key')
      return (await attempt(query.execute())).map((row) => readDeployment(row, place))
    },
    async getDeployment(name) {
      const query = db
        .selectFrom('deployment')
        .selectAll()
        .where('resource', '=', resource)
        .where('key', '=', deploymentKey(name))
      const row = await attempt(query.executeTakeFirst())
      return row && readDeployment(row, place)
    },
    async putDeployment(name, document, expectedEtag) {
      const key = deploymentKey(name)
      const time = now()
      const change = { document: JSON.stringify(document), etag: randomId(20), updated_at: time }
      const insert = db.insertInto('deployment').values({ resource, key, name, ...change, created_at: time })
      // One statement each, so that comparing and writing cannot be parted.
      const query =
        expectedEtag === undefined
          ? insert.onConflict((conflict) => conflict.columns(['resource', 'key']).doUpdateSet(change)).returningAll()
          : expectedEtag === null
            ? insert.onConflict((conflict) => conflict.columns(['resource', 'key']).doNothing()).returningAll()
            : db
                .updateTable('deployment')
                .set(change)
                .where('resource', '=', resource)
                .where('key', '=', key)
                .where('etag', '=', expectedEtag)
                .returningAll()
      const row = await attempt<Selectable<Schema['deployment']> | undefined>(query.executeTakeFirst())
      return row && readDeployment(row, place)
    },
    async deleteDeployment(name) {
      const query = db.deleteFrom('deployment').where('resource', '=', resource).where('key', '=', deploymentKey(name))
      const { numDeletedRows } = await attempt(query.executeTakeFirst())
      return numDeletedRows > 0n
    },

    namedKeys: createNamedKeysTable(db, attempt, resource),
    filters: createFiltersTable(db, attempt, resource),
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
