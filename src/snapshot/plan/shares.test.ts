import { expect, test } from 'bun:test'
import { formatProblem } from '../../core/text/parse-document.ts'
import { type DeploymentInput, deploymentSpecSchema } from '../deployment-spec.ts'
import { judgeShares, planShares } from './shares.ts'

const make = (name: string, more: Partial<DeploymentInput> = {}) =>
  deploymentSpecSchema.parse({ name, model: { name: 'm' }, ...more })
const at = (url: string, maxConcurrency?: number) => ({ url, ...(maxConcurrency !== undefined && { maxConcurrency }) })
const bought = (name: string, concurrency: number, url = 'http://a/v1') =>
  make(name, { sku: { name: 'ProvisionedManaged', capacity: 1 }, concurrency, backends: [at(url, 10)] })

test('deployments that name the same address share its places, and the least limit holds', () => {
  const specs = [
    make('aa', { backends: [at('http://a/v1', 8), at('http://b/v1')] }),
    make('bb', { backends: [at('http://a/v1/', 5)] }),
    bought('CC', 3),
  ]
  expect(planShares(specs)).toEqual(new Map([['http://a/v1', { limit: 5, shares: new Map([['cc', 3]]) }]]))
})

test("the engine's slots count only where some are kept", () => {
  expect(planShares([make('aa')])).toEqual(new Map())
  const kept = make('kk', { sku: { name: 'ProvisionedManaged', capacity: 1 }, concurrency: 2 })
  expect(planShares([make('aa'), kept])).toEqual(new Map([['builtin:m', { limit: 4, shares: new Map([['kk', 2]]) }]]))
})

test('more than there is cannot be kept', () => {
  expect(judgeShares(bought('aa', 10), [])).toEqual([])
  expect(judgeShares(bought('aa', 4), [bought('bb', 6)])).toEqual([])
  expect(judgeShares(bought('aa', 5), [bought('bb', 6)]).map(formatProblem)).toEqual([
    'concurrency: got 5, expected at most 4: http://a/v1 takes 10 calls at once, and 6 of them are kept for other deployments',
  ])
  expect(judgeShares(make('aa', { backends: [at('http://a/v1', 1)] }), [bought('bb', 6)])).toEqual([])
})
