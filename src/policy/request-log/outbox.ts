import type { Captured } from '../../core/usage/request-record.ts'
import type { RequestContent } from '../../port/requests/port.ts'

/** A record on its way to the store, as JSON, and what was said in it: made ready to be kept when its turn comes. */
export type Parcel = {
  readonly id: string
  readonly line: string
  said: Captured | RequestContent | undefined
  /** About what it takes, as long as it waits. */
  readonly bytes: number
}

/** What waits to be written: bounded, the oldest give way to the newest. */
export type Outbox = {
  push(id: string, line: string, said: Captured | undefined): void
  /** Takes out the oldest; they count as waiting until `settle`. */
  take(most: number): readonly Parcel[]
  /** What was taken is written, or goes back to the front. One lot at a time. */
  settle(isWritten: boolean): void
  readonly size: number
  readonly lost: number
  /** Those among the lost of which something was said. */
  readonly lostContents: number
}

/** About what a record, an answer and a piece of one take besides their texts. */
const parcelBytes = 200
const wholeAnswerBytes = 16_384
const pieceBytes = 150

export function createOutbox(maxParcels: number, maxBytes: number): Outbox {
  /** From `head` on: taking one away from the front of a list costs as much as the list is long. */
  let waiting: Parcel[] = []
  let head = 0
  let taken: readonly Parcel[] = []
  let bytes = 0
  let [lost, lostContents] = [0, 0]

  const size = (): number => waiting.length - head + taken.length

  function makeRoom(): void {
    while (head < waiting.length && (size() > maxParcels || bytes > maxBytes)) {
      const parcel = waiting[head++] as Parcel
      bytes -= parcel.bytes
      lost++
      if (parcel.said) lostContents++
    }
    if (head * 2 <= waiting.length) return
    waiting = waiting.slice(head)
    head = 0
  }

  return {
    push(id, line, said) {
      const own = parcelBytes + line.length + (said ? sizeOf(said) : 0)
      waiting.push({ id, line, said, bytes: own })
      bytes += own
      if (size() > maxParcels || bytes > maxBytes) makeRoom()
    },
    take(most) {
      taken = waiting.slice(head, head + most)
      head += taken.length
      return taken
    },
    settle(isWritten) {
      if (isWritten) for (const parcel of taken) bytes -= parcel.bytes
      else {
        waiting = [...taken, ...waiting.slice(head)]
        head = 0
      }
      taken = []
      makeRoom()
    },
    get size() {
      return size()
    },
    get lost() {
      return lost
    },
    get lostContents() {
      return lostContents
    },
  }
}

function sizeOf({ prompt, answer, sent }: Captured): number {
  const answerBytes = !answer ? 0 : 'kind' in answer ? wholeAnswerBytes : answer.length * pieceBytes
  return prompt.length + sent.length + answerBytes
}
