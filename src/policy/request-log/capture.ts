import type { Event } from '../../core/event.ts'
import type { Reply } from '../../core/reply.ts'
import type { Captured } from '../../core/usage/request-record.ts'
import type { Policy } from '../pipeline.ts'
import { maxContentChars } from './content.ts'

/**
 * Keeps what is said where the deployment captures it. It comes before the filters, so that of an answer what they keep back is not
 * kept here either; a prompt is kept as it came.
 */
export const capture: Policy = async (exchange, next) => {
  const { capture: rules } = exchange.deployment
  if (!rules) return next(exchange)
  const { call, record } = exchange
  const captured: Captured = {
    hasPrompt: rules.prompts,
    isRedacted: rules.redact,
    retentionDays: rules.retentionDays,
    prompt: rules.prompts ? (call.source?.text ?? '') : '',
    answer: undefined,
    sent: '',
    isCut: false,
  }
  record.captured = captured
  // Other operations answer with vectors or files.
  if (!rules.answers || (call.kind !== 'chat' && call.kind !== 'completion')) return next(exchange)
  exchange.needsEvents = true
  return tap(await next(exchange), captured)
}

function tap(reply: Reply, captured: Captured): Reply {
  if (reply.kind === 'whole' && reply.result.kind !== 'embed') captured.answer = reply.result
  return reply.kind === 'stream' ? { kind: 'stream', events: hear(reply.events, captured) } : reply
}

/** However it ends, what was said until then is kept. */
async function* hear(events: AsyncIterable<Event>, captured: Captured): AsyncGenerator<Event> {
  const heard: Event[] = []
  captured.answer = heard
  let chars = 0
  for await (const event of events) {
    chars += 'text' in event ? event.text.length : 'arguments' in event ? event.arguments.length : 0
    captured.isCut ||= chars > maxContentChars
    if (!captured.isCut) heard.push(event)
    yield event
  }
}
