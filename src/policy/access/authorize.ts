import { inferenceAction } from '../../core/access/data-actions.ts'
import { type AccessScope, coversScope, describeScope, type Principal } from '../../core/access/principal.ts'
import { provider, type RoleDefinition, type RoleName, roleTable } from '../../core/access/role-table.ts'
import type { CallKind } from '../../core/call.ts'
import { type Deployment, deploymentKey } from '../../core/deployment.ts'
import type { Caller } from '../../core/exchange.ts'
import { Fault } from '../../core/fault.ts'
import { ownResource } from '../../core/resource.ts'

/** Who may do what. Everything that no role allows is refused. */

export type Plane = 'management' | 'data'

/** Whether a role of the principal allows the action where it is asked for. */
export function isAllowed({ roles }: Principal, plane: Plane, action: string, scope: AccessScope): boolean {
  for (const held of roles) if (coversScope(held.scope, scope) && roleAllows(held.role, plane, action)) return true
  return false
}

/**
 * Lets a principal go on in management. `action` is a full name, or one below `Microsoft.CognitiveServices/`. Throws Fault `forbidden` with the
 * code `AuthorizationFailed`, naming what is missing.
 */
export function authorizeAction(principal: Principal, action: string, scope: AccessScope): void {
  const name = fullName(action)
  if (isAllowed(principal, 'management', name, scope)) return
  throw new Fault(
    'forbidden',
    `The client '${principal.name}' with object id '${principal.id}' does not have authorization to perform action '${name}' over ${describeScope(scope)}. Have somebody with the role Owner assign one that allows it.`,
    { vendorCode: 'AuthorizationFailed' },
  )
}

/**
 * Lets a caller go on on the data plane: keys may do everything there that their grant does not keep from them, whom a token names what his
 * roles allow. Throws Fault `unauthorized` with the code `PermissionDenied`, naming what is missing. `operation` is `POST /path`.
 */
export function authorizeDataAction(caller: Caller, action: string, scope: AccessScope, operation: string): void {
  const { principal } = caller
  if (!principal || isAllowed(principal, 'data', action, scope)) return
  throw new Fault(
    'unauthorized',
    `The principal \`${principal.id}\` lacks the required data action \`${action}\` to perform \`${operation}\` operation on ${describeScope(scope)}. Have somebody with the role Owner assign one that allows it; a new role counts from the next request.`,
    { vendorCode: 'PermissionDenied' },
  )
}

/**
 * Whether the caller may use the deployment of that name, in any case. To a caller that may not, it is to be as if it were not there:
 * in lists, in hints, and wherever a request names it.
 */
export function mayUse({ grant }: Caller, deploymentName: string): boolean {
  return grant?.deployments === undefined || grant.deployments.has(deploymentKey(deploymentName))
}

/** Whether the caller may use the deployment for that kind of call. */
export function mayCall(caller: Caller, { name, model }: Deployment, kind: CallKind): boolean {
  if (!mayUse(caller, name)) return false
  const { principal, resource = ownResource } = caller
  if (!principal) return true
  return isAllowed(principal, 'data', inferenceAction(kind, model.format), {
    kind: 'deployment',
    resource,
    deployment: name,
  })
}

/** `accounts/read` is `Microsoft.CognitiveServices/accounts/read`. */
export function fullName(action: string): string {
  return action.startsWith('Microsoft.') ? action : provider + action
}

type Matcher = (action: string) => boolean

const matchers: ReadonlyMap<RoleName, Readonly<Record<Plane, Matcher>>> = new Map(
  (Object.entries(roleTable) as [RoleName, RoleDefinition][]).map(([name, role]) => [
    name,
    {
      management: makeMatcher(role.actions, role.notActions),
      data: makeMatcher(role.dataActions, role.notDataActions),
    },
  ]),
)

export function roleAllows(role: RoleName, plane: Plane, action: string): boolean {
  return matchers.get(role)?.[plane](action) ?? false
}

/** Actions are the server's own, of which there are so many and no more: each is judged once. */
function makeMatcher(allowed: readonly string[], taken: readonly string[]): Matcher {
  const known = new Map<string, boolean>()
  const allow = allowed.map(makePattern)
  const take = taken.map(makePattern)
  return (action) => {
    let answer = known.get(action)
    if (answer === undefined) {
      answer = allow.some((pattern) => pattern.test(action)) && !take.some((pattern) => pattern.test(action))
      known.set(action, answer)
    }
    return answer
  }
}

/** The table is ours, so that these expressions hold nothing that strangers wrote. */
function makePattern(text: string): RegExp {
  const escaped = text.split('*').map((part) => part.replace(/[.\\/]/g, '\\$&'))
  return new RegExp(`^${escaped.join('.*')}$`, 'i')
}
