import { expect, test } from 'bun:test'
import { leakyRule, windowRule } from '../rules.fixture.ts'
import { keyOf, lowOfLane } from './hash-key.ts'

test('keys that are much alike have different hashes, which spread evenly', () => {
  const count = 100_000
  const seen = new Set<string>()
  const buckets = new Uint32Array(1_024)
  for (let i = 0; i < count; i++) {
    const { low, high } = keyOf(windowRule(`deployment/gpt-${i}/tokens`, 1))
    seen.add(`${low} ${high}`)
    buckets[low & 1_023] = (buckets[low & 1_023] as number) + 1
  }
  expect(seen.size).toBe(count)
  expect(Math.max(...buckets)).toBeLessThan(160)
})

test('kind and window length belong to what a counter is; the limit does not', () => {
  const keys = [windowRule('a', 1), windowRule('a', 1, true, 1_000), leakyRule('a', 1, 1)].map(keyOf)
  expect(new Set(keys.map(({ low, high }) => `${low} ${high}`)).size).toBe(3)
  expect(keyOf(windowRule('a', 2))).toEqual(keyOf(windowRule('a', 1)))
})

test('each lane has its own', () => {
  const { low } = keyOf(leakyRule('a', 1, 1))
  expect(new Set(Array.from({ length: 64 }, (_, lane) => lowOfLane(low, lane))).size).toBe(64)
})
