import type { RoleAssignmentView, RoleView, ScopeView, ServicePrincipalView } from '../../../control/api.ts'
import type { CommandContext } from '../../context.ts'
import { type Column, formatTime, printFacts } from '../../terminal/print.ts'

export const principalColumns: readonly Column<ServicePrincipalView>[] = [
  { title: 'name', read: ({ name }) => name },
  { title: 'app id', read: ({ appId }) => appId },
  {
    title: 'roles',
    read: ({ roles }) => roles.map(({ role, scope }) => `${role} (${describeScope(scope)})`).join(', ') || '-',
  },
  { title: 'status', read: ({ status }) => status },
  { title: 'expires', read: ({ expiresAt }) => (expiresAt ? formatTime(expiresAt) : 'never') },
  { title: 'made', read: ({ createdAt }) => formatTime(createdAt) },
]

export const assignmentColumns: readonly Column<RoleAssignmentView>[] = [
  { title: 'who', read: describeWho },
  { title: 'issuer', read: ({ issuer }) => issuer },
  { title: 'role', read: ({ role }) => role },
  { title: 'where', read: ({ scope }) => describeScope(scope) },
  { title: 'id', read: ({ id }) => id ?? '(configuration file)' },
]

export const roleColumns: readonly Column<RoleView>[] = [
  { title: 'role', read: ({ name }) => name },
  { title: 'id', read: ({ id }) => id },
  { title: 'may', read: ({ description }) => description },
]

export async function showPrincipal(context: CommandContext, view: ServicePrincipalView): Promise<void> {
  await printFacts(context, view, [
    ['Name', view.name],
    ['Tenant', view.tenantId],
    ['App id', view.appId],
    ['Object id', view.objectId],
    ...(view.roles.length === 0 ? [['Role', 'none: it may do nothing yet'] as const] : []),
    ...view.roles.map(({ role, scope }) => ['Role', `${role}, on ${describeScope(scope)}`] as const),
    ['Status', view.status],
    ['Secret ends', view.expiresAt ? formatTime(view.expiresAt) : 'never'],
    ...(view.previousSecretEndsAt
      ? [['Old secret', `taken until ${formatTime(view.previousSecretEndsAt)}`] as const]
      : []),
    ['Made', formatTime(view.createdAt)],
    ...(view.secret === undefined ? [] : [['Secret', view.secret] as const]),
  ])
  if (view.secret !== undefined) {
    context.stderr.write('Keep the secret now: it is not stored and cannot be shown again.\n')
  }
}

function describeWho({ servicePrincipal, principal, group, claimedRole }: RoleAssignmentView): string {
  if (servicePrincipal !== undefined) return servicePrincipal
  if (group !== undefined) return `group ${group}`
  return claimedRole === undefined ? (principal ?? '') : `claimed role ${claimedRole}`
}

function describeScope({ resource, deployment }: ScopeView): string {
  if (deployment !== undefined) return resource === undefined ? deployment : `${resource}/${deployment}`
  return resource ?? 'the server'
}
