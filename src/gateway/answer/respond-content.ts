import { Fault } from '../../core/fault.ts'
import type { ServiceAnswer, ServiceContent } from '../../core/service-route.ts'
import { passBody } from '../body/pass-body.ts'
import type { ServeOptions } from '../serve-service.ts'
import { readRange } from './byte-range.ts'
import { takeTurns } from './sse-writer.ts'

/** Up to so many bytes are held, for an answer that tells its length: what Bun streams it sends in chunks, whatever the headers say. */
const maxHeldBytes = 256 * 1024

/**
 * Answers with bytes, or the range of them that was asked for (RFC 9110, section 14). The server pulls them at the pace of the caller; a
 * caller that goes, or takes nothing for the idle limit, closes what they are read from. Throws the Faults of the source while nothing has
 * gone out, and `invalid-request` with status 416 for a range beyond the bytes; later failures cut the answer off.
 */
export async function respondContent(
  content: ServiceContent,
  request: Request,
  answer: ServiceAnswer,
  { headers: common, setTurn, log }: ServeOptions,
): Promise<Response> {
  const { length, type, etag } = content
  const condition = request.headers.get('if-range')
  const range = condition === null || condition === etag ? readRange(request.headers.get('range'), length) : undefined
  if (range === 'none') {
    common['content-range'] = `bytes */${length}`
    throw new Fault('invalid-request', `Invalid value for 'Range': there are ${length} bytes.`, {
      status: 416,
      param: 'Range',
    })
  }
  const { start, end } = range ?? { start: 0, end: length }
  const headers: Record<string, string> = {
    ...common,
    ...answer.headers,
    'content-type': type,
    'accept-ranges': 'bytes',
    etag,
  }
  if (range) headers['content-range'] = `bytes ${start}-${end - 1}/${length}`
  const status = range ? 206 : answer.status
  const pieces = exactly(end - start, end > start ? content.open(start, end) : nothing())
  if (end - start <= maxHeldBytes) {
    const body = await collect(pieces)
    setTurn('caller')
    return new Response(body as BodyInit, { status, headers })
  }
  // The first piece is waited for: a store that is away is an answer, not half of one.
  const first = await pieces.next()
  setTurn('caller')
  // A caller may be gone before anything was pulled: then the signal is all there is.
  const close = (): void => void pieces.return(undefined)
  if (request.signal.aborted) close()
  else request.signal.addEventListener('abort', close, { once: true })
  const body = passBody(resume(first, pieces), undefined, request.signal, ({ code, message }) =>
    log.warn({ requestId: common['x-request-id'], code }, `an answer was cut off: ${message}`),
  )
  return new Response(
    takeTurns(body, {
      setTurn,
      finish: () => {},
      isAborted: () => request.signal.aborted,
      writeError: undefined,
    }) as unknown as BodyInit,
    { status, headers },
  )
}

type Pieces = AsyncGenerator<Uint8Array, undefined>

async function* nothing(): AsyncGenerator<Uint8Array, undefined> {}

/** A caller must not take a part for the whole. */
async function* exactly(length: number, content: AsyncIterable<Uint8Array>): Pieces {
  let sent = 0
  for await (const bytes of content) {
    sent += bytes.length
    yield bytes
  }
  if (sent !== length) throw new Fault('internal', `the storage gave ${sent} bytes of ${length}`)
}

async function collect(pieces: Pieces): Promise<Uint8Array> {
  const held: Uint8Array[] = []
  for (let step = await pieces.next(); !step.done; step = await pieces.next()) held.push(step.value)
  return Buffer.concat(held)
}

async function* resume(first: IteratorResult<Uint8Array>, pieces: Pieces): Pieces {
  try {
    for (let step = first; !step.done; step = await pieces.next()) yield step.value
  } finally {
    await pieces.return(undefined)
  }
}
