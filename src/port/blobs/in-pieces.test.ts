import { expect, test } from 'bun:test'
import fc from 'fast-check'
import { inPieces } from './in-pieces.ts'

async function* give(chunks: readonly Uint8Array[]): AsyncGenerator<Uint8Array> {
  yield* chunks
}

test.each([true, false])('any chunks become pieces of one size (memory reused: %j)', async (isReused) => {
  const chunk = fc.uint8Array({ maxLength: 40 })
  await fc.assert(
    fc.asyncProperty(fc.array(chunk, { maxLength: 20 }), fc.integer({ min: 1, max: 50 }), async (chunks, bytes) => {
      const pieces: Buffer[] = []
      for await (const piece of inPieces(give(chunks), { bytes, isReused })) pieces.push(Buffer.from(piece))
      expect(Buffer.concat(pieces)).toEqual(Buffer.concat(chunks))
      expect(pieces.slice(0, -1).every((piece) => piece.byteLength === bytes)).toBe(true)
      expect(pieces.every((piece) => piece.byteLength > 0 && piece.byteLength <= bytes)).toBe(true)
    }),
  )
})

test('pieces larger than the memory that it begins with', async () => {
  const all = Buffer.alloc(1_000_003).map((_, i) => i % 251)
  const chunks = Array.from({ length: 101 }, (_, i) => all.subarray(i * 10_000, (i + 1) * 10_000))
  const pieces = await Array.fromAsync(inPieces(give(chunks), { bytes: 300_000 }))
  expect(pieces.map(({ byteLength }) => byteLength)).toEqual([300_000, 300_000, 300_000, 100_003])
  expect(Buffer.compare(Buffer.concat(pieces), all)).toBe(0)
})

test('lets go of the content when the reader stops', async () => {
  let isClosed = false
  const content = async function* () {
    try {
      while (true) yield new Uint8Array(10)
    } finally {
      isClosed = true
    }
  }
  for await (const _ of inPieces(content(), { bytes: 25 })) break
  expect(isClosed).toBe(true)
})
