import { Fault } from '../../../core/fault.ts'
import type { BatchRow, NewLine } from '../../../port/tables/batches/port.ts'
import { toText } from '../input/check-line.ts'
import type { BatchWorld } from '../parts.ts'

/** A line and its text; undefined where the file has nothing there any more. */
export type ReadLine = { readonly line: NewLine; readonly text: string | undefined }

export type LineSource = {
  /** The next line without a result; undefined when there is none. Rejects when a store stays away. */
  next(): Promise<ReadLine | undefined>
  /** One line again. */
  read(line: NewLine): Promise<ReadLine>
  /** Lines in the order of the input, as many at a time as are held in memory together. */
  readGroups(lines: readonly NewLine[]): AsyncIterable<readonly ReadLine[]>
}

const linesPerPage = 500
/** Neighbours are read together up to so many bytes, and over gaps of so many. */
const mostTogether = 1024 * 1024
const mostBetween = 64 * 1024

/** The lines of a batch that wait, from `after` on in their order, read a little ahead. `wait` asks a store until it answers. */
export function createLineSource(
  { table, files }: Pick<BatchWorld, 'table' | 'files'>,
  batch: BatchRow,
  wait: <T>(ask: () => Promise<T>) => Promise<T>,
  after = 0,
): LineSource {
  let page: NewLine[] = []
  let last = after
  let isLastPage = false
  let ready: ReadLine[] = []
  let at = 0
  let ahead: Promise<ReadLine[]> | undefined

  async function readGroup(): Promise<ReadLine[]> {
    if (page.length === 0 && !isLastPage) {
      page = await wait(() => table.listWaiting(batch.id, last, linesPerPage))
      last = page.at(-1)?.line ?? last
      isLastPage = page.length < linesPerPage
    }
    const group = page.splice(0, countTogether(page))
    return group.length === 0 ? [] : wait(() => readTogether(group))
  }

  async function readTogether(group: readonly NewLine[]): Promise<ReadLine[]> {
    const [first, final] = [group[0] as NewLine, group.at(-1) as NewLine]
    const bytes = await readRange(first.start, final.start + final.bytes)
    return group.map((line) => {
      const from = line.start - first.start
      const isThere = from + line.bytes <= bytes.length
      return { line, text: isThere ? toText(bytes.subarray(from, from + line.bytes)) : undefined }
    })
  }

  /** Shorter where the file is. */
  async function readRange(start: number, end: number): Promise<Uint8Array> {
    const bytes = Buffer.allocUnsafeSlow(end - start)
    let filled = 0
    try {
      for await (const piece of files.read(batch.inputFileId, { start, end }, { isReused: true })) {
        bytes.set(piece, filled)
        filled += piece.length
      }
    } catch (error) {
      if (!(error instanceof Fault) || error.code !== 'not-found') throw error
    }
    return bytes.subarray(0, filled)
  }

  /** The next group is read while this one is worked off. */
  function readAhead(): Promise<ReadLine[]> {
    const reading = readGroup()
    // Whoever waits for it is told.
    reading.catch(() => {})
    return reading
  }

  return {
    async next() {
      if (at === ready.length) {
        ready = await (ahead ?? readGroup())
        at = 0
        ahead = ready.length > 0 ? readAhead() : undefined
      }
      return ready[at++]
    },
    async *readGroups(lines) {
      for (let rest = lines; rest.length > 0; ) {
        const group = rest.slice(0, countTogether(rest))
        rest = rest.slice(group.length)
        yield await wait(() => readTogether(group))
      }
    },
    read: async (line) => (await wait(() => readTogether([line])))[0] as ReadLine,
  }
}

function countTogether(lines: readonly NewLine[]): number {
  const [first] = lines
  if (!first) return 0
  let count = 1
  let end = first.start + first.bytes
  for (; count < lines.length; count++) {
    const { start, bytes } = lines[count] as NewLine
    if (start - end > mostBetween || start + bytes - first.start > mostTogether) break
    end = start + bytes
  }
  return count
}
