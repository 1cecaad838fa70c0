export type PieceOptions = {
  readonly bytes: number
  /** Every piece lies where the one before it lay: for readers that are done with it when they ask for the next. */
  readonly isReused?: boolean
}

/** Most contents are small, and memory that is not needed has to be found and cleaned up all the same. */
const firstBytes = 64 * 1024
const growth = 4

/** The same bytes in pieces of that size; the last one may be shorter, and there is none where there are no bytes. */
export async function* inPieces(
  content: AsyncIterable<Uint8Array>,
  { bytes, isReused = false }: PieceOptions,
): AsyncGenerator<Uint8Array, void, undefined> {
  const allocate = (wanted: number): Uint8Array => Buffer.allocUnsafeSlow(Math.min(wanted, bytes))
  let piece = allocate(firstBytes)
  let filled = 0
  for await (const chunk of content) {
    let from = 0
    while (from < chunk.byteLength) {
      if (filled === piece.byteLength) {
        const larger = allocate(filled * growth)
        larger.set(piece)
        piece = larger
      }
      const taken = chunk.subarray(from, from + piece.byteLength - filled)
      piece.set(taken, filled)
      from += taken.byteLength
      filled += taken.byteLength
      if (filled < bytes) continue
      yield piece
      filled = 0
      if (!isReused) piece = allocate(bytes)
    }
  }
  if (filled > 0) yield piece.subarray(0, filled)
}
