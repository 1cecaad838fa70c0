import type { ResourceId } from '../resource.ts'
import type { RoleName } from './role-table.ts'

/** Where a role holds: on the whole server, on a resource, or on one of its deployments, with all that is below. Deployments match without regard to case. */
export type AccessScope =
  | { readonly kind: 'server' }
  | { readonly kind: 'resource'; readonly resource: ResourceId }
  | { readonly kind: 'deployment'; readonly resource: ResourceId; readonly deployment: string }

export type RoleAssignment = { readonly role: RoleName; readonly scope: AccessScope }

/** Who acts: whoever holds the management credential, or whom a token of a trusted issuer names. */
export type Principal = {
  readonly kind: 'operator' | 'token'
  /** Stable: the `oid` or `sub` of the token. */
  readonly id: string
  /** For people. */
  readonly name: string
  readonly issuer: string | undefined
  readonly roles: readonly RoleAssignment[]
  /** Of somebody signed in to the portal: until when they may see and make secrets, in unix milliseconds. Absent: at any time. */
  readonly secretsUntil?: number | undefined
}

/** The server itself, and nothing narrower. */
export const serverScope: AccessScope = { kind: 'server' }

/** Whoever holds the management credential of this server owns it. */
export const operator: Principal = {
  kind: 'operator',
  id: 'operator',
  name: 'the management credential',
  issuer: undefined,
  roles: [{ role: 'Owner', scope: serverScope }],
}

/**
 * Under which a principal owns what it makes and is counted: no key can have this name, and no two principals of any issuers share one.
 * The scheme of the issuer is left out, since no two that are trusted differ by it alone.
 */
export function ownerName(principal: Pick<Principal, 'id' | 'issuer'>): string {
  return `${encodeURIComponent(principal.id)}@${(principal.issuer ?? '').replace(/^https?:\/\//, '')}`
}

/** Whether a role that holds on `held` holds on `asked`. */
export function coversScope(held: AccessScope, asked: AccessScope): boolean {
  if (held.kind === 'server') return true
  if (asked.kind === 'server' || held.resource !== asked.resource) return false
  if (held.kind === 'resource') return true
  return asked.kind === 'deployment' && isSameName(held.deployment, asked.deployment)
}

/** For somebody who has asked for something there. */
export function describeScope(scope: AccessScope): string {
  if (scope.kind === 'server') return 'the server'
  return scope.kind === 'resource' ? 'this resource' : `the deployment '${scope.deployment}'`
}

function isSameName(one: string, other: string): boolean {
  return one === other || one.toLowerCase() === other.toLowerCase()
}
