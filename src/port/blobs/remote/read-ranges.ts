import { blobNotFound, storageUnavailable } from '../blob-faults.ts'
import type { ByteRange } from '../port.ts'
import { checkRange } from '../range.ts'
import type { RemoteAnswer } from './send-request.ts'

/** Asked for at once: so much may lie in memory for a slow reader, and no connection waits for him. */
const askedBytes = 2 * 1024 * 1024
const pieceBytes = 256 * 1024

export type RangeReader = {
  /** A GET with these headers beside; 200, 206, 404, 412 and 416 are expected. */
  get(headers: Readonly<Record<string, string>>): Promise<RemoteAnswer>
  size(): Promise<number | undefined>
}

/** A blob in requests for parts of it, all of the same version. Throws the Faults of `Blobs.read`. */
export async function* readRanges({ get, size }: RangeReader, range: ByteRange): AsyncGenerator<Uint8Array> {
  checkRange(range)
  let position = range.start
  let end = range.end ?? Number.POSITIVE_INFINITY
  if (position >= end && (await size()) === undefined) throw blobNotFound()
  let version: string | undefined
  while (position < end) {
    const askedEnd = Math.min(end, position + askedBytes)
    const answer = await get({
      range: `bytes=${position}-${askedEnd - 1}`,
      ...(version !== undefined && { 'if-match': version }),
    })
    if (answer.status === 404 && version === undefined) throw blobNotFound()
    // Nothing there from that byte on.
    if (answer.status === 416 && version === undefined) return
    const [, total] = /^bytes \d+-\d+\/(\d+)$/.exec(answer.headers.get('content-range') ?? '') ?? []
    if (answer.status !== 206 || total === undefined) throw storageUnavailable(reasonOf(answer.status))
    end = Math.min(end, Number(total))
    version ??= answer.headers.get('etag') ?? undefined
    if (answer.body.byteLength !== Math.min(askedEnd, end) - position) throw storageUnavailable(reasonOf(206))
    for (let at = 0; at < answer.body.byteLength; at += pieceBytes) yield answer.body.subarray(at, at + pieceBytes)
    position += answer.body.byteLength
  }
}

function reasonOf(status: number): Error {
  if (status === 404 || status === 412) return new Error('a blob was replaced or deleted while it was read')
  return new Error(`the store of blobs answered a range with ${status} and other bytes than asked for`)
}
