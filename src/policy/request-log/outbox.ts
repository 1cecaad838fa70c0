import type { Captured } from '../../core/usage/request-record.ts'
import type { RequestContent, RequestLines } from '../../port/requests/port.ts'

/** What was said in a request; made ready to be kept when its turn comes. */
export type Said = { readonly id: string; what: Captured | RequestContent }

/** Some records on their way to the store. */
export type Parcel = {
  readonly lines: RequestLines
  readonly said: readonly Said[]
  /** About what it takes, as long as it waits. */
  readonly bytes: number
}

/** What waits to be written: bounded, the oldest give way to the newest. Counts are of records. */
export type Outbox = {
  push(lines: RequestLines, said: readonly Said[]): void
  /** Takes out the oldest, about as many as `most`; they count as waiting until `settle`. */
  take(most: number): readonly Parcel[]
  /** What was taken is written, or goes back to the front. One lot at a time. */
  settle(isWritten: boolean): void
  readonly size: number
  readonly lost: number
  /** Those among the lost of which something was said. */
  readonly lostContents: number
}

/** About what a lot, an answer and a piece of one take besides their texts. */
const lotBytes = 400
const wholeAnswerBytes = 16_384
const pieceBytes = 150

export function createOutbox(maxRecords: number, maxBytes: number): Outbox {
  let waiting: Parcel[] = []
  let taken: readonly Parcel[] = []
  let [size, bytes] = [0, 0]
  let [lost, lostContents] = [0, 0]

  function makeRoom(): void {
    let gone = 0
    for (const parcel of waiting) {
      if (size <= maxRecords && bytes <= maxBytes) break
      gone++
      bytes -= parcel.bytes
      size -= parcel.lines.count
      lost += parcel.lines.count
      lostContents += parcel.said.length
    }
    if (gone > 0) waiting = waiting.slice(gone)
  }

  return {
    push(lines, said) {
      let own = lotBytes + lines.own.length
      for (const { what } of said) own += sizeOf(what)
      waiting.push({ lines, said, bytes: own })
      size += lines.count
      bytes += own
      makeRoom()
    },
    take(most) {
      let [lots, records] = [0, 0]
      for (const { lines } of waiting) {
        if (lots > 0 && records + lines.count > most) break
        lots++
        records += lines.count
      }
      taken = waiting.slice(0, lots)
      waiting = waiting.slice(lots)
      return taken
    },
    settle(isWritten) {
      if (!isWritten) waiting = [...taken, ...waiting]
      else {
        for (const parcel of taken) {
          bytes -= parcel.bytes
          size -= parcel.lines.count
        }
      }
      taken = []
      makeRoom()
    },
    get size() {
      return size
    },
    get lost() {
      return lost
    },
    get lostContents() {
      return lostContents
    },
  }
}

function sizeOf(said: Captured | RequestContent): number {
  if (!('hasPrompt' in said)) return 0
  const { prompt, answer, sent } = said
  const answerBytes = !answer ? 0 : 'kind' in answer ? wholeAnswerBytes : answer.length * pieceBytes
  return prompt.length + sent.length + answerBytes
}
