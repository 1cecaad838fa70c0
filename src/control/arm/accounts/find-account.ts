import type { GroupsTable } from '../../../port/tables/resources/groups/port.ts'
import { createQuota } from '../../catalog/quota.ts'
import { createDeployments } from '../../deployments/deployments.ts'
import { createFilters } from '../../filters/filters.ts'
import { createKeys } from '../../keys/resource-keys.ts'
import type { Account, Accounts } from '../../resources/accounts.ts'
import type { RoutesOptions } from '../../routes.ts'
import { type ArmVisit, isSameName, paramOf } from '../http/arm-route.ts'
import { refuseMissing, refuseMissingGroup } from '../http/errors.ts'

export type FindOptions = { readonly accounts: Accounts; readonly groups: GroupsTable }

/** The account that a path is about. Rejects with Fault `not-found` when it is not there, or lies elsewhere. */
export async function findAccount(options: FindOptions, visit: ArmVisit): Promise<Account> {
  const account = options.accounts.find(paramOf(visit, 'account'))
  if (account && liesIn(account, visit)) return account
  const group = await requireGroup(options, visit)
  return refuseMissing('accounts', paramOf(visit, 'account'), group)
}

/** Whether it is of the subscription and, where the path names one, of the group. */
export function liesIn({ spec }: Pick<Account, 'spec'>, { params }: Pick<ArmVisit, 'params'>): boolean {
  const { subscription, group } = params
  return isSameName(spec.subscriptionId, subscription ?? '') && (!group || isSameName(spec.resourceGroup, group))
}

/** The name of the group in the path. Rejects with Fault `not-found` where there is none: neither made, nor with an account in it. */
export async function requireGroup({ accounts, groups }: FindOptions, visit: ArmVisit): Promise<string> {
  const name = paramOf(visit, 'group')
  const made = await groups.get(paramOf(visit, 'subscription').toLowerCase(), name)
  const group = made?.name ?? accounts.list().find((account) => liesIn(account, visit))?.spec.resourceGroup
  return group ?? refuseMissingGroup(name)
}

/** What our own API does with what belongs to an account. */
export type Handlers = ReturnType<typeof openHandlers>

const opened = new WeakMap<RoutesOptions, Handlers>()

/** Made once for each account. */
export function handlersOf({ routes }: Pick<Account, 'routes'>): Handlers {
  const known = opened.get(routes)
  if (known) return known
  const handlers = openHandlers(routes)
  opened.set(routes, handlers)
  return handlers
}

function openHandlers(routes: RoutesOptions) {
  return {
    deployments: createDeployments(routes),
    filters: createFilters(routes),
    keys: createKeys(routes),
    quota: createQuota(routes),
  }
}
