import type { Call } from '../../../core/call.ts'
import type { Event, FinishReason } from '../../../core/event.ts'
import { Fault } from '../../../core/fault.ts'
import { asNumber, type JsonObject } from '../../../core/json.ts'
import { parseChunk } from '../../openai-chat/client.ts'
import { asObject } from '../extras.ts'
import { readLateFault } from '../upstream-fault.ts'
import { readUsage } from '../usage.ts'
import { asText, betweenThoughts, listObjects, openItemReader } from './read-items.ts'
import { carriesRest, restOf } from './response-rest.ts'

/**
 * The events of a stream in canonical form. Which they are is read from their data, since some servers leave the names out. A stream that
 * ends without a response that has ended was cut off: Fault `upstream-failed`.
 */
export async function* readResponseEvents(payloads: AsyncIterable<string>, call: Call): AsyncGenerator<Event> {
  const carries = carriesRest(call)
  const items = openItemReader(carries)
  let hasStarted = false
  for await (const payload of payloads) {
    const event = parseChunk(payload)
    const { output_index: place, delta } = event
    switch (event.type) {
      case 'response.created':
      case 'response.in_progress': {
        if (hasStarted) break
        hasStarted = true
        const { id, model, created_at } = asObject(event.response)
        yield { type: 'answer-start', id: asText(id), model: asText(model) || undefined, created: asNumber(created_at) }
        break
      }
      case 'response.output_item.added':
        yield* items.start(place, asObject(event.item))
        break
      case 'response.output_text.delta':
        yield* items.text(place, delta, event.logprobs)
        break
      case 'response.refusal.delta':
        yield* items.refusal(place, delta)
        break
      case 'response.reasoning_summary_part.added':
        if (asNumber(event.summary_index)) yield* items.thought(place, betweenThoughts)
        break
      case 'response.reasoning_summary_text.delta':
      case 'response.reasoning_text.delta':
      // As Azure's description of its v1 surface names them.
      case 'response.reasoning_summary.delta':
      case 'response.reasoning.delta':
        yield* items.thought(place, asObject(delta).text ?? delta)
        break
      case 'response.function_call_arguments.delta':
        yield* items.arguments(place, delta)
        break
      case 'response.output_text.annotation.added':
        yield* items.annotation(event.annotation)
        break
      case 'response.output_item.done':
        yield* items.done(place, asObject(event.item))
        break
      case 'response.failed':
        throw readLateFault(asObject(asObject(event.response).error))
      case 'error':
        throw readLateFault(event)
      case 'response.completed':
      case 'response.incomplete': {
        const response = asObject(event.response)
        // What was not told before is told now.
        yield* items.settle(listObjects(response.output))
        const rest = carries ? restOf(response) : undefined
        if (rest) yield { type: 'answer-rest', rest }
        yield { type: 'choice-end', choice: 0, reason: readReason(response, items.hasCalls) }
        const usage = readUsage(response.usage)
        if (usage) yield { type: 'usage', usage }
        return
      }
    }
  }
  throw new Fault('upstream-failed', "The backend's stream ended before its answer did.")
}

/** Why a response has ended. Throws the Fault it failed with, and `upstream-failed` where it has not ended. */
export function readReason(response: JsonObject, hasCalls: boolean): FinishReason {
  switch (response.status) {
    case 'incomplete':
      return asObject(response.incomplete_details).reason === 'content_filter' ? 'content_filter' : 'length'
    case 'failed':
      throw readLateFault(asObject(response.error))
    case 'queued':
    case 'in_progress':
    case 'cancelled':
      throw new Fault('upstream-failed', `The backend answered with a response that is ${response.status}.`)
    default:
      return hasCalls ? 'tool_calls' : 'stop'
  }
}
