import { type Kysely, sql } from 'kysely'
import { timeOfId } from '../../core/text/id.ts'
import { askBlock, type Lists, matchRows, unpackDetails, wordsOf } from './block.ts'
import { type RequestDocument, type RequestPage, type RequestQuery, searchMs } from './port.ts'
import type { RequestSchema } from './schema.ts'
import { mayHoldWord } from './word-filter.ts'

/** Heads of blocks that are read at once; most searches end with the first few. */
const firstHeads = 16
const headsAtOnce = 512
const documentsAtOnce = 8

type Db = Kysely<RequestSchema>
type Head = Pick<RequestSchema['request_block'], 'id' | 'last_at' | 'count' | 'words'>
type Found = { readonly at: number; readonly line: string }

/**
 * Goes through the blocks from the newest back, as long as one may hold something newer than what was found. Blocks of one server never
 * overlap, those of several do by as much as they wait before they write.
 */
export async function searchBlocks(db: Db, query: RequestQuery, nowMs: () => number): Promise<RequestPage> {
  const until = nowMs() + searchMs
  const words = wordsOf(query)
  const found: Found[] = []
  let wanted = firstHeads
  let heads = await readHeads(db, query, undefined, wanted)
  while (heads.length > 0) {
    for (const head of heads) {
      if (isEnough(found, query.top, head.last_at)) return close(found, query.top, undefined)
      // One at least, so that whoever comes again gets on.
      if (nowMs() > until && head !== heads[0]) return close(found, query.top, head.last_at + smallestStep)
      await searchBlock(db, query, words, head, found)
    }
    if (heads.length < wanted) break
    wanted = headsAtOnce
    heads = await readHeads(db, query, heads.at(-1), wanted)
  }
  return close(found, query.top, undefined)
}

/** `at` has three decimals. */
const smallestStep = 0.0005

/** Of blocks that may hold what is asked for, those that ended last first. */
function readHeads(db: Db, query: RequestQuery, after: Head | undefined, limit: number): Promise<Head[]> {
  const upper = Math.min(query.toMs, query.after ?? Number.POSITIVE_INFINITY)
  let statement = db
    .selectFrom('request_block')
    .select(['id', 'last_at', 'count', 'words'])
    .where('last_at', '>=', query.fromMs)
    .where('first_at', '<', upper)
    .where('max_ms', '>=', query.minMs ?? 0)
    .where('has_filtered', '>=', query.isFiltered ? 1 : 0)
    .where('has_limited', '>=', query.isLimited ? 1 : 0)
    .orderBy('last_at', 'desc')
    .orderBy('id', 'desc')
    .limit(limit)
  // As one comparison: both databases then begin in the index where the last page ended.
  if (after) statement = statement.where(sql<boolean>`(last_at, id) < (${after.last_at}, ${after.id})`)
  return statement.execute()
}

async function searchBlock(
  db: Db,
  query: RequestQuery,
  words: readonly string[],
  head: Head,
  found: Found[],
): Promise<void> {
  if (!words.every((word) => mayHoldWord(head.words, word))) return
  const data = await db
    .selectFrom('request_data')
    .select(['lists', 'columns'])
    .where('id', '=', head.id)
    .executeTakeFirst()
  // Another server has packed it anew meanwhile, or it was deleted: whoever asks again finds it where it is now.
  const question = data && askBlock(query, JSON.parse(data.lists) as Lists)
  if (!question) return
  const rows = matchRows(question, data.columns, head.count)
  if (rows.length === 0) return
  const lines = await readLines(db, head.id)
  const wanted = query.text?.toLowerCase()
  let taken = 0
  for (const { row, at } of rows) {
    const line = lines[row]
    if (line === undefined || (wanted !== undefined && !line.toLowerCase().includes(wanted))) continue
    found.push({ at, line })
    // More than one of them shows that there are more.
    if (++taken > query.top) return
  }
}

async function readLines(db: Db, id: string): Promise<readonly string[]> {
  const block = await db.selectFrom('request_data').select('details').where('id', '=', id).executeTakeFirst()
  return block ? unpackDetails(block.details).map(({ own, end }) => own + end) : []
}

/** Whether nothing in blocks that ended by then comes before what was found. */
function isEnough(found: Found[], top: number, endedBy: number): boolean {
  if (found.length <= top) return false
  found.sort((a, b) => b.at - a.at)
  found.length = top + 1
  return (found[top] as Found).at > endedBy
}

function close(found: Found[], top: number, goOnAfter: number | undefined): RequestPage {
  found.sort((a, b) => b.at - a.at)
  // What is older than where the search goes on is found again then.
  const sure = goOnAfter === undefined ? found : found.filter(({ at }) => at >= goOnAfter)
  const page = sure.slice(0, top)
  const after = sure.length > top ? page.at(-1)?.at : goOnAfter
  return {
    documents: page.map(({ line }) => JSON.parse(line) as RequestDocument),
    ...(after !== undefined && { after }),
  }
}

/** The document of that id, which tells when the request came; most ended soon after. */
export async function findDocument(db: Db, id: string): Promise<RequestDocument | undefined> {
  const timeMs = timeOfId(id)
  if (Number.isNaN(timeMs)) return undefined
  const start = `{"id":${JSON.stringify(id)},`
  for (let offset = 0; ; offset += documentsAtOnce) {
    const blocks = await db
      .selectFrom('request_block')
      .innerJoin('request_data', 'request_data.id', 'request_block.id')
      .select('details')
      .where('last_at', '>=', timeMs)
      .where('min_id', '<=', id)
      .where('max_id', '>=', id)
      .orderBy('last_at')
      .orderBy('request_block.id')
      .limit(documentsAtOnce)
      .offset(offset)
      .execute()
    for (const { details } of blocks) {
      const line = unpackDetails(details).find(({ own }) => own.startsWith(start))
      if (line) return JSON.parse(line.own + line.end) as RequestDocument
    }
    if (blocks.length < documentsAtOnce) return undefined
  }
}
