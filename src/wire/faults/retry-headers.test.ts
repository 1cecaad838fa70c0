import { expect, test } from 'bun:test'
import { Fault } from '../../core/fault.ts'
import { retryHeaders } from './retry-headers.ts'

test('a wait that no timer takes is told as the longest that one does, in whole numbers', () => {
  const headers = retryHeaders(new Fault('rate-limited', 'x', { retryAfterMs: 1e102 }))
  expect(headers).toEqual({
    'retry-after': '2147484',
    'retry-after-ms': '2147483647',
    'x-ms-retry-after-ms': '2147483647',
    'x-should-retry': 'false',
  })
})
