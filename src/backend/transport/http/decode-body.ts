import { pipeline, Readable } from 'node:stream'
import { createBrotliDecompress, createGunzip, createInflate, createInflateRaw } from 'node:zlib'
import { Fault } from '../../../core/fault.ts'

/**
 * Undoes a content-encoding that came although `identity` was asked for: gzip, deflate or br. What can be decoded is passed on
 * at once, so that an encoded event stream still streams. Throws Fault `upstream-failed` for another encoding;
 * the iteration throws it for broken data.
 */
export function decodeBody(body: AsyncIterable<Uint8Array>, encoding: string, peer: string): AsyncIterable<Uint8Array> {
  const name = encoding.toLowerCase()
  if (name === 'identity') return body
  if (name === 'gzip' || name === 'x-gzip' || name === 'deflate' || name === 'br') return runDecoder(body, name, peer)
  throw new Fault('upstream-failed', `${peer} sent an answer in content-encoding "${encoding}", which nobody asked for`)
}

async function* runDecoder(body: AsyncIterable<Uint8Array>, name: string, peer: string): AsyncGenerator<Uint8Array> {
  const parts = body[Symbol.asyncIterator]()
  try {
    const first = await parts.next()
    if (first.done) return
    const decoder = createDecoder(name, first.value)
    const source = Readable.from(prepend(first.value, parts), { objectMode: false })
    // The loop below hears of failures of either stream through the decoder.
    pipeline(source, decoder, () => {})
    for await (const part of decoder) yield part as Uint8Array
  } catch (error) {
    if (error instanceof Fault) throw error
    const reason = error instanceof Error ? error.message : String(error)
    throw new Fault('upstream-failed', `${peer} sent an answer that is not valid ${name}: ${reason}`)
  } finally {
    await parts.return?.()
  }
}

async function* prepend(first: Uint8Array, rest: AsyncIterator<Uint8Array>): AsyncGenerator<Uint8Array> {
  yield first
  for (let step = await rest.next(); !step.done; step = await rest.next()) yield step.value
}

function createDecoder(name: string, first: Uint8Array) {
  if (name === 'br') return createBrotliDecompress()
  if (name !== 'deflate') return createGunzip()
  // "deflate" is zlib's format by the standard and raw deflate in some servers; only the former begins with a method of 8.
  return ((first[0] as number) & 15) === 8 ? createInflate() : createInflateRaw()
}
