import { type SkuName, skus } from '../../core/deployment.ts'
import { Fault } from '../../core/fault.ts'
import type { DeploymentSpec } from '../deployment-spec.ts'
import type { PoolShare } from '../plan/limits.ts'

/** How many units the deployments of one SKU may have together: those of one model, or of all models when it names none. */
export type QuotaPool = {
  /** The model's publisher, where its name alone is not enough. */
  readonly format?: string | undefined
  readonly model?: string | undefined
  readonly sku: SkuName
  readonly limit: number
}

/** The pool that the deployment draws on, of those for it the one that says most: model and publisher, model, SKU. */
export function findPool(spec: DeploymentSpec, pools: readonly QuotaPool[]): QuotaPool | undefined {
  const { sku, model } = spec
  if (!sku) return undefined
  const ofSku = pools.filter((pool) => pool.sku === sku.name)
  const ofModel = ofSku.filter((pool) => isSame(pool.model, model.name))
  return (
    ofModel.find((pool) => isSame(pool.format, model.format)) ??
    ofModel.find((pool) => pool.format === undefined) ??
    ofSku.find((pool) => pool.model === undefined)
  )
}

/** Those of the deployments that draw on the pool. `pool` is one of `pools`. */
export function deploymentsOf(
  pool: QuotaPool,
  pools: readonly QuotaPool[],
  specs: readonly DeploymentSpec[],
): DeploymentSpec[] {
  return specs.filter((spec) => findPool(spec, pools) === pool)
}

/** What is allocated of the pool to these deployments. */
export function allocatedOf(pool: QuotaPool, pools: readonly QuotaPool[], specs: readonly DeploymentSpec[]): number {
  return deploymentsOf(pool, pools, specs).reduce((units, { sku }) => units + (sku?.capacity ?? 0), 0)
}

/** Pools of which more is allocated than there is, in words: their limit was lowered, or file and store declare too much together. */
export function describeOverdrawn(pools: readonly QuotaPool[], specs: readonly DeploymentSpec[]): string[] {
  return pools.flatMap((pool) => {
    const used = allocatedOf(pool, pools, specs)
    if (used <= pool.limit) return []
    return `The quota pool "${poolName(pool)}" has ${pool.limit} units, and its deployments have ${used}. They go on; none of them can grow until the pool has more or they have less.`
  })
}

/** The pool as a deployment sees it that may go over its own tokens, undefined for others. `allocated` belongs to those who may not. */
export function shareOf(
  spec: DeploymentSpec,
  pools: readonly QuotaPool[],
  specs: readonly DeploymentSpec[],
): PoolShare | undefined {
  const pool = spec.dynamicThrottlingEnabled ? findPool(spec, pools) : undefined
  if (!pool) return undefined
  const fixed = specs.filter((other) => !other.dynamicThrottlingEnabled)
  return { key: poolName(pool).toLowerCase(), limit: pool.limit, allocated: allocatedOf(pool, pools, fixed) }
}

/**
 * Refuses a deployment that asks for more than its pool has left. `current` is what it replaces: who asks for no more than he has is never
 * refused, so that applying the same thing twice succeeds. Throws Fault `insufficient-quota`.
 */
export function checkQuota(
  next: DeploymentSpec,
  current: DeploymentSpec | undefined,
  specs: readonly DeploymentSpec[],
  pools: readonly QuotaPool[],
): void {
  const pool = findPool(next, pools)
  if (!pool) return
  const isOwnPool = current && findPool(current, pools) === pool
  const held = isOwnPool ? (current.sku?.capacity ?? 0) : 0
  const asked = next.sku?.capacity ?? 0
  if (asked <= held) return
  const used = allocatedOf(pool, pools, specs) - held
  if (used + asked <= pool.limit) return
  throw new Fault('insufficient-quota', describeShortage(asked, used, pool), { param: 'sku.capacity' })
}

export function describeShortage(asked: number, used: number, pool: QuotaPool): string {
  const available = Math.max(0, pool.limit - used)
  return `This operation requires ${asked} new capacity in quota ${describePool(pool)}, which is bigger than the current available capacity ${available}. The current quota usage is ${used} and the quota limit is ${pool.limit} for quota ${describePool(pool)}. Give the deployment less, another one less, or the pool more.`
}

const skuNames = Object.keys(skus) as SkuName[]
const nameShape = new RegExp(`^(?:(.{1,64}?)\\.)?(${skuNames.join('|')})(?:\\.(.{1,128}))?$`, 'i')

/** What a pool is found by, without regard to case: `SKU`, `SKU.MODEL` or `PUBLISHER.SKU.MODEL`, as Azure's usages are named. */
export function poolName({ format, sku, model }: Omit<QuotaPool, 'limit'>): string {
  return [format, sku, model].filter((part) => part !== undefined).join('.')
}

/** The pool that a name stands for. Throws Fault `invalid-request` for what is no such name. */
export function readPoolName(name: string): Omit<QuotaPool, 'limit'> {
  const [, format, given, model] = nameShape.exec(name) ?? []
  const sku = skuNames.find((known) => isSame(given, known))
  if (!sku || !name.isWellFormed() || (format !== undefined && model === undefined)) {
    throw new Fault(
      'invalid-request',
      `There can be no quota pool ${JSON.stringify(name)}: it is named SKU, SKU.MODEL or PUBLISHER.SKU.MODEL, with a SKU of ${skuNames.join(', ')}.`,
    )
  }
  return { format, sku, model }
}

/** As Azure names them: `Tokens Per Minute (thousands) - GlobalStandard - gpt-4o`. */
export function describePool({ sku, model }: QuotaPool): string {
  return `${describeUnit(sku)} - ${sku}${model === undefined ? '' : ` - ${model}`}`
}

const scopeNames = { regional: 'Regional', global: 'Global', 'data-zone': 'Data Zone' } as const

/** What the units of a SKU's pool are. A unit of the standard family is 1,000 tokens per minute of most models. */
export function describeUnit(sku: SkuName): string {
  const { family, scope } = skus[sku]
  if (family === 'provisioned') return `${scopeNames[scope]} Provisioned Throughput Unit`
  return family === 'batch' ? 'Enqueued tokens (thousands)' : 'Tokens Per Minute (thousands)'
}

function isSame(a: string | undefined, b: string): boolean {
  return a !== undefined && a.toLowerCase() === b.toLowerCase()
}
