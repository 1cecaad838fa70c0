import type { Event } from '../../core/event.ts'
import type { Exchange, Outcome } from '../../core/exchange.ts'
import { type Fault, toFault } from '../../core/fault.ts'
import type { Reply } from '../../core/reply.ts'
import type { Pipeline } from '../../policy/pipeline.ts'
import type { AnswerHead, EventWriter, ServerEnd } from '../../wire/wire.ts'
import { passBody } from '../body/pass-body.ts'
import type { SetTurn } from '../server.ts'

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
  const writer = reply.kind === 'stream' ? end.openStream(exchange.call, head) : undefined
  const writeError = (fault: Fault) => writer?.fail?.(fault, exchange.id) ?? end.writeStreamFault(fault, exchange.id)
  // Bun takes an async iterable as a body and waits for slow readers, which its direct streams do not.
  return takeTurns(openPieces(reply, exchange, writer, writeError, finish), {
    setTurn,
    finish,
    isAborted: () => exchange.signal.aborted,
    onPiece: (piece) => notePiece(exchange, piece),
    writeError: reply.kind === 'passed' ? undefined : writeError,
  }) as unknown as BodyInit
}

function openPieces(
  reply: StreamReply,
  exchange: Exchange,
  writer: EventWriter | undefined,
  writeError: (fault: Fault) => string,
  finish: Finish,
): AsyncIterator<Piece> {
  if (reply.kind === 'stream') return writeEvents(reply.events, exchange, writer as EventWriter)
  if (reply.kind === 'bytes') return (reply.body as AsyncIterable<Uint8Array>)[Symbol.asyncIterator]()
  const isEvents = reply.contentType.startsWith('text/event-stream')
  return passBody(reply.body, isEvents ? writeError : undefined, exchange.signal, (fault) => finish('failed', fault))
}

function notePiece({ record, tally }: Exchange, piece: Piece): void {
  record.responseBytes += typeof piece === 'string' ? Buffer.byteLength(piece) : piece.length
  if (record.firstTokenMs < 0 && tally.pieces > 0) record.firstTokenMs = performance.now() - record.startedMs
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

async function* writeEvents(
  events: AsyncIterable<Event>,
  { tally }: Exchange,
  writer: EventWriter,
): AsyncGenerator<Piece, undefined> {
  for await (const event of events) {
    if (event.type === 'usage') tally.usage = event.usage
    else tally.pieces++
    const text = writer.write(event)
    if (text !== '') yield text
  }
  yield writer.end()
}

type TurnOptions = {
  readonly setTurn: SetTurn
  readonly finish: Finish
  readonly isAborted: () => boolean
  /** Told of each piece before it goes out. */
  readonly onPiece?: (piece: Piece) => void
  /** The last piece of a body that fails; without it the body is cut off. */
  readonly writeError: ((fault: Fault) => string) | undefined
}

/** Between two pieces it is the caller's turn, while the next one is made it is ours. */
export function takeTurns(
  pieces: AsyncIterator<Piece>,
  { setTurn, finish, isAborted, onPiece, writeError }: TurnOptions,
): AsyncIterableIterator<Piece, undefined> {
  let hasFailed = false
  return {
    [Symbol.asyncIterator]() {
      return this
    },
    async next() {
      if (hasFailed) return over
      setTurn('ours')
      try {
        const step = await pieces.next()
        if (!step.done) {
          setTurn('caller')
          onPiece?.(step.value)
          return step
        }
        setTurn('caller')
        finish('done')
        return over
      } catch (error) {
        hasFailed = true
        setTurn('caller')
        const fault = toFault(error)
        finish(isAborted() ? 'aborted' : 'failed', fault)
        if (isAborted()) return over
        if (!writeError) throw error
        return { value: writeError(fault), done: false }
      }
    },
    async return() {
      setTurn('caller')
      finish('aborted')
      await pieces.return?.()
      return over
    },
  }
}

const over = { value: undefined, done: true } as const
