import type { DeploymentLimits, Rate } from '../../core/deployment.ts'
import type { CatalogSku } from '../catalog/catalog.ts'
import type { DeploymentSpec } from '../deployment-spec.ts'

const minuteMs = 60_000
/** Requests are to be spread: they are judged on windows of ten seconds, as Azure writes it into `rateLimits`. */
const requestWindowMs = 10_000

/** A quota pool: what deployments of one model and SKU may have together, in units, and what those have of it who never go over. */
export type PoolShare = { readonly key: string; readonly limit: number; readonly allocated: number }

/**
 * What the deployment lets through. `sku` is the catalog's word on its SKU, undefined without one. The pool of a deployment that may go
 * over its tokens is what all such deployments have together and what is allocated to nobody.
 */
export function planLimits(
  spec: DeploymentSpec,
  sku: CatalogSku | undefined,
  pool: PoolShare | undefined,
): DeploymentLimits | undefined {
  const capacity = spec.sku?.capacity ?? 0
  const unit = sku?.perUnit
  if (unit?.kind === 'provisioned') {
    return {
      kind: 'provisioned',
      inputTokensPerMinute: unit.inputTokensPerMinute * capacity,
      outputWeight: unit.outputWeight,
      concurrency: spec.concurrency,
    }
  }
  if (unit?.kind === 'enqueued') return { kind: 'enqueued', tokens: unit.tokens * capacity }
  const own = spec.rateLimits
  const perMinute = unit && { tokens: unit.tokensPerMinute, requests: unit.requestsPerMinute }
  const tokens = own ? ownRate(spec, 'token') : tokenRate(perMinute?.tokens, capacity)
  const requests = own ? ownRate(spec, 'request') : requestRate(perMinute?.requests, capacity)
  if (!tokens && !requests) return undefined
  const lends = spec.dynamicThrottlingEnabled && pool && perMinute?.tokens !== undefined
  return {
    kind: 'rate',
    tokens,
    requests,
    settles: spec.tokenAccounting !== 'estimate',
    pool: lends
      ? { key: pool.key, tokensPerMinute: Math.max(0, pool.limit - pool.allocated) * (perMinute?.tokens ?? 0) }
      : undefined,
  }
}

function tokenRate(perUnit: number | undefined, capacity: number): Rate | undefined {
  return perUnit === undefined ? undefined : { limit: perUnit * capacity, windowMs: minuteMs }
}

function requestRate(perUnit: number | undefined, capacity: number): Rate | undefined {
  if (perUnit === undefined) return undefined
  const perMinute = perUnit * capacity
  const windows = minuteMs / requestWindowMs
  if (perMinute < windows) return { limit: Math.max(1, Math.floor(perMinute)), windowMs: minuteMs }
  return { limit: Math.ceil(perMinute / windows), windowMs: requestWindowMs }
}

function ownRate(spec: DeploymentSpec, key: 'token' | 'request'): Rate | undefined {
  const own = spec.rateLimits?.find((rate) => rate.key === key)
  return own && { limit: own.count, windowMs: own.renewalPeriod * 1000 }
}
