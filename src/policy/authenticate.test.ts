import { describe, expect, test } from 'bun:test'
import { operator } from '../core/access/principal.ts'
import { Fault } from '../core/fault.ts'
import { admitCaller, authenticate, hashKey, type KeyRing, type KnownKey } from './authenticate.ts'

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

describe('where tokens are taken too', () => {
  const own = { keyName: 'key1', grant: undefined, expiresAt: undefined }
  const bearer = { keyName: 'ada@issuer', grant: undefined, expiresAt: undefined }
  const ring: KeyRing = new Map([[hashKey('good'), own]])
  const guest = { principal: operator, callerOf: () => bearer }
  const tokens = {
    find: (token: string) => (token === 'eyJ.known.x' ? guest : undefined),
    admit: (token: string) =>
      token === 'eyJ.new.x' ? Promise.resolve(guest) : Promise.reject(new Fault('unauthorized', 'no such token')),
  }
  const enter = async (headers: Record<string, string>, isForTokensOnly = false) => {
    const entrance = { resource: '', isForTokensOnly }
    try {
      return (await admitCaller(new Headers(headers), ring, entrance, tokens, 0)).keyName
    } catch (error) {
      const { status, detail } = error as Fault
      return detail.vendorCode ?? status
    }
  }
  const token = (name: string) => ({ authorization: `Bearer eyJ.${name}.x` })

  test('keys and tokens both open', async () => {
    expect(await enter({ 'api-key': 'good' })).toBe('key1')
    expect(await enter({ authorization: 'Bearer good' })).toBe('key1')
    for (const name of ['known', 'new']) expect(await enter(token(name))).toBe('ada@issuer')
    expect(await enter(token('strange'))).toBe(401)
    expect(await enter({})).toBe(401)
  })

  test('one that is good is enough; a token that is known needs no waiting', async () => {
    expect(await enter({ 'api-key': 'good', ...token('strange') })).toBe('key1')
    expect(await enter({ 'api-key': 'bad', ...token('known') })).toBe('ada@issuer')
    const entrance = { resource: '', isForTokensOnly: false }
    expect(admitCaller(new Headers(token('known')), ring, entrance, tokens, 0)).toBe(bearer)
  })

  test('a resource for tokens only tells a key so, good or not, and asks for a credential where there is none', async () => {
    const sent: Record<string, string>[] = [
      { 'api-key': 'good' },
      { 'x-api-key': 'bad' },
      { authorization: 'Bearer good' },
    ]
    for (const headers of sent) expect(await enter(headers, true)).toBe('AuthenticationTypeDisabled')
    expect(await enter({}, true)).toBe(401)
    expect(await enter({ 'api-key': 'good', ...token('known') }, true)).toBe('ada@issuer')
    expect(await enter({ 'api-key': 'good', ...token('strange') }, true)).toBe(401)
  })
})
