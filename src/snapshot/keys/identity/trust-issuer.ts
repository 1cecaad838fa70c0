import type { Timeouts, Transport } from '../../../backend/transport/transport.ts'
import { Fault } from '../../../core/fault.ts'
import { type JsonObject, parseJsonObject } from '../../../core/json.ts'
import { normalizeAudience } from '../../../policy/access/token/audience.ts'
import { createKeySet, type KeySetParts } from '../../../policy/access/token/key-set.ts'
import type { TrustedIssuer } from '../../../policy/access/token/verify-token.ts'
import { type IssuerSpec, issuerKey, tenantIssuers } from '../../file/identity-section.ts'

export type TrustParts = Pick<KeySetParts, 'onKeysChanged' | 'onProblem' | 'now'> & {
  openTransport(origin: URL, timeouts: Timeouts): Transport
}

const timeouts: Timeouts = { connectMs: 5_000, firstByteMs: 5_000, idleMs: 5_000, totalMs: 10_000 }
const maxDocumentBytes = 512 * 1024

/** An issuer as the configuration file describes it. Nothing is fetched before its first token comes. */
export function trustIssuer(spec: IssuerSpec, parts: TrustParts): TrustedIssuer {
  const { tenant, claims } = spec
  const names = tenant === undefined ? [spec.issuer as string] : tenantIssuers(tenant)
  return {
    id: issuerKey(spec),
    isOwn: (iss) => names.includes(iss),
    tenant,
    audiences: new Set(spec.audiences.map(normalizeAudience)),
    algorithms: spec.algorithms,
    clockSkewMs: spec.clockSkewSeconds * 1000,
    claims: {
      id: claims.id === undefined ? [tenant === undefined ? 'sub' : 'oid'] : [claims.id],
      name: claims.name === undefined ? usualNames : [claims.name],
      roles: claims.roles,
      groups: claims.groups,
    },
    keys: createKeySet({ ...parts, issuer: spec.name, fetchKeys: () => fetchKeys(spec, parts.openTransport) }),
  }
}

/** What tells people most, where it is there. */
const usualNames = ['preferred_username', 'upn', 'unique_name', 'email', 'name', 'app_displayname', 'azp_name']

async function fetchKeys(spec: IssuerSpec, openTransport: TrustParts['openTransport']): Promise<JsonObject> {
  return fetchDocument(spec.jwksUri ?? (await discoverKeys(spec, openTransport)), openTransport)
}

async function discoverKeys(
  { tenant, issuer }: IssuerSpec,
  openTransport: TrustParts['openTransport'],
): Promise<string> {
  if (tenant !== undefined) return `https://login.microsoftonline.com/${tenant}/discovery/v2.0/keys`
  const base = issuer as string
  const address = `${base.replace(/\/$/, '')}/.well-known/openid-configuration`
  const document = await fetchDocument(address, openTransport)
  if (document.issuer !== base) {
    throw new Fault('upstream-failed', `${address} is of another issuer, or spells it in another way`)
  }
  const { jwks_uri: uri } = document
  // Who may listen in on an issuer's keys is no matter, but who may change them is.
  const isSafe =
    typeof uri === 'string' && URL.canParse(uri) && (uri.startsWith('https://') || base.startsWith('http://'))
  if (!isSafe) throw new Fault('upstream-failed', `${address} names no jwks_uri with https://`)
  return uri
}

/** Redirects are not followed: the address is the operator's, or what his issuer says it is. */
async function fetchDocument(address: string, openTransport: TrustParts['openTransport']): Promise<JsonObject> {
  const url = new URL(address)
  const transport = openTransport(new URL(url.origin), timeouts)
  try {
    const request = { method: 'GET', path: url.pathname + url.search, headers: { accept: 'application/json' } } as const
    const { status, body } = await transport.request(request, AbortSignal.timeout(timeouts.totalMs))
    if (status !== 200) throw new Fault('upstream-failed', `${address} answered ${status}`)
    const chunks: Uint8Array[] = []
    let length = 0
    for await (const chunk of body) {
      length += chunk.length
      if (length > maxDocumentBytes)
        throw new Fault('upstream-failed', `${address} has more than ${maxDocumentBytes} bytes`)
      chunks.push(chunk)
    }
    const document = parseJsonObject(Buffer.concat(chunks).toString('utf8'))
    if (!document) throw new Fault('upstream-failed', `${address} gave no JSON object`)
    return document
  } finally {
    transport.close()
  }
}
