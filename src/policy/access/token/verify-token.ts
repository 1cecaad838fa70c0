import { decodeProtectedHeader, errors, type JWTPayload, jwtVerify } from 'jose'
import { Fault } from '../../../core/fault.ts'
import { type Json, parseJsonObject } from '../../../core/json.ts'
import type { KeySet } from './key-set.ts'

/** Signatures of key pairs only: with a shared secret everybody who can verify could sign, and `none` is no signature. */
export const tokenAlgorithms = [
  'RS256',
  'RS384',
  'RS512',
  'PS256',
  'PS384',
  'PS512',
  'ES256',
  'ES384',
  'ES512',
  'EdDSA',
] as const
export type TokenAlgorithm = (typeof tokenAlgorithms)[number]

/** Whose tokens are taken, and how they are read. */
export type TrustedIssuer = {
  /** By which assignments name it. */
  readonly id: string
  /** Whether `iss` is one of its names. */
  isOwn(iss: string): boolean
  /** What `tid` must be. */
  readonly tenant: string | undefined
  /** Audiences taken beside those that every issuer may name, normalised. */
  readonly audiences: ReadonlySet<string>
  readonly algorithms: readonly TokenAlgorithm[]
  readonly clockSkewMs: number
  /** Names of claims; of `id` and `name` the first that is there. */
  readonly claims: {
    readonly id: readonly string[]
    readonly name: readonly string[]
    readonly roles: string
    readonly groups: string
  }
  readonly keys: KeySet
}

/** What a token says, once it is sure that its issuer said so. */
export type VerifiedToken = {
  readonly issuer: TrustedIssuer
  readonly id: string
  readonly name: string
  readonly appId: string | undefined
  readonly roles: readonly string[]
  readonly groups: readonly string[]
  readonly audiences: readonly string[]
  /** Unix milliseconds; the issuer's skew included. */
  readonly expiresAt: number
}

const maxTokenLength = 16 * 1024
const maxIdLength = 256
const maxListed = 1_000
/** Key sets never name other algorithms for it; `typ` tells other things apart that an issuer signs. */
const tokenTypes: readonly unknown[] = [undefined, 'jwt', 'at+jwt', 'application/at+jwt']

/** The service's words, which clients look for, and why. */
export function refuseToken(reason: string): Fault {
  return new Fault(
    'unauthorized',
    `Unauthorized. Access token is missing, invalid, audience is incorrect, or have expired. ${reason}`,
    { vendorCode: 'Unauthorized' },
  )
}

/** Whether a credential is a token rather than a key: keys have no dots. Cheap, and says nothing about its worth. */
export function isToken(credential: string): boolean {
  return credential.startsWith('eyJ') && credential.includes('.')
}

/**
 * Verifies a token of one of the issuers at the time `now` (unix milliseconds). Rejects with Fault `unauthorized`, saying what is wrong with it,
 * or `identity-unavailable`.
 */
export async function verifyToken(
  token: string,
  issuers: readonly TrustedIssuer[],
  now: number,
): Promise<VerifiedToken> {
  if (token.length > maxTokenLength) throw refuseToken(`It is longer than ${maxTokenLength} characters.`)
  const parts = token.split('.')
  if (parts.length !== 3 || !parts.every((part) => /^[A-Za-z0-9_-]+$/.test(part))) {
    throw refuseToken('It is not a signed JSON Web Token of three parts.')
  }
  const issuer = findIssuer(parts[1] as string, issuers)
  checkHeader(token, issuer)
  try {
    const { payload } = await jwtVerify(token, issuer.keys.find, {
      algorithms: [...issuer.algorithms],
      clockTolerance: issuer.clockSkewMs / 1000,
      currentDate: new Date(now),
      requiredClaims: ['exp', 'iss', 'aud'],
    })
    return readClaims(payload, issuer)
  } catch (error) {
    throw describeFailure(error)
  }
}

/** By what the token says itself, which is nothing yet: whether it is true is for the issuer's keys to tell. */
function findIssuer(payload: string, issuers: readonly TrustedIssuer[]): TrustedIssuer {
  const claims = parseJsonObject(Buffer.from(payload, 'base64url').toString('utf8'))
  const iss = claims?.iss
  const issuer = typeof iss === 'string' ? issuers.find((one) => one.isOwn(iss)) : undefined
  if (!issuer) throw refuseToken('Its issuer is none that this server trusts.')
  return issuer
}

function checkHeader(token: string, issuer: TrustedIssuer): void {
  const header = readHeader(token)
  if (!issuer.algorithms.some((algorithm) => algorithm === header.alg)) {
    throw refuseToken(`It has to be signed with one of ${issuer.algorithms.join(', ')}.`)
  }
  const type = typeof header.typ === 'string' ? header.typ.toLowerCase() : header.typ
  if (!tokenTypes.includes(type) || header.cty !== undefined) throw refuseToken('It is not an access token.')
}

function readHeader(token: string): { readonly alg?: unknown; readonly typ?: unknown; readonly cty?: unknown } {
  try {
    return decodeProtectedHeader(token)
  } catch {
    throw refuseToken('Its header is not JSON.')
  }
}

function readClaims(payload: JWTPayload, issuer: TrustedIssuer): VerifiedToken {
  const { claims, tenant } = issuer
  if (typeof payload.iss !== 'string' || !issuer.isOwn(payload.iss)) throw refuseToken('Its issuer is another.')
  if (tenant !== undefined && payload.tid !== tenant) throw refuseToken('It is of another tenant.')
  const id = firstText(payload, claims.id)
  if (id === undefined) throw refuseToken(`It names nobody: it has none of the claims ${claims.id.join(', ')}.`)
  if (id.length > maxIdLength) throw refuseToken(`It names somebody with more than ${maxIdLength} characters.`)
  return {
    issuer,
    id,
    name: (firstText(payload, claims.name) ?? id).slice(0, maxIdLength),
    appId: firstText(payload, ['appid', 'azp']),
    roles: readTexts(payload[claims.roles]),
    groups: readTexts(payload[claims.groups]),
    audiences: readTexts(payload.aud),
    expiresAt: (payload.exp as number) * 1000 + issuer.clockSkewMs,
  }
}

function firstText(payload: JWTPayload, names: readonly string[]): string | undefined {
  for (const name of names) {
    const value = Object.hasOwn(payload, name) ? payload[name] : undefined
    if (typeof value === 'string' && value !== '') return value
  }
  return undefined
}

function readTexts(value: unknown): readonly string[] {
  const list: readonly unknown[] = Array.isArray(value) ? value : [value]
  return list.slice(0, maxListed).filter((item): item is string => typeof item === 'string')
}

function describeFailure(error: unknown): unknown {
  if (error instanceof Fault) return error
  if (error instanceof errors.JWTExpired) {
    const { exp } = error.payload as { exp?: Json }
    return refuseToken(typeof exp === 'number' ? `It expired${atTime(exp)}.` : 'It has expired.')
  }
  if (error instanceof errors.JWTClaimValidationFailed) {
    return refuseToken(
      error.claim === 'nbf' && error.reason === 'check_failed'
        ? 'It is not valid yet. Do the clocks agree?'
        : `Its claim ${error.claim} is missing or not what it has to be.`,
    )
  }
  if (error instanceof errors.JWSSignatureVerificationFailed) return refuseToken('Its signature is wrong.')
  if (error instanceof errors.JWKSNoMatchingKey || error instanceof errors.JWKSMultipleMatchingKeys) {
    return refuseToken('It is signed with no key that its issuer has now.')
  }
  // Whatever else the library finds wrong with it: malformed parts, critical headers, keys that do not fit the algorithm.
  return refuseToken('It cannot be verified.')
}

/** Numbers beyond what a time can be are not repeated. */
function atTime(seconds: number): string {
  const date = new Date(seconds * 1000)
  return Number.isNaN(date.getTime()) ? '' : ` on ${date.toISOString()}`
}
