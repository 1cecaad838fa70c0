import type { RunEventRow } from '../../../port/tables/runs/port.ts'

/**
 * What a run has told lately, for those who follow it in this process. They read at their own pace: whoever falls behind what is held here
 * goes on from the table, so nothing waits for them and memory stays bounded.
 */
export type Channel = {
  /** From `first` on, without a gap. */
  readonly held: readonly RunEventRow[]
  /** Whether this process goes on with the run: else the table is to be looked at too. */
  isRunning: boolean
  /** All up to this number are in the table. */
  writtenTo: number
  push(events: readonly RunEventRow[]): void
  /** Rings for followers. */
  ring(): void
  /** Resolves when something has happened, or the signal is aborted. */
  heard(signal: AbortSignal): Promise<void>
}

/** Events that are kept for followers although the table has them. */
const mostHeld = 256

export function openChannel(writtenTo = -1): Channel {
  let held: RunEventRow[] = []
  let waiting = new Set<() => void>()
  const channel: Channel = {
    get held() {
      return held
    },
    isRunning: false,
    writtenTo,
    push(events) {
      // Numbers leave a gap where another server went on: what came before it is in the table.
      const last = held.at(-1)
      if (last && events[0] && events[0].seq !== last.seq + 1) held = []
      held.push(...events)
      if (held.length > 2 * mostHeld) {
        let count = 0
        while (count < held.length - mostHeld && (held[count] as RunEventRow).seq <= channel.writtenTo) count++
        if (count > 0) held = held.slice(count)
      }
      channel.ring()
    },
    ring() {
      const ringing = waiting
      waiting = new Set()
      for (const wake of ringing) wake()
    },
    heard(signal) {
      if (signal.aborted) return Promise.resolve()
      return new Promise((resolve) => {
        const wake = (): void => {
          waiting.delete(wake)
          signal.removeEventListener('abort', wake)
          resolve()
        }
        waiting.add(wake)
        signal.addEventListener('abort', wake, { once: true })
      })
    },
  }
  return channel
}

/** Those that come after `after`; undefined where some of them are held no more. */
export function heldAfter({ held }: Channel, after: number): readonly RunEventRow[] | undefined {
  const first = held[0]
  if (!first) return undefined
  if (first.seq > after + 1) return undefined
  return held.slice(Math.max(0, after + 1 - first.seq))
}
