import type { CatalogModel } from './catalog.ts'
import { genericSkus } from './create-catalog.ts'

/** For tests: a version of the model `acme`, which is not the default one. */
export function makeModel(version: string, more: Partial<CatalogModel> = {}): CatalogModel {
  return {
    format: 'Acme',
    name: 'acme',
    version,
    isDefaultVersion: false,
    publisher: undefined,
    description: undefined,
    type: 'chat',
    capabilities: {},
    maxContextTokens: undefined,
    maxOutputTokens: undefined,
    lifecycle: { status: 'GenerallyAvailable', retiresAt: undefined, replacement: undefined },
    skus: genericSkus,
    runsOn: ['openai'],
    source: 'operator',
    ...more,
  }
}
