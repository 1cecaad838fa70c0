import type { ControlRoute, Handler } from '../http/route.ts'
import { createRoleAssignments } from './role-assignments.ts'
import { createServicePrincipals, type ServicePrincipalsOptions } from './service-principals.ts'

const authorization = 'Microsoft.Authorization'

/** The routes of the management API about who may do what. They are about the whole server. */
export function listIdentityRoutes(options: ServicePrincipalsOptions): readonly ControlRoute[] {
  const principals = createServicePrincipals(options)
  const assignments = createRoleAssignments(options)
  return [
    route('GET', '/service-principals', 'servicePrincipals/read', principals.list),
    route('GET', '/service-principals/{name}', 'servicePrincipals/read', principals.show),
    route('PUT', '/service-principals/{name}', 'servicePrincipals/write', principals.put),
    route('DELETE', '/service-principals/{name}', 'servicePrincipals/delete', principals.remove),
    route('POST', '/service-principals/{name}/rotate', 'servicePrincipals/rotate/action', principals.rotate),
    route('POST', '/service-principals/{name}/token', 'servicePrincipals/token/action', principals.issueToken),
    route('GET', '/role-assignments', 'roleAssignments/read', assignments.list),
    route('GET', '/role-assignments/{name}', 'roleAssignments/read', assignments.show),
    route('PUT', '/role-assignments/{name}', 'roleAssignments/write', assignments.put),
    route('DELETE', '/role-assignments/{name}', 'roleAssignments/delete', assignments.remove),
    route('GET', '/roles', 'roleDefinitions/read', assignments.listRoles),
  ]
}

function route(method: ControlRoute['method'], path: string, action: string, handle: Handler): ControlRoute {
  return { method, path, action: `${authorization}/${action}`, scope: 'server', handle }
}
