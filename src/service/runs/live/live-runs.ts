import { Halt } from '../loop/halt.ts'
import { type Channel, openChannel } from './channel.ts'

/** The runs that this process knows of: those it goes on with, and those it has begun and waits for its worker to take. */
export type LiveRuns = {
  /** How many are gone on with. */
  readonly count: number
  channelOf(runId: string): Channel | undefined
  /** Told from here soon. `writtenTo`: events up to that number are in the table. */
  announce(runId: string, writtenTo: number): Channel
  /** From here on this process goes on with it. */
  begin(runId: string, halt: (reason: Halt) => void): Channel
  /** Nothing more is told from here. */
  end(runId: string): void
  /** Stops it where it is gone on with here. */
  cancel(runId: string): void
  /** Resolves when a channel of that run is opened, or the signal is aborted. */
  opened(runId: string, signal: AbortSignal): Promise<void>
  /** Whether nobody is told anything any more. */
  readonly isClosed: boolean
  /** Ends all that follow. */
  close(): void
}

export function createLiveRuns(): LiveRuns {
  const channels = new Map<string, Channel>()
  const halts = new Map<string, (reason: Halt) => void>()
  const waiting = new Map<string, Set<() => void>>()
  let isClosed = false

  function open(runId: string, writtenTo: number): Channel {
    const known = channels.get(runId)
    if (known) return known
    const channel = openChannel(writtenTo)
    channels.set(runId, channel)
    for (const wake of waiting.get(runId) ?? []) wake()
    return channel
  }

  return {
    get isClosed() {
      return isClosed
    },
    get count() {
      return halts.size
    },
    channelOf: (runId) => channels.get(runId),
    announce: open,
    begin(runId, halt) {
      const channel = open(runId, -1)
      channel.isRunning = true
      halts.set(runId, halt)
      return channel
    },
    end(runId) {
      halts.delete(runId)
      const channel = channels.get(runId)
      if (!channel) return
      channels.delete(runId)
      channel.isRunning = false
      channel.ring()
    },
    cancel: (runId) => halts.get(runId)?.(new Halt('cancelled')),
    opened(runId, signal) {
      if (signal.aborted || channels.has(runId)) return Promise.resolve()
      return new Promise((resolve) => {
        const own = waiting.get(runId) ?? new Set()
        waiting.set(runId, own)
        const wake = (): void => {
          own.delete(wake)
          if (own.size === 0) waiting.delete(runId)
          signal.removeEventListener('abort', wake)
          resolve()
        }
        own.add(wake)
        signal.addEventListener('abort', wake, { once: true })
      })
    },
    close() {
      isClosed = true
      for (const channel of channels.values()) channel.ring()
    },
  }
}
