import type { Call } from '../../../core/call.ts'
import type { Event } from '../../../core/event.ts'
import { Fault } from '../../../core/fault.ts'
import { isJsonObject, type Json, type JsonObject, pickUnknown } from '../../../core/json.ts'
import { parseChunk } from '../../openai-chat/client.ts'
import { wireName } from '../schema.ts'
import { type Ending, readEnding } from '../stop-reason.ts'
import { readStreamFault } from '../upstream-fault.ts'
import { readUsage } from '../usage.ts'
import { openBlockReader } from './read-blocks.ts'

const startFields: ReadonlySet<string> = new Set(['id', 'type', 'role', 'model', 'content'])
const endFields: ReadonlySet<string> = new Set(['type', 'delta', 'usage'])

/**
 * The events of a stream in canonical form. Which they are is read from their data, since some servers leave the names out. What only
 * this protocol has a word for goes along for a caller of it. A stream that ends without saying why was cut off: Fault
 * `upstream-failed`.
 */
export async function* readMessageEvents(payloads: AsyncIterable<string>, call: Call): AsyncGenerator<Event> {
  const carriesRest = mayCarryRest(call)
  const blocks = openBlockReader(carriesRest)
  let ending: Ending | undefined
  let last: JsonObject = {}
  let counts: JsonObject = {}
  const countTokens = (usage: Json | undefined): void => {
    // What a later event repeats as null, it does not take back.
    if (isJsonObject(usage)) counts = { ...counts, ...Object.fromEntries(Object.entries(usage).filter(isSaid)) }
  }

  for await (const payload of payloads) {
    const event = parseChunk(payload)
    const { index } = event
    switch (event.type) {
      case 'message_start': {
        const message = isJsonObject(event.message) ? event.message : {}
        countTokens(message.usage)
        const fields = carriesRest ? (pickUnknown(message, startFields) ?? {}) : undefined
        const rest = fields && { rest: { wire: wireName, fields } }
        yield { type: 'answer-start', id: asText(message.id), model: asText(message.model), ...rest }
        break
      }
      case 'content_block_start':
        yield* blocks.start(index, isJsonObject(event.content_block) ? event.content_block : {})
        break
      case 'content_block_delta':
        if (isJsonObject(event.delta)) yield* blocks.delta(index, event.delta)
        break
      case 'content_block_stop':
        yield* blocks.stop(index)
        break
      case 'message_delta': {
        countTokens(event.usage)
        const delta = isJsonObject(event.delta) ? event.delta : {}
        const beside = pickUnknown(event, endFields)
        last = {
          ...last,
          ...delta,
          ...(event.usage !== undefined && { usage: event.usage }),
          ...(beside && { beside }),
        }
        ending = readEnding(delta, carriesRest ? last : undefined) ?? ending
        break
      }
      case 'error':
        throw readStreamFault(event)
    }
  }
  if (!ending) throw new Fault('upstream-failed', "The backend's stream ended before its answer did.")
  yield* blocks.end()
  if (ending.refusal !== undefined) yield { type: 'refusal-delta', choice: 0, text: ending.refusal }
  yield { type: 'choice-end', choice: 0, reason: ending.reason, rest: ending.rest }
  const usage = readUsage(counts)
  if (usage) yield { type: 'usage', usage }
}

/** Whether the caller may speak this protocol. Of a call that a policy wrote anew nobody knows. */
export function mayCarryRest({ source }: Call): boolean {
  return source === undefined || source.wire === wireName
}

function isSaid([, value]: [string, Json]): boolean {
  return value !== null
}

function asText(value: Json | undefined): string | undefined {
  return typeof value === 'string' ? value : undefined
}
