import { describe, expect, test } from 'bun:test'
import { createSampler } from './sampler.ts'
import { makeSpanId, makeTraceId, readTraceContext, writeTraceHeaders } from './trace-context.ts'

const traceId = '4bf92f3577b34da6a3ce929d0e0e4736'
const spanId = '00f067aa0ba902b7'

describe('what callers say of their trace', () => {
  test.each([
    [`00-${traceId}-${spanId}-01`, 1],
    [`00-${traceId}-${spanId}-00`, 0],
    [`00-${traceId}-${spanId}-03`, 3],
    [`cc-${traceId}-${spanId}-01-what-the-future-will-be-like`, 1],
  ])('%s is read', (header, flags) => {
    expect(readTraceContext(header, null)).toEqual({ traceId, spanId, flags, state: undefined })
  })

  test.each([
    null,
    '',
    `00-${traceId}-${spanId}`,
    `00-${traceId}-${spanId}-01-more`,
    `ff-${traceId}-${spanId}-01`,
    `00-${'0'.repeat(32)}-${spanId}-01`,
    `00-${traceId}-${'0'.repeat(16)}-01`,
    `00-${traceId.toUpperCase()}-${spanId}-01`,
    `00-${traceId}-${spanId}-0x`,
    ` 00-${traceId}-${spanId}-01`,
    'x'.repeat(100_000),
  ])('%p is not', (header) => {
    expect(readTraceContext(header, 'a=1')).toBeUndefined()
  })

  test('goes on as it came, also flags that are not known yet', () => {
    const traceparent = `00-${traceId}-${spanId}-03`
    const read = readTraceContext(traceparent, 'a=1,b=2')
    expect(read && writeTraceHeaders(read)).toEqual({ traceparent, tracestate: 'a=1,b=2' })
    const long = readTraceContext(traceparent, 'x'.repeat(600))
    expect(long && writeTraceHeaders(long)).toEqual({ traceparent })
  })
})

test('ids are hexadecimal, of their length, and none comes twice', () => {
  const ids = Array.from({ length: 5_000 }, () => makeSpanId())
  expect(new Set(ids).size).toBe(ids.length)
  expect(ids.every((id) => /^[0-9a-f]{16}$/.test(id))).toBe(true)
  expect(makeTraceId()).toMatch(/^[0-9a-f]{32}$/)
})

describe('sampling', () => {
  const parent = (flags: number) => ({ traceId, spanId, flags, state: 'a=1' })

  test('follows the caller where it has decided', () => {
    const sample = createSampler({ isParentBased: true, ratio: 0 })
    expect(sample(parent(1))).toEqual({ traceId, flags: 1, state: 'a=1', isSampled: true })
    expect(sample(parent(2))).toEqual({ traceId, flags: 2, state: 'a=1', isSampled: false })
    expect(sample(undefined)).toMatchObject({ flags: 0, isSampled: false })
  })

  test('asks nobody where it is told to', () => {
    expect(createSampler({ isParentBased: false, ratio: 1 })(parent(2))).toMatchObject({ flags: 3, isSampled: true })
    expect(createSampler({ isParentBased: false, ratio: 0 })(parent(3))).toMatchObject({ flags: 2, isSampled: false })
  })

  test('keeps the given share, and the same traces everywhere', () => {
    const [one, two] = [
      createSampler({ isParentBased: true, ratio: 0.25 }),
      createSampler({ isParentBased: false, ratio: 0.25 }),
    ]
    const starts = Array.from({ length: 4_000 }, () => one(undefined))
    const kept = starts.filter(({ isSampled }) => isSampled)
    expect(kept.length).toBeWithin(800, 1_200)
    for (const start of starts) expect(two({ ...start, spanId }).isSampled).toBe(start.isSampled)
  })
})
