import { afterAll, describe, expect, test } from 'bun:test'
import { createVerify, generateKeyPairSync } from 'node:crypto'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Fault } from '../../core/fault.ts'
import { faultOf, makeTransport, never } from '../transport/transport.fixture.ts'
import { createTokenSource, readServiceAccount } from './service-account-token.ts'

const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
const pem = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()

const bodies: string[] = []
let answer: (response: ServerResponse) => void = () => {}
const server = createServer((request: IncomingMessage, response) => {
  let body = ''
  request.on('data', (bytes) => {
    body += bytes
  })
  request.on('end', () => {
    bodies.push(body)
    answer(response)
  })
})
await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
afterAll(() => void server.close())

const file = (more: object = {}) =>
  JSON.stringify({
    client_email: 'filter@p1.iam',
    private_key: pem,
    private_key_id: 'k1',
    token_uri: `${origin}/token`,
    ...more,
  })
const scope = 'https://www.example.com/auth/all'

function openSource(now = () => 1_000_000_000) {
  bodies.length = 0
  return createTokenSource(readServiceAccount(file())!, scope, makeTransport(new URL(origin)), now)
}

const giveToken = (token: string, seconds: unknown = 3600) => {
  answer = (response) =>
    response.end(JSON.stringify({ access_token: token, expires_in: seconds, token_type: 'Bearer' }))
}

describe('key files', () => {
  test('what is none is a token itself', () => {
    expect(readServiceAccount('ya29.token')).toBeUndefined()
    expect(readServiceAccount('{broken')).toBeUndefined()
  })

  test('one that cannot work is refused, and its key not told', () => {
    for (const broken of [
      { private_key: 'nonsense-key' },
      { client_email: 1 },
      { private_key: null },
      { token_uri: 'http://example.com/t' },
      { token_uri: 'x' },
    ]) {
      let fault: unknown
      try {
        readServiceAccount(file(broken))
      } catch (error) {
        fault = error
      }
      expect(fault).toBeInstanceOf(Fault)
      expect((fault as Fault).code).toBe('upstream-misconfigured')
      expect((fault as Fault).message).not.toContain('nonsense-key')
      expect((fault as Fault).message).not.toContain('PRIVATE')
    }
  })
})

describe('tokens', () => {
  test('are asked for with a signed assertion, once for all who wait, and kept', async () => {
    giveToken('t1')
    const source = openSource()
    expect(await Promise.all([source.get(never), source.get(never)])).toEqual(['t1', 't1'])
    expect(await source.get(never)).toBe('t1')
    expect(bodies).toHaveLength(1)
    const form = new URLSearchParams(bodies[0])
    expect(form.get('grant_type')).toBe('urn:ietf:params:oauth:grant-type:jwt-bearer')
    const [head = '', claims = '', signature = ''] = String(form.get('assertion')).split('.')
    const decode = (text: string): unknown => JSON.parse(Buffer.from(text, 'base64url').toString())
    expect(decode(head)).toEqual({ alg: 'RS256', typ: 'JWT', kid: 'k1' })
    expect(decode(claims)).toEqual({
      iss: 'filter@p1.iam',
      scope,
      aud: `${origin}/token`,
      iat: 1_000_000,
      exp: 1_003_600,
    })
    expect(
      createVerify('RSA-SHA256').update(`${head}.${claims}`).verify(publicKey, Buffer.from(signature, 'base64url')),
    ).toBe(true)
  })

  test('are renewed a minute before their end', async () => {
    let at = 0
    giveToken('t1', 100)
    const source = openSource(() => at)
    expect(await source.get(never)).toBe('t1')
    giveToken('t2', 100)
    at = 39_999
    expect(await source.get(never)).toBe('t1')
    at = 40_000
    expect(await source.get(never)).toBe('t2')
  })

  test('are none where the answer is none, and the next caller asks again', async () => {
    const source = openSource()
    const failures: [
      (response: ServerResponse) => void,
      'upstream-misconfigured' | 'upstream-unavailable' | 'upstream-failed',
    ][] = [
      [(response) => response.writeHead(400).end('{"error":"invalid_grant"}'), 'upstream-misconfigured'],
      [(response) => response.writeHead(500).end(), 'upstream-unavailable'],
      [(response) => response.end('{}'), 'upstream-failed'],
      [(response) => response.end('<html>'), 'upstream-failed'],
      [(response) => response.end('{"access_token":"","expires_in":10}'), 'upstream-failed'],
      [(response) => response.end('{"access_token":"t","expires_in":"10"}'), 'upstream-failed'],
    ]
    for (const [broken, code] of failures) {
      answer = broken
      await faultOf(source.get(never), code)
    }
    giveToken('t3')
    expect(await source.get(never)).toBe('t3')
  })

  test('a caller that goes does not take the token from others', async () => {
    let release = () => {}
    answer = (response) => {
      release = () => response.end('{"access_token":"t4","expires_in":100}')
    }
    const source = openSource()
    const gone = new AbortController()
    const [first, second] = [source.get(gone.signal), source.get(never)]
    const refused = faultOf(first, 'client-gone')
    while (bodies.length === 0) await new Promise((resolve) => setTimeout(resolve, 1))
    gone.abort()
    await refused
    release()
    expect(await second).toBe('t4')
  })
})
