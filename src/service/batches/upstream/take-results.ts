import { Fault } from '../../../core/fault.ts'
import type { NativeBatches, UpstreamBatch, UpstreamLine } from '../../../core/reply.ts'
import { believeUsage } from '../../../core/usage/usage.ts'
import type { Job } from '../../../port/jobs/port.ts'
import type { BatchRow } from '../../../port/tables/batches/port.ts'
import { toText } from '../input/check-line.ts'
import { estimateTokens } from '../input/estimate-tokens.ts'
import { createLineSplitter, type InputLine } from '../input/split-lines.ts'
import type { BatchWorld } from '../parts.ts'
import { persist } from '../persist.ts'
import { readTask } from '../run/attempt-line.ts'
import { modifiedError, recordAnswer, recordError } from '../run/line-record.ts'
import { createLineSource, type ReadLine } from '../run/line-source.ts'
import { createResultWriter } from '../run/result-writer.ts'
import { ask } from './ask.ts'
import { lineRun } from './gather-lines.ts'
import { createLineNames } from './line-names.ts'

export type Taking = {
  readonly batch: BatchRow
  readonly job: Job
  readonly batches: NativeBatches
  readonly tag: string
  readonly upstream: UpstreamBatch
  readonly signal: AbortSignal
}

/** What has come of the results. `undecided`: answers that could not be judged, as while a filter is away. `odd`: what is no result of ours. */
export type Taken = { readonly answered: number; readonly undecided: number; readonly odd: number }

const linesPerPortion = 200
const bytesPerPortion = 2 * 1024 * 1024
const atOnce = 8
/** Longer than any name that we give. */
const maxNameLength = 1_024
/** Longer than any answer that would be taken otherwise. */
const maxLineBytes = 64 * 1024 * 1024

/**
 * Reads the results of a batch that has ended and notes the answers of lines that have none: of two answers to one line the first counts,
 * and what is noted already is passed over, so that reading can begin again after any accident. Resolves to a Fault where the upstream
 * broke off: what came before it is noted.
 */
export async function takeResults(world: BatchWorld, taking: Taking): Promise<Taken | Fault> {
  const { table } = world
  const { batch, job, batches, tag, upstream, signal } = taking
  const names = createLineNames(batches, tag)
  const wait = <T>(question: () => Promise<T>) => persist(world, signal, question)
  const source = createLineSource(world, batch, wait)
  const writer = createResultWriter({
    startTimer: world.startTimer,
    write: (results, sums) => wait(() => table.addResults(job, batch.id, results, sums)),
    onWritten() {},
  })
  const sums = { answered: 0, undecided: 0, odd: 0 }
  let portion = new Map<string, UpstreamLine>()
  let portionBytes = 0

  for (const name of upstream.results) {
    const fault = await readFile(name)
    await takePortion()
    if (fault) return fault
  }
  return sums

  /** The Fault with which it broke off. */
  async function readFile(name: string): Promise<Fault | undefined> {
    const pieces = batches.readResults(name, signal)[Symbol.asyncIterator]()
    const splitter = createLineSplitter({ line: 0, offset: 0 }, maxLineBytes)
    try {
      for (;;) {
        const piece = await ask(signal, () => pieces.next())
        if (piece instanceof Fault) return piece
        for (const line of piece.done ? splitter.end() : splitter.push(piece.value)) await takeLine(line)
        if (piece.done) return undefined
      }
    } finally {
      await pieces.return?.().catch(() => {})
    }
  }

  async function takeLine({ bytes }: InputLine): Promise<void> {
    if (bytes?.length === 0) return
    const line = bytes && batches.readLine(toText(bytes))
    if (!line || line.name.length > maxNameLength) {
      sums.odd++
      return
    }
    // It was run late, or not at all, or failed on the upstream's side: no answer.
    if (line.status === undefined || portion.has(line.name)) return
    portion.set(line.name, line)
    portionBytes += line.body.length
    if (portion.size >= linesPerPortion || portionBytes >= bytesPerPortion) await takePortion()
  }

  async function takePortion(): Promise<void> {
    const taken = portion
    portion = new Map()
    portionBytes = 0
    if (taken.size === 0) return
    const lines = await wait(() => table.findWaiting(batch.id, names.keysOf(taken.keys())))
    // Those of others, and those that are answered.
    sums.odd += taken.size - lines.length
    for await (const group of source.readGroups(lines)) {
      const reads = group.values()
      const work = async (): Promise<void> => {
        for (const read of reads) await judge(read, taken.get(names.nameOf(read.line)) as UpstreamLine)
      }
      await Promise.all(Array.from({ length: atOnce }, work))
    }
    await writer.flush()
  }

  async function judge({ line, text }: ReadLine, said: UpstreamLine): Promise<void> {
    signal.throwIfAborted()
    const body = text === undefined ? undefined : readTask(text, line)
    if (!body) {
      writer.add({ result: recordError(batch.id, line, modifiedError), usage: undefined, heldTokens: 0 })
      return
    }
    const answer = await world.native.answer(lineRun(batch, line, body, signal), batches, said)
    if (answer.isRepeatable) {
      // An answer that is there is worth waiting for whoever judges it; what the upstream failed at is asked again here.
      if (said.status === 200) sums.undecided++
      return
    }
    sums.answered++
    const result = recordAnswer(batch.id, line, answer)
    writer.add({ result, usage: believeUsage(answer.usage), heldTokens: estimateTokens(body) })
  }
}
