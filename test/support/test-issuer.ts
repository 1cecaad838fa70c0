import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type CryptoKey, exportJWK, generateKeyPair, type JWK, type JWTPayload, SignJWT } from 'jose'

export type TestIssuer = {
  /** What its tokens have in `iss`. */
  readonly url: string
  /** How often its keys were asked for. */
  asked(): number
  /** A token of now, good for an hour unless the claims say otherwise. */
  sign(claims?: JWTPayload): Promise<string>
  /** Signs with another key from now on, and publishes that one only. */
  rotate(): Promise<void>
  /** Has it answer no more, or again. */
  setDown(isDown: boolean): void
  stop(): Promise<void>
}

/** An OpenID provider on loopback: discovery, keys, and tokens of whatever it is told. */
export async function startTestIssuer(): Promise<TestIssuer> {
  let current: { readonly kid: string; readonly secret: CryptoKey; readonly jwk: JWK }
  let count = 0
  let asked = 0
  let isDown = false
  let base = ''

  async function rotate(): Promise<void> {
    const { publicKey, privateKey } = await generateKeyPair('ES256', { extractable: true })
    const kid = `key-${++count}`
    current = { kid, secret: privateKey, jwk: { ...(await exportJWK(publicKey)), kid, alg: 'ES256', use: 'sig' } }
  }
  await rotate()

  const server = createServer((request, response) => {
    const answer = (status: number, body: unknown) =>
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
    if (isDown) return void answer(500, {})
    if (request.url === '/realm/.well-known/openid-configuration') {
      return void answer(200, { issuer: `${base}/realm`, jwks_uri: `${base}/keys` })
    }
    if (request.url !== '/keys') return void answer(404, {})
    asked++
    answer(200, { keys: [current.jwk] })
  })
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return {
    url: `${base}/realm`,
    asked: () => asked,
    sign(claims = {}) {
      const now = Math.floor(Date.now() / 1000)
      const payload = {
        iss: `${base}/realm`,
        aud: 'https://cognitiveservices.azure.com',
        sub: 'ada',
        iat: now,
        exp: now + 3600,
        ...claims,
      }
      return new SignJWT(payload)
        .setProtectedHeader({ alg: 'ES256', kid: current.kid, typ: 'at+jwt' })
        .sign(current.secret)
    },
    rotate,
    setDown: (value) => {
      isDown = value
    },
    stop: () => new Promise((done) => server.close(() => done())),
  }
}
