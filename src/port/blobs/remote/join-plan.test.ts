import { expect, test } from 'bun:test'
import fc from 'fast-check'
import { planJoin } from './join-plan.ts'

const limits = { leastBytes: 5, mostBytes: 12 }
const bytesOf = (ranges: readonly { start: number; end: number }[]) =>
  ranges.reduce((sum, { start, end }) => sum + end - start, 0)

test('copies what is large enough and reads the rest', () => {
  expect(
    planJoin(
      [
        { key: 'a', bytes: 20 },
        { key: 'b', bytes: 2 },
        { key: 'c', bytes: 9 },
      ],
      limits,
    ),
  ).toEqual([
    { isCopy: true, ranges: [{ key: 'a', start: 0, end: 12 }] },
    { isCopy: true, ranges: [{ key: 'a', start: 12, end: 20 }] },
    {
      isCopy: false,
      ranges: [
        { key: 'b', start: 0, end: 2 },
        { key: 'c', start: 0, end: 3 },
      ],
    },
    { isCopy: true, ranges: [{ key: 'c', start: 3, end: 9 }] },
  ])
  expect(planJoin([{ key: 'a', bytes: 0 }], limits)).toEqual([])
})

test('every plan holds all bytes in their order, and no part but the last is too small or too large', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(40), { maxLength: 20 }), (sizes) => {
      const parts = sizes.map((bytes, i) => ({ key: `${i}`, bytes }))
      const steps = planJoin(parts, limits)
      const bytes = steps.flatMap(({ ranges }) =>
        ranges.flatMap(({ key, start, end }) => Array.from({ length: end - start }, (_, i) => `${key}:${start + i}`)),
      )
      expect(bytes).toEqual(parts.flatMap((part) => Array.from({ length: part.bytes }, (_, i) => `${part.key}:${i}`)))
      for (const { isCopy, ranges } of steps.slice(0, -1)) {
        expect(bytesOf(ranges)).toBeGreaterThanOrEqual(limits.leastBytes)
        expect(bytesOf(ranges)).toBeLessThanOrEqual(isCopy ? limits.mostBytes : limits.leastBytes)
      }
    }),
  )
})
