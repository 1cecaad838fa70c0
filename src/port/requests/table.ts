import type { Kysely, Selectable, Transaction } from 'kysely'
import { randomId } from '../../core/text/id.ts'
import { type Block, fullBlock, packBlock, unpackDetails } from './block.ts'
import { readLines } from './lines.ts'
import type { RequestContent, RequestStore, Retention } from './port.ts'
import { type Row, readRow } from './row.ts'
import type { RequestSchema } from './schema.ts'
import { findDocument, searchBlocks } from './search.ts'

/** So many blocks that are not full are packed together to one. */
const mergedBlocks = 16
/** From here on a block is left as it is: it is large enough, or it would keep what is old beside what is new. */
const enoughRows = fullBlock / 2
const longestSpanMs = 24 * 3_600_000
/** What a sweep deletes at once, so that others have their turn. */
const sweptBlocks = 32
const sweptContents = 200

export type RequestTableParts = {
  readonly db: Kysely<RequestSchema>
  /** Runs a statement; its database's failures become Faults. */
  attempt<T>(statement: Promise<T>): Promise<T>
  /** Who writes here, where several share the store. */
  readonly node: string
  /** `performance.now()` */
  nowMs(): number
}

/** In SQL that SQLite and PostgreSQL share. */
export function createRequestTable({ db, attempt, node, nowMs }: RequestTableParts): Omit<RequestStore, 'close'> {
  async function insertBlock(on: Transaction<RequestSchema>, block: Block, level: number): Promise<void> {
    const { firstAt, lastAt, minId, maxId, count, maxMs, hasFiltered, hasLimited, words, columns, details } = block
    const id = randomId(20)
    const lists = JSON.stringify(block.lists)
    await on
      .insertInto('request_block')
      .values({
        id,
        node,
        level: count >= enoughRows || lastAt - firstAt > longestSpanMs ? -1 : level,
        first_at: firstAt,
        last_at: lastAt,
        min_id: minId,
        max_id: maxId,
        count,
        bytes: words.length + lists.length + columns.length + details.length,
        max_ms: maxMs,
        has_filtered: Number(hasFiltered),
        has_limited: Number(hasLimited),
        words,
      })
      .execute()
    await on.insertInto('request_data').values({ id, lists, columns, details }).execute()
  }

  /** Packs small blocks into larger ones, so that there are few; each is read and written again some three times. */
  async function merge(on: Transaction<RequestSchema>, level: number): Promise<void> {
    const small = await on
      .selectFrom('request_block')
      .select('id')
      .where('node', '=', node)
      .where('level', '=', level)
      .orderBy('last_at')
      .limit(mergedBlocks)
      .execute()
    if (small.length < mergedBlocks) return
    const ids = small.map(({ id }) => id)
    const data = await on.selectFrom('request_data').select('details').where('id', 'in', ids).execute()
    await deleteBlocks(on, ids)
    for (const rows of split(data.flatMap(({ details }) => unpackDetails(details).map(readRow)))) {
      await insertBlock(on, packBlock(rows), level + 1)
    }
    await merge(on, level + 1)
  }

  return {
    append: (lots, contents) =>
      attempt(
        db.transaction().execute(async (on) => {
          const rows: Row[] = []
          for (const lot of lots) for (const line of readLines(lot)) rows.push(readRow(line))
          for (const part of split(rows)) await insertBlock(on, packBlock(part), 0)
          for (const { id, expiresAt, ...document } of contents) {
            const row = { id, expires_at: expiresAt, document: Bun.zstdCompressSync(JSON.stringify(document)) }
            await on
              .insertInto('request_content')
              .values(row)
              .onConflict((conflict) => conflict.column('id').doNothing())
              .execute()
          }
          if (rows.length > 0) await merge(on, 0)
        }),
      ),

    search: (query) => attempt(searchBlocks(db, query, nowMs)),
    find: (id) => attempt(findDocument(db, id)),

    async findContent(id) {
      const query = db.selectFrom('request_content').selectAll().where('id', '=', id)
      const row = await attempt(query.executeTakeFirst())
      return row && readContent(row)
    },

    async totals() {
      const query = db
        .selectFrom('request_block')
        .select(({ fn }) => [fn.sum('count').as('count'), fn.sum('bytes').as('bytes'), fn.min('first_at').as('oldest')])
      const { count, bytes, oldest } = await attempt(query.executeTakeFirstOrThrow())
      return {
        count: Number(count ?? 0),
        bytes: Number(bytes ?? 0),
        oldestAt: oldest === null ? undefined : Number(oldest),
      }
    },

    sweep: (retention) => attempt(sweep(db, retention)),
  }
}

/** Whether there is more to delete. */
async function sweep(db: Kysely<RequestSchema>, { before, maxBytes, now }: Retention): Promise<boolean> {
  const { bytes } = await db
    .selectFrom('request_block')
    .select(({ fn }) => fn.sum('bytes').as('bytes'))
    .executeTakeFirstOrThrow()
  const oldest = await db
    .selectFrom('request_block')
    .select(['id', 'last_at', 'bytes'])
    .orderBy('last_at')
    .limit(sweptBlocks)
    .execute()
  let over = Number(bytes ?? 0) - maxBytes
  const gone: string[] = []
  for (const block of oldest) {
    if (block.last_at >= before && over <= 0) break
    gone.push(block.id)
    over -= block.bytes
  }
  if (gone.length > 0) await db.transaction().execute((on) => deleteBlocks(on, gone))
  const expired = await db
    .selectFrom('request_content')
    .select('id')
    .where('expires_at', '<=', now)
    .limit(sweptContents)
    .execute()
  const ids = expired.map(({ id }) => id)
  if (ids.length > 0) await db.deleteFrom('request_content').where('id', 'in', ids).execute()
  return gone.length === sweptBlocks || ids.length === sweptContents
}

async function deleteBlocks(on: Transaction<RequestSchema>, ids: readonly string[]): Promise<void> {
  await on.deleteFrom('request_block').where('id', 'in', ids).execute()
  await on.deleteFrom('request_data').where('id', 'in', ids).execute()
}

/** In parts that make a block each, the last one being as small as it is. */
function split(rows: readonly Row[]): (readonly Row[])[] {
  const parts: (readonly Row[])[] = []
  for (let at = 0; at < rows.length; at += fullBlock) parts.push(rows.slice(at, at + fullBlock))
  return parts
}

const decoder = new TextDecoder()

function readContent(row: Selectable<RequestSchema['request_content']>): RequestContent {
  const document = JSON.parse(decoder.decode(Bun.zstdDecompressSync(row.document))) as object
  return { id: row.id, ...document, expiresAt: row.expires_at }
}
