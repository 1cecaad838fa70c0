import { beforeAll, describe, expect, test } from 'bun:test'
import { createHmac } from 'node:crypto'
import { CompactEncrypt, exportSPKI, importJWK } from 'jose'
import { Fault } from '../../../core/fault.ts'
import {
  audience,
  issuerUrl,
  makeIssuer,
  makeKey,
  sign,
  type TestIssuer,
  type TestKey,
  testNow,
} from './token.fixture.ts'
import { isToken, verifyToken } from './verify-token.ts'

let key: TestKey
let stranger: TestKey
let issuer: TestIssuer

beforeAll(async () => {
  key = await makeKey('one')
  stranger = await makeKey('one')
  issuer = makeIssuer()
  issuer.publish(key)
})

const verify = (token: string, now = testNow) => verifyToken(token, [issuer.trusted], now)

async function reasonOf(token: string, now?: number): Promise<string> {
  try {
    await verify(token, now)
  } catch (error) {
    expect(error).toBeInstanceOf(Fault)
    const { status, code, message } = error as Fault
    expect([status, code]).toEqual([401, 'unauthorized'])
    expect(message).toStartWith(
      'Unauthorized. Access token is missing, invalid, audience is incorrect, or have expired. ',
    )
    return message.slice(
      'Unauthorized. Access token is missing, invalid, audience is incorrect, or have expired. '.length,
    )
  }
  throw new Error('it was taken')
}

const encode = (value: unknown) =>
  Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url')
const payload = { iss: issuerUrl, aud: audience, sub: 'eve', oid: 'oid-eve', exp: testNow / 1000 + 3600 }

describe('a token of a trusted issuer', () => {
  test('says who comes, and until when', async () => {
    const token = await sign(key, { name: 'Ada', roles: ['a', 5, 'b'], groups: 'g', appid: 'app' })
    expect(isToken(token)).toBe(true)
    expect(await verify(token)).toEqual({
      issuer: issuer.trusted,
      id: 'oid-ada',
      name: 'Ada',
      appId: 'app',
      roles: ['a', 'b'],
      groups: ['g'],
      audiences: [audience],
      expiresAt: testNow + 3_600_000 + 60_000,
    })
  })

  test.each(['RS256', 'PS256', 'ES256', 'EdDSA'] as const)('signed with %s', async (algorithm) => {
    const other = await makeKey('k', algorithm)
    const one = makeIssuer()
    one.publish(other)
    expect((await verifyToken(await sign(other), [one.trusted], testNow)).id).toBe('oid-ada')
  })

  test('is taken a little before and after its time, as far as clocks may differ', async () => {
    const token = await sign(key)
    for (const now of [testNow - 59_000, testNow + 3_600_000 + 59_000])
      expect((await verify(token, now)).id).toBe('oid-ada')
    expect(await reasonOf(token, testNow - 61_000)).toBe('It is not valid yet. Do the clocks agree?')
    expect(await reasonOf(token, testNow + 3_600_000 + 61_000)).toBe('It expired on 2026-06-01T01:00:00.000Z.')
  })

  test('without a subject or of another tenant names nobody', async () => {
    expect(await reasonOf(await sign(key, { sub: undefined, oid: undefined }))).toContain('names nobody')
    expect(await reasonOf(await sign(key, { sub: undefined, oid: '' }))).toContain('names nobody')
    expect(await reasonOf(await sign(key, { sub: undefined, oid: { a: 1 } }))).toContain('names nobody')
    expect(await reasonOf(await sign(key, { oid: 'x'.repeat(300) }))).toContain('more than 256')
    const ofTenant = makeIssuer({ tenant: 't1' })
    ofTenant.publish(key)
    await expect(verifyToken(await sign(key, { tid: 't2' }), [ofTenant.trusted], testNow)).rejects.toThrow(
      'another tenant',
    )
    await expect(verifyToken(await sign(key), [ofTenant.trusted], testNow)).rejects.toThrow('another tenant')
    expect((await verifyToken(await sign(key, { tid: 't1' }), [ofTenant.trusted], testNow)).id).toBe('oid-ada')
  })
})

describe('what is no such token is refused', () => {
  test.each<[string, () => Promise<string> | string]>([
    ['without a signature (none)', () => `${encode({ alg: 'none', kid: 'one' })}.${encode(payload)}.`],
    ['none with something in its place', () => `${encode({ alg: 'none', kid: 'one' })}.${encode(payload)}.YQ`],
    ['nOnE', () => `${encode({ alg: 'nOnE', kid: 'one' })}.${encode(payload)}.YQ`],
    [
      'signed with the public key as a shared secret',
      async () => {
        const head = `${encode({ alg: 'HS256', kid: 'one' })}.${encode(payload)}`
        const pem = await exportSPKI((await importJWK(key.jwk, 'RS256', { extractable: true })) as CryptoKey)
        return `${head}.${createHmac('sha256', pem).update(head).digest('base64url')}`
      },
    ],
    ['signed by a stranger under the same kid', () => sign(stranger, payload)],
    ['whose payload was exchanged', async () => (await sign(key)).replace(/\.[^.]+\./, `.${encode(payload)}.`)],
    ['whose signature was cut', async () => (await sign(key)).slice(0, -8)],
    ['under a kid that is not there', () => sign(key, {}, { kid: 'two' })],
    ['under a kid that is a path', () => sign(key, {}, { kid: '../../../dev/null' })],
    ['that brings its own key', () => sign(stranger, payload, { jwk: stranger.jwk, kid: 'new' } as object)],
    [
      'that names where its key is',
      () => sign(stranger, payload, { jku: 'https://evil.example/keys', kid: 'new' } as object),
    ],
    ['of another issuer', () => sign(key, { iss: 'https://evil.example/' })],
    ['of an issuer that begins the same', () => sign(key, { iss: `${issuerUrl}/` })],
    ['of no issuer', () => sign(key, { iss: undefined })],
    ['of several issuers', () => sign(key, { iss: [issuerUrl, 'x'] as never })],
    ['without an end', () => sign(key, { exp: undefined })],
    ['with an end that is no number', () => sign(key, { exp: '9999999999' as never })],
    ['with an end beyond all numbers', () => sign(key, { exp: -1e300 })],
    ['without an audience', () => sign(key, { aud: undefined })],
    ['of another type', () => sign(key, {}, { typ: 'dpop+jwt' })],
    ['with another token in it', () => sign(key, {}, { cty: 'JWT' })],
    [
      'with a critical header that nobody knows',
      () => `${encode({ alg: 'RS256', kid: 'one', crit: ['x'], x: 1 })}.${encode(payload)}.YQ`,
    ],
    ['unencoded', () => `${encode({ alg: 'RS256', kid: 'one', crit: ['b64'], b64: false })}.${encode(payload)}.YQ`],
    ['whose header is no JSON', () => `${encode('eyJ{')}.${encode(payload)}.YQ`],
    ['whose header is a list', () => `${encode('[1]')}.${encode(payload)}.YQ`],
    ['whose payload is no JSON', () => `${encode({ alg: 'RS256' })}.${encode('x')}.YQ`],
    ['whose payload is a number', () => `${encode({ alg: 'RS256' })}.${encode('5')}.YQ`],
    [
      'of five parts (encrypted)',
      async () =>
        new CompactEncrypt(Buffer.from('x'))
          .setProtectedHeader({ alg: 'RSA-OAEP', enc: 'A128GCM' })
          .encrypt((await importJWK({ ...key.jwk, alg: 'RSA-OAEP', use: 'enc' }, 'RSA-OAEP')) as CryptoKey),
    ],
    ['of two parts', () => `${encode({ alg: 'RS256' })}.${encode(payload)}`],
    ['of four parts', async () => `${await sign(key)}.x`],
    ['with a blank in it', async () => (await sign(key)).replace('.', '. ')],
    ['with padding', async () => `${await sign(key)}==`],
    ['that is huge', async () => sign(key, { groups: Array(4000).fill('group') })],
  ])('%s', async (_what, make) => {
    const token = await make()
    const reason = await reasonOf(token)
    expect(reason).not.toBe('')
    for (const secret of token.split('.').filter((part) => part.length > 20)) expect(reason).not.toContain(secret)
  })

  test('of claims that come twice one counts, and that is the one that was judged', async () => {
    const twice = `{"iss":"https://evil.example/","iss":"${issuerUrl}","aud":"x","aud":"${audience}","sub":"a","exp":1,"exp":${payload.exp}}`
    const head = encode({ alg: 'RS256', kid: 'one' })
    const signature = await crypto.subtle.sign('RSASSA-PKCS1-v1_5', key.secret, Buffer.from(`${head}.${encode(twice)}`))
    const token = `${head}.${encode(twice)}.${Buffer.from(signature).toString('base64url')}`
    expect(await verify(token)).toMatchObject({ id: 'a', audiences: [audience] })
    const reversed = twice.replace(
      `"iss":"https://evil.example/","iss":"${issuerUrl}"`,
      `"iss":"${issuerUrl}","iss":"https://evil.example/"`,
    )
    expect(await reasonOf(`${head}.${encode(reversed)}.${Buffer.from(signature).toString('base64url')}`)).toContain(
      'none that this server trusts',
    )
  })

  test('an algorithm that the operator did not name', async () => {
    const strict = makeIssuer({ algorithms: ['ES256'] })
    strict.publish(key)
    await expect(verifyToken(await sign(key), [strict.trusted], testNow)).rejects.toThrow('one of ES256')
  })

  test('a thousand random changes of a good one', async () => {
    const token = await sign(key)
    let seed = 42
    const random = (below: number) => {
      seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648
      return seed % below
    }
    const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.= '
    for (let round = 0; round < 1000; round++) {
      const at = random(token.length)
      const changed = token.slice(0, at) + letters[random(letters.length)] + token.slice(at + random(3))
      if (changed === token) continue
      const taken = await verify(changed).then(
        (verified) => verified.id,
        (error: Fault) => error.status,
      )
      // The last letter of base64 has bits that say nothing: another one is the same signature.
      if (taken !== 401) expect([taken, at]).toEqual(['oid-ada', token.length - 1])
    }
  })
})
