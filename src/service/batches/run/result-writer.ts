import { Fault } from '../../../core/fault.ts'
import type { Usage } from '../../../core/usage/usage.ts'
import type { BatchesTable, BatchTokens, LineResult } from '../../../port/tables/batches/port.ts'
import type { BatchWorld } from '../parts.ts'

export type EndedLine = {
  readonly result: LineResult
  readonly usage: Usage | undefined
  /** What the line held of its deployment's quota. */
  readonly heldTokens: number
}

export type ResultWriter = {
  add(line: EndedLine): void
  /** Whether more may be added: a store that is slow holds up those who make results. */
  hasRoom(): boolean
  /** Resolves when all that was added is written. Rejects when it cannot be: the job is lost, or the store is away and `signal` aborted. */
  flush(): Promise<void>
  /** What went wrong; from then on nothing is written. */
  failure(): unknown
}

export type ResultWriterOptions = Pick<BatchWorld, 'startTimer'> & {
  write(results: readonly LineResult[], sums: Parameters<BatchesTable['addResults']>[3]): Promise<boolean>
  /** A write has ended, well or not. */
  onWritten(): void
}

/** So many are written together, or what there is after so long: seldom and much at once is what live callers would notice more. */
const linesPerWrite = 200
const bytesPerWrite = 4 * 1024 * 1024
const longestWaitMs = 100
/** So much may wait while a write goes on. */
const mostWaiting = 2_000
const mostWaitingBytes = 16 * 1024 * 1024

/** Collects results and writes them in portions, one after the other. */
export function createResultWriter({ startTimer, write, onWritten }: ResultWriterOptions): ResultWriter {
  let waiting: EndedLine[] = []
  let waitingBytes = 0
  let writing: Promise<void> | undefined
  let stopTimer: (() => void) | undefined
  let failed: { readonly error: unknown } | undefined

  function takePortion(): EndedLine[] {
    let bytes = 0
    let count = 0
    while (count < waiting.length && count < linesPerWrite && (count === 0 || bytes < bytesPerWrite)) {
      bytes += sizeOf(waiting[count++] as EndedLine)
    }
    waitingBytes -= bytes
    return waiting.splice(0, count)
  }

  async function writeAll(): Promise<void> {
    stopTimer?.()
    stopTimer = undefined
    while (waiting.length > 0 && !failed) {
      const portion = takePortion()
      try {
        const isHeld = await write(
          portion.map(({ result }) => result),
          addUp(portion),
        )
        if (!isHeld) throw new Fault('conflict', 'The job of this batch is held by another worker.')
      } catch (error) {
        failed = { error }
        waiting = []
      }
      onWritten()
    }
  }

  function startWriting(): Promise<void> {
    writing ??= writeAll().finally(() => {
      writing = undefined
      // What came after the last look, while nobody was told to look again.
      if (waiting.length > 0) void startWriting()
    })
    return writing
  }

  return {
    add(line) {
      if (failed) return
      waiting.push(line)
      waitingBytes += sizeOf(line)
      if (writing) return
      if (waiting.length >= linesPerWrite || waitingBytes >= bytesPerWrite) void startWriting()
      else stopTimer ??= startTimer(() => void startWriting(), longestWaitMs)
    },
    hasRoom: () => waiting.length < mostWaiting && waitingBytes < mostWaitingBytes,
    async flush() {
      while ((waiting.length > 0 || writing) && !failed) await startWriting()
      if (failed) throw failed.error
    },
    failure: () => failed?.error,
  }
}

function sizeOf({ result }: EndedLine): number {
  return 2 * result.record.length
}

function addUp(lines: readonly EndedLine[]): { readonly tokens: BatchTokens; readonly releasedTokens: number } {
  const sum = (count: (line: EndedLine) => number | undefined) =>
    lines.reduce((total, line) => total + (count(line) ?? 0), 0)
  return {
    tokens: {
      input: sum(({ usage }) => usage?.promptTokens),
      cached: sum(({ usage }) => usage?.cachedTokens),
      output: sum(({ usage }) => usage?.completionTokens),
      reasoning: sum(({ usage }) => usage?.reasoningTokens),
    },
    releasedTokens: sum(({ heldTokens }) => heldTokens),
  }
}
