import { z } from 'zod'
import type { AccessScope } from '../../core/access/principal.ts'
import { findRole, type RoleDefinition, type RoleName, roleNames, roleTable } from '../../core/access/role-table.ts'
import { Fault } from '../../core/fault.ts'
import type { JsonObject } from '../../core/json.ts'
import type { ResourceId } from '../../core/resource.ts'
import { nearestNames } from '../../core/text/nearest-names.ts'
import { parseDocument } from '../../core/text/parse-document.ts'
import type { IdentityTable } from '../../port/tables/access/identity/port.ts'
import { type IssuerSpec, issuerKey, ownIssuer } from '../../snapshot/file/identity-section.ts'
import { type IdentityState, type StoredAssignment, writeScope } from '../../snapshot/keys/identity/identity-state.ts'
import type { RoleAssignmentView, RoleView, ScopeView } from '../api.ts'
import type { Answer } from '../http/answer.ts'
import { isDryRun } from '../http/dry-run.ts'
import { refuseDocument } from '../http/errors.ts'
import { readJsonBody } from '../http/read-body.ts'

export type RoleAssignmentsOptions = {
  readonly table: IdentityTable
  readonly identity: IdentityState
  /** The resources that there are. */
  listResources(): readonly { readonly id: ResourceId; readonly name: string }[]
  /** Unix milliseconds. */
  now(): number
}

const text = z.string().min(1).max(256)

export const grantSchema = z.strictObject({
  role: z
    .string()
    .refine((name) => findRole(name) !== undefined, `a role: ${roleNames.join(', ')}`)
    .transform((name) => findRole(name) as RoleName),
  /** Name of a resource; the whole server when absent. */
  resource: text.optional(),
  /** Name of a deployment of `resource`, or of the server's own. It need not exist yet. */
  deployment: text.optional(),
})

const assignmentSchema = z
  .strictObject({
    ...grantSchema.shape,
    /** The `oid`, `sub` or `appid` of tokens. */
    principal: text.optional(),
    group: text.optional(),
    /** The name of one that was made here. */
    servicePrincipal: text.optional(),
    /** The name of the issuer of `principal` or `group`, where several are configured. */
    issuer: text.optional(),
  })
  .refine(
    ({ principal, group, servicePrincipal }) =>
      [principal, group, servicePrincipal].filter((one) => one !== undefined).length === 1,
    { error: 'exactly one of principal, group and servicePrincipal', path: ['principal'] },
  )

const idPattern = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/

type Handler = (request: Request, name: string) => Promise<Answer>

/** Who may do what, where. */
export function createRoleAssignments(
  options: RoleAssignmentsOptions,
): Record<'list' | 'show' | 'put' | 'remove' | 'listRoles', Handler> {
  const { table, identity, now } = options

  function find(id: string): StoredAssignment {
    const found = identity.assignments().find((one) => one.id === id.toLowerCase())
    if (found) return found
    throw new Fault(
      'not-found',
      `There is no role assignment ${JSON.stringify(id)}. GET /management/role-assignments lists those there are.`,
    )
  }

  const view = (assignment: StoredAssignment): RoleAssignmentView => ({
    id: assignment.id,
    role: assignment.role,
    scope: viewScope(assignment.scope, options),
    ...(assignment.kind === 'group' ? { group: assignment.principal } : { principal: assignment.principal }),
    ...nameOf(assignment, identity),
    issuer: issuerName(assignment.issuer, identity),
    source: { kind: 'stored' },
    createdAt: new Date(assignment.createdAt).toISOString(),
  })

  return {
    async list() {
      const declared = identity.declared().issuers.flatMap((issuer) =>
        issuer.assignments.map(({ role, resource, deployment, ...whom }): RoleAssignmentView => {
          const scope: ScopeView = {
            ...(resource !== undefined && { resource }),
            ...(deployment !== undefined && { deployment }),
          }
          return { role, scope, ...whom, issuer: issuer.name, source: { kind: 'file' } } as RoleAssignmentView
        }),
      )
      return { status: 200, body: { value: [...identity.assignments().map(view), ...declared] } }
    },
    async show(_request, id) {
      return { status: 200, body: view(find(id)) }
    },
    async put(request, name) {
      const id = name.toLowerCase()
      if (!idPattern.test(id)) {
        throw new Fault(
          'invalid-request',
          `got ${JSON.stringify(name.slice(0, 64))}, expected a GUID as the id of an assignment`,
        )
      }
      const parsed = parseDocument(assignmentSchema, await readJsonBody(request))
      if ('problems' in parsed) throw refuseDocument(parsed.problems)
      const scope = acceptScope(parsed.data, options)
      const whom = acceptWhom(parsed.data, identity)
      const before = identity.assignments().find((one) => one.id === id)
      const assignment: StoredAssignment = {
        id,
        ...whom,
        role: parsed.data.role,
        scope,
        createdAt: before?.createdAt ?? now(),
      }
      if (!isDryRun(request)) {
        await table.putAssignment({ ...assignment, scope: writeScope(scope) })
        await identity.reload()
      }
      return { status: before ? 200 : 201, body: view(assignment) }
    },
    async remove(request, name) {
      const { id } = find(name)
      if (!isDryRun(request)) {
        await table.deleteAssignment(id)
        await identity.reload()
      }
      return { status: 204 }
    },
    async listRoles() {
      const value = roleNames.map((name): RoleView => ({ name, ...(roleTable[name] as RoleDefinition) }))
      return { status: 200, body: { value } }
    },
  }
}

/** Throws Fault `invalid-request` for a resource that does not exist. */
export function acceptScope(
  { resource, deployment }: Pick<z.output<typeof grantSchema>, 'resource' | 'deployment'>,
  { listResources }: Pick<RoleAssignmentsOptions, 'listResources'>,
): AccessScope {
  if (resource === undefined) {
    return deployment === undefined ? { kind: 'server' } : { kind: 'deployment', resource: '', deployment }
  }
  const resources = listResources()
  const found = resources.find(({ name }) => name.toLowerCase() === resource.toLowerCase())
  if (!found) {
    const nearest = nearestNames(
      resource,
      resources.map(({ name }) => name),
    )
    const hint = nearest.length > 0 ? `; did you mean ${nearest.map((near) => JSON.stringify(near)).join(', ')}?` : ''
    throw refuseDocument([{ path: ['resource'], text: `there is no resource ${JSON.stringify(resource)}${hint}` }])
  }
  return deployment === undefined
    ? { kind: 'resource', resource: found.id }
    : { kind: 'deployment', resource: found.id, deployment }
}

export function viewScope(
  scope: AccessScope,
  { listResources }: Pick<RoleAssignmentsOptions, 'listResources'>,
): ScopeView {
  if (scope.kind === 'server') return {}
  const resource = listResources().find(({ id }) => id === scope.resource)?.name ?? '(deleted)'
  return scope.kind === 'resource' ? { resource } : { resource, deployment: scope.deployment }
}

function acceptWhom(
  { principal, group, servicePrincipal, issuer }: z.output<typeof assignmentSchema>,
  identity: IdentityState,
): Pick<StoredAssignment, 'principal' | 'kind' | 'issuer'> {
  if (servicePrincipal !== undefined) {
    const found = identity.principals().find(({ name }) => name.toLowerCase() === servicePrincipal.toLowerCase())
    if (!found)
      throw refuseDocument([
        { path: ['servicePrincipal'], text: `there is no service principal ${JSON.stringify(servicePrincipal)}` },
      ])
    return { principal: found.objectId, kind: 'principal', issuer: ownIssuer }
  }
  const { issuers } = identity.declared()
  const named =
    issuer === undefined ? issuers : issuers.filter(({ name }) => name.toLowerCase() === issuer.toLowerCase())
  const [only] = named
  if (!only || named.length > 1) throw refuseDocument([{ path: ['issuer'], text: describeIssuers(issuers, issuer) }])
  return {
    principal: (principal ?? group) as string,
    kind: group === undefined ? 'principal' : 'group',
    issuer: issuerKey(only),
  }
}

function describeIssuers(issuers: readonly IssuerSpec[], given: string | undefined): string {
  const names = issuers.map(({ name }) => name).join(', ')
  if (issuers.length === 0) return 'no issuer is configured; name one in the section identity of the configuration file'
  return given === undefined
    ? `missing, expected one of ${names}`
    : `got ${JSON.stringify(given)}, expected one of ${names}`
}

function issuerName(id: string, identity: IdentityState): string {
  if (id === ownIssuer) return ownIssuer
  return identity.declared().issuers.find((one) => issuerKey(one) === id)?.name ?? id
}

function nameOf({ principal, issuer }: StoredAssignment, identity: IdentityState): JsonObject {
  const found = issuer === ownIssuer && identity.principals().find(({ objectId }) => objectId === principal)
  return found ? { servicePrincipal: found.name } : {}
}
