import { createHash } from 'node:crypto'
import type { DeletedAccount, ResourceRecord } from '../../control/resources/accounts.ts'
import { ownResource, type ResourceSpec, resourceKey } from '../../core/resource.ts'
import { formatProblem } from '../../core/text/parse-document.ts'
import type { StoredResource } from '../../port/tables/resources/port.ts'
import type { FileOwnResource, FileResource } from '../../snapshot/file/resource-section.ts'
import { readResource } from '../../snapshot/resources/resource-spec.ts'

/** What the configuration file says of resources. `modifiedAt` is unix milliseconds. */
export type DeclaredResources = {
  readonly own: FileOwnResource | undefined
  readonly resources: readonly FileResource[]
  readonly modifiedAt: number
}

export type ResourceBook = {
  /** The server's own first, then those that are reachable, each with what the file declares of it. */
  listWanted(): readonly { readonly record: ResourceRecord; readonly declared: FileResource | undefined }[]
  listDeleted(): readonly DeletedAccount[]
  /** The row of that name, be it deleted. */
  findRow(name: string): StoredResource | undefined
  findDeclared(name: string): FileResource | undefined
  /** All that are stored, whole. */
  setRows(rows: readonly StoredResource[]): void
  putRow(row: StoredResource): void
  removeRow(row: StoredResource): void
  declare(declared: DeclaredResources): void
  /** Stored documents that cannot be read. */
  listWarnings(): readonly string[]
}

/** Which resources there should be: those that are stored, and those that the file declares, which win. */
export function createResourceBook(): ResourceBook {
  let rows = new Map<string, StoredResource>()
  let declared: DeclaredResources = { own: undefined, resources: [], modifiedAt: 0 }
  let ofFile = new Map<string, FileResource>()
  /** Made once for each row, so that what does not change stays the same object. */
  const readings = new WeakMap<StoredResource, ResourceRecord | string>()
  let declaredRecords = new Map<string, ResourceRecord>()

  function read(row: StoredResource): ResourceRecord | string {
    const known = readings.get(row)
    if (known !== undefined) return known
    const reading = readResource({ ...row.document, name: row.name })
    const result = 'spec' in reading ? recordOf(row, reading.spec) : reading.problems.map(formatProblem).join('; ')
    readings.set(row, result)
    return result
  }

  const ownRow = (): StoredResource | undefined => [...rows.values()].find(({ id }) => id === ownResource)

  /** One of the file has the id of what is stored under its name, if there is something: it is the same resource. */
  function recordOfFile({ spec, file, line }: FileResource): ResourceRecord {
    const key = resourceKey(spec.name)
    const row = rows.get(key)
    const before = declaredRecords.get(key)
    const id = row?.id ?? key
    const record: ResourceRecord = {
      id,
      spec,
      source: { kind: 'file', file, line },
      etag: etagOf(spec),
      createdAt: row?.createdAt ?? before?.createdAt ?? declared.modifiedAt,
      updatedAt: declared.modifiedAt,
      isDefault: false,
    }
    const isSame = before && before.id === id && before.etag === record.etag
    const kept = isSame ? { ...before, source: record.source } : record
    declaredRecords.set(key, kept)
    return kept
  }

  function recordOfOwn(): ResourceRecord | undefined {
    const row = ownRow()
    if (!row) return undefined
    const stored = read(row)
    const name = row.name
    if (!declared.own) return typeof stored === 'string' ? undefined : stored
    const spec: ResourceSpec = { ...declared.own.spec, name }
    const { file, line } = declared.own
    const source = { kind: 'file', file, line } as const
    const times = { createdAt: row.createdAt, updatedAt: declared.modifiedAt }
    return { id: ownResource, spec, source, etag: etagOf(spec), ...times, isDefault: true }
  }

  return {
    listWanted() {
      const own = recordOfOwn()
      const stored = [...rows.values()].filter(
        ({ id, name, deletedAt }) => id !== ownResource && deletedAt === undefined && !ofFile.has(resourceKey(name)),
      )
      return [
        ...(own ? [{ record: own, declared: undefined }] : []),
        ...[...ofFile.values()].map((item) => ({ record: recordOfFile(item), declared: item })),
        ...stored.flatMap((row) => {
          const record = read(row)
          return typeof record === 'string' ? [] : [{ record, declared: undefined }]
        }),
      ]
    },
    listDeleted: () =>
      [...rows.values()].flatMap((row) => {
        const record = read(row)
        if (row.deletedAt === undefined || typeof record === 'string' || ofFile.has(resourceKey(row.name))) return []
        return [{ ...record, deletedAt: row.deletedAt }]
      }),
    findRow: (name) => rows.get(resourceKey(name)),
    findDeclared: (name) => ofFile.get(resourceKey(name)),
    setRows(list) {
      rows = new Map(
        list.map((row) => {
          const before = rows.get(resourceKey(row.name))
          return [resourceKey(row.name), before?.id === row.id && before.etag === row.etag ? before : row]
        }),
      )
    },
    putRow: (row) => void rows.set(resourceKey(row.name), row),
    removeRow: (row) => void rows.delete(resourceKey(row.name)),
    declare(next) {
      declared = next
      ofFile = new Map(next.resources.map((item) => [resourceKey(item.spec.name), item]))
      declaredRecords = new Map([...declaredRecords].filter(([key]) => ofFile.has(key)))
    },
    listWarnings: () =>
      [...rows.values()].flatMap((row) => {
        const record = read(row)
        if (typeof record !== 'string') return []
        return `The stored resource "${row.name}" cannot be read and is not reachable (${record}). Put a backup of the database in its place, or start the version that wrote it.`
      }),
  }
}

function recordOf(row: StoredResource, spec: ResourceSpec): ResourceRecord {
  const { id, etag, createdAt, updatedAt } = row
  return { id, spec, source: { kind: 'stored' }, etag, createdAt, updatedAt, isDefault: id === ownResource }
}

function etagOf(spec: ResourceSpec): string {
  return createHash('sha256').update(JSON.stringify(spec)).digest('base64url').slice(0, 20)
}
