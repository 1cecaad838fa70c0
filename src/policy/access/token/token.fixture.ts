import {
  type CryptoKey,
  exportJWK,
  generateKeyPair,
  type JWK,
  type JWTHeaderParameters,
  type JWTPayload,
  SignJWT,
} from 'jose'
import type { JsonObject } from '../../../core/json.ts'
import { createKeySet, type KeySetParts } from './key-set.ts'
import type { TokenAlgorithm, TrustedIssuer } from './verify-token.ts'

/** For tests: an issuer whose keys are made here. */

export const issuerUrl = 'https://issuer.example/tenant'
export const audience = 'https://cognitiveservices.azure.com'
/** Unix milliseconds. */
export const testNow = Date.UTC(2026, 5, 1)

export type TestKey = {
  readonly kid: string
  readonly algorithm: TokenAlgorithm
  readonly secret: CryptoKey
  readonly jwk: JWK
}

export async function makeKey(kid: string, algorithm: TokenAlgorithm = 'RS256'): Promise<TestKey> {
  const { publicKey, privateKey } = await generateKeyPair(algorithm, { extractable: true })
  return {
    kid,
    algorithm,
    secret: privateKey,
    jwk: { ...(await exportJWK(publicKey)), kid, alg: algorithm, use: 'sig' },
  }
}

const hour = 3600

export function sign(
  key: TestKey,
  claims: JWTPayload = {},
  header: Partial<JWTHeaderParameters> = {},
): Promise<string> {
  const now = testNow / 1000
  const payload = {
    iss: issuerUrl,
    aud: audience,
    sub: 'ada',
    oid: 'oid-ada',
    iat: now,
    nbf: now,
    exp: now + hour,
    ...claims,
  }
  for (const [name, value] of Object.entries(payload))
    if (value === undefined) delete payload[name as keyof typeof payload]
  return new SignJWT(payload)
    .setProtectedHeader({ alg: key.algorithm, kid: key.kid, typ: 'JWT', ...header })
    .sign(key.secret)
}

export type TestIssuer = {
  readonly trusted: TrustedIssuer
  /** How often its keys were asked for. */
  asked(): number
  publish(...keys: readonly TestKey[]): void
  /** Has it answer no more, or again. */
  setDown(isDown: boolean): void
  /** Lets time pass on the clock of its keys, in milliseconds. */
  pass(ms: number): void
  readonly problems: string[]
}

export function makeIssuer(more: Partial<TrustedIssuer> = {}, parts: Partial<KeySetParts> = {}): TestIssuer {
  let published: JsonObject[] = []
  let isDown = false
  let asked = 0
  let nowMs = 1_000_000
  const problems: string[] = []
  const keys = createKeySet({
    issuer: 'test',
    async fetchKeys() {
      asked++
      if (isDown) throw new Error('it is down')
      return { keys: published }
    },
    onKeysChanged: () => {},
    onProblem: (message) => problems.push(message),
    now: () => nowMs,
    ...parts,
  })
  return {
    trusted: {
      id: 'test',
      isOwn: (iss) => iss === issuerUrl,
      tenant: undefined,
      audiences: new Set(),
      algorithms: ['RS256', 'PS256', 'ES256', 'EdDSA'],
      clockSkewMs: 60_000,
      claims: { id: ['oid', 'sub'], name: ['name'], roles: 'roles', groups: 'groups' },
      keys,
      ...more,
    },
    asked: () => asked,
    publish: (...made) => {
      published = made.map(({ jwk }) => jwk as JsonObject)
    },
    setDown: (value) => {
      isDown = value
    },
    pass: (ms) => {
      nowMs += ms
    },
    problems,
  }
}
