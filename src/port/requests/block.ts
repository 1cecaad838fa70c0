import type { RequestQuery } from './port.ts'
import { filteredFlag, type ListName, limitedFlag, listNames, type Row, readDetails, writeDetails } from './row.ts'
import { makeWordFilter } from './word-filter.ts'

/**
 * Requests are kept a thousand to a block, in the order of their ends. What is searched by stands in columns, numbers for the words of a
 * short list, so that a block is judged in a few microseconds; the documents are compressed together.
 */
export type Block = {
  readonly firstAt: number
  readonly lastAt: number
  readonly minId: string
  readonly maxId: string
  readonly count: number
  readonly maxMs: number
  readonly hasFiltered: boolean
  readonly hasLimited: boolean
  /** A `WordFilter` of what occurs in it. */
  readonly words: Uint8Array
  readonly lists: Lists
  /** Compressed. */
  readonly columns: Uint8Array
  readonly details: Uint8Array
}

/** What the numbers of the columns stand for, in lower case. */
export type Lists = Readonly<Record<ListName, readonly string[]>>

/** Rows to a block: longer ones compress no better, and have to be read whole for one of their documents. */
export const fullBlock = 1024
/** `at` as float64, milliseconds as float32, a number for each list, flags. */
const rowBytes = 8 + 4 + 2 * listNames.length + 1
/** At most 65,536 rows, in any order. */
export function packBlock(unsorted: readonly Row[]): Block {
  const rows = unsorted.toSorted((a, b) => a.at - b.at)
  const numbers = mapLists(() => new Map<string, number>())
  const count = rows.length
  const columns = openColumns(new Uint8Array(count * rowBytes), count)
  let maxMs = 0
  let flagged = 0
  let [minId, maxId] = ['\uffff', '']
  rows.forEach(({ id, at, totalMs, words, flags }, i) => {
    if (id < minId) minId = id
    if (id > maxId) maxId = id
    columns.setFloat64(i * 8, at, true)
    columns.setFloat32(count * 8 + i * 4, totalMs, true)
    listNames.forEach((name, list) => {
      columns.setUint16(count * (12 + 2 * list) + 2 * i, numberOf(numbers[name], words[list] as string), true)
    })
    columns.setUint8(count * (rowBytes - 1) + i, flags)
    flagged |= flags
    maxMs = Math.max(maxMs, totalMs)
  })
  const lists = mapLists((name) => [...numbers[name].keys()])
  return {
    firstAt: rows[0]?.at ?? 0,
    lastAt: rows.at(-1)?.at ?? 0,
    minId,
    maxId,
    count,
    maxMs,
    hasFiltered: (flagged & filteredFlag) !== 0,
    hasLimited: (flagged & limitedFlag) !== 0,
    words: makeWordFilter(collectWords(lists)),
    lists,
    columns: Bun.zstdCompressSync(new Uint8Array(columns.buffer), { level: 1 }),
    details: Bun.zstdCompressSync(writeDetails(rows), { level: 1 }),
  }
}

const decoder = new TextDecoder()

/** The lines of a block in the order of its columns, each in its two parts. */
export function unpackDetails(details: Uint8Array): { readonly own: string; readonly end: string }[] {
  return readDetails(decoder.decode(Bun.zstdDecompressSync(details)))
}

/** What a query asks of one block: the numbers of its words there. */
export type Question = {
  readonly query: RequestQuery
  readonly numbers: Readonly<Partial<Record<ListName, ReadonlySet<number>>>>
}

/** As they are in the filter: with the list before them, since a deployment may be called as a key is. */
function collectWords(lists: Lists): ReadonlySet<string> {
  const words = new Set<string>()
  for (const name of listNames) {
    for (const word of lists[name]) words.add(filterWord(name === 'asked' ? 'deployment' : name, word))
  }
  for (const status of lists.status) words.add(filterWord('status', `${status[0]}xx`))
  return words
}

function filterWord(list: ListName, word: string): string {
  return `${list}:${foldWord(word)}`
}

/** The words that a block has to hold for anything in it to match. */
export function wordsOf(query: RequestQuery): readonly string[] {
  const words = (['resource', 'deployment', 'caller', 'model', 'operation', 'code'] as const).flatMap((name) => {
    const word = query[name]
    return word === undefined ? [] : [filterWord(name, word)]
  })
  if (!query.status) return words
  const [from, to] = query.status
  if (to === from + 1) return [...words, filterWord('status', String(from))]
  return from % 100 === 0 && to === from + 100 ? [...words, filterWord('status', `${from / 100}xx`)] : words
}

/** undefined where no row of the block can match. */
export function askBlock(query: RequestQuery, lists: Lists): Question | undefined {
  const numbers: Partial<Record<ListName, ReadonlySet<number>>> = {}
  for (const name of ['resource', 'caller', 'model', 'operation', 'code'] as const) {
    const word = query[name]
    if (word === undefined) continue
    const at = lists[name].indexOf(foldWord(word))
    if (at === -1) return undefined
    numbers[name] = new Set([at])
  }
  if (query.deployment !== undefined) {
    const word = foldWord(query.deployment)
    const [served, asked] = [lists.deployment.indexOf(word), lists.asked.indexOf(word)]
    if (served === -1 && asked === -1) return undefined
    numbers.deployment = new Set([served])
    numbers.asked = new Set([asked])
  }
  if (query.status) {
    const [from, to] = query.status
    const found = lists.status.flatMap((status, i) => (Number(status) >= from && Number(status) < to ? [i] : []))
    if (found.length === 0) return undefined
    numbers.status = new Set(found)
  }
  return { query, numbers }
}

/** The rows that match, newest first, of a block with so many rows. */
export function matchRows(
  { query, numbers }: Question,
  packed: Uint8Array,
  count: number,
): { readonly row: number; readonly at: number }[] {
  const { buffer } = openColumns(Bun.zstdDecompressSync(packed), count)
  const upper = Math.min(query.toMs, query.after ?? Number.POSITIVE_INFINITY)
  const { minMs = 0, isFiltered, isLimited } = query
  const { deployment, asked, ...others } = numbers
  const ends = new Float64Array(buffer, 0, count)
  const spans = new Float32Array(buffer, count * 8, count)
  const flags = new Uint8Array(buffer, count * (rowBytes - 1), count)
  const listOf = (name: ListName) => new Uint16Array(buffer, count * (12 + 2 * listNames.indexOf(name)), count)
  const tests = Object.entries(others).map(([name, wanted]) => ({ list: listOf(name as ListName), wanted }))
  const [served, first] = [listOf('deployment'), listOf('asked')]
  // Rows with the one number that is wanted are found faster than others are passed over.
  const leading = tests.find(({ wanted }) => wanted.size === 1)
  const lead = leading && { list: leading.list, number: [...leading.wanted][0] as number }
  const before = (i: number): number => (lead && i > 0 ? lead.list.lastIndexOf(lead.number, i - 1) : i - 1)
  const found: { row: number; at: number }[] = []
  for (let i = before(count); i >= 0; i = before(i)) {
    const at = ends[i] as number
    if (at >= upper) continue
    if (at < query.fromMs) break
    if (minMs > 0 && (spans[i] as number) < minMs) continue
    const own = flags[i] as number
    if (isFiltered !== undefined && ((own & filteredFlag) !== 0) !== isFiltered) continue
    if (isLimited !== undefined && ((own & limitedFlag) !== 0) !== isLimited) continue
    if (deployment && !deployment.has(served[i] as number) && !asked?.has(first[i] as number)) continue
    let isWanted = true
    for (const { list, wanted } of tests) isWanted &&= wanted.has(list[i] as number)
    if (isWanted) found.push({ row: i, at })
  }
  return found
}

function mapLists<T>(make: (name: ListName) => T): Record<ListName, T> {
  return Object.fromEntries(listNames.map((name) => [name, make(name)])) as Record<ListName, T>
}

/** From the beginning of a buffer of their own: typed arrays stand on whole words. */
function openColumns(bytes: Uint8Array, count: number): DataView<ArrayBuffer> {
  if (bytes.length !== count * rowBytes) throw new RangeError(`a block of ${count} rows has ${bytes.length} bytes`)
  const own = bytes.byteOffset === 0 ? bytes : bytes.slice()
  return new DataView(own.buffer as ArrayBuffer, 0, bytes.length)
}

function numberOf(numbers: Map<string, number>, word: string): number {
  const known = numbers.get(word)
  if (known !== undefined) return known
  numbers.set(word, numbers.size)
  return numbers.size - 1
}

function foldWord(word: string): string {
  return word.toLowerCase()
}
