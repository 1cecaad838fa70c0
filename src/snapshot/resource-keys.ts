import type { Sealer } from '../core/seal.ts'
import type { KeyName, Tables } from '../port/tables/port.ts'

export type KeyTables = Pick<Tables, 'listKeys' | 'putKey'>

/** A key of the resource in plain text. `createdAt` is unix milliseconds. */
export type ResourceKey = { readonly name: KeyName; readonly value: string; readonly createdAt: number }

/** The stored keys, opened. Throws Fault `state-unusable` when they were sealed under another master key. */
export async function readResourceKeys(tables: KeyTables, sealer: Sealer): Promise<ResourceKey[]> {
  const rows = await tables.listKeys()
  return rows.map(({ name, sealed, createdAt }) => ({ name, value: sealer.open(sealed, sealContext(name)), createdAt }))
}

export async function storeResourceKey(tables: KeyTables, sealer: Sealer, key: ResourceKey): Promise<void> {
  const { name, value, createdAt } = key
  await tables.putKey({ name, sealed: sealer.seal(value, sealContext(name)), createdAt })
}

function sealContext(name: KeyName): string {
  return `resource key ${name}`
}
