import type { Exchange, Outcome } from '../core/exchange.ts'
import { type Fault, toFault } from '../core/fault.ts'
import type { Reply } from '../core/reply.ts'
import type { Pipeline } from '../policy/pipeline.ts'
import type { AnswerHead, ServerEnd } from '../wire/wire.ts'
import { passBody } from './pass-body.ts'
import type { SetTurn } from './server.ts'

type EventReply = Extract<Reply, { kind: 'stream' | 'bytes' }>
type StreamReply = EventReply | Extract<Reply, { kind: 'passed' }>
type Piece = string | Uint8Array

/**
 * The body of a streamed answer. The server pulls it at the pace of the caller, so a slow reader holds the upstream back; a reader
 * that goes, or takes nothing for the idle limit, ends the loop, which closes the upstream. A failure after the first byte becomes
 * the protocol's own error event.
 */
export function streamBody(
  reply: StreamReply,
  exchange: Exchange,
  end: ServerEnd,
  head: AnswerHead,
  pipeline: Pipeline,
  setTurn: SetTurn,
): BodyInit {
  const finish = endOnce(exchange, pipeline)
  const pieces =
    reply.kind === 'passed' ? pass(reply, exchange, end, finish) : write(reply, exchange, end, head, finish)
  // Bun takes an async iterable as a body and waits for slow readers, which its direct streams do not.
  return takeTurns(pieces, finish, setTurn) as unknown as BodyInit
}

type Finish = (outcome: Outcome, fault?: Fault) => void

/** Ends the exchange at the first word of it. A caller may be gone before anything was pulled: then the signal is all there is. */
function endOnce(exchange: Exchange, pipeline: Pipeline): Finish {
  let isEnded = false
  const finish: Finish = (outcome, fault) => {
    if (isEnded) return
    isEnded = true
    pipeline.end(exchange, outcome, fault)
  }
  if (exchange.signal.aborted) finish('aborted')
  else exchange.signal.addEventListener('abort', () => finish('aborted'), { once: true })
  return finish
}

function pass(
  { contentType, body }: Extract<Reply, { kind: 'passed' }>,
  { id, signal }: Exchange,
  end: ServerEnd,
  finish: Finish,
): AsyncGenerator<Piece, undefined> {
  const isEvents = contentType.startsWith('text/event-stream')
  const writeError = (fault: Fault) => end.writeStreamFault(fault, id)
  return passBody(body, isEvents ? writeError : undefined, signal, (fault) => finish('failed', fault))
}

async function* write(
  reply: EventReply,
  exchange: Exchange,
  end: ServerEnd,
  head: AnswerHead,
  finish: Finish,
): AsyncGenerator<Piece, undefined> {
  try {
    if (reply.kind === 'bytes') {
      yield* reply.body as AsyncIterable<Uint8Array>
      return
    }
    const { tally } = exchange
    const writer = end.openStream(exchange.call, head)
    for await (const event of reply.events) {
      if (event.type === 'usage') tally.usage = event.usage
      else tally.pieces++
      const text = writer.write(event)
      if (text !== '') yield text
    }
    yield writer.end()
  } catch (error) {
    if (exchange.signal.aborted) return
    const fault = toFault(error)
    finish('failed', fault)
    yield end.writeStreamFault(fault, exchange.id)
  }
}

/** Between two pieces it is the caller's turn, while the next one is made it is ours. */
function takeTurns(
  pieces: AsyncGenerator<Piece, undefined>,
  finish: Finish,
  setTurn: SetTurn,
): AsyncIterableIterator<Piece, undefined> {
  return {
    [Symbol.asyncIterator]() {
      return this
    },
    async next() {
      setTurn('ours')
      try {
        const step = await pieces.next()
        if (step.done) finish('done')
        return step
      } catch (error) {
        finish('failed', toFault(error))
        throw error
      } finally {
        setTurn('caller')
      }
    },
    return() {
      finish('aborted')
      return pieces.return(undefined)
    },
  }
}
