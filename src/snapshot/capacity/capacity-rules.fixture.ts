import { createCatalog } from '../catalog/create-catalog.ts'
import type { CapacityRules } from './judge-capacity.ts'

/** For tests: the shipped catalog, no pools, no placement. */
export const plainRules: CapacityRules = {
  catalog: createCatalog([{ format: 'Ponto', name: 'builtin-nano', version: '1' }]),
  pools: [],
  placement: {},
  now: Date.UTC(2026, 10, 24),
}
