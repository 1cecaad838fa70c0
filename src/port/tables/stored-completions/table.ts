import { hash } from 'node:crypto'
import { type ExpressionBuilder, type Kysely, type Selectable, sql, type Transaction } from 'kysely'
import { Fault } from '../../../core/fault.ts'
import { isJsonObject, type JsonObject } from '../../../core/json.ts'
import type { Schema } from '../schema.ts'
import type {
  NewStoredCompletion,
  StoredCompletion,
  StoredCompletionFilter,
  StoredCompletionPage,
  StoredCompletionsTable,
} from './port.ts'

/**
 * A completion has a row of its own, and a label for each thing that a list can be narrowed to: everything, a model, a pair of its
 * metadata. A list walks the rows of one label in the order of time and looks the others up.
 */
export type StoredCompletionSchema = {
  stored_completion: {
    owner: string
    id: string
    created_at: number
    /** Characters of the three documents. */
    size: number
    metadata: string
    /** null once it was deleted: then only its place is left. */
    completion: string | null
    messages: string
  }
  stored_completion_label: { owner: string; id: string; label: string; created_at: number }
}

type Row = Selectable<StoredCompletionSchema['stored_completion']>
/** Runs a statement; the adapter turns its database's failures into Faults. */
type Attempt = <T>(statement: Promise<T>) => Promise<T>

/** A page is cut off before it has more characters than this, but for its first row. */
const maxPageSize = 16 * 1024 * 1024

const anyLabel = 'any'
const metadataPrefix = 'metadata:'

/** Labels are digests, so that any text fits an index and none is kept twice. */
function modelLabel(model: string): string {
  return `model:${digest(model.toLowerCase())}`
}

function metadataLabels(metadata: Readonly<Record<string, string>>): string[] {
  return Object.entries(metadata).map((pair) => metadataPrefix + digest(pair))
}

function digest(value: unknown): string {
  return hash('sha256', JSON.stringify(value), 'hex')
}

/** In SQL that SQLite and PostgreSQL share. */
export function createStoredCompletionsTable(db: Kysely<Schema>, attempt: Attempt): StoredCompletionsTable {
  const find = (owner: string, id: string) =>
    db
      .selectFrom('stored_completion')
      .where('owner', '=', owner)
      .where('id', '=', id)
      .where('completion', 'is not', null)

  return {
    add: (rows) =>
      attempt(
        db.transaction().execute(async (transaction) => {
          for (const row of rows) await addRow(transaction, row)
        }),
      ),

    async get(owner, id) {
      const row = await attempt(find(owner, id).selectAll().executeTakeFirst())
      return row && readRow(row)
    },

    async getMessages(owner, id) {
      const row = await attempt(find(owner, id).select('messages').executeTakeFirst())
      return row && (JSON.parse(row.messages) as JsonObject[])
    },

    async list(owner, filter, page) {
      const keys = await attempt(listKeys(db, owner, filter, page))
      if (!keys) return undefined
      const taken = cutPage(keys, page.limit)
      if (taken.length === 0) return { rows: [], hasMore: false }
      const ids = taken.map(({ id }) => id)
      const query = db.selectFrom('stored_completion').selectAll().where('owner', '=', owner).where('id', 'in', ids)
      const found = new Map((await attempt(query.execute())).map((row) => [row.id, row]))
      const rows = ids.flatMap((id) => found.get(id) ?? []).filter(({ completion }) => completion !== null)
      return { rows: rows.map(readRow), hasMore: taken.length < keys.length }
    },

    async count(owner, filter) {
      const query = selectLabelled(db, owner, filter).select(({ fn }) => fn.countAll().as('count'))
      return Number((await attempt(query.executeTakeFirstOrThrow())).count)
    },

    async replaceMetadata(owner, id, metadata) {
      const row = await attempt(
        db.transaction().execute(async (transaction) => {
          const changed = await transaction
            .updateTable('stored_completion')
            .set({ metadata: JSON.stringify(metadata) })
            .where('owner', '=', owner)
            .where('id', '=', id)
            .where('completion', 'is not', null)
            .returningAll()
            .executeTakeFirst()
          if (!changed) return undefined
          await transaction
            .deleteFrom('stored_completion_label')
            .where('owner', '=', owner)
            .where('id', '=', id)
            .where('label', 'like', `${metadataPrefix}%`)
            .execute()
          await addLabels(transaction, owner, id, Number(changed.created_at), metadataLabels(metadata))
          return changed
        }),
      )
      return row && readRow(row)
    },

    delete: (owner, id) =>
      attempt(
        db.transaction().execute(async (transaction) => {
          const { numUpdatedRows } = await transaction
            .updateTable('stored_completion')
            .set({ completion: null, messages: '[]', metadata: '{}', size: 0 })
            .where('owner', '=', owner)
            .where('id', '=', id)
            .where('completion', 'is not', null)
            .executeTakeFirst()
          if (numUpdatedRows > 0n) await removeLabels(transaction, owner, id)
          return numUpdatedRows > 0n
        }),
      ),

    async deleteOlder(createdAt, limit) {
      const old = db
        .selectFrom('stored_completion')
        .select(['owner', 'id'])
        .where('created_at', '<', createdAt)
        .orderBy('created_at')
        .limit(limit)
      // Their labels go with them.
      const query = db
        .deleteFrom('stored_completion')
        .where(({ eb, refTuple }) => eb(refTuple('owner', 'id'), 'in', old.$asTuple('owner', 'id')))
      return Number((await attempt(query.executeTakeFirstOrThrow())).numDeletedRows)
    },
  }
}

async function addRow(transaction: Transaction<Schema>, row: NewStoredCompletion): Promise<void> {
  const { owner, id, createdAt, models } = row
  const documents = {
    metadata: JSON.stringify(row.metadata),
    completion: JSON.stringify(row.completion),
    messages: JSON.stringify(row.messages),
  }
  const size = documents.metadata.length + documents.completion.length + documents.messages.length
  const values = { created_at: createdAt, size, ...documents }
  await transaction
    .insertInto('stored_completion')
    .values({ owner, id, ...values })
    .onConflict((conflict) => conflict.columns(['owner', 'id']).doUpdateSet(values))
    .execute()
  await removeLabels(transaction, owner, id)
  const labels = [anyLabel, ...models.map(modelLabel), ...metadataLabels(row.metadata)]
  await addLabels(transaction, owner, id, createdAt, labels)
}

async function addLabels(
  transaction: Transaction<Schema>,
  owner: string,
  id: string,
  createdAt: number,
  labels: readonly string[],
): Promise<void> {
  if (labels.length === 0) return
  const rows = [...new Set(labels)].map((label) => ({ owner, id, label, created_at: createdAt }))
  await transaction.insertInto('stored_completion_label').values(rows).execute()
}

async function removeLabels(transaction: Transaction<Schema>, owner: string, id: string): Promise<void> {
  await transaction.deleteFrom('stored_completion_label').where('owner', '=', owner).where('id', '=', id).execute()
}

/** What has every label of the filter, reached by the one that is likely the rarest. */
function selectLabelled(db: Kysely<Schema>, owner: string, { model, metadata }: StoredCompletionFilter) {
  const wanted = [...metadataLabels(metadata), ...(model === undefined ? [] : [modelLabel(model)])]
  const [first = anyLabel, ...others] = wanted
  let query = db
    .selectFrom('stored_completion_label as entry')
    .where('entry.owner', '=', owner)
    .where('entry.label', '=', first)
  for (const label of others) query = query.where((eb) => hasLabel(eb, label))
  return query
}

type Entry = Schema & { entry: Schema['stored_completion_label'] }

function hasLabel({ exists, selectFrom }: ExpressionBuilder<Entry, 'entry'>, label: string) {
  return exists(
    selectFrom('stored_completion_label as other')
      .select(sql`1`.as('one'))
      .whereRef('other.owner', '=', 'entry.owner')
      .whereRef('other.id', '=', 'entry.id')
      .where('other.label', '=', label),
  )
}

type Key = { readonly id: string; readonly size: number }

/** The keys of a page and one more; undefined when there is no place with the id `after`. */
async function listKeys(
  db: Kysely<Schema>,
  owner: string,
  filter: StoredCompletionFilter,
  { after, limit, order }: StoredCompletionPage,
): Promise<Key[] | undefined> {
  let query = selectLabelled(db, owner, filter)
    .innerJoin('stored_completion as stored', (join) =>
      join.onRef('stored.owner', '=', 'entry.owner').onRef('stored.id', '=', 'entry.id'),
    )
    .select(['stored.id', 'stored.size'])
    .orderBy('entry.created_at', order)
    .orderBy('entry.id', order)
    .limit(limit + 1)
  if (after !== undefined) {
    const places = db.selectFrom('stored_completion').select('created_at')
    const place = await places.where('owner', '=', owner).where('id', '=', after).executeTakeFirst()
    if (!place) return undefined
    const isBeyond = order === 'asc' ? '>' : '<'
    query = query.where(({ eb, refTuple, tuple }) =>
      eb(refTuple('entry.created_at', 'entry.id'), isBeyond, tuple(place.created_at, after)),
    )
  }
  return query.execute()
}

function cutPage(keys: readonly Key[], limit: number): readonly Key[] {
  let size = 0
  const end = keys.findIndex((key, index) => {
    size += key.size
    return index === limit || (index > 0 && size > maxPageSize)
  })
  return end === -1 ? keys : keys.slice(0, end)
}

function readRow(row: Row): StoredCompletion {
  return {
    owner: row.owner,
    id: row.id,
    completion: readDocument(row, row.completion ?? ''),
    metadata: readDocument(row, row.metadata) as Record<string, string>,
    createdAt: Number(row.created_at),
  }
}

function readDocument({ id }: Row, text: string): JsonObject {
  try {
    const document: unknown = JSON.parse(text)
    if (isJsonObject(document)) return document
  } catch {
    // Falls through to the same Fault as a document of another kind.
  }
  throw new Fault('state-unusable', `The stored completion "${id}" is not a JSON object. Delete it.`)
}
