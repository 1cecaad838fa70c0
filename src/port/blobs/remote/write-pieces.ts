import { inPieces } from '../in-pieces.ts'
import { checkBlobKey } from '../keys.ts'
import type { PartTarget } from './join-blobs.ts'

export type WriteTools = {
  /** A whole blob in one request. */
  put(key: string, content: Uint8Array): Promise<void>
  /** Makes a blob of numbered parts, or of nothing when `fill` rejects. */
  writeParts(key: string, fill: (target: PartTarget) => Promise<void>): Promise<void>
}

/** `Blobs.write` with pieces of that size in memory, one at a time: a small blob in one request, a larger one in parts. */
export async function writePieces(
  { put, writeParts }: WriteTools,
  key: string,
  content: AsyncIterable<Uint8Array>,
  pieceBytes: number,
): Promise<{ bytes: number }> {
  checkBlobKey(key)
  // What is sent has come back as an answer before the next piece is asked for. Of an attempt that was given up the store has either
  // all or not the announced length, so that it takes nothing of the next piece for this one.
  const pieces = inPieces(content, { bytes: pieceBytes, isReused: true })
  try {
    const first = await pieces.next()
    const start = first.done ? new Uint8Array() : first.value
    let bytes = start.byteLength
    if (bytes < pieceBytes) {
      await put(key, start)
      return { bytes }
    }
    await writeParts(key, async ({ add }) => {
      await add(0, start)
      for (let index = 1; ; index++) {
        const next = await pieces.next()
        if (next.done) return
        await add(index, next.value)
        bytes += next.value.byteLength
      }
    })
    return { bytes }
  } finally {
    await pieces.return()
  }
}
