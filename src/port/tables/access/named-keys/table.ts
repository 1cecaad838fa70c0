import type { Kysely, Selectable } from 'kysely'
import { Fault } from '../../../../core/fault.ts'
import { isJsonObject, type JsonObject } from '../../../../core/json.ts'
import type { ResourceId } from '../../../../core/resource.ts'
import { randomId } from '../../../../core/text/id.ts'
import type { Schema } from '../../schema.ts'
import type { NamedKeyRow, NamedKeysTable } from './port.ts'

export type NamedKeySchema = {
  named_key: {
    resource: ResourceId
    /** The name in lower case: what it is found by. */
    key: string
    name: string
    document: string
    digest: string
    previous_digest: string | null
    previous_ends_at: number | null
    revoked_at: number | null
    etag: string
    created_at: number
    updated_at: number
  }
}

type Row = Selectable<NamedKeySchema['named_key']>
/** Runs a statement; the adapter turns its database's failures into Faults. */
type Attempt = <T>(statement: Promise<T>) => Promise<T>

/** In SQL that SQLite and PostgreSQL share. */
export function createNamedKeysTable(db: Kysely<Schema>, attempt: Attempt, resource: ResourceId): NamedKeysTable {
  return {
    async list() {
      const query = db.selectFrom('named_key').selectAll().where('resource', '=', resource).orderBy('key')
      return (await attempt(query.execute())).map(readRow)
    },

    async get(name) {
      const query = db
        .selectFrom('named_key')
        .selectAll()
        .where('resource', '=', resource)
        .where('key', '=', keyOf(name))
      const row = await attempt(query.executeTakeFirst())
      return row && readRow(row)
    },

    async put(row, expectedEtag) {
      const key = keyOf(row.name)
      const change = {
        document: JSON.stringify(row.document),
        digest: row.digest,
        previous_digest: row.previous?.digest ?? null,
        previous_ends_at: row.previous?.endsAt ?? null,
        revoked_at: row.revokedAt ?? null,
        etag: randomId(20),
        updated_at: row.updatedAt,
      }
      // One statement each, so that comparing and writing cannot be parted.
      const query =
        expectedEtag === null
          ? db
              .insertInto('named_key')
              .values({ resource, key, name: row.name, ...change, created_at: row.createdAt })
              .onConflict((conflict) => conflict.columns(['resource', 'key']).doNothing())
              .returningAll()
          : db
              .updateTable('named_key')
              .set(change)
              .where('resource', '=', resource)
              .where('key', '=', key)
              .where('etag', '=', expectedEtag)
              .returningAll()
      const stored = await attempt<Row | undefined>(query.executeTakeFirst())
      return stored && readRow(stored)
    },

    async delete(name, expectedEtag) {
      const query = db
        .deleteFrom('named_key')
        .where('resource', '=', resource)
        .where('key', '=', keyOf(name))
        .where('etag', '=', expectedEtag)
      const { numDeletedRows } = await attempt(query.executeTakeFirstOrThrow())
      return numDeletedRows > 0n
    },
  }
}

function keyOf(name: string): string {
  return name.toLowerCase()
}

/** Times come as text from a database whose numbers are larger than ours. */
function readRow(row: Row): NamedKeyRow {
  const { name, digest, etag } = row
  return {
    name,
    document: readDocument(row),
    digest,
    previous:
      row.previous_digest === null ? undefined : { digest: row.previous_digest, endsAt: Number(row.previous_ends_at) },
    revokedAt: row.revoked_at === null ? undefined : Number(row.revoked_at),
    etag,
    createdAt: Number(row.created_at),
    updatedAt: Number(row.updated_at),
  }
}

function readDocument({ name, document: text }: Row): JsonObject {
  try {
    const document: unknown = JSON.parse(text)
    if (isJsonObject(document)) return document
  } catch {
    // Falls through to the same Fault as a document of another kind.
  }
  throw new Fault(
    'state-unusable',
    `The stored key "${name}" is not a JSON object. Put a backup of the database in its place.`,
  )
}
