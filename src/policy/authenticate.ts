import { hash } from 'node:crypto'
import type { Caller } from '../core/exchange.ts'
import { Fault } from '../core/fault.ts'
import type { ResourceId } from '../core/resource.ts'
import type { TokenDoor } from './access/token/token-door.ts'
import { isToken } from './access/token/verify-token.ts'

/**
 * Who holds a key, and what ends its use where something does. A revoked key is not taken at any time; the others are not from
 * `expiresAt` on, which for a secret that another has replaced is the end of their overlap.
 */
export type KnownKey = Caller & { readonly endedBy?: 'expiry' | 'rotation' | 'revocation' | undefined }

/** Keys by their SHA-256, hexadecimal. Looking up a digest takes the same time whatever the key has in common with a real one. */
export type KeyRing = ReadonlyMap<string, KnownKey>

const deniedText =
  'Access denied due to invalid subscription key or wrong API endpoint. Make sure to provide a valid key for an active subscription and use a correct regional API endpoint for your resource.'

const maxKeyLength = 512

/** Headers that carry the bare key, the usual one first: Azure's, other vendors' clients', and Azure's older one for speech. */
const keyHeaders = ['api-key', 'x-api-key', 'ocp-apim-subscription-key'] as const

/** Which resource is entered, and by what. */
export type Entrance = {
  readonly resource: ResourceId
  /** Whether the resource takes tokens only (`disableLocalAuth`). */
  readonly isForTokensOnly: boolean
}

/**
 * Who calls, by a token or a key. A promise only where a token is seen for the first time. A key that is good is enough, whatever else comes with
 * it. Throws, or rejects with, Fault `unauthorized`, `forbidden` for a key where none is taken, and `identity-unavailable`.
 */
export function admitCaller(
  headers: Headers,
  keys: KeyRing,
  { resource, isForTokensOnly }: Entrance,
  tokens: Pick<TokenDoor, 'find' | 'admit'> | undefined,
  now: number,
): Caller | Promise<Caller> {
  const bearer = readBearer(headers.get('authorization'))
  if (bearer === null || !tokens || !isToken(bearer)) {
    if (isForTokensOnly) throw refuseKeys(bearer !== null || keyHeaders.some((name) => headers.has(name)))
    return authenticate(headers, keys, now)
  }
  const known = isForTokensOnly ? undefined : findGoodKey(headers, keys, now)
  if (known) return known
  const guest = tokens.find(bearer, 'data', now)
  if (guest) return guest.callerOf(resource)
  return tokens.admit(bearer, 'data', now).then((admitted) => admitted.callerOf(resource))
}

function findGoodKey(headers: Headers, keys: KeyRing, now: number): Caller | undefined {
  for (const name of keyHeaders) {
    const known = findKey(headers.get(name), keys)
    if (known && !isOver(known, now)) return known
  }
  return undefined
}

function refuseKeys(hasKey: boolean): Fault {
  if (!hasKey) return new Fault('unauthorized', deniedText)
  return new Fault('forbidden', 'Key based authentication is disabled for this resource.', {
    vendorCode: 'AuthenticationTypeDisabled',
  })
}

/**
 * Who calls, at the time `now` (unix milliseconds). The key may come in any of `keyHeaders`, as `Authorization: Bearer`, or in several
 * of them: one that is good is enough. Throws Fault `unauthorized`, which tells whoever presents a key that has ended how it did.
 */
export function authenticate(headers: Headers, keys: KeyRing, now: number): Caller {
  let ended: KnownKey | undefined
  for (const name of keyHeaders) {
    const known = findKey(headers.get(name), keys)
    if (known && !isOver(known, now)) return known
    ended ??= known
  }
  const known = findKey(readBearer(headers.get('authorization')), keys)
  if (known && !isOver(known, now)) return known
  ended ??= known
  throw ended ? new Fault('unauthorized', describeEnd(ended)) : refuseKey()
}

/** The Fault for a key that nobody knows. */
export function refuseKey(): Fault {
  return new Fault('unauthorized', deniedText)
}

/** Not by the clock alone: one that is set back must not bring a revoked key to life. */
export function isOver({ expiresAt, endedBy }: KnownKey, now: number): boolean {
  return endedBy === 'revocation' || (expiresAt !== undefined && now >= expiresAt)
}

function describeEnd({ keyName, expiresAt, endedBy }: KnownKey): string {
  const when = expiresAt === undefined ? '' : ` on ${new Date(expiresAt).toISOString()}`
  switch (endedBy) {
    case 'revocation':
      return `The key '${keyName}' was revoked${when}. Ask whoever runs this server for another.`
    case 'rotation':
      return `This secret of the key '${keyName}' was replaced and ended${when}. Use the newer one.`
    default:
      return `The key '${keyName}' expired${when}. Ask whoever runs this server to extend it or for another.`
  }
}

function findKey(key: string | null, keys: KeyRing): KnownKey | undefined {
  if (key === null || key.length > maxKeyLength) return undefined
  return keys.get(hashKey(key))
}

function readBearer(value: string | null): string | null {
  return value !== null && value.slice(0, 7).toLowerCase() === 'bearer ' ? value.slice(7).trim() : null
}

export function hashKey(key: string): string {
  return hash('sha256', key, 'hex')
}
