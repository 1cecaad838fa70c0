import type { ResourceSpec } from '../../../core/resource.ts'
import type { CatalogModel } from '../../../snapshot/catalog/catalog.ts'
import type { DeploymentView } from '../../api.ts'
import { isSince } from '../http/api-versions.ts'
import { childHead } from '../http/resource-id.ts'
import { pontoFields } from './to-document.ts'

/** A deployment as the vendor's clients read it. `entry` is the catalog's word on its model. */
export function viewArmDeployment(
  account: ResourceSpec,
  view: DeploymentView,
  entry: CatalogModel | undefined,
  apiVersion: string,
): object {
  const { model, sku, tags, spilloverDeploymentName, serviceTier, deploymentState } = view
  const { versionUpgradeOption, dynamicThrottlingEnabled, effectiveRaiPolicyName: raiPolicyName } = view
  const rateLimits = listRateLimits(view)
  const ponto = viewPonto(view)
  const hasSku = isSince(apiVersion, '2023-05-01')
  return {
    ...childHead(account, 'deployments', view),
    ...(sku && hasSku && { sku }),
    ...(tags && { tags }),
    properties: {
      model: { format: model.format, name: model.name, version: model.version },
      provisioningState: 'Succeeded',
      ...(sku && !hasSku && { scaleSettings: { scaleType: 'Standard', capacity: sku.capacity } }),
      ...(versionUpgradeOption && { versionUpgradeOption }),
      ...(raiPolicyName && { raiPolicyName }),
      ...(spilloverDeploymentName && { spilloverDeploymentName }),
      ...(serviceTier && { serviceTier }),
      ...(dynamicThrottlingEnabled !== undefined && { dynamicThrottlingEnabled }),
      ...(isSince(apiVersion, '2025-12-01') && { deploymentState: deploymentState ?? 'Running' }),
      ...(sku && { currentCapacity: sku.capacity }),
      capabilities: entry?.capabilities ?? {},
      ...(rateLimits.length > 0 && { rateLimits }),
      ...(ponto && { ponto }),
    },
  }
}

function listRateLimits({ effectiveLimits }: DeploymentView): readonly object[] {
  return effectiveLimits?.kind === 'rate' ? effectiveLimits.rateLimits : []
}

/** What only Ponto has. The version in `model` is the one that is asked for; where another one is served, it is told here. */
function viewPonto(view: DeploymentView): object | undefined {
  const fields = Object.entries(pontoFields).flatMap(([name, [outer, inner]]) => {
    const value = (view as unknown as Record<string, unknown>)[outer]
    const found = inner === undefined ? value : (value as Record<string, unknown> | undefined)?.[inner]
    return found === undefined ? [] : [[name, found] as const]
  })
  const { servedVersion, model } = view
  if (servedVersion !== undefined && servedVersion !== model.version) fields.push(['servedVersion', servedVersion])
  return fields.length > 0 ? Object.fromEntries(fields) : undefined
}
