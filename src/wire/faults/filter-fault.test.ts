import { expect, test } from 'bun:test'
import { Fault } from '../../core/fault.ts'
import { serverEnds } from '../index.ts'
import type { ServerEnd } from '../wire.ts'
import { writeFilterError } from './filter-fault.ts'

const results = { jailbreak: { filtered: true, detected: true } }
const fault = new Fault('content-filtered', 'The filter kept it back.', { filter: { results } })

test('members come in the order in which the service sends them', () => {
  const text = JSON.stringify(writeFilterError(fault))
  expect(text).toStartWith('{"message":"The response was filtered due to the prompt triggering')
  expect(text).toEndWith(
    '"type":null,"param":"prompt","code":"content_filter","status":400,' +
      '"innererror":{"code":"ResponsibleAIPolicyViolation","content_filter_result":{"jailbreak":{"filtered":true,"detected":true}}},' +
      '"inner_error":{"code":"ResponsibleAIPolicyViolation","content_filter_results":{"jailbreak":{"filtered":true,"detected":true}}}}',
  )
})

test.each(serverEnds.map((end) => [end.routes[0]?.path ?? '', end] as const))(
  '%s: neither why nor what a filter thinks is told unasked, and nobody is sent away to come again',
  (_path, end: ServerEnd) => {
    const { status, headers, body } = end.writeFault(fault, 'r')
    expect(status).toBe(400)
    expect(headers).not.toHaveProperty('retry-after')
    expect(headers['x-should-retry']).toBe('false')
    expect(body).toContain('jailbreak')
    expect(body).not.toContain('explanations')
  },
)

test('a fault that knows no results has no empty ones', () => {
  expect(writeFilterError(new Fault('content-filtered', 'x'))).not.toHaveProperty('innererror')
})
