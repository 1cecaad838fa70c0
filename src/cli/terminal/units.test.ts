import { expect, test } from 'bun:test'
import { createRate, formatBytes, formatSpan } from './units.ts'

test('bytes', () => {
  expect([0, 999, 1000, 1234, 99_949, 123_456, 999_999, 1_500_000, 8_000_000_000].map(formatBytes)).toEqual([
    '0 B',
    '999 B',
    '1.0 kB',
    '1.2 kB',
    '99.9 kB',
    '123 kB',
    '1000 kB',
    '1.5 MB',
    '8.0 GB',
  ])
})

test('spans', () => {
  expect([0, 499, 40_000, 125_000, 3_600_000, 12_000_000, 176_400_000].map(formatSpan)).toEqual([
    '0 s',
    '0 s',
    '40 s',
    '2 min 5 s',
    '1 h',
    '3 h 20 min',
    '2 d 1 h',
  ])
})

test('a rate is that of the last while', () => {
  let time = 0
  const rate = createRate(() => time)
  rate.note(0)
  expect(rate.perSecond()).toBeUndefined()
  for (time = 1_000; time <= 60_000; time += 1_000) rate.note(time / 1_000)
  expect(rate.perSecond()).toBeCloseTo(1)
  for (; time <= 120_000; time += 1_000) rate.note(60 + (time - 60_000) / 100)
  expect(rate.perSecond()).toBeCloseTo(10)
})
