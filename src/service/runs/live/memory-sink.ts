import type { ItemRow, RunEventRow } from '../../../port/tables/runs/port.ts'
import type { FaceWriter } from '../face.ts'
import type { Sink } from '../loop/sink.ts'

export type MemorySink = Sink & {
  /** Read once, to the end. Before that nothing waits for a reader. */
  readonly events: AsyncIterable<RunEventRow>
  /** As they were told last, in the order in which they were made. */
  readonly items: ReadonlyMap<string, ItemRow>
  push(rows: readonly RunEventRow[]): void
  close(): void
}

/** Events that wait for a reader that has begun: then the run waits too. */
const mostUnread = 500

/** Keeps what a run does in memory, for as long as somebody reads it. */
export function openMemorySink(writer: FaceWriter, first: number): MemorySink {
  const items = new Map<string, ItemRow>()
  let unread: RunEventRow[] = []
  let next = first
  let isRead = false
  let isClosed = false
  let wake = Promise.withResolvers<void>()
  let drained = Promise.withResolvers<void>()

  function push(rows: readonly RunEventRow[]): void {
    unread.push(...rows)
    wake.resolve()
  }
  function take(event: Parameters<Sink['tell']>[0]): void {
    const rows = writer.write(event)
    if (rows.length > 0) next = (rows.at(-1) as RunEventRow).seq + 1
    if (event.type === 'item-added' || event.type === 'item-done') items.set(event.item.id, event.item)
    push(rows)
  }
  async function* read(): AsyncGenerator<RunEventRow> {
    isRead = true
    try {
      for (;;) {
        const portion = unread
        unread = []
        wake = Promise.withResolvers()
        drained.resolve()
        drained = Promise.withResolvers()
        yield* portion
        if (portion.length > 0) continue
        if (isClosed) return
        await wake.promise
      }
    } finally {
      // Nobody reads on: nothing is to wait for that.
      isRead = false
      drained.resolve()
    }
  }

  return {
    items,
    push,
    events: { [Symbol.asyncIterator]: read },
    get next() {
      return next
    },
    tell: take,
    keep(kept) {
      for (const item of kept) items.set(item.id, item)
    },
    async commit(_, last) {
      if (last) take(last)
    },
    room: () => (isRead && unread.length >= mostUnread ? drained.promise : undefined),
    mayBe() {},
    close() {
      isClosed = true
      wake.resolve()
    },
  }
}
