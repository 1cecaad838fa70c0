import { deploymentKey } from '../../core/deployment.ts'
import type { Grant } from '../../core/exchange.ts'
import { ownResource, type ResourceId } from '../../core/resource.ts'
import { hashKey, type KeyRing, type KnownKey } from '../../policy/authenticate.ts'
import type { NamedKey, NamedKeySpec } from './named-key.ts'
import type { ResourceKey } from './resource-keys.ts'

/**
 * Everything that opens the data plane, and what did once: a secret that was replaced, and keys that expired or were revoked, stay
 * in the ring so that whoever holds one is told what happened. Ends are judged when a key is presented, so time alone needs no new ring.
 */
export function buildKeyRing(
  resourceKeys: readonly ResourceKey[],
  namedKeys: readonly NamedKey[],
  resource: ResourceId = ownResource,
): KeyRing {
  const ring = new Map<string, KnownKey>()
  for (const { name, spec, digest, previous, revokedAt, createdAt } of namedKeys) {
    const grant = grantOf(spec, createdAt)
    const expiry = spec.expiresAt === undefined ? undefined : Date.parse(spec.expiresAt)
    const secret = (endsAt: number | undefined, endedBy: KnownKey['endedBy']): KnownKey => ({
      keyName: name,
      resource,
      grant,
      expiresAt: endsAt,
      endedBy,
    })
    if (revokedAt !== undefined) {
      const revoked = secret(revokedAt, 'revocation')
      if (previous) ring.set(previous.digest, revoked)
      ring.set(digest, revoked)
      continue
    }
    if (previous) {
      const isSooner = previous.endsAt < (expiry ?? Number.POSITIVE_INFINITY)
      ring.set(previous.digest, isSooner ? secret(previous.endsAt, 'rotation') : secret(expiry, 'expiry'))
    }
    ring.set(digest, secret(expiry, expiry === undefined ? undefined : 'expiry'))
  }
  for (const { name, value } of resourceKeys) {
    ring.set(hashKey(value), { keyName: name, resource, grant: undefined, expiresAt: undefined, endedBy: undefined })
  }
  return ring
}

function grantOf({ deployments, tokensPerMinute, requestsPerMinute, budgets }: NamedKeySpec, since: number): Grant {
  return {
    deployments: deployments === 'all' ? undefined : new Set(deployments.map(deploymentKey)),
    tokensPerMinute,
    requestsPerMinute,
    budgets,
    since,
  }
}
