import { deploymentKey } from '../core/deployment.ts'
import type { Caller } from '../core/exchange.ts'

/**
 * Whether the caller may use the deployment of that name, in any case. To a caller that may not, it is to be as if it were not there:
 * in lists, in hints, and wherever a request names it.
 */
export function mayUse({ grant }: Caller, deploymentName: string): boolean {
  return grant?.deployments === undefined || grant.deployments.has(deploymentKey(deploymentName))
}
