import { Fault, toFault } from '../../core/fault.ts'
import type { Blobs, ByteRange, ReadOptions } from '../../port/blobs/port.ts'
import type { FileRow, FilesTable, PageOf } from '../../port/tables/files/port.ts'
import type { Logger } from '../../telemetry/logger.ts'
import { canBeFileId, createIds } from './ids.ts'

/** A file to be made. Times are unix milliseconds. */
export type NewFile = Pick<FileRow, 'id' | 'owner' | 'filename' | 'purpose' | 'createdAt' | 'expiresAt'>

/**
 * The files of all owners. What is stored is whole or not at all: the content is there before the row is, and goes after it was marked.
 * Rejects with Fault `storage-unavailable` while the blobs are away or full, and with what the table rejects with.
 */
export type FileStore = {
  /** undefined where this owner has no such file, be it that it has expired. */
  find(owner: string, id: string): Promise<FileRow | undefined>
  list(filter: { readonly owner: string; readonly purpose?: string | undefined }, page: PageOf): Promise<FileRow[]>
  /** The content, to whoever has found the file. Rejects with Fault `not-found` before the first piece where it is gone. */
  read(id: string, range?: ByteRange, options?: ReadOptions): AsyncIterable<Uint8Array>
  makeId(): string
  /** The file with its content, in place of what was there under its id. */
  createFile(file: NewFile, content: AsyncIterable<Uint8Array>): Promise<void>
  /** Whether this owner had it. It is gone for him then, also when its content is only taken away later. */
  delete(owner: string, id: string): Promise<boolean>
}

export type FileParts = {
  readonly table: FilesTable
  readonly blobs: Blobs
  /** Unix milliseconds. */
  readonly now: () => number
  readonly log: Logger
}

export const filePrefix = 'files/'
export const fileKey = (id: string): string => filePrefix + id

export function createFileStore({ table, blobs, now, log }: FileParts): FileStore {
  const makeId = createIds(now)

  async function find(owner: string, id: string): Promise<FileRow | undefined> {
    const file = canBeFileId(id) ? await table.get(id) : undefined
    return file && file.owner === owner && isThere(file, now()) ? file : undefined
  }

  return {
    find,
    list: (filter, page) => table.list({ ...filter, now: now() }, page),
    makeId: () => makeId('file-'),

    async *read(id, range, options) {
      try {
        yield* blobs.read(fileKey(id), range, options)
      } catch (error) {
        if (error instanceof Fault && error.code === 'not-found') throw refuseUnknownFile(id)
        throw error
      }
    },

    async createFile(file, content) {
      const { bytes } = await blobs.write(fileKey(file.id), content)
      try {
        await table.add({ ...file, bytes, status: 'processed' })
      } catch (error) {
        await discardContent(file.id, { table, blobs, log })
        throw error
      }
    },

    async delete(owner, id) {
      if (!(await find(owner, id)) || !(await table.update(id, { status: 'deleting' }))) return false
      try {
        await removeFile(id, { table, blobs })
      } catch (error) {
        log.warn({ file: id }, `the content of a deleted file is taken away later: ${toFault(error).message}`)
      }
      return true
    },
  }
}

/** The content first: a row without it is found again, a blob without a row has to be looked for. */
export async function removeFile(id: string, { table, blobs }: Pick<FileParts, 'table' | 'blobs'>): Promise<void> {
  await blobs.delete(fileKey(id))
  await table.delete(id)
}

/**
 * Takes the content of a file away whose row could not be added. A database that breaks off may have added it all the same: where that
 * cannot be told, the content stays, and is looked for later.
 */
export async function discardContent(id: string, parts: Pick<FileParts, 'table' | 'blobs' | 'log'>): Promise<void> {
  const isKnown = await parts.table.get(id).then(
    (row) => row !== undefined,
    () => true,
  )
  if (!isKnown) await discardBlob(fileKey(id), parts)
}

/** Takes away what nobody will know of. Never rejects: it is looked for again later. */
export async function discardBlob(key: string, { blobs, log }: Pick<FileParts, 'blobs' | 'log'>): Promise<void> {
  try {
    await blobs.delete(key)
  } catch (error) {
    log.warn({ blob: key }, `a blob that nobody needs is taken away later: ${toFault(error).message}`)
  }
}

function isThere({ status, expiresAt }: FileRow, now: number): boolean {
  return status !== 'deleting' && (expiresAt === undefined || expiresAt > now)
}

export function refuseUnknownFile(id: string): Fault {
  return new Fault(
    'not-found',
    `There is no file ${JSON.stringify(id.slice(0, 64))}. It may have expired, and a key finds its own files only.`,
    { param: 'file_id' },
  )
}
