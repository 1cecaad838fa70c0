import { hash } from 'node:crypto'
import { ownerName, type Principal, type RoleAssignment } from '../../../core/access/principal.ts'
import { roleTable } from '../../../core/access/role-table.ts'
import { deploymentKey } from '../../../core/deployment.ts'
import type { Caller } from '../../../core/exchange.ts'
import type { ResourceId } from '../../../core/resource.ts'
import type { Plane } from '../authorize.ts'
import { type JudgeAudience, normalizeAudience } from './audience.ts'
import { refuseToken, type TrustedIssuer, type VerifiedToken, verifyToken } from './verify-token.ts'

/** What a token says of whom it names, as it may be kept. */
export type Claims = {
  readonly issuer: string
  readonly id: string
  readonly name: string
  readonly appId: string | undefined
  readonly roles: readonly string[]
  readonly groups: readonly string[]
}

/** Whose tokens are taken, and who may do what. Immutable: a change makes another one. */
export type IdentityRules = {
  readonly issuers: readonly TrustedIssuer[]
  rolesOf(claims: Claims): readonly RoleAssignment[]
}

/** Whom a token named. */
export type Guest = {
  readonly principal: Principal
  /** As a caller of that resource. The same object each time. */
  callerOf(resource: ResourceId): Caller
}

export type TokenDoor = {
  /** Whoever came with that token before, without waiting for anything; undefined when that is not known, or not any more. */
  find(token: string, plane: Plane, now: number): Guest | undefined
  /** Rejects with Fault `unauthorized` or `identity-unavailable`. */
  admit(token: string, plane: Plane, now: number): Promise<Guest>
  /** As a caller of that resource whoever was named by a token some time ago, with the roles that he has now. */
  recall(claims: Claims, resource: ResourceId): Caller
  /** Forgets every token, so that each is verified anew. */
  forget(): void
}

export type TokenDoorParts = {
  rules(): IdentityRules
  readonly judgeAudience: JudgeAudience
  /** Told of everybody whose token was verified, once for each token. Must not throw. */
  onSeen(claims: Claims): void
  /** How many are known at one time; 10,000 when absent. */
  readonly maxTokens?: number | undefined
}

type Entry = {
  readonly verified: VerifiedToken
  readonly claims: Claims
  rules: IdentityRules
  guest: Guest
}

/** Several times what a busy server sees in an hour, at about 2 kB each. */
const usualTokens = 10_000

/**
 * Lets callers in by their tokens. A token is verified once and known by its digest until it expires, so that the next request with it costs a
 * look-up; what its bearer may do is worked out anew whenever the rules have changed.
 */
export function createTokenDoor({ rules, judgeAudience, onSeen, maxTokens = usualTokens }: TokenDoorParts): TokenDoor {
  const entries = new Map<string, Entry>()

  function find(token: string, plane: Plane, now: number): Guest | undefined {
    const key = digest(token)
    const entry = entries.get(key)
    if (!entry) return undefined
    if (entry.verified.expiresAt <= now) {
      entries.delete(key)
      return undefined
    }
    const current = rules()
    if (entry.rules !== current) {
      if (!current.issuers.includes(entry.verified.issuer)) {
        entries.delete(key)
        return undefined
      }
      entry.rules = current
      entry.guest = makeGuest(entry.claims, current)
    }
    return isFor(entry.verified, plane) ? entry.guest : undefined
  }

  function isFor({ audiences, issuer }: VerifiedToken, plane: Plane): boolean {
    return audiences.some((one) => judgeAudience(one, plane) || issuer.audiences.has(normalizeAudience(one)))
  }

  return {
    find,
    async admit(token, plane, now) {
      const known = find(token, plane, now)
      if (known) return known
      const current = rules()
      const verified = await verifyToken(token, current.issuers, now)
      if (!isFor(verified, plane)) throw refuseToken(describeAudience(verified, plane))
      const { issuer, id, name, appId, roles, groups } = verified
      const claims: Claims = { issuer: issuer.id, id, name, appId, roles, groups }
      const guest = makeGuest(claims, current)
      if (entries.size >= maxTokens) entries.delete(entries.keys().next().value as string)
      entries.set(digest(token), { verified, claims, rules: current, guest })
      onSeen(claims)
      return guest
    },
    recall: (claims, resource) => makeGuest(claims, rules()).callerOf(resource),
    forget: () => entries.clear(),
  }
}

function describeAudience({ audiences }: VerifiedToken, plane: Plane): string {
  const wanted = plane === 'data' ? 'https://cognitiveservices.azure.com' : 'https://management.azure.com'
  const [given] = audiences
  const shown = given !== undefined && /^[\w:/.-]{1,200}$/.test(given) ? given : 'something else'
  return `It is for ${shown}; ask for the scope ${wanted}/.default.`
}

function makeGuest(claims: Claims, rules: IdentityRules): Guest {
  const { id, name, issuer } = claims
  const principal: Principal = { kind: 'token', id, name, issuer, roles: rules.rolesOf(claims) }
  const callers = new Map<ResourceId, Caller>()
  return {
    principal,
    callerOf(resource) {
      let caller = callers.get(resource)
      if (!caller) {
        caller = makeCaller(principal, resource)
        callers.set(resource, caller)
      }
      return caller
    },
  }
}

/** To a role on some deployments the others are not there. */
function makeCaller(principal: Principal, resource: ResourceId): Caller {
  const held = principal.roles.filter(
    ({ role, scope }) =>
      roleTable[role].dataActions.length > 0 && (scope.kind === 'server' || scope.resource === resource),
  )
  const isForAll = held.some(({ scope }) => scope.kind !== 'deployment')
  const names = held.flatMap(({ scope }) => (scope.kind === 'deployment' ? [deploymentKey(scope.deployment)] : []))
  return {
    keyName: ownerName(principal),
    resource,
    grant: {
      deployments: isForAll ? undefined : new Set(names),
      tokensPerMinute: undefined,
      requestsPerMinute: undefined,
      budgets: [],
    },
    expiresAt: undefined,
    principal,
  }
}

function digest(token: string): string {
  return hash('sha256', token, 'base64url')
}
