import type { Sealer } from '../../core/access/seal.ts'
import type { ResourceId } from '../../core/resource.ts'
import { type KeyTables, storeResourceKey } from '../../snapshot/keys/resource-keys.ts'
import { makeResourceKey } from '../secrets.ts'

/** Makes and stores those of the two keys that a resource does not have. */
export async function makeMissingKeys(tables: KeyTables, sealer: Sealer, resource: ResourceId): Promise<void> {
  const known = new Set((await tables.listKeys()).map(({ name }) => name))
  for (const name of ['key1', 'key2'] as const) {
    if (known.has(name)) continue
    await storeResourceKey(tables, sealer, { name, value: makeResourceKey(), createdAt: Date.now() }, resource)
  }
}
