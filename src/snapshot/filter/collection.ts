import { createHash } from 'node:crypto'
import { Fault } from '../../core/fault.ts'
import type { FilterRow } from '../../port/tables/filters/port.ts'
import type { DeploymentSource } from '../desired-state.ts'
import type { Queue } from '../queue.ts'

/** Something that a content filter is made of, and where it comes from. `system`: it comes with Ponto. */
export type Held<T> = {
  readonly spec: T
  readonly source: DeploymentSource | { readonly kind: 'system' }
  /** Changes with every write. */
  readonly etag: string
  /** Unix milliseconds. */
  readonly createdAt: number
  readonly updatedAt: number
}

/** What the configuration file declares, and where. */
export type Declared<T> = { readonly spec: T; readonly file: string; readonly line: number }

/** Policies, blocklists, engines or topics: those that are stored, and those that the file declares, which win. */
export type Collection<T> = {
  /** Ordered by name, without regard to case. The same list as long as nothing changes. */
  list(): readonly Held<T>[]
  /** The stored ones, whether or not the file's hide them. */
  listStored(): readonly Held<T>[]
  /** Found without regard to case. */
  get(name: string): Held<T> | undefined
  /** Throws Fault `conflict` for what the file declares or comes with Ponto: it can only be changed there, or not at all. */
  requireWritable(name: string): void
  /**
   * Creates or replaces a stored one. `edit` gets what is there and gives what shall be; what it throws refuses the write. Writes run one
   * after the other, so nothing changes between the two. Throws Fault `conflict` as `requireWritable` does.
   */
  write(
    name: string,
    edit: (current: Held<T> | undefined) => T,
  ): Promise<{ readonly item: Held<T>; readonly isNew: boolean }>
  /**
   * Deletes a stored one; resolves to whether there was one. `check` may refuse by throwing. Throws Fault `conflict` where something uses
   * it, naming what, and as `requireWritable` does.
   */
  remove(name: string, check?: (current: Held<T> | undefined) => void): Promise<boolean>
  /** Throws Fault `conflict` while something uses it that would be left without. */
  requireUnused(name: string): void
}

export type CollectionOptions<T> = {
  /** For messages: `blocklist`. */
  readonly noun: string
  readonly enqueue: Queue
  readonly fixed: readonly T[]
  listRows(): Promise<readonly FilterRow[]>
  /** What a row says, or why it is not understood: then it can be replaced and deleted. */
  readRow(row: FilterRow): Promise<{ readonly spec: T } | { readonly problem: string }>
  save(spec: T, before: T | undefined, expectedEtag: string | null): Promise<FilterRow | undefined>
  drop(name: string): Promise<boolean>
  /** What uses it, each as `the deployment "gpt"`. */
  listUsers(name: string): readonly string[]
  onChange(): void
}

export type OpenCollection<T> = Collection<T> & {
  /** Reads what is stored, where it is not as it was; the function that comes back takes it over and tells whether anything is not. */
  reread(): Promise<() => boolean>
  /** Takes over what the file declares, whole; tells nobody. `modifiedAt` is unix milliseconds. */
  declare(items: readonly Declared<T>[], modifiedAt: number): void
  listWarnings(): readonly string[]
}

export function createCollection<T extends { readonly name: string }>(
  options: CollectionOptions<T>,
): OpenCollection<T> {
  const { noun, enqueue } = options
  const fixed = new Map(options.fixed.map((spec) => [keyOf(spec.name), holdFixed(spec)]))
  const stored = new Map<string, Held<T>>()
  const unreadable = new Map<string, { readonly row: FilterRow; readonly problem: string }>()
  let declared = new Map<string, Held<T>>()
  let merged: readonly Held<T>[] | undefined

  function get(name: string): Held<T> | undefined {
    const key = keyOf(name)
    return fixed.get(key) ?? declared.get(key) ?? stored.get(key)
  }

  function requireWritable(name: string): void {
    const known = fixed.get(keyOf(name)) ?? declared.get(keyOf(name))
    if (!known) return
    const { source, spec } = known
    if (source.kind === 'file') {
      throw new Fault(
        'conflict',
        `The ${noun} "${spec.name}" is declared in ${source.file}, line ${source.line}, and can only be changed there.`,
        { vendorCode: 'DeclaredInFile' },
      )
    }
    throw new Fault(
      'conflict',
      `The ${noun} "${spec.name}" comes with Ponto and cannot be changed. Make another one with it as its basePolicyName.`,
      { vendorCode: 'SystemManaged' },
    )
  }

  function requireUnused(name: string): void {
    const users = options.listUsers(name)
    if (users.length === 0) return
    const [first, ...more] = users
    const others = more.length > 4 ? [...more.slice(0, 3), `${more.length - 3} more`] : more
    throw new Fault(
      'conflict',
      `The ${noun} "${get(name)?.spec.name ?? name}" is used by ${[first, ...others].join(', ')}. Change ${more.length > 0 ? 'those' : 'that'} first.`,
      { vendorCode: 'InUse' },
    )
  }

  return {
    list() {
      merged ??= [...new Map([...stored, ...declared, ...fixed])]
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .map(([, item]) => item)
      return merged
    },
    listStored: () => [...stored.values()],
    get,
    requireWritable,
    requireUnused,
    write: (name, edit) =>
      enqueue(async () => {
        const key = keyOf(name)
        requireWritable(name)
        const current = stored.get(key)
        const spec = { ...edit(current), name: current?.spec.name ?? name }
        const expectedEtag = current?.etag ?? unreadable.get(key)?.row.etag ?? null
        const row = await options.save(spec, current?.spec, expectedEtag)
        if (!row) {
          throw new Fault(
            'conflict',
            `The ${noun} "${spec.name}" was changed by another server at the same time. Look at it and try again.`,
          )
        }
        const item: Held<T> = { ...describeRow(row), spec: { ...spec, name: row.name } }
        stored.set(key, item)
        unreadable.delete(key)
        merged = undefined
        options.onChange()
        return { item, isNew: current === undefined }
      }),
    remove: (name, check) =>
      enqueue(async () => {
        const key = keyOf(name)
        requireWritable(name)
        check?.(stored.get(key))
        if (stored.has(key) || unreadable.has(key)) requireUnused(name)
        const wasThere = await options.drop(name)
        unreadable.delete(key)
        if (stored.delete(key)) {
          merged = undefined
          options.onChange()
        }
        return wasThere
      }),
    async reread() {
      const rows = new Map((await options.listRows()).map((row) => [keyOf(row.name), row]))
      const etagOf = (key: string) => stored.get(key)?.etag ?? unreadable.get(key)?.row.etag
      const changed = [...rows].filter(([key, row]) => etagOf(key) !== row.etag)
      const readings = await Promise.all(changed.map(([, row]) => options.readRow(row)))
      const gone = [...stored.keys(), ...unreadable.keys()].filter((key) => !rows.has(key))
      return () => {
        for (const key of [...gone, ...changed.map(([key]) => key)]) {
          stored.delete(key)
          unreadable.delete(key)
        }
        for (const [index, [key, row]] of changed.entries()) {
          const reading = readings[index] as (typeof readings)[number]
          if ('spec' in reading) stored.set(key, { ...describeRow(row), spec: reading.spec })
          else unreadable.set(key, { row, problem: reading.problem })
        }
        merged = undefined
        return changed.length + gone.length > 0
      }
    },
    declare(items, modifiedAt) {
      const previous = declared
      declared = new Map(
        items.map((item) => {
          const key = keyOf(item.spec.name)
          return [key, holdDeclared(item, modifiedAt, previous.get(key))]
        }),
      )
      merged = undefined
    },
    listWarnings: () => [
      ...[...unreadable.values()].map(
        ({ row, problem }) =>
          `The stored ${noun} "${row.name}" cannot be read and is left out (${problem}). Replace or delete it.`,
      ),
      ...[...declared]
        .filter(([key]) => stored.has(key))
        .map(([, { spec, source }]) => {
          const place = source.kind === 'file' ? `${source.file}, line ${source.line}` : ''
          return `The ${noun} "${spec.name}" is declared in ${place}, and one of that name is stored too. The file's is used; the stored one comes back when the file no longer declares it.`
        }),
    ],
  }
}

export function keyOf(name: string): string {
  return name.toLowerCase()
}

function describeRow({ etag, createdAt, updatedAt }: FilterRow): Omit<Held<never>, 'spec'> {
  return { source: { kind: 'stored' }, etag, createdAt, updatedAt }
}

function holdFixed<T>(spec: T): Held<T> {
  return { spec, source: { kind: 'system' }, etag: hashOf(spec), createdAt: 0, updatedAt: 0 }
}

/** What has not changed keeps its spec, etag and times, though its line may be another. */
function holdDeclared<T>(
  { spec, file, line }: Declared<T>,
  modifiedAt: number,
  previous: Held<T> | undefined,
): Held<T> {
  const source = { kind: 'file', file, line } as const
  const etag = hashOf(spec)
  if (previous?.etag === etag) return { ...previous, source }
  return { spec, source, etag, createdAt: previous?.createdAt ?? modifiedAt, updatedAt: modifiedAt }
}

function hashOf(spec: unknown): string {
  return createHash('sha256').update(JSON.stringify(spec)).digest('base64url').slice(0, 20)
}
