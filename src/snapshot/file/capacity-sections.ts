import { z } from 'zod'
import { type SkuName, skus } from '../../core/deployment.ts'
import { isJsonObject } from '../../core/json.ts'
import { type DocumentProblem, parseDocument } from '../../core/text/parse-document.ts'
import type { CapacityRules } from '../capacity/judge-capacity.ts'
import { type ModelBackends, modelBackendsSchema } from '../capacity/model-backends.ts'
import { poolName, type QuotaPool } from '../capacity/quota.ts'
import { describeEntry, modelEntrySchema } from '../catalog/catalog-schema.ts'
import { type BuiltinEntry, createCatalog } from '../catalog/create-catalog.ts'
import { guardCredentials, labelSchema } from '../deployment-spec.ts'

const credentialRule =
  '{env: PONTO_SECRET_NAME}, with the secret in that variable: a secret does not belong in this file'

const labels = z.array(labelSchema).min(1).max(16).optional()

const quotaSchema = z.strictObject({
  /** The model's publisher, where its name alone is not enough. */
  format: z.string().min(1).max(64).optional(),
  /** Absent: all models together. */
  model: z.string().min(1).max(128).optional(),
  sku: z.enum(Object.keys(skus) as [SkuName, ...SkuName[]]),
  /** Units of capacity. */
  limit: z.int().min(0).max(1e9),
})

/** The sections of the file that say what deployments may be, beside those that say which there are. */
export const capacitySections = {
  models: z.array(modelEntrySchema).max(1_000).optional(),
  modelBackends: z.array(modelBackendsSchema).max(1_000).optional(),
  quota: z.array(quotaSchema).max(1_000).optional(),
  placement: z.strictObject({ global: labels, 'data-zone': labels, regional: labels }).optional(),
} as const

const sectionsSchema = z.object(capacitySections)

/** The rules these sections make, with those of Ponto's own catalog. That the file is an object is for others to judge. */
export function readCapacitySections(
  value: unknown,
  builtins: readonly BuiltinEntry[],
): { readonly rules: Omit<CapacityRules, 'now'> } | { readonly problems: readonly DocumentProblem[] } {
  const parsed = parseDocument(sectionsSchema, isJsonObject(value) ? value : {}, guardCredentials(credentialRule))
  if ('problems' in parsed) return parsed
  const { models = [], modelBackends = [], quota = [], placement = {} } = parsed.data
  const problems = [...judgePools(quota), ...judgeModelBackends(modelBackends)]
  if (problems.length > 0) return { problems }
  const catalog = createCatalog(builtins, models.map(describeEntry))
  return { rules: { catalog, modelBackends, pools: quota, placement } }
}

function judgeModelBackends(entries: readonly ModelBackends[]): DocumentProblem[] {
  const first = new Map<string, number>()
  return entries.flatMap(({ model, format }, index): DocumentProblem[] => {
    const path = ['modelBackends', index]
    if (model === undefined && format === undefined) {
      return [{ path: [...path, 'model'], text: 'missing, expected a model, or the publisher (format) of several' }]
    }
    const key = JSON.stringify([model, format]).toLowerCase()
    const earlier = first.get(key)
    first.set(key, index)
    if (earlier === undefined) return []
    return [{ path, text: `says it of the same as modelBackends[${earlier}]; give one list` }]
  })
}

/** One pool per publisher, model and SKU: `limit` of which would hold otherwise? */
function judgePools(pools: readonly QuotaPool[]): DocumentProblem[] {
  const first = new Map<string, number>()
  return pools.flatMap((pool, index) => {
    const path = ['quota', index]
    if (pool.format !== undefined && pool.model === undefined) {
      return [{ path: [...path, 'model'], text: `missing, expected the model of ${pool.format} that the pool is for` }]
    }
    const key = poolName(pool).toLowerCase()
    const earlier = first.get(key)
    if (earlier !== undefined) {
      return [{ path, text: `there is a pool "${poolName(pool)}" already, quota[${earlier}]; give one limit` }]
    }
    first.set(key, index)
    return []
  })
}
