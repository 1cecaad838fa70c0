import type { Exchange } from '../core/exchange.ts'
import { toFault } from '../core/fault.ts'
import type { Reply } from '../core/reply.ts'
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
  setTurn: SetTurn,
): BodyInit {
  const pieces = reply.kind === 'passed' ? pass(reply, exchange, end) : write(reply, exchange, end, head)
  // Bun takes an async iterable as a body and waits for slow readers, which its direct streams do not.
  return takeTurns(pieces, setTurn) as unknown as BodyInit
}

function pass(
  { contentType, body }: Extract<Reply, { kind: 'passed' }>,
  { id, signal }: Exchange,
  end: ServerEnd,
): AsyncGenerator<Piece, undefined> {
  const isEvents = contentType.startsWith('text/event-stream')
  return passBody(body, isEvents ? (fault) => end.writeStreamFault(fault, id) : undefined, signal)
}

async function* write(
  reply: EventReply,
  exchange: Exchange,
  end: ServerEnd,
  head: AnswerHead,
): AsyncGenerator<Piece, undefined> {
  try {
    if (reply.kind === 'bytes') {
      yield* reply.body as AsyncIterable<Uint8Array>
      return
    }
    const writer = end.openStream(exchange.call, head)
    for await (const event of reply.events) {
      const text = writer.write(event)
      if (text !== '') yield text
    }
    yield writer.end()
  } catch (error) {
    if (exchange.signal.aborted) return
    yield end.writeStreamFault(toFault(error), exchange.id)
  }
}

/** Between two pieces it is the caller's turn, while the next one is made it is ours. */
function takeTurns(
  pieces: AsyncGenerator<Piece, undefined>,
  setTurn: SetTurn,
): AsyncIterableIterator<Piece, undefined> {
  return {
    [Symbol.asyncIterator]() {
      return this
    },
    async next() {
      setTurn('ours')
      const step = await pieces.next()
      setTurn('caller')
      return step
    },
    return: () => pieces.return(undefined),
  }
}
