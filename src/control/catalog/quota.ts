import { z } from 'zod'
import { Fault } from '../../core/fault.ts'
import { parseDocument } from '../../core/text/parse-document.ts'
import type { CapacityRules } from '../../snapshot/capacity/judge-capacity.ts'
import { deploymentsOf, describeUnit, poolName, type QuotaPool, readPoolName } from '../../snapshot/capacity/quota.ts'
import type { DesiredPool, QuotaState } from '../../snapshot/capacity/quota-state.ts'
import type { DesiredState } from '../../snapshot/desired-state.ts'
import type { QuotaView } from '../api.ts'
import type { Answer } from '../http/answer.ts'
import { isDryRun } from '../http/dry-run.ts'
import { refuseDocument } from '../http/errors.ts'
import { readJsonBody } from '../http/read-body.ts'

export type QuotaOptions = {
  readonly state: DesiredState
  readonly quota: QuotaState
  capacityRules(): Pick<CapacityRules, 'elsewhere'>
}

type Handler = (request: Request, name: string) => Promise<Answer>

/** What GET shows may come back with a PUT: the name in the path says what the pool is for. */
const shown = z.unknown().optional()
const poolSchema = z.strictObject({
  limit: z.int().min(0).max(1_000_000_000),
  name: shown,
  format: shown,
  model: shown,
  sku: shown,
  unit: shown,
  used: shown,
  available: shown,
  deployments: shown,
  source: shown,
} satisfies Record<keyof QuotaView, z.ZodType>)

/** The quota pools, and what the deployments have of them. */
export function createQuota({
  state,
  quota,
  capacityRules,
}: QuotaOptions): Record<'list' | 'show' | 'put' | 'remove', Handler> {
  function view(pool: DesiredPool, pools: readonly DesiredPool[] = quota.list()): QuotaView {
    const specs = state.list().map(({ spec }) => spec)
    const elsewhere = capacityRules().elsewhere ?? []
    const resources = new Map(elsewhere.map(({ resource, spec }) => [spec, resource.name]))
    const deployments = deploymentsOf(pool, pools, [...specs, ...resources.keys()]).map((spec) => {
      const resource = resources.get(spec)
      return { name: spec.name, ...(resource !== undefined && { resource }), capacity: spec.sku?.capacity ?? 0 }
    })
    const used = deployments.reduce((sum, { capacity }) => sum + capacity, 0)
    const { name, format, model, sku, limit, source } = pool
    return {
      name,
      ...(format !== undefined && { format }),
      ...(model !== undefined && { model }),
      sku,
      unit: describeUnit(sku),
      limit,
      used,
      available: Math.max(0, limit - used),
      deployments,
      source,
    }
  }

  /** What a write would make, without making it. */
  function tryOut(wanted: QuotaPool): Answer {
    const name = poolName(wanted)
    quota.requireWritable(name)
    const current = quota.get(name)
    const pool: DesiredPool = { source: { kind: 'stored' }, ...wanted, name, ...current, limit: wanted.limit }
    const others = quota.list().filter((other) => other !== current)
    return { status: current ? 200 : 201, body: view(pool, [...others, pool]) }
  }

  return {
    list: async () => ({ status: 200, body: { value: quota.list().map((pool) => view(pool)) } }),
    show: async (_request, name) => ({ status: 200, body: view(quota.get(name) ?? refuseUnknown(name)) }),
    async put(request, name) {
      const wanted = readPoolName(name)
      const parsed = parseDocument(poolSchema, await readJsonBody(request))
      if ('problems' in parsed) throw refuseDocument(parsed.problems)
      const next = { ...wanted, limit: parsed.data.limit }
      if (isDryRun(request)) return tryOut(next)
      const { pool, isNew } = await quota.write(next)
      return { status: isNew ? 201 : 200, body: view(pool) }
    },
    async remove(request, name) {
      if (isDryRun(request)) {
        quota.requireWritable(name)
        return quota.get(name) ? { status: 204 } : refuseUnknown(name)
      }
      return (await quota.remove(name)) ? { status: 204 } : refuseUnknown(name)
    },
  }
}

function refuseUnknown(name: string): never {
  throw new Fault(
    'not-found',
    `There is no quota pool ${JSON.stringify(name)}. GET /management/quota lists those there are.`,
  )
}
