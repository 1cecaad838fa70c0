import type { Deployment } from '../../core/deployment.ts'
import type { Catalog, CatalogModel, CatalogSku } from '../catalog/catalog.ts'
import { genericSkus } from '../catalog/create-catalog.ts'
import type { DeploymentSpec } from '../deployment-spec.ts'
import { expiryOf } from './expiry.ts'
import { type PoolShare, planLimits } from './limits.ts'
import { planVersion } from './version.ts'

export type PlanOptions = {
  readonly catalog: Catalog
  /** Unix milliseconds, as all times here. */
  readonly now: number
  readonly createdAt: number
  /** The quota pool of the deployment's model and SKU, if there is one. */
  readonly pool: PoolShare | undefined
}

/** What a deployment is at this moment, beyond where it runs. */
export type Plan = Pick<
  Deployment,
  | 'model'
  | 'sku'
  | 'limits'
  | 'isPaused'
  | 'lifecycle'
  | 'spillover'
  | 'serviceTier'
  | 'price'
  | 'maxContextTokens'
  | 'maxOutputTokens'
> & {
  /** When the plan has to be made anew. */
  readonly nextChangeAt: number | undefined
}

export function planDeployment(spec: DeploymentSpec, options: PlanOptions): Plan {
  const { catalog, now, createdAt, pool } = options
  const { model, entry, lifecycle, nextChangeAt } = planVersion(spec, catalog, now)
  const expiresAt = expiryOf(spec, createdAt)
  const endsAt = earliest(lifecycle.retiresAt, expiresAt)
  const { price } = spec
  return {
    model,
    sku: spec.sku,
    limits: planLimits(spec, findSku(spec, catalog, entry), pool),
    isPaused: spec.deploymentState === 'Paused',
    lifecycle: {
      ...lifecycle,
      retiresAt: endsAt,
      status: endsAt !== undefined && endsAt <= now ? 'Deprecated' : lifecycle.status,
    },
    spillover: spec.spilloverDeploymentName,
    serviceTier: spec.serviceTier === 'Priority' ? 'priority' : 'default',
    price: price && { ...price, cachedInputPerMillion: price.cachedInputPerMillion ?? price.inputPerMillion },
    maxContextTokens: entry?.maxContextTokens,
    maxOutputTokens: entry?.maxOutputTokens,
    nextChangeAt: earliest(nextChangeAt, expiresAt !== undefined && expiresAt > now ? expiresAt : undefined),
  }
}

/**
 * The catalog's word on the deployment's SKU: that of the version served, or, where it is not offered with that SKU, of the one that is
 * written, so that no upgrade takes the limits away; of the default version for one that no entry knows, and a generic one for such a model.
 */
function findSku(
  { sku, model }: DeploymentSpec,
  catalog: Catalog,
  entry: CatalogModel | undefined,
): CatalogSku | undefined {
  if (!sku) return undefined
  const pinned = catalog.find(model.name, model.version, model.format)
  const [newest] = catalog.versionsOf(model.name, model.format)
  for (const offered of [entry?.skus, pinned?.skus, newest?.skus, genericSkus]) {
    const found = offered?.find(({ name }) => name === sku.name)
    if (found) return found
  }
  return undefined
}

function earliest(...times: readonly (number | undefined)[]): number | undefined {
  const known = times.filter((time) => time !== undefined)
  return known.length > 0 ? Math.min(...known) : undefined
}
