import { beforeAll, describe, expect, test } from 'bun:test'
import type { Fault } from '../../../core/fault.ts'
import { makeIssuer, makeKey, sign, type TestIssuer, type TestKey, testNow } from './token.fixture.ts'
import { verifyToken } from './verify-token.ts'

let one: TestKey
let two: TestKey
beforeAll(async () => {
  one = await makeKey('one')
  two = await makeKey('two')
})

const take = async ({ trusted }: TestIssuer, key: TestKey): Promise<string | number> =>
  verifyToken(await sign(key), [trusted], testNow).then(
    ({ id }) => id,
    (error: Fault) => error.status,
  )

describe('keys of an issuer', () => {
  test('are asked for when the first token comes, once for all that come at once, and not again', async () => {
    const issuer = makeIssuer()
    issuer.publish(one)
    expect(issuer.asked()).toBe(0)
    expect(new Set(await Promise.all(Array.from({ length: 20 }, () => take(issuer, one))))).toEqual(
      new Set(['oid-ada']),
    )
    expect(issuer.asked()).toBe(1)
  })

  test('change without a word: a key that is not known is looked for once, and strangers cannot have it looked for again at will', async () => {
    const issuer = makeIssuer()
    issuer.publish(one)
    await take(issuer, one)
    issuer.publish(one, two)
    expect(await take(issuer, two)).toBe(401)
    issuer.pass(31_000)
    expect(await take(issuer, two)).toBe('oid-ada')
    expect(issuer.asked()).toBe(2)
    const strange = await makeKey('strange')
    for (let i = 0; i < 50; i++) expect(await take(issuer, strange)).toBe(401)
    expect(issuer.asked()).toBe(2)
    issuer.pass(31_000)
    expect(await take(issuer, strange)).toBe(401)
    expect(issuer.asked()).toBe(3)
  })

  test('a key that is gone verifies nothing any more, and whoever keeps what it verified is told', async () => {
    let told = 0
    const issuer = makeIssuer({}, { onKeysChanged: () => told++ })
    issuer.publish(one, two)
    expect(await take(issuer, one)).toBe('oid-ada')
    issuer.publish(two)
    await issuer.trusted.keys.reload()
    expect([await take(issuer, one), await take(issuer, two), told]).toEqual([401, 'oid-ada', 1])
  })

  test('of one that is away go on; without any it is said that nobody can tell', async () => {
    const issuer = makeIssuer()
    issuer.setDown(true)
    expect(await take(issuer, one)).toBe(503)
    expect(await take(issuer, one)).toBe(503)
    expect([issuer.asked(), issuer.problems.length]).toEqual([1, 1])
    issuer.setDown(false)
    issuer.publish(one)
    issuer.pass(31_000)
    expect(await take(issuer, one)).toBe('oid-ada')
    issuer.setDown(true)
    issuer.pass(3_700_000)
    expect(await take(issuer, one)).toBe('oid-ada')
    await issuer.trusted.keys.reload()
    expect(await take(issuer, one)).toBe('oid-ada')
    issuer.pass(31_000)
    // It may be one that it has now: that cannot be found out.
    expect(await take(issuer, two)).toBe(503)
    expect(issuer.problems).toHaveLength(2)
  })

  test('that are secrets, or for encryption, are none', async () => {
    const issuer = makeIssuer()
    const secret = { kid: 'one', kty: 'oct', k: 'c2VjcmV0', alg: 'HS256' }
    issuer.publish({ ...one, jwk: secret }, { ...two, jwk: { ...two.jwk, use: 'enc' } })
    expect([await take(issuer, one), await take(issuer, two)]).toEqual([401, 401])
  })

  test('two under one name are not tried one after the other', async () => {
    const issuer = makeIssuer()
    issuer.publish(one, { ...two, kid: 'one', jwk: { ...two.jwk, kid: 'one' } })
    expect(await take(issuer, one)).toBe(401)
  })

  test.each([[{}], [{ keys: 'x' }], [{ keys: [1, null, 'x'] }]])(
    'a document that is none, %j, is a problem and no failure',
    async (document) => {
      const issuer = makeIssuer({}, { fetchKeys: async () => document as never })
      expect([401, 503]).toContain((await take(issuer, one)) as number)
    },
  )
})
