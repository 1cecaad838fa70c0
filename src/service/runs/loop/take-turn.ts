import type { ChatCall } from '../../../core/call.ts'
import type { FinishReason } from '../../../core/event.ts'
import { Fault, toFault } from '../../../core/fault.ts'
import type { JsonObject } from '../../../core/json.ts'
import type { Usage } from '../../../core/usage/usage.ts'
import { pause } from '../../worker/timer.ts'
import type { RunWorld } from '../parts.ts'
import type { Course } from './course.ts'
import type { AnswerFold, AskedCall } from './fold-answer.ts'
import { unlessHalted } from './halt.ts'

export type TurnResult = {
  readonly calls: readonly AskedCall[]
  readonly reason: FinishReason | undefined
  readonly usage: Usage | undefined
  /** The same as items have it. */
  readonly usageDocument: JsonObject | undefined
}

/** A message that grows is written so often, so that what was said is not lost with the server. */
const sketchMs = 1_000

type TurnWorld = Pick<RunWorld, 'ask' | 'settings' | 'startTimer' | 'now'>

/**
 * Asks the model once and folds what it answers. One that is busy is asked again while it says to come back soon. Rejects with what the
 * model or the server says; what was said until then stays open in the course.
 */
export async function takeTurn(
  course: Course,
  call: ChatCall,
  fold: AnswerFold,
  world: TurnWorld,
  signal: AbortSignal,
): Promise<TurnResult> {
  const { ask, now } = world
  const { run } = course
  const asking = { owner: run.owner, path: pathOf(run), runId: run.id, signal }
  for (let tries = 0; ; tries++) {
    try {
      const answer = await unlessHalted(ask.chat(asking, call), signal)
      let sketchedAt = now()
      const events = answer.events[Symbol.asyncIterator]()
      try {
        for (;;) {
          const { done, value } = await unlessHalted(events.next(), signal)
          if (done) break
          fold.take(value)
          const room = course.sink.room()
          if (room) await unlessHalted(room, signal)
          if (now() - sketchedAt >= sketchMs) {
            for (const item of fold.sketch()) course.keep(item)
            sketchedAt = now()
          }
        }
      } finally {
        void events.return?.()?.then(undefined, () => {})
      }
      if (fold.reason === undefined) {
        throw new Fault('upstream-failed', 'The answer of the model ended before it was complete.')
      }
      const usage = answer.usage()
      const usageDocument = usage && writeTurnUsage(usage)
      return { calls: fold.end(usageDocument), reason: fold.reason, usage, usageDocument }
    } catch (error) {
      for (const item of fold.sketch()) course.keep(item)
      if (signal.aborted) throw signal.reason
      const waitMs = tries < world.settings.maxRetries && !fold.hasBegun ? retryAfter(error, world) : undefined
      if (waitMs === undefined) {
        throw error
      }
      await pause(world.startTimer, waitMs, signal)
      signal.throwIfAborted()
    }
  }
}

const defaultRetryMs = 1_000

function retryAfter(error: unknown, { settings }: TurnWorld): number | undefined {
  const { code, detail } = toFault(error)
  if (code !== 'rate-limited' && code !== 'engine-busy' && code !== 'upstream-busy') return undefined
  const waitMs = detail.retryAfterMs ?? defaultRetryMs
  return waitMs <= settings.longestRetryMs ? waitMs : undefined
}

function writeTurnUsage({ promptTokens, completionTokens }: Usage): JsonObject {
  return {
    input_tokens: promptTokens,
    output_tokens: completionTokens,
    total_tokens: promptTokens + completionTokens,
  }
}

/** As the request log shows it. */
function pathOf({ kind, threadId }: Course['run']): string {
  return kind === 'run' ? `/openai/threads/${threadId ?? ''}/runs` : '/openai/responses'
}
