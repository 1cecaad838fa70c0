/** A line of a file with its line break; `number` counts from 1. */
export type Line = { readonly number: number; readonly bytes: Uint8Array }

const lf = 0x0a

/**
 * Cuts bytes into lines, holding one at a time. A line that is longer than `mostBytes` is given as far as it was read, without its line
 * break, and ends the reading.
 */
export async function* splitLines(
  pieces: AsyncIterable<Uint8Array>,
  mostBytes: number,
): AsyncGenerator<Line, undefined> {
  let number = 0
  let held: Uint8Array[] = []
  let heldBytes = 0
  const take = (last: Uint8Array): Line => {
    const bytes = held.length === 0 ? last : Buffer.concat([...held, last])
    held = []
    heldBytes = 0
    number++
    return { number, bytes }
  }
  for await (const piece of pieces) {
    let start = 0
    for (let end = piece.indexOf(lf); end >= 0; end = piece.indexOf(lf, start)) {
      yield take(piece.subarray(start, end + 1))
      start = end + 1
    }
    if (start === piece.length) continue
    held.push(piece.subarray(start))
    heldBytes += piece.length - start
    if (heldBytes > mostBytes) {
      yield take(new Uint8Array())
      return
    }
  }
  if (heldBytes > 0) yield take(new Uint8Array())
}
