import type { Kysely, Selectable } from 'kysely'
import { Fault } from '../../../core/fault.ts'
import { isJsonObject, type JsonObject } from '../../../core/json.ts'
import type { ResourceId } from '../../../core/resource.ts'
import { randomId } from '../../../core/text/id.ts'
import type { Schema } from '../schema.ts'
import type { FilterItem, FilterKind, FilterRow, FiltersTable, ItemChange } from './port.ts'

export type FilterSchema = {
  filter_document: {
    resource: ResourceId
    kind: FilterKind
    /** The name in lower case: what it is found by. */
    key: string
    name: string
    document: string
    etag: string
    created_at: number
    updated_at: number
  }
  filter_item: {
    resource: ResourceId
    /** The blocklist's name in lower case. */
    list: string
    key: string
    name: string
    pattern: string
    /** 0 or 1: not every database has booleans. */
    is_regex: number
  }
}

/** Databases bound the parameters of a statement; SQLite's oldest limit is 999. */
const itemsPerStatement = 120
const namesPerStatement = 500

/** Runs a statement; the adapter turns its database's failures into Faults. */
type Attempt = <T>(statement: Promise<T>) => Promise<T>

type Row = Selectable<FilterSchema['filter_document']>

/** In SQL that SQLite and PostgreSQL share. */
export function createFiltersTable(db: Kysely<Schema>, attempt: Attempt, resource: ResourceId): FiltersTable {
  return {
    async list(kind) {
      const query = db
        .selectFrom('filter_document')
        .selectAll()
        .where('resource', '=', resource)
        .where('kind', '=', kind)
        .orderBy('key')
      return (await attempt(query.execute())).map(readRow)
    },

    async put(kind, name, document, expectedEtag, now, items) {
      const key = keyOf(name)
      const change = { document: JSON.stringify(document), etag: randomId(20), updated_at: now }
      const write = async (connection: Kysely<Schema>): Promise<Row | undefined> => {
        // One statement each, so that comparing and writing cannot be parted.
        const query =
          expectedEtag === null
            ? connection
                .insertInto('filter_document')
                .values({ resource, kind, key, name, ...change, created_at: now })
                .onConflict((conflict) => conflict.columns(['resource', 'kind', 'key']).doNothing())
                .returningAll()
            : connection
                .updateTable('filter_document')
                .set(change)
                .where('resource', '=', resource)
                .where('kind', '=', kind)
                .where('key', '=', key)
                .where('etag', '=', expectedEtag)
                .returningAll()
        return query.executeTakeFirst()
      }
      const writeAll = async (connection: Kysely<Schema>): Promise<Row | undefined> => {
        const row = await write(connection)
        if (row && items) await changeItems(connection, { resource, list: key }, items)
        return row
      }
      const row = await attempt(items ? db.transaction().execute(writeAll) : write(db))
      return row && readRow(row)
    },

    async delete(kind, name) {
      const key = keyOf(name)
      const run = async (connection: Kysely<Schema>): Promise<boolean> => {
        if (kind === 'blocklist') {
          const items = connection.deleteFrom('filter_item').where('resource', '=', resource)
          await items.where('list', '=', key).execute()
        }
        const query = connection
          .deleteFrom('filter_document')
          .where('resource', '=', resource)
          .where('kind', '=', kind)
          .where('key', '=', key)
        return (await query.executeTakeFirstOrThrow()).numDeletedRows > 0n
      }
      return attempt(db.transaction().execute(run))
    },

    async listItems(list) {
      const query = db
        .selectFrom('filter_item')
        .selectAll()
        .where('resource', '=', resource)
        .where('list', '=', keyOf(list))
        .orderBy('key')
      const rows = await attempt(query.execute())
      return rows.map(({ name, pattern, is_regex }) => ({ name, pattern, isRegex: Number(is_regex) === 1 }))
    },
  }
}

type ListKey = { readonly resource: ResourceId; readonly list: string }

async function changeItems(db: Kysely<Schema>, of: ListKey, { remove, put }: ItemChange): Promise<void> {
  for (let at = 0; at < remove.length; at += namesPerStatement) {
    const keys = remove.slice(at, at + namesPerStatement).map(keyOf)
    const items = db.deleteFrom('filter_item').where('resource', '=', of.resource).where('list', '=', of.list)
    await items.where('key', 'in', keys).execute()
  }
  for (let at = 0; at < put.length; at += itemsPerStatement) {
    const values = put.slice(at, at + itemsPerStatement).map((item) => writeItem(of, item))
    await db
      .insertInto('filter_item')
      .values(values)
      .onConflict((conflict) =>
        conflict.columns(['resource', 'list', 'key']).doUpdateSet((excluded) => ({
          name: excluded.ref('excluded.name'),
          pattern: excluded.ref('excluded.pattern'),
          is_regex: excluded.ref('excluded.is_regex'),
        })),
      )
      .execute()
  }
}

function writeItem(of: ListKey, { name, pattern, isRegex }: FilterItem): FilterSchema['filter_item'] {
  return { ...of, key: keyOf(name), name, pattern, is_regex: isRegex ? 1 : 0 }
}

function keyOf(name: string): string {
  return name.toLowerCase()
}

/** Times come as text from a database whose numbers are larger than ours. */
function readRow(row: Row): FilterRow {
  const { name, etag } = row
  return {
    name,
    document: readDocument(row),
    etag,
    createdAt: Number(row.created_at),
    updatedAt: Number(row.updated_at),
  }
}

function readDocument({ kind, name, document: text }: Row): JsonObject {
  try {
    const document: unknown = JSON.parse(text)
    if (isJsonObject(document)) return document
  } catch {
    // Falls through to the same Fault as a document of another kind.
  }
  throw new Fault(
    'state-unusable',
    `The stored ${kind} "${name}" of the content filter is not a JSON object. Put a backup of the database in its place.`,
  )
}
