import type { Call, ChatCall, Rest } from '../../../core/call.ts'
import type { Event, FinishReason, TokenLogprob } from '../../../core/event.ts'
import type { Fault } from '../../../core/fault.ts'
import type { Explanation, FilterResults } from '../../../core/filter/results.ts'
import type { JsonObject } from '../../../core/json.ts'
import { randomId } from '../../../core/text/id.ts'
import type { Usage } from '../../../core/usage/usage.ts'
import type { AnswerHead, EventWriter } from '../../wire.ts'
import { asObject } from '../extras.ts'
import { failedError, writeStreamError } from '../stream-fault.ts'
import { thoughtShape } from './items.ts'
import { openOutput } from './output.ts'
import { requestOf, responseId, statusOf, type Told, writeResponseObject } from './response-object.ts'

/** Deltas are padded to a multiple of so many characters for those who ask for it, so that their sizes tell nothing. */
const paddedTo = 16

/** Streams as the Responses API writes them: named events with numbers, of which the last one has the whole response; no `[DONE]`. */
export function openResponseStream(call: Call, head: AnswerHead): EventWriter {
  const chat = call as ChatCall
  const request = requestOf(call)
  const isPadded = asObject(request.stream_options).include_obfuscation === true
  let sequence = 0
  /** What is to go out next. */
  let text = ''
  let hasBegun = false
  let id = ''
  let created = head.created
  let usage: Usage | undefined
  let reason: FinishReason | null = null
  let promptFilter: FilterResults | undefined
  let filter: FilterResults | undefined
  let rest: Rest | undefined
  /** What the upstream's own filters have said of the answer so far. */
  let choiceRest: Rest | undefined
  const explanations: Explanation[] = []

  const output = openOutput(thoughtShape(request), {
    event(type, fields) {
      text += writeEvent(type, fields, sequence++)
    },
    // The bulk of a stream, joined from parts.
    delta(type, place, delta, logprobs) {
      const said = JSON.stringify(delta)
      const tokens = logprobs ? `,"logprobs":${writeTokens(logprobs)}` : ''
      const padding = isPadded ? `,"obfuscation":"${randomId(paddedTo - (said.length % paddedTo))}"` : ''
      text += `event: ${type}\ndata: {"type":"${type}",${place},"delta":${said}${tokens}${padding},"sequence_number":${sequence++}}\n\n`
    },
  })
  const respond = (status: Told['status'], more: Partial<Told> = {}): JsonObject =>
    writeResponseObject(chat, head, {
      id,
      created,
      status,
      output: [],
      promptFilter,
      explanations,
      rest,
      ...more,
    })
  const tell = (type: string, response: JsonObject): void => {
    text += writeEvent(type, { response }, sequence++)
  }
  const begin = (start?: Extract<Event, { type: 'answer-start' }>): void => {
    if (hasBegun) return
    hasBegun = true
    id = responseId(start?.id)
    created = start?.created ?? created
    rest = start?.rest
    const response = respond('in_progress')
    tell('response.created', response)
    tell('response.in_progress', response)
  }
  const take = (): string => {
    const due = text
    text = ''
    return due
  }

  return {
    write(event) {
      switch (event.type) {
        case 'answer-start':
          begin(event)
          return take()
        case 'prompt-filter':
          promptFilter = event.results
          explanations.push(...(event.explanations ?? []))
          return ''
        case 'usage':
          usage = event.usage
          return ''
        case 'answer-rest':
          rest = rest ? { wire: event.rest.wire, fields: { ...rest.fields, ...event.rest.fields } } : event.rest
          return ''
      }
      // A call of this wire has one answer.
      if (event.choice !== 0) return ''
      if (event.type === 'choice-filter') {
        filter = event.results
        return ''
      }
      begin()
      output.take(event)
      if ((event.type === 'text-delta' || event.type === 'choice-end') && event.rest) {
        choiceRest =
          Object.keys(asObject(event.rest.fields.content_filter_results)).length > 0 ? event.rest : choiceRest
      }
      if (event.type === 'choice-end') {
        reason = event.reason
        filter = event.filter ?? filter
        explanations.push(...(event.explanations ?? []))
      }
      return take()
    },
    end() {
      begin()
      const status = statusOf(reason)
      tell(`response.${status}`, respond(status, { output: output.items, reason, usage, filter, choiceRest }))
      return take()
    },
    fail(fault: Fault, requestId: string) {
      begin()
      text += writeStreamError(fault, requestId, sequence++)
      const output_ = output.items.filter(Boolean)
      tell(
        'response.failed',
        respond('failed', { output: output_, error: failedError(fault, requestId), usage, filter }),
      )
      return take()
    },
  }
}

function writeEvent(type: string, fields: JsonObject, sequence: number): string {
  return `event: ${type}\ndata: ${JSON.stringify({ type, ...fields, sequence_number: sequence })}\n\n`
}

/** Without the bytes, which the whole text has. */
function writeTokens(tokens: readonly TokenLogprob[]): string {
  if (tokens.length === 0) return '[]'
  return JSON.stringify(
    tokens.map(({ token, logprob, top }) => ({
      token,
      logprob,
      top_logprobs: top.map((one) => ({ token: one.token, logprob: one.logprob })),
    })),
  )
}
