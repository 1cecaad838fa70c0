import { describe, expect, test } from 'bun:test'
import type { CatalogModel } from '../catalog/catalog.ts'
import { createCatalog, genericSkus } from '../catalog/create-catalog.ts'
import { makeModel } from '../catalog/model.fixture.ts'
import { type DeploymentInput, deploymentSpecSchema } from '../deployment-spec.ts'
import { planDeployment } from './plan-deployment.ts'

const day = 86_400_000
const now = Date.UTC(2026, 10, 24)

const retiring = (retiresAt: number): Pick<CatalogModel, 'lifecycle'> => ({
  lifecycle: { status: 'Legacy', retiresAt, replacement: { name: 'acme', version: '2' } },
})

const plan = (
  input: Partial<DeploymentInput>,
  models: CatalogModel[] = [],
  at = now,
  pool?: Parameters<typeof planDeployment>[1]['pool'],
) =>
  planDeployment(deploymentSpecSchema.parse({ name: 'dd', model: { name: 'unknown' }, ...input }), {
    catalog: createCatalog([], models),
    now: at,
    createdAt: now,
    pool,
  })

describe('limits', () => {
  test('without a SKU there are none', () => {
    expect(plan({}).limits).toBeUndefined()
  })

  test('capacity times what the catalog says of a unit', () => {
    const { limits } = plan({
      model: { name: 'gpt-4o', version: '2024-11-20' },
      sku: { name: 'GlobalStandard', capacity: 80 },
    })
    expect(limits).toEqual({
      kind: 'rate',
      tokens: { limit: 80_000, windowMs: 60_000 },
      requests: { limit: 80, windowMs: 10_000 },
      settles: true,
      pool: undefined,
    })
  })

  test('a model that no entry knows has the generic ratio', () => {
    const { limits } = plan({ sku: { name: 'Standard', capacity: 10 } })
    expect(limits).toMatchObject({ tokens: { limit: 10_000 }, requests: { limit: 10, windowMs: 10_000 } })
  })

  test('few requests are judged by the minute, and not in portions below one', () => {
    const { limits } = plan({ model: { name: 'o1', version: '2024-12-17' }, sku: { name: 'Standard', capacity: 3 } })
    expect(limits).toMatchObject({ tokens: { limit: 18_000 }, requests: { limit: 3, windowMs: 60_000 } })
  })

  test("the operator's own limits take their place", () => {
    const { limits } = plan({
      sku: { name: 'Standard', capacity: 10 },
      rateLimits: [{ key: 'request', renewalPeriod: 1, count: 5 }],
      tokenAccounting: 'estimate',
    })
    expect(limits).toMatchObject({ tokens: undefined, requests: { limit: 5, windowMs: 1_000 }, settles: false })
  })

  test('provisioned units', () => {
    const { limits } = plan({
      model: { name: 'gpt-4.1', version: '2025-04-14' },
      sku: { name: 'ProvisionedManaged', capacity: 100 },
      concurrency: 7,
    })
    expect(limits).toEqual({ kind: 'provisioned', inputTokensPerMinute: 300_000, outputWeight: 4, concurrency: 7 })
  })

  test('waiting tokens of a batch SKU', () => {
    expect(plan({ sku: { name: 'GlobalBatch', capacity: 5 } }).limits).toEqual({ kind: 'enqueued', tokens: 5_000 })
  })

  test('what may be borrowed is what the pool has allocated to nobody', () => {
    const { limits } = plan({ sku: { name: 'Standard', capacity: 10 }, dynamicThrottlingEnabled: true }, [], now, {
      key: 'p',
      limit: 100,
      allocated: 30,
    })
    expect(limits).toMatchObject({ pool: { key: 'p', tokensPerMinute: 70_000 } })
  })
})

describe('versions', () => {
  const models = [makeModel('2', { isDefaultVersion: true }), makeModel('1')]
  const model = { format: 'Acme', name: 'acme', version: '1' }
  const served = (input: Partial<DeploymentInput>, known = models, at = now) =>
    plan({ model, ...input }, known, at).model.version

  test('stay until they are retired, unless they are to move before', () => {
    expect(served({})).toBe('1')
    expect(served({ versionUpgradeOption: 'OnceCurrentVersionExpired' })).toBe('1')
    expect(served({ versionUpgradeOption: 'NoAutoUpgrade' })).toBe('1')
    expect(served({ versionUpgradeOption: 'OnceNewDefaultVersionAvailable' })).toBe('2')
  })

  test('at their end', () => {
    const known = [makeModel('2', { isDefaultVersion: true }), makeModel('1', retiring(now + day))]
    expect(plan({ model }, known)).toMatchObject({
      model: { version: '1' },
      nextChangeAt: now + day,
      lifecycle: { status: 'Legacy' },
    })
    expect(plan({ model }, known, now + day)).toMatchObject({
      model: { version: '2' },
      nextChangeAt: undefined,
      lifecycle: { status: 'GenerallyAvailable' },
    })
    expect(plan({ model, versionUpgradeOption: 'NoAutoUpgrade' }, known, now + day)).toMatchObject({
      model: { version: '1' },
      lifecycle: { status: 'Deprecated', retiresAt: now + day },
    })
  })

  test('a version that is newer than the default one does not go back', () => {
    const option = { versionUpgradeOption: 'OnceNewDefaultVersionAvailable' } as const
    const known = [makeModel('2026-02-01', { isDefaultVersion: true }), makeModel('2026-03-01', retiring(now + day))]
    const input = { ...option, model: { format: 'Acme', name: 'acme', version: '2026-03-01' } }
    expect(served(input, known)).toBe('2026-03-01')
    expect(served(input, known, now + day)).toBe('2026-02-01')
  })

  test('provisioned capacity does not move by itself', () => {
    const skus = createCatalog([]).find('gpt-4.1', '2025-04-14')?.skus ?? []
    const known = [makeModel('2', { isDefaultVersion: true, skus }), makeModel('1', { skus })]
    const sku = { name: 'ProvisionedManaged', capacity: 50 } as const
    expect(served({ sku, versionUpgradeOption: 'OnceNewDefaultVersionAvailable' }, known)).toBe('1')
  })

  test('that are not offered with the SKU are served under the limits there were', () => {
    const skus = genericSkus.filter(({ name }) => name !== 'Standard')
    const known = [makeModel('2', { isDefaultVersion: true, skus }), makeModel('1', retiring(now))]
    expect(plan({ model, sku: { name: 'Standard', capacity: 5 } }, known)).toMatchObject({
      model: { version: '2' },
      limits: { tokens: { limit: 5_000 } },
    })
  })

  test('of a model that no entry knows, the one that is written', () => {
    expect(plan({ model: { name: 'mine', version: 'x' } })).toMatchObject({
      model: { version: 'x' },
      lifecycle: { retiresAt: undefined },
    })
  })
})

test('a deployment for trying things out ends after a day', () => {
  const sku = { name: 'DeveloperTier', capacity: 1 } as const
  expect(plan({ sku })).toMatchObject({
    nextChangeAt: now + day,
    lifecycle: { status: 'GenerallyAvailable', retiresAt: now + day },
  })
  expect(plan({ sku }, [], now + day)).toMatchObject({ nextChangeAt: undefined, lifecycle: { status: 'Deprecated' } })
})
