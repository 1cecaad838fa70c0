import type { AccessScope, RoleAssignment } from '../../../core/access/principal.ts'
import { ownerName } from '../../../core/access/principal.ts'
import { findRole } from '../../../core/access/role-table.ts'
import { isJsonObject, type JsonObject } from '../../../core/json.ts'
import type { ResourceId } from '../../../core/resource.ts'
import type { Claims, IdentityRules } from '../../../policy/access/token/token-door.ts'
import type { TrustedIssuer } from '../../../policy/access/token/verify-token.ts'
import type {
  IdentityTable,
  RoleAssignmentRow,
  ServicePrincipalRow,
} from '../../../port/tables/access/identity/port.ts'
import {
  type DeclaredIdentity,
  type IssuerAssignment,
  type IssuerSpec,
  issuerKey,
  noIdentity,
  ownIssuer,
} from '../../file/identity-section.ts'

export type IdentityStateParts = {
  readonly table: IdentityTable
  /** The server's own issuer. */
  readonly own: TrustedIssuer
  trust(spec: IssuerSpec): TrustedIssuer
  /** The id of the resource of that name, without regard to case. */
  findResource(name: string): ResourceId | undefined
  readonly onProblem: (message: string) => void
  /** Unix milliseconds. */
  now(): number
}

/** A role and whom it is assigned to, by API or CLI. */
export type StoredAssignment = RoleAssignment &
  Pick<RoleAssignmentRow, 'id' | 'principal' | 'kind' | 'issuer' | 'createdAt'>

/** Who may do what: what the file declares and what is stored. */
export type IdentityState = {
  /** Another object after each change. */
  rules(): IdentityRules
  declared(): DeclaredIdentity
  /** Takes over what the file says now. */
  declare(declared: DeclaredIdentity): void
  /** Works roles out anew, since resources that the file names may have come or gone. */
  refresh(): void
  /** Reads again what is stored, since it was written. */
  reload(): Promise<void>
  principals(): readonly ServicePrincipalRow[]
  assignments(): readonly StoredAssignment[]
  /** Notes whom a token has named, so that work of his can go on without it. */
  noteSeen(claims: Claims): void
  /** What was last said of the owner of that name; undefined when that is long ago. */
  findSeen(owner: string): Claims | undefined
}

/** Longer than any batch takes. */
const seenForMs = 8 * 24 * 60 * 60_000
/** How often the same one is written down. */
const seenAgainMs = 60 * 60_000
const maxSeen = 10_000

export async function openIdentityState(parts: IdentityStateParts): Promise<IdentityState> {
  const { table, own, findResource, onProblem, now } = parts
  let declared = noIdentity
  /** By the text of their description: one that has not changed keeps its keys. */
  let trusted: ReadonlyMap<string, { readonly issuer: TrustedIssuer; readonly spec: IssuerSpec }> = new Map()
  let principals: readonly ServicePrincipalRow[] = []
  let assignments: readonly StoredAssignment[] = []
  let rules: IdentityRules = { issuers: [], rolesOf: () => [] }
  let told = ''
  const seen = new Map<string, { readonly claims: Claims; readonly at: number }>()

  function refresh(): void {
    const issuers = [own, ...[...trusted.values()].map(({ issuer }) => issuer)]
    const lost: string[] = []
    const held = collectRoles(assignments)
    for (const { spec } of trusted.values()) {
      const id = issuerKey(spec)
      for (const assignment of spec.assignments) {
        const scope = readPlace(assignment, findResource)
        if (scope) add(held, keyOf(id, assignment), { role: assignment.role, scope })
        else lost.push(assignment.resource ?? '')
      }
    }
    const objectIds = new Set(principals.map(({ objectId }) => objectId))
    rules = { issuers, rolesOf: (claims) => rolesOf(claims, held, objectIds) }
    const problem = lost.length === 0 ? '' : `Roles are assigned on resources that do not exist: ${lost.join(', ')}.`
    if (problem !== told && problem !== '') onProblem(problem)
    told = problem
  }

  async function reload(): Promise<void> {
    const [foundPrincipals, rows] = [await table.listPrincipals(), await table.listAssignments()]
    principals = foundPrincipals
    assignments = rows.flatMap((row) => {
      const role = findRole(row.role)
      const scope = readScope(row.scope)
      // A role that a later version knew opens nothing here.
      return role && scope ? { ...row, role, scope } : []
    })
    refresh()
  }

  for (const { owner, claims, seenAt } of await table.listSeen()) {
    const read = readClaims(claims)
    if (read) seen.set(owner, { claims: read, at: seenAt })
  }
  await reload()

  return {
    rules: () => rules,
    declared: () => declared,
    declare(next) {
      const before = trusted
      declared = next
      trusted = new Map(
        next.issuers.map((spec) => {
          const { assignments: _, ...description } = spec
          const key = JSON.stringify(description)
          return [key, { spec, issuer: before.get(key)?.issuer ?? parts.trust(spec) }]
        }),
      )
      refresh()
    },
    refresh,
    reload,
    principals: () => principals,
    assignments: () => assignments,
    noteSeen(claims) {
      const owner = ownerName(claims)
      const at = now()
      const before = seen.get(owner)
      seen.delete(owner)
      if (seen.size >= maxSeen) seen.delete(seen.keys().next().value as string)
      seen.set(owner, { claims, at })
      const isNew = before === undefined || before.at < at - seenAgainMs || !isSame(before.claims, claims)
      if (!isNew) return
      const write = async (): Promise<void> => {
        await table.putSeen({ owner, claims: writeClaims(claims), seenAt: at })
        await table.deleteSeen(at - seenForMs)
      }
      write().catch((error) => onProblem(`Whom tokens name cannot be written down: ${String(error)}`))
    },
    findSeen(owner) {
      const found = seen.get(owner)
      return found && found.at >= now() - seenForMs ? found.claims : undefined
    },
  }
}

type Held = Map<string, RoleAssignment[]>

function collectRoles(assignments: readonly StoredAssignment[]): Held {
  const held: Held = new Map()
  for (const { issuer, principal, kind, role, scope } of assignments) {
    add(held, `${issuer}\n${kind === 'group' ? '@' : '='}${principal}`, { role, scope })
  }
  return held
}

function add(held: Held, key: string, assignment: RoleAssignment): void {
  const list = held.get(key)
  if (list) list.push(assignment)
  else held.set(key, [assignment])
}

/** Identifiers, groups and claimed roles are told apart: who can choose the one cannot pass it for the other. */
function keyOf(issuer: string, { principal, group, claimedRole }: IssuerAssignment): string {
  if (principal !== undefined) return `${issuer}\n=${principal}`
  return group !== undefined ? `${issuer}\n@${group}` : `${issuer}\n#${claimedRole}`
}

function rolesOf(claims: Claims, held: Held, objectIds: ReadonlySet<string>): readonly RoleAssignment[] {
  const { issuer, id, appId, groups, roles } = claims
  // Of the server's own programs only those that there are: a token outlives whom it names.
  if (issuer === ownIssuer && !objectIds.has(id)) return []
  const keys = [
    `${issuer}\n=${id}`,
    ...(appId !== undefined && appId !== id ? [`${issuer}\n=${appId}`] : []),
    ...groups.map((group) => `${issuer}\n@${group}`),
    ...roles.map((role) => `${issuer}\n#${role}`),
  ]
  return [...new Set(keys)].flatMap((key) => held.get(key) ?? [])
}

function readPlace(
  { resource, deployment }: Pick<IssuerAssignment, 'resource' | 'deployment'>,
  findResource: IdentityStateParts['findResource'],
): AccessScope | undefined {
  if (resource === undefined) {
    return deployment === undefined ? { kind: 'server' } : { kind: 'deployment', resource: '', deployment }
  }
  const id = findResource(resource)
  if (id === undefined) return undefined
  return deployment === undefined
    ? { kind: 'resource', resource: id }
    : { kind: 'deployment', resource: id, deployment }
}

function readScope({ kind, resource, deployment }: JsonObject): AccessScope | undefined {
  if (kind === 'server') return { kind }
  if (typeof resource !== 'string') return undefined
  if (kind === 'resource') return { kind, resource }
  return kind === 'deployment' && typeof deployment === 'string' ? { kind, resource, deployment } : undefined
}

export function writeScope(scope: AccessScope): JsonObject {
  return { ...scope }
}

function writeClaims({ appId, roles, groups, ...claims }: Claims): JsonObject {
  return { ...claims, ...(appId !== undefined && { appId }), roles: [...roles], groups: [...groups] }
}

function readClaims(document: JsonObject): Claims | undefined {
  const { issuer, id, name, appId, roles, groups } = document
  if (!isJsonObject(document) || typeof issuer !== 'string' || typeof id !== 'string') return undefined
  return {
    issuer,
    id,
    name: typeof name === 'string' ? name : id,
    appId: typeof appId === 'string' ? appId : undefined,
    roles: readTexts(roles),
    groups: readTexts(groups),
  }
}

function readTexts(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.filter((item): item is string => typeof item === 'string') : []
}

function isSame(one: Claims, other: Claims): boolean {
  return JSON.stringify(writeClaims(one)) === JSON.stringify(writeClaims(other))
}
