import { expect, test } from 'bun:test'
import { createPiiRule } from './pii-rule.ts'

test('looks for the types that have an action, and for no others', () => {
  const actions = new Map([['Email', 'redact'] as const])
  const rule = createPiiRule(actions, true)
  expect(rule.actions).toBe(actions)
  expect(rule.restores).toBe(true)
  expect(rule.find('jane@example.com, 536-22-1234')).toEqual([{ start: 0, end: 16, type: 'Email' }])
})

test('a rule without types finds nothing', () => {
  const rule = createPiiRule(new Map(), false)
  expect(rule.find('jane@example.com')).toEqual([])
  const stream = rule.open()
  expect([...stream.feed('jane@example.com'), ...stream.end()]).toEqual([])
  expect(stream.settled).toBe(16)
})

test('an unknown type is refused with those that there are', () => {
  expect(() => createPiiRule(new Map([['EMail', 'block']]), false)).toThrow(
    /no type of personal data 'EMail'\. Take one of Email, PhoneNumber, .*EUGPSCoordinates/,
  )
})
