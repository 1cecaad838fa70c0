import type { Kysely, Selectable } from 'kysely'
import { Fault } from '../../../core/fault.ts'
import { isJsonObject, type JsonObject } from '../../../core/json.ts'
import { type ResourceId, resourceKey } from '../../../core/resource.ts'
import { randomId } from '../../../core/text/id.ts'
import type { Schema } from '../schema.ts'
import type { ResourcesTable, StoredResource } from './port.ts'

export type ResourceSchema = {
  resource: {
    /** '' is the server's own. */
    id: ResourceId
    /** The name in lower case: what it is found by. */
    key: string
    name: string
    document: string
    etag: string
    created_at: number
    updated_at: number
    deleted_at: number | null
  }
}

/** Runs a statement; the adapter turns its database's failures into Faults. */
type Attempt = <T>(statement: Promise<T>) => Promise<T>

type Row = Selectable<ResourceSchema['resource']>

/** In SQL that SQLite and PostgreSQL share. */
export function createResourcesTable(db: Kysely<Schema>, attempt: Attempt): ResourcesTable {
  return {
    async list() {
      const rows = await attempt(db.selectFrom('resource').selectAll().orderBy('key').execute())
      return rows.map(readRow)
    },

    async add(id, name, document, now) {
      const query = db
        .insertInto('resource')
        .values({
          id,
          key: resourceKey(name),
          name,
          document: JSON.stringify(document),
          etag: randomId(20),
          created_at: now,
          updated_at: now,
          deleted_at: null,
        })
        .onConflict((conflict) => conflict.doNothing())
        .returningAll()
      const row = await attempt<Row | undefined>(query.executeTakeFirst())
      return row && readRow(row)
    },

    async update(id, { document, deletedAt }, expectedEtag, now) {
      const query = db
        .updateTable('resource')
        .set({
          ...(document && { document: JSON.stringify(document) }),
          ...(deletedAt !== undefined && { deleted_at: deletedAt }),
          etag: randomId(20),
          updated_at: now,
        })
        .where('id', '=', id)
        .where('etag', '=', expectedEtag)
        .returningAll()
      const row = await attempt<Row | undefined>(query.executeTakeFirst())
      return row && readRow(row)
    },

    delete(id, expectedEtag, now) {
      return attempt(
        db.transaction().execute(async (transaction) => {
          const query = transaction.deleteFrom('resource').where('id', '=', id).where('etag', '=', expectedEtag)
          if ((await query.executeTakeFirstOrThrow()).numDeletedRows === 0n) return false
          await deleteBelongings(transaction, id, now)
          return true
        }),
      )
    },
  }
}

async function deleteBelongings(db: Kysely<Schema>, id: ResourceId, now: number): Promise<void> {
  for (const table of [
    'deployment',
    'resource_key',
    'named_key',
    'filter_document',
    'filter_item',
    'usage_hour',
  ] as const) {
    await db.deleteFrom(table).where('resource', '=', id).execute()
  }
  // Owners of a resource begin with its id and a slash; what follows that in order is a "0".
  const [from, to] = [`${id}/`, `${id}0`]
  await db.deleteFrom('stored_completion').where('owner', '>=', from).where('owner', '<', to).execute()
  const batches = db.selectFrom('batch').select('id').where('owner', '>=', from).where('owner', '<', to)
  await db.deleteFrom('batch_line').where('batch_id', 'in', batches).execute()
  await db.deleteFrom('batch_result').where('batch_id', 'in', batches).execute()
  await db.deleteFrom('batch').where('owner', '>=', from).where('owner', '<', to).execute()
  await db.updateTable('file').set({ expires_at: now }).where('owner', '>=', from).where('owner', '<', to).execute()
  await db.updateTable('upload').set({ expires_at: now }).where('owner', '>=', from).where('owner', '<', to).execute()
}

/** Times come as text from a database whose numbers are larger than ours. */
function readRow(row: Row): StoredResource {
  return {
    id: row.id,
    name: row.name,
    document: readDocument(row),
    etag: row.etag,
    createdAt: Number(row.created_at),
    updatedAt: Number(row.updated_at),
    deletedAt: row.deleted_at === null ? undefined : Number(row.deleted_at),
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
    `The stored resource "${name}" is not a JSON object. Put a backup of the database in its place.`,
  )
}
