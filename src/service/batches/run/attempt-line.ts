import { Fault, toFault } from '../../../core/fault.ts'
import { faultCodes } from '../../../core/fault-codes.ts'
import { isJsonObject, isTooDeep, type JsonObject } from '../../../core/json.ts'
import { believeUsage, type Usage } from '../../../core/usage/usage.ts'
import type { BatchRow, LineResult, NewLine } from '../../../port/tables/batches/port.ts'
import type { BatchEndpoint } from '../endpoints.ts'
import { estimateTokens } from '../input/estimate-tokens.ts'
import type { BatchWorld, LineAnswer } from '../parts.ts'
import { describeFault, modifiedError, recordAnswer, recordError } from './line-record.ts'
import type { ReadLine } from './line-source.ts'

/** How an attempt at a line ended. */
export type Attempt = {
  readonly result: LineResult
  readonly usage: Usage | undefined
  readonly heldTokens: number
  /** Present where the same line may be answered later: then the result counts only if there is no time left for that. */
  readonly retry: { readonly isRefusal: boolean; readonly afterMs: number | undefined } | undefined
}

export type LineRunner = {
  /** Never rejects; undefined when it was dropped. */
  attempt(read: ReadLine): Promise<Attempt | undefined>
  /** Aborts all that run. */
  drop(): void
}

const refusals = new Set([429, 503])
/** Timed out, paused by its operator, too early. */
const laterStatuses = new Set([408, 423, 425])

/** Runs single lines of a batch. */
export function createLineRunner(
  { runLine, settings, startTimer }: Pick<BatchWorld, 'runLine' | 'settings' | 'startTimer'>,
  batch: BatchRow,
  { end }: BatchEndpoint,
  deployment: string,
): LineRunner {
  const drops = new Set<() => void>()

  async function attempt({ line, text }: ReadLine): Promise<Attempt | undefined> {
    const body = text === undefined ? undefined : readTask(text, line)
    if (!body) return final(recordError(batch.id, line, modifiedError), undefined, 0)
    const heldTokens = estimateTokens(body)
    const runId = `${batch.id}-${line.line}`
    const aborter = new AbortController()
    const ended = Promise.withResolvers<'late' | 'dropped'>()
    const stopTimer = startTimer(() => ended.resolve('late'), settings.lineTimeoutMs)
    const drop = (): void => ended.resolve('dropped')
    drops.add(drop)
    try {
      const { id: batchId, endpoint, owner } = batch
      const run = { end, endpoint, body, deployment, owner, batchId, customId: line.customId, runId }
      // One that does not mind being aborted is not waited for.
      const answer = await Promise.race([runLine({ ...run, signal: aborter.signal }), ended.promise])
      if (typeof answer === 'string') aborter.abort()
      if (answer === 'dropped') return undefined
      if (answer === 'late') return judgeFault(line, refuseLate(settings.lineTimeoutMs), runId, heldTokens)
      return judgeAnswer(line, answer, heldTokens)
    } catch (error) {
      return judgeFault(line, toFault(error), runId, heldTokens)
    } finally {
      stopTimer()
      drops.delete(drop)
    }
  }

  function judgeAnswer(line: NewLine, answer: LineAnswer, heldTokens: number): Attempt {
    const { status, retryAfterMs } = answer
    const ended = final(recordAnswer(batch.id, line, answer), believeUsage(answer.usage), heldTokens)
    const isLater = status >= 500 || status === 429 || laterStatuses.has(status)
    if (!(answer.isRepeatable ?? isLater)) return ended
    return { ...ended, retry: { isRefusal: refusals.has(status), afterMs: retryAfterMs } }
  }

  function judgeFault(line: NewLine, fault: Fault, runId: string, heldTokens: number): Attempt {
    const ended = final(recordError(batch.id, line, describeFault(fault, runId)), undefined, heldTokens)
    const { status } = fault
    if (!faultCodes[fault.code].repeatable && status !== 429 && !laterStatuses.has(status)) return ended
    return { ...ended, retry: { isRefusal: refusals.has(status), afterMs: fault.detail.retryAfterMs } }
  }

  return {
    attempt,
    drop() {
      for (const drop of drops) drop()
    },
  }
}

function final(result: LineResult, usage: Usage | undefined, heldTokens: number): Attempt {
  return { result, usage, heldTokens, retry: undefined }
}

/** What the line asked for when it was judged; undefined where it is not that line any more. */
export function readTask(text: string, { customId }: NewLine): JsonObject | undefined {
  try {
    const value: unknown = JSON.parse(text)
    if (isJsonObject(value) && value.custom_id === customId && isJsonObject(value.body)) {
      return isTooDeep(value, text.length) ? undefined : value.body
    }
  } catch {
    // The same as another line.
  }
  return undefined
}

function refuseLate(afterMs: number): Fault {
  return new Fault('upstream-timeout', `A line of a batch got no answer within ${afterMs / 1000} seconds.`)
}
