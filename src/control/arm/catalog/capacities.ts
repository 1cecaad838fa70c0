import { z } from 'zod'
import { type SkuName, skus } from '../../../core/deployment.ts'
import { Fault } from '../../../core/fault.ts'
import { parseDocument } from '../../../core/text/parse-document.ts'
import { findPool } from '../../../snapshot/capacity/quota.ts'
import type { CatalogModel, CatalogSku } from '../../../snapshot/catalog/catalog.ts'
import type { Answer } from '../../http/answer.ts'
import { refuseDocument } from '../../http/errors.ts'
import { readJsonBody } from '../../http/read-body.ts'
import type { FindOptions } from '../accounts/find-account.ts'
import {
  type ArmRoute,
  type ArmVisit,
  isSameName,
  ofLocation,
  ofProvider,
  paramOf,
  provider,
  route,
} from '../http/arm-route.ts'
import { listLocations } from '../subscriptions/locations.ts'
import { listPools } from './usages.ts'

/** How much of a model can still be deployed, and how much of it a workload needs. */
export function listCapacityRoutes(options: FindOptions): readonly ArmRoute[] {
  return [
    route('GET', `${ofProvider}/modelCapacities`, 'modelCapacities/read', async (_, visit) =>
      listCapacities(options, visit, listLocations(options.accounts)),
    ),
    route('GET', `${ofLocation}/modelCapacities`, 'locations/modelCapacities/read', async (_, visit) =>
      listCapacities(options, visit, [paramOf(visit, 'location')]),
    ),
    route('POST', `${ofProvider}/calculateModelCapacity`, 'calculateModelCapacity/action', (request) =>
      calculate(options, request),
    ),
  ]
}

async function listCapacities(options: FindOptions, visit: ArmVisit, locations: readonly string[]): Promise<Answer> {
  const asked = (name: string): string | undefined => visit.url.searchParams.get(name) ?? undefined
  const [format, name, version] = [asked('modelFormat'), asked('modelName'), asked('modelVersion')]
  const missing = Object.entries({ modelFormat: format, modelName: name, modelVersion: version }).find(
    ([, value]) => value === undefined,
  )
  if (missing) {
    const text = `${missing[0]}: missing, expected what GET .../models lists`
    throw new Fault('invalid-request', text, { param: missing[0], vendorCode: 'InvalidParameter' })
  }
  const model = findModel(options, { format: format as string, name: name as string, version: version as string })
  const value = locations.flatMap((location) =>
    (model?.skus ?? []).map((sku) => ({
      id: `/subscriptions/${paramOf(visit, 'subscription')}/providers/${provider}/locations/${location}/models/${format}.${name}.${version}/skus/${sku.name}`,
      name: sku.name,
      type: `${provider}/locations/models/skus`,
      location,
      properties: {
        model: { format, name, version },
        skuName: sku.name,
        availableCapacity: availableOf(options, model as CatalogModel, sku),
        availableFinetuneCapacity: 0,
      },
    })),
  )
  return { status: 200, body: { value } }
}

function findModel({ accounts }: FindOptions, asked: Readonly<Record<'format' | 'name' | 'version', string>>) {
  const { catalog } = accounts.own().routes.capacityRules()
  return catalog.versionsOf(asked.name, asked.format).find(({ version }) => isSameName(version, asked.version))
}

/** Units that are left of the quota pool; as many as a deployment may have where there is none. */
function availableOf(options: FindOptions, { format, name, version }: CatalogModel, sku: CatalogSku): number {
  const { maximum } = sku.capacity
  const pools = listPools(options)
  const spec = { name: 'any', model: { format, name, version }, sku: { name: sku.name, capacity: 1 } }
  const pool = findPool(spec, options.accounts.own().routes.capacityRules().pools)
  const view =
    pool && pools.find((one) => one.sku === pool.sku && one.model === pool.model && one.format === pool.format)
  return view ? Math.min(maximum, view.available) : maximum
}

const tokens = z.number().min(0).max(1e12).nullish()
const calculateSchema = z.strictObject({
  model: z.strictObject({
    format: z.string().max(64).nullish(),
    name: z.string().min(1).max(128),
    version: z.string().max(64).nullish(),
    publisher: z.unknown().optional(),
    source: z.unknown().optional(),
    sourceAccount: z.unknown().optional(),
    callRateLimit: z.unknown().optional(),
  }),
  skuName: z.enum(Object.keys(skus) as [SkuName, ...SkuName[]]),
  workloads: z
    .array(
      z.strictObject({
        requestPerMinute: z.number().min(0).max(1e9).default(0),
        requestParameters: z.strictObject({ avgPromptTokens: tokens, avgGeneratedTokens: tokens }).prefault({}),
      }),
    )
    .max(100)
    .default([]),
})

async function calculate(options: FindOptions, request: Request): Promise<Answer> {
  const parsed = parseDocument(calculateSchema, await readJsonBody(request))
  if ('problems' in parsed) throw refuseDocument(parsed.problems)
  const { model: asked, skuName, workloads } = parsed.data
  const { catalog } = options.accounts.own().routes.capacityRules()
  const known = catalog.versionsOf(asked.name, asked.format ?? undefined)
  const model = asked.version ? known.find(({ version }) => isSameName(version, asked.version as string)) : known[0]
  if (!model) {
    throw refuseDocument([
      { path: ['model'], text: 'there is no such model in the catalog; GET .../models lists those there are' },
    ])
  }
  const sku = model.skus.find(({ name }) => name === skuName)
  if (!sku) {
    const offered = model.skus.map(({ name }) => `"${name}"`).join(', ')
    throw refuseDocument([{ path: ['skuName'], text: `got "${skuName}", expected one of ${offered}` }])
  }
  const value = estimate(sku, workloads)
  const { format, name, version } = model
  const estimatedCapacity = { value, deployableValue: Math.min(value, availableOf(options, model, sku)) }
  return { status: 200, body: { model: { format, name, version }, skuName, estimatedCapacity } }
}

type Workload = z.output<typeof calculateSchema>['workloads'][number]

/** Units that all the workloads together need, rounded up to what a deployment may have. */
function estimate({ capacity, perUnit }: CatalogSku, workloads: readonly Workload[]): number {
  const requests = sum(workloads, ({ requestPerMinute }) => requestPerMinute)
  const input = sum(workloads, (one) => one.requestPerMinute * (one.requestParameters.avgPromptTokens ?? 0))
  const output = sum(workloads, (one) => one.requestPerMinute * (one.requestParameters.avgGeneratedTokens ?? 0))
  const units = unitsFor(perUnit, requests, input, output)
  return Math.max(capacity.minimum, Math.ceil(units / capacity.step) * capacity.step)
}

function unitsFor(perUnit: CatalogSku['perUnit'], requests: number, input: number, output: number): number {
  switch (perUnit.kind) {
    case 'provisioned':
      return (input + perUnit.outputWeight * output) / perUnit.inputTokensPerMinute
    case 'enqueued':
      return (input + output) / perUnit.tokens
    case 'rate':
      return Math.max(
        perUnit.tokensPerMinute === undefined ? 0 : (input + output) / perUnit.tokensPerMinute,
        perUnit.requestsPerMinute === undefined ? 0 : requests / perUnit.requestsPerMinute,
      )
  }
}

function sum(workloads: readonly Workload[], read: (one: Workload) => number): number {
  return workloads.reduce((total, one) => total + read(one), 0)
}
