import type { Sealer } from '../../core/access/seal.ts'
import { ownResource, qualify, type ResourceId } from '../../core/resource.ts'
import type { KeyName, ResourceTables } from '../../port/tables/port.ts'

export type KeyTables = Pick<ResourceTables, 'listKeys' | 'putKey'>

/** A key of the resource in plain text. `createdAt` is unix milliseconds. */
export type ResourceKey = { readonly name: KeyName; readonly value: string; readonly createdAt: number }

/** The stored keys, opened. Throws Fault `state-unusable` when they were sealed under another master key. */
export async function readResourceKeys(
  tables: KeyTables,
  sealer: Sealer,
  resource: ResourceId = ownResource,
): Promise<ResourceKey[]> {
  const rows = await tables.listKeys()
  return rows.map(({ name, sealed, createdAt }) => ({
    name,
    value: sealer.open(sealed, sealContext(name, resource)),
    createdAt,
  }))
}

export async function storeResourceKey(
  tables: KeyTables,
  sealer: Sealer,
  key: ResourceKey,
  resource: ResourceId = ownResource,
): Promise<void> {
  const { name, value, createdAt } = key
  await tables.putKey({ name, sealed: sealer.seal(value, sealContext(name, resource)), createdAt })
}

/** One that was put into the row of another resource does not open. */
function sealContext(name: KeyName, resource: ResourceId): string {
  return `resource key ${qualify(resource, name)}`
}
