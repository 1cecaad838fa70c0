import { expect } from 'bun:test'
import fc from 'fast-check'
import type { Match, TextMatcher } from './text-matcher.ts'

/** In an order that does not depend on when they became certain. */
export function sorted(matches: readonly Match[]): Match[] {
  return [...matches].sort((a, b) => a.start - b.start || a.end - b.end || a.pattern - b.pattern)
}

/** Lengths of pieces, in turn. */
export const pieces: fc.Arbitrary<readonly number[]> = fc
  .array(fc.integer({ min: 0, max: 9 }), { minLength: 1, maxLength: 12 })
  .filter((lengths) => lengths.some((length) => length > 0))

function cut(text: string, lengths: readonly number[]): string[] {
  const cuts: string[] = []
  for (let at = 0, i = 0; at < text.length; i++) {
    const length = lengths[i % lengths.length] as number
    cuts.push(text.slice(at, at + length))
    at += length
  }
  return cuts
}

/**
 * Reads the text in these pieces: finds the same as in the whole, and no match told later has a character before what was settled
 * earlier.
 */
export function expectSameInPieces(matcher: TextMatcher, text: string, lengths: readonly number[]): void {
  const stream = matcher.open()
  const told: Match[] = []
  let settled = 0
  let length = 0
  for (const piece of cut(text, lengths)) {
    const matches = stream.feed(piece)
    length += piece.length
    for (const { start, end } of matches) {
      expect(start).toBeGreaterThanOrEqual(settled)
      expect(end).toBeLessThanOrEqual(length)
    }
    told.push(...matches)
    expect(stream.settled).toBeGreaterThanOrEqual(settled)
    expect(stream.settled).toBeLessThanOrEqual(length)
    settled = stream.settled
  }
  const last = stream.end()
  for (const { start } of last) expect(start).toBeGreaterThanOrEqual(settled)
  expect(stream.settled).toBe(text.length)
  expect(sorted([...told, ...last])).toEqual(sorted(matcher.find(text)))
}
