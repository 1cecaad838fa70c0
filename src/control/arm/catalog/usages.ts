import { Fault } from '../../../core/fault.ts'
import { deploymentsOf, describePool } from '../../../snapshot/capacity/quota.ts'
import type { DesiredPool } from '../../../snapshot/capacity/quota-state.ts'
import type { DeploymentSpec } from '../../../snapshot/deployment-spec.ts'
import type { Answer } from '../../http/answer.ts'
import { type FindOptions, findAccount } from '../accounts/find-account.ts'
import { type ArmRoute, type ArmVisit, isSameName, ofAccount, ofLocation, paramOf, route } from '../http/arm-route.ts'
import { pageOf } from '../http/page.ts'

/** A quota pool and what the deployments of all resources have of it. Units. */
export type PoolUsage = DesiredPool & { readonly used: number; readonly available: number }

/** Quota pools as usages. They hold for the server as a whole, whatever place is asked for. */
export function listUsageRoutes(options: FindOptions): readonly ArmRoute[] {
  return [
    route('GET', `${ofLocation}/usages`, 'locations/usages/read', async (_, visit) =>
      viewUsages(visit, listPools(options)),
    ),
    route('GET', `${ofAccount}/usages`, 'accounts/usages/read', async (_, visit) => {
      const { routes } = await findAccount(options, visit)
      return viewUsages(
        visit,
        listPoolsOf(
          options,
          routes.state.list().map(({ spec }) => spec),
        ),
      )
    }),
  ]
}

export function listPools(options: FindOptions): readonly PoolUsage[] {
  const specs = options.accounts.list().flatMap(({ routes }) => routes.state.list().map(({ spec }) => spec))
  return listPoolsOf(options, specs)
}

function listPoolsOf({ accounts }: FindOptions, specs: readonly DeploymentSpec[]): readonly PoolUsage[] {
  const pools = accounts.own().routes.quota.list()
  return pools.map((pool) => {
    const used = deploymentsOf(pool, pools, specs).reduce((units, { sku }) => units + (sku?.capacity ?? 0), 0)
    return { ...pool, used, available: Math.max(0, pool.limit - used) }
  })
}

function viewUsages(visit: ArmVisit, pools: readonly PoolUsage[]): Answer {
  const wanted = readFilter(visit.url)
  const shown = wanted === undefined ? pools : pools.filter(({ name }) => isSameName(name, wanted))
  const scope = isScoped(visit.apiVersion)
    ? { scopeType: 'Subscription', scopeId: `/subscriptions/${paramOf(visit, 'subscription')}` }
    : {}
  return pageOf(
    visit,
    shown,
    ({ name }) => name,
    (pool) => ({
      name: { value: pool.name, localizedValue: describePool(pool) },
      unit: 'Count',
      currentValue: pool.used,
      limit: pool.limit,
      status: pool.used > pool.limit ? 'InOverage' : 'Included',
      ...scope,
    }),
  )
}

/** Only one preview says whose the numbers are. */
function isScoped(apiVersion: string): boolean {
  return apiVersion === '2026-05-15-preview'
}

/** The name of `$filter=name.value eq 'NAME'`. Throws Fault `invalid-request` for any other filter: one that is left aside would show too much. */
function readFilter(url: URL): string | undefined {
  const filter = url.searchParams.get('$filter')
  if (filter === null || filter === '') return undefined
  const [, name] = /^\s*name\.value\s+eq\s+'([^']{1,200})'\s*$/i.exec(filter) ?? []
  if (name !== undefined) return name
  const text = `$filter: got ${JSON.stringify(filter.slice(0, 80))}, expected name.value eq 'NAME'`
  throw new Fault('invalid-request', text, { param: '$filter', vendorCode: 'InvalidParameter' })
}
