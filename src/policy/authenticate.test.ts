import { describe, expect, test } from 'bun:test'
import { Fault } from '../core/fault.ts'
import { authenticate, hashKey, type KnownKey } from './authenticate.ts'

const at = Date.UTC(2026, 10, 1)
const known = (keyName: string, end: Partial<KnownKey> = {}): KnownKey => ({
  keyName,
  grant: undefined,
  expiresAt: undefined,
  ...end,
})
const ring = new Map(
  Object.entries({
    good: known('key1'),
    ending: known('ci', { expiresAt: at, endedBy: 'expiry' }),
    silent: known('quiet', { expiresAt: at }),
    replaced: known('ci', { expiresAt: at, endedBy: 'rotation' }),
    revoked: known('leaked', { expiresAt: at, endedBy: 'revocation' }),
  }).map(([key, entry]) => [hashKey(key), entry]),
)

function attempt(headers: Record<string, string>, now = at): string {
  try {
    return authenticate(new Headers(headers), ring, now).keyName
  } catch (error) {
    if (!(error instanceof Fault) || error.code !== 'unauthorized') throw error
    return error.message
  }
}

const denied = 'Access denied due to invalid subscription key'

describe('a key', () => {
  test.each(['api-key', 'x-api-key', 'ocp-apim-subscription-key'])('comes in %s', (name) => {
    expect(attempt({ [name]: 'good' })).toBe('key1')
    expect(attempt({ [name]: 'other' })).toStartWith(denied)
  })

  test('comes as bearer token, the scheme in any case', () => {
    for (const value of ['Bearer good', 'bearer good ']) expect(attempt({ authorization: value })).toBe('key1')
    for (const value of ['good', 'Basic good', 'Bearer']) expect(attempt({ authorization: value })).toStartWith(denied)
  })

  test('is a stranger when it is missing, empty, too long, or a digest that was seen somewhere', () => {
    expect(attempt({})).toStartWith(denied)
    for (const key of ['', 'x'.repeat(100_000), hashKey('good')])
      expect(attempt({ 'api-key': key })).toStartWith(denied)
  })
})

describe('an end', () => {
  test('is judged at the moment of the request', () => {
    for (const [key, holder] of Object.entries({ ending: 'ci', silent: 'quiet', replaced: 'ci' })) {
      expect(attempt({ 'api-key': key }, at - 1)).toBe(holder)
      expect(attempt({ 'api-key': key }, at)).toContain('2026-11-01T00:00:00.000Z')
    }
  })

  test('is told plainly to whoever holds the key', () => {
    const ask = 'Ask whoever runs this server'
    expect(attempt({ 'api-key': 'ending' })).toBe(
      `The key 'ci' expired on 2026-11-01T00:00:00.000Z. ${ask} to extend it or for another.`,
    )
    expect(attempt({ 'api-key': 'silent' })).toStartWith("The key 'quiet' expired on ")
    expect(attempt({ authorization: 'Bearer replaced' })).toBe(
      "This secret of the key 'ci' was replaced and ended on 2026-11-01T00:00:00.000Z. Use the newer one.",
    )
    expect(attempt({ 'api-key': 'revoked' })).toBe(
      `The key 'leaked' was revoked on 2026-11-01T00:00:00.000Z. ${ask} for another.`,
    )
  })

  test('of a revoked key holds also when the clock is set back', () => {
    expect(attempt({ 'api-key': 'revoked' }, 0)).toContain('was revoked')
  })

  test('of one key does not matter where another comes along that is good', () => {
    expect(attempt({ 'api-key': 'revoked', authorization: 'Bearer good' })).toBe('key1')
    expect(attempt({ 'api-key': 'ending', 'x-api-key': 'good' })).toBe('key1')
    expect(attempt({ 'api-key': 'nonsense', authorization: 'Bearer ending' })).toContain('expired')
    expect(attempt({ 'api-key': 'revoked', authorization: 'Bearer nonsense' })).toContain('revoked')
  })
})
