import { expect, test } from 'bun:test'
import fc from 'fast-check'
import { createLineSplitter } from './split-lines.ts'

type Line = {
  readonly number: number
  readonly start: number
  readonly next: number
  readonly text: string | undefined
}

function split(bytes: Uint8Array, cuts: readonly number[], maxLineBytes: number): Line[] {
  const splitter = createLineSplitter({ line: 0, offset: 0 }, maxLineBytes)
  const lines: Line[] = []
  const places = [0, ...[...cuts].map((cut) => cut % (bytes.length + 1)).sort((a, b) => a - b), bytes.length]
  const take = (some: ReturnType<typeof splitter.push>) => {
    // At once: pieces may be used again.
    for (const { bytes: content, ...place } of some)
      lines.push({ ...place, text: content && Buffer.from(content).toString() })
  }
  for (let i = 1; i < places.length; i++) {
    // As files come: a Buffer, whose `slice` is no copy.
    const piece = Buffer.from(bytes.subarray(places[i - 1], places[i]))
    take(splitter.push(piece))
    piece.fill(0)
  }
  take(splitter.end())
  return lines
}

const content = fc
  .array(fc.constantFrom('a', 'é', '🙂', '\n', '\r\n', '\r', '{"x":1}'), { maxLength: 60 })
  .map((parts) => parts.join(''))

test('however a file is cut into pieces, its lines are the same, and lie where they say', () => {
  fc.assert(
    fc.property(content, fc.array(fc.nat(), { maxLength: 20 }), fc.integer({ min: 0, max: 12 }), (text, cuts, most) => {
      const bytes = Buffer.from(text)
      const lines = split(bytes, cuts, most)
      const expected = text.split('\n')
      if (expected.at(-1) === '') expected.pop()
      expect(lines).toHaveLength(expected.length)
      let at = 0
      for (const [i, line] of lines.entries()) {
        const whole = expected[i] as string
        const own = whole.endsWith('\r') ? whole.slice(0, -1) : whole
        const isHeld = Buffer.byteLength(own) <= most
        expect(line).toEqual({
          number: i + 1,
          start: at,
          next: Math.min(bytes.length, at + Buffer.byteLength(whole) + 1),
          text: isHeld ? own : undefined,
        })
        at = line.next
      }
    }),
    { numRuns: 500 },
  )
})

test('reading goes on from a place with the numbers of its lines', () => {
  const splitter = createLineSplitter({ line: 41, offset: 5_000_000_000 }, 100)
  expect(splitter.push(Buffer.from('ab\nc')).map(({ number, start, next }) => [number, start, next])).toEqual([
    [42, 5_000_000_000, 5_000_000_003],
  ])
  expect(splitter.end().map(({ number, start, next }) => [number, start, next])).toEqual([
    [43, 5_000_000_003, 5_000_000_004],
  ])
})
