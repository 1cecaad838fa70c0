import { describe, expect, test } from 'bun:test'
import { type DeploymentSpec, deploymentSpecSchema } from '../deployment-spec.ts'
import { checkQuota, describeOverdrawn, findPool, poolName, type QuotaPool, readPoolName, shareOf } from './quota.ts'

const spec = (name: string, capacity: number, more: object = {}): DeploymentSpec =>
  deploymentSpecSchema.parse({ name, model: { name: 'gpt-4o' }, sku: { name: 'GlobalStandard', capacity }, ...more })

const ofPublisher: QuotaPool = { sku: 'GlobalStandard', model: 'gpt-4o', format: 'Acme', limit: 1 }
const ofModel: QuotaPool = { sku: 'GlobalStandard', model: 'GPT-4o', limit: 100 }
const ofSku: QuotaPool = { sku: 'GlobalStandard', limit: 10 }

describe('the pool of a deployment', () => {
  test('is the one that says most about it', () => {
    const pools = [ofSku, ofModel, ofPublisher]
    expect(findPool(spec('da', 1), pools)).toBe(ofModel)
    expect(findPool(spec('da', 1, { model: { name: 'gpt-4O', format: 'ACME' } }), pools)).toBe(ofPublisher)
    expect(findPool(spec('da', 1, { model: { name: 'other' } }), pools)).toBe(ofSku)
    expect(findPool(spec('da', 1), [ofPublisher])).toBeUndefined()
    expect(findPool(spec('da', 1, { sku: { name: 'Standard' } }), pools)).toBeUndefined()
    expect(findPool(spec('da', 1, { sku: undefined }), pools)).toBeUndefined()
  })

  test('lends what does not belong to deployments that may not go over their own', () => {
    const dynamic = { dynamicThrottlingEnabled: true }
    const specs = [spec('da', 30, dynamic), spec('db', 20), spec('dc', 9, { model: { name: 'other' } })]
    expect(shareOf(specs[0] as DeploymentSpec, [ofModel, ofSku, ofPublisher], specs)).toEqual({
      key: 'globalstandard.gpt-4o',
      limit: 100,
      allocated: 20,
    })
    expect(shareOf(spec('dd', 1, dynamic), [], specs)).toBeUndefined()
    expect(shareOf(specs[1] as DeploymentSpec, [ofModel], specs)).toBeUndefined()
  })
})

describe('what a deployment may have', () => {
  const specs = [spec('da', 60), spec('db', 30)]
  const check = (next: DeploymentSpec, current?: DeploymentSpec, limit = 100) =>
    checkQuota(next, current, specs, [{ ...ofModel, limit }])

  test('is what the others leave', () => {
    expect(() => check(spec('dc', 10))).not.toThrow()
    expect(() => check(spec('dc', 11))).toThrow('requires 11 new capacity')
    expect(() => check(spec('da', 70), spec('da', 60))).not.toThrow()
    expect(() => check(spec('da', 71), spec('da', 60))).toThrow(
      'current available capacity 70. The current quota usage is 30',
    )
  })

  test('is never less than it has', () => {
    expect(() => check(spec('da', 60), spec('da', 60), 1)).not.toThrow()
    expect(() => check(spec('da', 59), spec('da', 60), 1)).not.toThrow()
    expect(() => check(spec('da', 61), spec('da', 60), 1)).toThrow('current available capacity 0.')
  })

  test('counts anew when it comes from another pool', () => {
    const before = spec('dc', 60, { sku: { name: 'Standard', capacity: 60 } })
    expect(() => checkQuota(spec('dc', 60), before, [...specs, before], [ofModel])).toThrow('requires 60 new capacity')
  })

  test('is told in the words of the service', () => {
    const pool: QuotaPool = { sku: 'DataZoneProvisionedManaged', limit: 10 }
    const next = spec('dc', 15, { sku: { name: pool.sku, capacity: 15 } })
    expect(() => checkQuota(next, undefined, [], [pool])).toThrow(
      'This operation requires 15 new capacity in quota Data Zone Provisioned Throughput Unit - DataZoneProvisionedManaged, ' +
        'which is bigger than the current available capacity 10. The current quota usage is 0 and the quota limit is 10 for quota',
    )
  })

  test('is not limited without a pool', () => {
    expect(() => checkQuota(spec('dc', 1_000_000), undefined, specs, [])).not.toThrow()
  })
})

test('pools of which too much is allocated are told', () => {
  const specs = [spec('da', 60), spec('db', 41)]
  expect(describeOverdrawn([ofModel, ofSku], specs)).toEqual([
    expect.stringContaining('The quota pool "GlobalStandard.GPT-4o" has 100 units, and its deployments have 101.'),
  ])
  expect(describeOverdrawn([ofModel], [spec('da', 100)])).toEqual([])
})

describe('names', () => {
  test.each<[string, Omit<QuotaPool, 'limit'>]>([
    ['Standard', { sku: 'Standard' }],
    ['globalstandard.gpt-4.1', { sku: 'GlobalStandard', model: 'gpt-4.1' }],
    ['Mistral AI.Standard.Mistral-Large-3', { sku: 'Standard', model: 'Mistral-Large-3', format: 'Mistral AI' }],
    ['A.I.Standard.org/model.Standard.x', { sku: 'Standard', model: 'org/model.Standard.x', format: 'A.I' }],
    ['ProvisionedManaged', { sku: 'ProvisionedManaged' }],
  ])('%s', (name, pool) => {
    expect(readPoolName(name)).toEqual(pool)
    expect(poolName(pool).toLowerCase()).toBe(name.toLowerCase())
  })

  test.each(['', 'gpt-4o', 'Acme.Standard', 'Standard.', '.Standard.x', 'Standards.x', 'Standard.\ud800'])(
    '%j is none',
    (name) => {
      expect(() => readPoolName(name)).toThrow('it is named SKU, SKU.MODEL or PUBLISHER.SKU.MODEL')
    },
  )
})
