import { createHash } from 'node:crypto'

/** Bytes that differ from place to place, so that a piece in the wrong place shows. */
export function makeBytes(bytes: number, seed = 1): Uint8Array {
  const made = new Uint8Array(bytes)
  let state = seed * 2_654_435_761
  for (let i = 0; i < bytes; i++) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) | 0
    made[i] = state >>> 24
  }
  return made
}

/** As content that comes in chunks of that size. */
export async function* inChunks(bytes: Uint8Array, chunkBytes = 64 * 1024): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.byteLength; at += chunkBytes) yield bytes.subarray(at, at + chunkBytes)
}

/** Much content out of little memory: a block again and again, numbered. */
export async function* repeatBlock(block: Uint8Array, times: number): AsyncGenerator<Uint8Array> {
  for (let i = 0; i < times; i++) yield numbered(block, i)
}

export function hashRepeated(block: Uint8Array, times: number): string {
  const hash = createHash('sha256')
  for (let i = 0; i < times; i++) hash.update(numbered(block, i))
  return hash.digest('hex')
}

export async function hashContent(content: AsyncIterable<Uint8Array>): Promise<string> {
  const hash = createHash('sha256')
  for await (const piece of content) hash.update(piece)
  return hash.digest('hex')
}

export async function collect(content: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const pieces: Uint8Array[] = []
  for await (const piece of content) pieces.push(piece)
  return new Uint8Array(Buffer.concat(pieces))
}

function numbered(block: Uint8Array, number: number): Uint8Array {
  new DataView(block.buffer, block.byteOffset).setUint32(0, number)
  return block
}
