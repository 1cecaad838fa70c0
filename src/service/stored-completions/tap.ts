import type { Event } from '../../core/event.ts'
import type { Reply } from '../../core/reply.ts'
import type { AnswerResult } from '../../core/result.ts'
import { randomId } from '../../core/text/id.ts'
import type { Holding } from './write-queue.ts'

/** The answer as it passed. */
export type Answer =
  | { readonly kind: 'result'; readonly result: AnswerResult }
  | { readonly kind: 'json'; readonly body: Uint8Array }
  | { readonly kind: 'events'; readonly events: readonly Event[] }
  | { readonly kind: 'sse'; readonly chunks: readonly Uint8Array[] }

/** What the gateway would put where the model said nothing. */
export type Defaults = {
  readonly servedModel: string
  /** Unix seconds. */
  readonly created: number
}

type OnEnd = (answer: Answer) => void

/**
 * The reply for the caller, of which `onEnd` is told when it has ended well and was held whole. An answer gets its id here if the model
 * gave it none, so that the caller reads the one it is stored under.
 */
export function tapReply(reply: Reply, defaults: Defaults, holding: Holding, onEnd: OnEnd): Reply {
  switch (reply.kind) {
    case 'whole': {
      const result = { ...newHead(defaults), ...dropAbsent(reply.result) } as AnswerResult
      if (holding.take(JSON.stringify(result).length)) onEnd({ kind: 'result', result })
      return { kind: 'whole', result }
    }
    case 'stream':
      return { kind: 'stream', events: tapEvents(reply.events, defaults, holding, onEnd) }
    case 'bytes': {
      const { body } = reply
      if (!(body instanceof Uint8Array)) return { ...reply, body: tapChunks(body, holding, onEnd) }
      if (holding.take(body.length)) onEnd({ kind: 'json', body })
      return reply
    }
    case 'passed':
      return reply
  }
}

function newHead({ servedModel, created }: Defaults) {
  return { id: `chatcmpl-${randomId(29)}`, model: servedModel, created }
}

function dropAbsent<T extends object>(object: T): T {
  return Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined)) as T
}

/** About what an event or a chunk takes besides its text. */
const itemBytes = 100

async function* tapEvents(
  source: AsyncIterable<Event>,
  defaults: Defaults,
  holding: Holding,
  onEnd: OnEnd,
): AsyncGenerator<Event> {
  const events: Event[] = []
  let isHeld = true
  let hasStarted = false
  const hold = (event: Event): Event => {
    isHeld &&= holding.take(itemBytes + sizeOf(event))
    if (isHeld) events.push(event)
    else events.length = 0
    return event
  }
  for await (const event of source) {
    if (event.type === 'answer-start') {
      hasStarted = true
      yield hold({ ...newHead(defaults), ...dropAbsent(event) })
      continue
    }
    if (!hasStarted && event.type !== 'answer-rest' && event.type !== 'prompt-filter') {
      hasStarted = true
      yield hold({ type: 'answer-start', ...newHead(defaults) })
    }
    yield hold(event)
  }
  if (isHeld) onEnd({ kind: 'events', events })
}

function sizeOf(event: Event): number {
  switch (event.type) {
    case 'text-delta':
      return event.logprobs || event.rest ? JSON.stringify(event).length : event.text.length
    case 'reasoning-delta':
    case 'refusal-delta':
      return event.text.length
    case 'tool-call-delta':
      return event.arguments.length
    default:
      return JSON.stringify(event).length
  }
}

const terminator = Buffer.from('data: [DONE]\n\n')

/** The relay ends a stream's last piece with the terminator. Whoever has read that may go, so the end is told before it. */
async function* tapChunks(
  source: AsyncIterable<Uint8Array>,
  holding: Holding,
  onEnd: OnEnd,
): AsyncGenerator<Uint8Array> {
  const chunks: Uint8Array[] = []
  let isHeld = true
  for await (const chunk of source) {
    isHeld &&= holding.take(itemBytes + chunk.length)
    // The transport may use its buffer again.
    if (isHeld) chunks.push(new Uint8Array(chunk))
    else chunks.length = 0
    if (isHeld && terminator.equals(chunk.subarray(-terminator.length))) onEnd({ kind: 'sse', chunks })
    yield chunk
  }
}
