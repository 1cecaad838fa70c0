import type { Exchange } from '../core/exchange.ts'
import { toFault } from '../core/fault.ts'
import type { Reply } from '../core/reply.ts'
import type { AnswerHead, ServerEnd } from '../wire/wire.ts'

type StreamReply = Exclude<Reply, { kind: 'whole' }>

/**
 * The body of a streamed answer. The server pulls it at the pace of the caller, so a slow reader holds the upstream back; a reader
 * that goes ends the loop, which closes the upstream. A failure after the first byte becomes the protocol's own error event.
 */
export function streamBody(reply: StreamReply, exchange: Exchange, end: ServerEnd, head: AnswerHead): BodyInit {
  // Bun takes an async iterable as a body and waits for slow readers, which its direct streams do not.
  return write(reply, exchange, end, head) as unknown as BodyInit
}

async function* write(
  reply: StreamReply,
  exchange: Exchange,
  end: ServerEnd,
  head: AnswerHead,
): AsyncGenerator<string | Uint8Array> {
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
