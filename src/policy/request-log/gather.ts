import type { RequestRecord } from '../../core/usage/request-record.ts'
import type { RequestLines } from '../../port/requests/port.ts'
import { writeOwnPart } from './document.ts'
import { writeSharedPart } from './shared-part.ts'

/** Makes lines of records, some at a time. */
export type Gatherer = {
  /** Throws for a record of which no line can be made, and leaves it out. */
  add(record: RequestRecord, at: number): void
  /** What was added last, whole. */
  last(): string
  /** What was added since it was last asked; undefined where that is nothing. */
  close(): RequestLines | undefined
}

/** In memory that other threads see, outside the heap: what waits to be written costs the collector nothing, and goes over without a copy. */
export function createGatherer(): Gatherer {
  let ends: string[] = []
  let lines: string[] = []
  let lastOwn = ''
  let lastEnd = ''

  return {
    add(record, at) {
      lastOwn = writeOwnPart(record, at)
      const end = writeSharedPart(record)
      // Those of one moment are mostly alike.
      let number = lastEnd === end ? ends.length - 1 : ends.indexOf(end)
      if (number === -1) number = ends.push(end) - 1
      if (ends[number] !== end) number = ends.indexOf(end)
      lastEnd = end
      lines.push(number + lastOwn)
    },
    last: () => lastOwn + lastEnd,
    close() {
      const count = lines.length
      if (count === 0) return undefined
      const text = lines.join('\n')
      const own = Buffer.from(new SharedArrayBuffer(Buffer.byteLength(text)))
      own.write(text)
      const gathered = { ends, own, count }
      ends = []
      lines = []
      return gathered
    },
  }
}
