import { expect, test } from 'bun:test'
import { createSealer } from '../../core/access/seal.ts'
import type { KeyRow } from '../../port/tables/port.ts'
import { type KeyTables, readResourceKeys, storeResourceKey } from './resource-keys.ts'

function createMemory(): KeyTables & { readonly rows: Map<string, KeyRow> } {
  const rows = new Map<string, KeyRow>()
  return {
    rows,
    listKeys: async () => [...rows.values()],
    putKey: async (row) => {
      rows.set(row.name, row)
    },
  }
}

test('keys are stored sealed and read again', async () => {
  const tables = createMemory()
  const sealer = createSealer(new Uint8Array(32).fill(1))
  await storeResourceKey(tables, sealer, { name: 'key1', value: 'plain-key-1', createdAt: 5 })
  expect(JSON.stringify([...tables.rows.values()])).not.toContain('plain-key-1')
  expect(await readResourceKeys(tables, sealer)).toEqual([{ name: 'key1', value: 'plain-key-1', createdAt: 5 }])
})

test('the row of one key does not open as the other, nor under another master key', async () => {
  const tables = createMemory()
  const sealer = createSealer(new Uint8Array(32).fill(1))
  await storeResourceKey(tables, sealer, { name: 'key1', value: 'plain-key-1', createdAt: 5 })
  await expect(readResourceKeys(tables, createSealer(new Uint8Array(32).fill(2)))).rejects.toThrow(
    'resource key key1 does not open',
  )
  tables.rows.set('key1', { ...(tables.rows.get('key1') as KeyRow), name: 'key2' })
  await expect(readResourceKeys(tables, sealer)).rejects.toThrow('resource key key2 does not open')
})
