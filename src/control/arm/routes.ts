import { listAccountRoutes } from './accounts/routes.ts'
import { listCapacityRoutes } from './catalog/capacities.ts'
import { listModelRoutes } from './catalog/models.ts'
import { listOfferRoutes } from './catalog/offers.ts'
import { listUsageRoutes } from './catalog/usages.ts'
import { listDeploymentRoutes } from './deployments/routes.ts'
import { listBlocklistRoutes } from './filters/blocklists.ts'
import { listPolicyRoutes } from './filters/policies.ts'
import { listTopicRoutes } from './filters/topics.ts'
import type { ArmRoute } from './http/arm-route.ts'
import { listSubscriptionRoutes, type SubscriptionsOptions } from './subscriptions/routes.ts'

export type ArmRoutesOptions = Omit<SubscriptionsOptions, 'listRoutes'>

/** Every route below the host root but those of operations, each with the action that it takes. */
export function listArmRoutes(options: ArmRoutesOptions): readonly ArmRoute[] {
  const routes: readonly ArmRoute[] = [
    ...listSubscriptionRoutes({ ...options, listRoutes: () => routes }),
    ...listAccountRoutes(options),
    ...listDeploymentRoutes(options),
    ...listPolicyRoutes(options),
    ...listBlocklistRoutes(options),
    ...listTopicRoutes(options),
    ...listModelRoutes(options),
    ...listCapacityRoutes(options),
    ...listUsageRoutes(options),
    ...listOfferRoutes(options),
  ]
  return routes
}
