import { type SkuName, skus } from '../../core/deployment.ts'
import { Fault } from '../../core/fault.ts'
import type { QuotaRow, QuotaTable } from '../../port/tables/resources/quota/port.ts'
import { createQueue } from '../queue.ts'
import { poolName, type QuotaPool } from './quota.ts'

/** A pool, what it is found by, and where it was declared. `file` is the configuration file's path. */
export type DesiredPool = QuotaPool & {
  readonly name: string
  readonly source: { readonly kind: 'stored' } | { readonly kind: 'file'; readonly file: string }
}

/** Which quota pools there should be: those that are stored, and those that the configuration file declares, which win. */
export type QuotaState = {
  /** Ordered by name. The same list as long as nothing changes. Names match without regard to case. */
  list(): readonly DesiredPool[]
  get(name: string): DesiredPool | undefined
  /** Calls `listener` after every change; the function returned ends that. */
  subscribe(listener: () => void): () => void
  /** Creates a stored pool or gives it another limit. Throws Fault `conflict` for one that the file declares. */
  write(pool: QuotaPool): Promise<{ readonly pool: DesiredPool; readonly isNew: boolean }>
  /** Deletes a stored pool; resolves to whether there was one. Throws Fault `conflict` as `write` does. */
  remove(name: string): Promise<boolean>
  /** Throws Fault `conflict` when the file declares a pool of that name: it can only be changed there. */
  requireWritable(name: string): void
  /** Reads again what is stored, since another server may have written it, and tells listeners where something is not as it was. */
  reload(): Promise<void>
  /** Takes over what the configuration file declares, whole. */
  declare(file: string, pools: readonly QuotaPool[]): void
}

/** Reads the stored pools and holds their state from then on: whoever else writes that table has to be told of by `reload`. `now` tells unix milliseconds. */
export async function openQuotaState(table: QuotaTable, now: () => number): Promise<QuotaState> {
  let stored = new Map<string, DesiredPool>()
  let declared = new Map<string, DesiredPool>()
  let merged: readonly DesiredPool[] | undefined
  const listeners = new Set<() => void>()
  const enqueue = createQueue()

  for (const row of await table.list()) keepRow(row)

  function keepRow({ name, format, model, sku, limit }: QuotaRow): DesiredPool | undefined {
    // A SKU that this version does not know was stored by another one, which will find it again.
    if (!isSku(sku)) return undefined
    const pool: DesiredPool = { name, format, model, sku, limit, source: { kind: 'stored' } }
    stored.set(name.toLowerCase(), pool)
    return pool
  }

  function announceChange(): void {
    merged = undefined
    for (const listener of listeners) listener()
  }

  function refuseDeclared(name: string): void {
    const pool = declared.get(name.toLowerCase())
    if (pool?.source.kind !== 'file') return
    throw new Fault(
      'conflict',
      `The quota pool "${pool.name}" is declared in ${pool.source.file}, and can only be changed there.`,
      { vendorCode: 'DeclaredInFile' },
    )
  }

  return {
    list() {
      merged ??= [...new Map([...stored, ...declared])].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, pool]) => pool)
      return merged
    },
    get: (name) => declared.get(name.toLowerCase()) ?? stored.get(name.toLowerCase()),
    subscribe(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    write: (pool) =>
      enqueue(async () => {
        const name = poolName(pool)
        refuseDeclared(name)
        const isNew = !stored.has(name.toLowerCase())
        const written = keepRow(await table.put({ ...pool, name }, now())) as DesiredPool
        announceChange()
        return { pool: written, isNew }
      }),
    remove: (name) =>
      enqueue(async () => {
        refuseDeclared(name)
        const wasThere = await table.delete(name)
        if (stored.delete(name.toLowerCase())) announceChange()
        return wasThere
      }),
    requireWritable: refuseDeclared,
    reload: () =>
      enqueue(async () => {
        const rows = await table.list()
        const before = JSON.stringify([...stored])
        stored = new Map()
        for (const row of rows) keepRow(row)
        if (JSON.stringify([...stored]) !== before) announceChange()
      }),
    declare(file, pools) {
      declared = new Map(
        pools.map((pool) => {
          const name = poolName(pool)
          return [name.toLowerCase(), { ...pool, name, source: { kind: 'file', file } }]
        }),
      )
      announceChange()
    },
  }
}

function isSku(name: string): name is SkuName {
  return Object.hasOwn(skus, name)
}
