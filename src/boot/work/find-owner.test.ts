import { expect, test } from 'bun:test'
import type { Caller } from '../../core/exchange.ts'
import type { KeyRing, KnownKey } from '../../policy/authenticate.ts'
import { createFindOwner } from './find-owner.ts'

const grant = { deployments: undefined, tokensPerMinute: undefined, requestsPerMinute: undefined, budgets: [] }
const named = (keyName: string, more: Partial<KnownKey> = {}): KnownKey => ({
  keyName,
  grant,
  expiresAt: undefined,
  ...more,
})
const ring = (...keys: KnownKey[]): KeyRing => new Map(keys.map((key, i) => [`digest-${i}`, key]))

function open(rings: Record<string, KeyRing>, recallCaller: (owner: string, resource: string) => Caller | undefined) {
  const clock = { now: 1_000 }
  const snapshotOf = (resource: string) => (rings[resource] ? { keys: rings[resource] } : undefined)
  return { clock, rings, find: createFindOwner({ snapshotOf, recallCaller, now: () => clock.now }) }
}
const nobody = () => undefined

test('a key is found by its name, in its own resource', () => {
  const other = named('ci', { resource: 'res1' })
  const { find } = open({ '': ring(named('ci'), named('Key1', { grant: undefined })), res1: ring(other) }, nobody)
  expect(find('ci')?.resource).toBeUndefined()
  expect(find('res1/ci')).toBe(other)
  // The two keys of the resource are one owner.
  expect(find('')?.keyName).toBe('Key1')
  expect(find('res1/')).toBeUndefined()
  expect(find('gone/ci')).toBeUndefined()
})

test('by whichever of its secrets opens something, and by none that does not any more', () => {
  const first = named('ci', { expiresAt: 2_000, endedBy: 'rotation' })
  const second = named('ci', { expiresAt: 3_000, endedBy: 'expiry' })
  const { clock, find } = open({ '': ring(first, second) }, nobody)
  expect(find('ci')).toBe(first)
  clock.now = 2_000
  expect(find('ci')).toBe(second)
  clock.now = 3_000
  expect(find('ci')).toBeUndefined()
})

test('a key that was revoked by a server whose clock is ahead', () => {
  const { find } = open({ '': ring(named('ci', { expiresAt: 9_000, endedBy: 'revocation' })) }, nobody)
  expect(find('ci')).toBeUndefined()
})

test('what the keys are now counts', () => {
  const { rings, find } = open({ '': ring(named('ci')) }, nobody)
  expect(find('ci')).toBeDefined()
  rings[''] = ring(named('other'))
  expect(find('ci')).toBeUndefined()
  expect(find('other')).toBeDefined()
})

test('who came with a token is recalled, in the resource that he came to', () => {
  const recalled: string[] = []
  const { find } = open({ '': ring(), res1: ring() }, (owner, resource) => {
    recalled.push(`${resource}|${owner}`)
    return undefined
  })
  find('me@tenant/app')
  find('res1/me@tenant/app')
  expect(recalled).toEqual(['|me@tenant/app', 'res1|me@tenant/app'])
})
