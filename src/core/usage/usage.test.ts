import { expect, test } from 'bun:test'
import { believeUsage, type Usage } from './usage.ts'

test('what can be true stays as it is', () => {
  const usage: Usage = { promptTokens: 10, completionTokens: 5, cachedTokens: 4, reasoningTokens: 5 }
  expect(believeUsage(usage)).toBe(usage)
  expect(believeUsage(undefined)).toBeUndefined()
})

test('more than can be counts as not counted', () => {
  expect(believeUsage({ promptTokens: 3, completionTokens: 1.2e29 })).toBeUndefined()
  expect(believeUsage({ promptTokens: 3, completionTokens: Number.POSITIVE_INFINITY })).toBeUndefined()
  expect(believeUsage({ promptTokens: 100_000_001, completionTokens: 1 })).toBeUndefined()
})

test.each([-1, Number.NaN])('%p tokens are none', (tokens) => {
  const none = { completionTokens: 0, cachedTokens: 0, reasoningTokens: 0 }
  expect(believeUsage({ promptTokens: 7, completionTokens: tokens })).toEqual({ promptTokens: 7, ...none })
})

test('fractions are rounded, and parts are no more than what they are part of', () => {
  const usage = { promptTokens: 10.4, completionTokens: 5.5, cachedTokens: 50, reasoningTokens: -3 }
  expect(believeUsage(usage)).toEqual({ promptTokens: 10, completionTokens: 6, cachedTokens: 10, reasoningTokens: 0 })
})
