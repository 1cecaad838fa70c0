import { z } from 'zod'
import { Fault } from '../core/fault.ts'
import { parseDocument } from '../core/text/parse-document.ts'
import type { DesiredState } from '../snapshot/desired-state.ts'
import { deploymentsOf, describeUnit, readPoolName } from '../snapshot/quota.ts'
import type { DesiredPool, QuotaState } from '../snapshot/quota-state.ts'
import type { QuotaView } from './api.ts'
import { refuseDocument } from './errors.ts'
import type { Answer } from './http/answer.ts'
import { readJsonBody } from './http/read-body.ts'

export type QuotaOptions = { readonly state: DesiredState; readonly quota: QuotaState }

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
export function createQuota({ state, quota }: QuotaOptions): Record<'list' | 'show' | 'put' | 'remove', Handler> {
  function view(pool: DesiredPool): QuotaView {
    const specs = state.list().map(({ spec }) => spec)
    const deployments = deploymentsOf(pool, quota.list(), specs).map((spec) => ({
      name: spec.name,
      capacity: spec.sku?.capacity ?? 0,
    }))
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

  return {
    list: async () => ({ status: 200, body: { value: quota.list().map(view) } }),
    show: async (_request, name) => ({ status: 200, body: view(quota.get(name) ?? refuseUnknown(name)) }),
    async put(request, name) {
      const wanted = readPoolName(name)
      const parsed = parseDocument(poolSchema, await readJsonBody(request))
      if ('problems' in parsed) throw refuseDocument(parsed.problems)
      const { pool, isNew } = await quota.write({ ...wanted, limit: parsed.data.limit })
      return { status: isNew ? 201 : 200, body: view(pool) }
    },
    async remove(_request, name) {
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
