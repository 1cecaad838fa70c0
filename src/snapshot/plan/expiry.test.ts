import { expect, test } from 'bun:test'
import { deploymentSpecSchema } from '../deployment-spec.ts'
import type { DesiredDeployment } from '../desired-state.ts'
import { expiryOf, listExpired } from './expiry.ts'

const day = 86_400_000
const trial = { name: 'DeveloperTier', capacity: 1 }
const specOf = (name: string, sku?: object) => deploymentSpecSchema.parse({ name, model: { name: 'mm' }, sku })
const item = (name: string, more: Partial<DesiredDeployment> = {}): DesiredDeployment => ({
  spec: specOf(name, trial),
  source: { kind: 'stored' },
  etag: '1',
  createdAt: 1_000,
  updatedAt: 1_000,
  ...more,
})

test('a deployment for trying things out ends a day after it was made, no other does', () => {
  expect(expiryOf(specOf('aa', trial), 1_000)).toBe(1_000 + day)
  expect(expiryOf(specOf('aa', { name: 'Standard' }), 1_000)).toBeUndefined()
  expect(expiryOf(specOf('aa'), 1_000)).toBeUndefined()
})

test('what has ended is deleted where it is stored, to the millisecond', () => {
  const items = [
    item('aa'),
    item('in-file', { source: { kind: 'file', file: 'ponto.yaml', line: 1 } }),
    item('later', { createdAt: 1_001 }),
    item('lasting', { spec: specOf('lasting') }),
  ]
  expect(listExpired(items, 1_000 + day - 1)).toEqual([])
  expect(listExpired(items, 1_000 + day)).toEqual(['aa'])
})
