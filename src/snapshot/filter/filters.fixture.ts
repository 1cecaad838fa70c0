import type { FilterItem, FilterKind, FilterRow, FiltersTable } from '../../port/tables/filters/port.ts'
import { createQueue } from '../queue.ts'
import { type FiltersState, type FiltersStateOptions, openFiltersState } from './filters-state.ts'
import { type PolicyInput, type PolicySpec, policySchema } from './policy-spec.ts'

/** For tests: a table in memory, and state over it. */

export type MemoryTable = FiltersTable & {
  readonly rows: Map<string, FilterRow>
  readonly items: Map<string, Map<string, FilterItem>>
  /** How many items were written and removed so far. */
  written: number
}

export function createMemoryTable(): MemoryTable {
  const rows = new Map<string, FilterRow>()
  const items = new Map<string, Map<string, FilterItem>>()
  const keyOf = (kind: FilterKind, name: string) => `${kind}/${name.toLowerCase()}`
  let etags = 0
  const table: MemoryTable = {
    rows,
    items,
    written: 0,
    list: async (kind) => [...rows].filter(([key]) => key.startsWith(`${kind}/`)).map(([, row]) => row),
    async put(kind, name, document, expectedEtag, now, change) {
      const key = keyOf(kind, name)
      const before = rows.get(key)
      if ((before?.etag ?? null) !== expectedEtag) return undefined
      const row = {
        name: before?.name ?? name,
        document,
        etag: `e${++etags}`,
        createdAt: before?.createdAt ?? now,
        updatedAt: now,
      }
      rows.set(key, row)
      if (change) {
        const own = items.get(name.toLowerCase()) ?? new Map<string, FilterItem>()
        for (const item of change.remove) own.delete(item.toLowerCase())
        for (const item of change.put) own.set(item.name.toLowerCase(), item)
        items.set(name.toLowerCase(), own)
        table.written += change.remove.length + change.put.length
      }
      return row
    },
    async delete(kind, name) {
      if (kind === 'blocklist') items.delete(name.toLowerCase())
      return rows.delete(keyOf(kind, name))
    },
    listItems: async (list) => [...(items.get(list.toLowerCase())?.values() ?? [])],
  }
  return table
}

export function openState(
  table: FiltersTable = createMemoryTable(),
  more: Partial<FiltersStateOptions> = {},
): Promise<FiltersState> {
  return openFiltersState({
    table,
    now: () => 5,
    enqueue: createQueue(),
    listDeployments: () => [],
    defaultPolicy: 'Microsoft.Nil',
    ...more,
  })
}

export function makePolicy(input: PolicyInput): PolicySpec {
  const { promptBlocklists, completionBlocklists, ...policy } = policySchema.parse(input)
  return policy
}
