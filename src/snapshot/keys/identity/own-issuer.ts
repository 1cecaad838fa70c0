import { createHash, generateKeyPair as generateKeyPairWithCallback } from 'node:crypto'
import { promisify } from 'node:util'
import { type CryptoKey, exportJWK, importJWK, type JWK, SignJWT } from 'jose'
import type { Sealer } from '../../../core/access/seal.ts'
import { type JsonObject, parseJsonObject } from '../../../core/json.ts'
import { randomHex } from '../../../core/text/id.ts'
import { createKeySet } from '../../../policy/access/token/key-set.ts'
import type { TrustedIssuer } from '../../../policy/access/token/verify-token.ts'
import type { IdentityTable, ServicePrincipalRow } from '../../../port/tables/access/identity/port.ts'
import { ownIssuer } from '../../file/identity-section.ts'
import { createQueue } from '../../queue.ts'

export type OwnIssuerParts = {
  readonly table: IdentityTable
  readonly sealer: Sealer
  /** Told when keys are gone, so that what they signed is judged anew. */
  onKeysChanged(): void
  readonly onProblem: (message: string) => void
  /** Unix milliseconds. */
  now(): number
}

export type SignedToken = {
  readonly token: string
  /** Unix seconds. */
  readonly expiresOn: number
}

/** The server as an issuer of tokens for programs that its operator made. */
export type OwnIssuer = {
  /** A GUID that stands for this server, where Azure has that of a directory. */
  readonly tenant: string
  readonly trusted: TrustedIssuer
  /** A token that is good for an hour. `base` is the address that it was asked for at, `https://host:port`. */
  sign(principal: ServicePrincipalRow, audience: string, base: string): Promise<SignedToken>
  /** What others need to verify its tokens: a JSON Web Key Set. */
  publicKeys(): Promise<JsonObject>
}

const generateKeyPair = promisify(generateKeyPairWithCallback)

export const tokenLifetimeS = 3600
const dayMs = 24 * 60 * 60_000
/** A key signs for this long, and verifies for a day more. */
const signsForMs = 30 * dayMs
const keptForMs = signsForMs + dayMs
const algorithm = 'RS256'

/** Keys lie sealed in the tables, so that servers which share those sign with the same one. The first is made when it is needed. */
export async function openOwnIssuer(parts: OwnIssuerParts): Promise<OwnIssuer> {
  const { table, sealer, now } = parts
  const tenant = await table.settle('tenant', crypto.randomUUID())
  const enqueue = createQueue()
  const sealContext = (kid: string): string => `signing key ${kid}`
  let signing: { readonly kid: string; readonly key: CryptoKey; readonly createdAt: number } | undefined

  const keys = createKeySet({
    issuer: 'of this server',
    fetchKeys: async () => ({ keys: (await table.listSigningKeys()).map(({ publicKey }) => publicKey) }),
    onKeysChanged: parts.onKeysChanged,
    onProblem: parts.onProblem,
    now: performance.now.bind(performance),
  })

  /** One after the other: of those who need a key at once, the first makes it. */
  function openSigningKey(): Promise<NonNullable<typeof signing>> {
    return enqueue(async () => {
      if (signing && now() - signing.createdAt < signsForMs) return signing
      const [newest] = await table.listSigningKeys()
      if (newest && now() - newest.createdAt < signsForMs) {
        const jwk = parseJsonObject(sealer.open(newest.sealed, sealContext(newest.kid))) as JWK
        signing = { kid: newest.kid, createdAt: newest.createdAt, key: (await importJWK(jwk, algorithm)) as CryptoKey }
        return signing
      }
      signing = await makeKey()
      await table.deleteSigningKeys(now() - keptForMs)
      await keys.reload()
      return signing
    })
  }

  async function makeKey(): Promise<NonNullable<typeof signing>> {
    const pair = await generateKeyPair('rsa', { modulusLength: 2048 })
    const kid = createHash('sha256')
      .update(pair.publicKey.export({ type: 'spki', format: 'der' }))
      .digest('base64url')
    const secret = await exportJWK(pair.privateKey)
    const publicKey = { ...(await exportJWK(pair.publicKey)), kid, use: 'sig', alg: algorithm } as JsonObject
    const sealed = sealer.seal(JSON.stringify(secret), sealContext(kid))
    const createdAt = now()
    await table.addSigningKey({ kid, sealed, publicKey, createdAt })
    return { kid, createdAt, key: (await importJWK(secret, algorithm)) as CryptoKey }
  }

  const issuerPattern = new RegExp(`^https?://[^/?#]+/${tenant}/v2\\.0$`)
  return {
    tenant,
    trusted: {
      id: ownIssuer,
      // A server has many names; the tenant is its own.
      isOwn: (iss) => issuerPattern.test(iss),
      tenant,
      audiences: new Set(),
      algorithms: [algorithm],
      clockSkewMs: 60_000,
      claims: { id: ['oid'], name: ['app_displayname'], roles: 'roles', groups: 'groups' },
      keys,
    },
    async sign({ name, appId, objectId }, audience, base) {
      const { kid, key } = await openSigningKey()
      const issuedAt = Math.floor(now() / 1000)
      const expiresOn = issuedAt + tokenLifetimeS
      const claims = {
        appid: appId,
        azp: appId,
        app_displayname: name,
        idtyp: 'app',
        oid: objectId,
        tid: tenant,
        ver: '2.0',
        uti: randomHex(),
      }
      const token = await new SignJWT(claims)
        .setProtectedHeader({ alg: algorithm, typ: 'JWT', kid })
        .setIssuer(issuerOf(base, tenant))
        .setAudience(audience)
        .setSubject(objectId)
        .setIssuedAt(issuedAt)
        .setNotBefore(issuedAt)
        .setExpirationTime(expiresOn)
        .sign(key)
      return { token, expiresOn }
    },
    async publicKeys() {
      await openSigningKey()
      return { keys: (await table.listSigningKeys()).map(({ publicKey }) => publicKey) }
    },
  }
}

/** What tokens have in `iss`, where the server was reached at `base`. */
export function issuerOf(base: string, tenant: string): string {
  return `${base}/${tenant}/v2.0`
}
