import { setImmediate as turn } from 'node:timers/promises'
import { toFault } from '../../../core/fault.ts'
import type { JsonObject } from '../../../core/json.ts'
import type { NativeBatches } from '../../../core/reply.ts'
import { believeUsage } from '../../../core/usage/usage.ts'
import type { Job } from '../../../port/jobs/port.ts'
import type { BatchRow, LineResult, NewLine } from '../../../port/tables/batches/port.ts'
import { readEndpoint } from '../endpoints.ts'
import { estimateTokens } from '../input/estimate-tokens.ts'
import type { BatchWorld, LineAnswer, LineRun } from '../parts.ts'
import { backOff, pause, persist } from '../persist.ts'
import { readTask } from '../run/attempt-line.ts'
import { describeFault, modifiedError, recordAnswer, recordError } from '../run/line-record.ts'
import { createLineSource, type ReadLine } from '../run/line-source.ts'
import { createResultWriter } from '../run/result-writer.ts'
import { createLineNames } from './line-names.ts'
import type { LineRange } from './state.ts'

export type Gathering = {
  readonly batch: BatchRow
  readonly job: Job
  readonly batches: NativeBatches
  readonly tag: string
  readonly range: LineRange
  /** Aborted when the job is lost or the server stops. */
  readonly signal: AbortSignal
  /** Whether the batch is still to be ordered. */
  isWanted(): Promise<boolean>
}

export type Gathered = {
  /** What goes upstream. */
  readonly lines: readonly string[]
  /** The last line that was looked at. */
  readonly last: number
  /** Whether no line of the range is left. */
  readonly isDry: boolean
  /** Whether the line after `last` was not let through and is to be tried again later. */
  readonly isHeldUp: boolean
}

/** What is to become of a line. `ended`: it has its result, or is left to be run here. `held-up`: limits or a pause do not let it through. */
type Prepared = { readonly text: string } | 'ended' | 'held-up'

/** Lines that are judged side by side: filters may ask others. */
const atOnce = 8
/** What is there by then is ordered, though limits let more come only later. */
const longestMs = 10 * 60_000
const firstRetryMs = 1_000
const lastRetryMs = 60_000
/** A line that fails so often by itself is left to be run here. */
const mostTries = 12
/** A limit lets lines through again, sooner or later. */
const limited = 429
/** Paused by its operator: nobody knows for how long, and others want their turn. */
const paused = 423

/**
 * Judges the next lines as calls of their owner, as far as a call is judged before a model sees it, and collects what goes upstream. Lines
 * that are refused have their result with that. Rejects when the job is lost or a store stays away.
 */
export async function gatherLines(world: BatchWorld, gathering: Gathering): Promise<Gathered> {
  const { table, settings, now, load } = world
  const { batch, job, batches, tag, range, signal } = gathering
  const wait = <T>(ask: () => Promise<T>) => persist(world, signal, ask)
  const source = createLineSource(world, batch, wait, range.after)
  const writer = createResultWriter({
    startTimer: world.startTimer,
    write: (results, sums) => wait(() => table.addResults(job, batch.id, results, sums)),
    onWritten() {},
  })
  const prepareLine = createPreparer(world, gathering, (result, answer, heldTokens) =>
    writer.add({ result, usage: believeUsage(answer?.usage), heldTokens }),
  )
  const mostLines = Math.min(settings.upstreamLines, batches.maxLines)
  const mostBytes = Math.min(settings.upstreamBytes, batches.maxBytes)
  const endAt = now() + longestMs
  const lines: string[] = []
  const window: { readonly line: number; readonly prepared: Promise<Prepared> }[] = []
  let bytes = 0
  let { after: last } = range
  let isDry = false
  let isHeldUp = false

  const hasRoom = (): boolean => bytes < mostBytes && lines.length + window.length < mostLines && now() < endAt

  async function fill(): Promise<void> {
    while (window.length < atOnce && !isDry && hasRoom()) {
      const read = await source.next()
      if (!read || read.line.line > range.last) isDry = true
      else {
        const prepared = prepareLine(read)
        // Whoever waits for it is told.
        prepared.catch(() => {})
        window.push({ line: read.line.line, prepared })
      }
    }
  }

  while (!signal.aborted && (await gathering.isWanted())) {
    await fill()
    const next = window.shift()
    if (!next) break
    const prepared = await next.prepared
    if (prepared === 'held-up') {
      isHeldUp = true
      break
    }
    last = next.line
    if (prepared !== 'ended') {
      lines.push(prepared.text)
      bytes += Buffer.byteLength(prepared.text)
    }
    // Live calls come first.
    if (load(batch.deployment ?? '') > 0) await pause(world, settings.busySpacingMs, signal)
    else await turn()
  }
  await Promise.all(window.map(({ prepared }) => prepared.catch(() => {})))
  await writer.flush()
  signal.throwIfAborted()
  return { lines, last, isDry: isDry && !isHeldUp && window.length === 0, isHeldUp }

  function createPreparer(
    { native }: BatchWorld,
    { isWanted }: Gathering,
    end: (result: LineResult, answer: LineAnswer | undefined, heldTokens: number) => void,
  ): (read: ReadLine) => Promise<Prepared> {
    const names = createLineNames(batches, tag)

    async function prepare(run: LineRun, line: NewLine, body: JsonObject): Promise<Prepared> {
      for (let tries = 1; ; tries += 1) {
        let answer: Awaited<ReturnType<typeof native.prepare>>
        try {
          answer = await native.prepare(run, batches, names.nameOf(line))
        } catch (error) {
          end(recordError(batch.id, line, describeFault(toFault(error), run.runId)), undefined, estimateTokens(body))
          return 'ended'
        }
        if ('text' in answer) return answer
        if (!answer.isRepeatable) {
          end(recordAnswer(batch.id, line, answer), answer, estimateTokens(body))
          return 'ended'
        }
        if (answer.status === paused || (answer.status === limited && now() >= endAt)) return 'held-up'
        if (answer.status !== limited && tries >= mostTries) return 'ended'
        const waitMs = Math.max(backOff(tries - 1, firstRetryMs, lastRetryMs, world.random), answer.retryAfterMs ?? 0)
        await pause(world, Math.min(waitMs, lastRetryMs), signal)
        if (signal.aborted || now() >= batch.expiresAt || !(await isWanted())) return 'ended'
      }
    }

    return async ({ line, text }) => {
      const body = text === undefined ? undefined : readTask(text, line)
      if (body) return prepare(lineRun(batch, line, body, signal), line, body)
      end(recordError(batch.id, line, modifiedError), undefined, 0)
      return 'ended'
    }
  }
}

/** A line as a call of its owner. */
export function lineRun(batch: BatchRow, line: NewLine, body: JsonObject, signal: AbortSignal): LineRun {
  const { id: batchId, endpoint, owner, deployment = '' } = batch
  const { end } = readEndpoint(endpoint)
  const { customId } = line
  return { end, endpoint, body, deployment, owner, batchId, customId, runId: `${batchId}-${line.line}`, signal }
}
