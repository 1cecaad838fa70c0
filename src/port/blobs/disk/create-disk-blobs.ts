import { constants } from 'node:fs'
import {
  chmod,
  type FileHandle,
  lstat,
  mkdir,
  open,
  opendir,
  realpath,
  rename,
  rm,
  rmdir,
  stat,
  unlink,
} from 'node:fs/promises'
import { dirname, join, relative, sep } from 'node:path'
import { Fault } from '../../../core/fault.ts'
import { blobNotFound, diskFull, storageUnavailable } from '../blob-faults.ts'
import { inPieces } from '../in-pieces.ts'
import { checkBlobKey, checkBlobPrefix, isBlobKey } from '../keys.ts'
import type { Blobs, ByteRange, ReadOptions, StoredBlob } from '../port.ts'
import { checkRange } from '../range.ts'
import { createTemporaryNames, removeLeftovers } from './leftovers.ts'

const pieceBytes = 256 * 1024
const moveAttempts = 50
/** Keys have no dot, so that a blob `a` and a folder `a` go together, and nothing is taken for a blob that is none. */
const suffix = '.blob'
const writingFolder = '.writing'

/**
 * Blobs as files below a folder, which is made where there is none and belongs to this user alone. Several processes may share it. What
 * is written lies beside until it is whole and on the disk. Throws Fault `storage-unavailable`, status 507 where the disk is full.
 */
export async function createDiskBlobs(folder: string): Promise<Blobs> {
  const { root, nameTemporary } = await guard(() => openFolder(folder))

  const pathOf = (key: string): string => {
    checkBlobKey(key)
    return join(root, ...key.split('/')) + suffix
  }

  /** Opens a blob for reading. Throws Fault `not-found`. */
  const openBlob = async (key: string): Promise<FileHandle> => {
    const path = pathOf(key)
    try {
      await checkFolders(root, dirname(path))
      return await open(path, constants.O_RDONLY | constants.O_NOFOLLOW)
    } catch (error) {
      throw isAbsent(error) ? blobNotFound() : toStorageFault(error)
    }
  }

  const copyOut = async function* (
    file: FileHandle,
    { start, end = Number.POSITIVE_INFINITY }: ByteRange,
    { isReused }: ReadOptions,
  ): AsyncGenerator<Uint8Array> {
    const allocate = (): Buffer => Buffer.allocUnsafeSlow(Math.max(0, Math.min(pieceBytes, end - position)))
    let position = start
    let piece = allocate()
    while (position < end) {
      const wanted = Math.min(piece.length, end - position)
      const { bytesRead } = await guard(() => file.read(piece, 0, wanted, position))
      if (bytesRead === 0) return
      yield piece.subarray(0, bytesRead)
      position += bytesRead
      if (!isReused) piece = allocate()
    }
  }

  const read = async function* (
    key: string,
    range: ByteRange = { start: 0 },
    options: ReadOptions = {},
  ): AsyncGenerator<Uint8Array> {
    checkRange(range)
    const file = await openBlob(key)
    try {
      yield* copyOut(file, range, options)
    } finally {
      await file.close().catch(() => {})
    }
  }

  /** Writes beside, then moves to its place. */
  const write = async (key: string, content: AsyncIterable<Uint8Array>): Promise<{ bytes: number }> => {
    const path = pathOf(key)
    const temporary = join(root, writingFolder, nameTemporary())
    const file = await guard(() => open(temporary, 'wx', 0o600))
    try {
      let bytes = 0
      try {
        for await (const piece of inPieces(content, { bytes: pieceBytes, isReused: true })) {
          await guard(() => writeWhole(file, piece))
          bytes += piece.byteLength
        }
        await guard(() => file.sync())
      } finally {
        await guard(() => file.close())
      }
      await guard(() => moveTo(root, temporary, path))
      return { bytes }
    } catch (error) {
      await rm(temporary, { force: true }).catch(() => {})
      throw error
    }
  }

  return {
    write,
    read,
    join: (key, parts) => write(key, concatenate(parts, read)),

    async size(key) {
      const path = pathOf(key)
      try {
        await checkFolders(root, dirname(path))
        return (await lstat(path)).size
      } catch (error) {
        if (isAbsent(error)) return undefined
        throw toStorageFault(error)
      }
    },

    async delete(key) {
      const path = pathOf(key)
      try {
        await checkFolders(root, dirname(path))
        await unlink(path)
      } catch (error) {
        if (isAbsent(error)) return false
        throw toStorageFault(error)
      }
      await removeEmptyFolders(root, dirname(path))
      return true
    },

    list(prefix) {
      checkBlobPrefix(prefix)
      const folderKey = prefix.slice(0, prefix.lastIndexOf('/') + 1)
      return walk(root, folderKey, prefix)
    },

    close: async () => {},
  }
}

async function* concatenate(parts: readonly string[], read: Blobs['read']): AsyncGenerator<Uint8Array> {
  for (const part of parts) yield* read(part, undefined, { isReused: true })
}

async function openFolder(folder: string): Promise<{ root: string; nameTemporary: () => string }> {
  await mkdir(join(folder, writingFolder), { recursive: true, mode: 0o700 })
  // A folder that was there before may be open to others, and on a mounted volume it may be another user's, which is the operator's choice.
  if (((await stat(folder)).mode & 0o077) !== 0) await chmod(folder, 0o700).catch(() => {})
  const root = await realpath(folder)
  await removeLeftovers(join(root, writingFolder), Date.now())
  return { root, nameTemporary: await createTemporaryNames() }
}

/** Throws where the way from the root to the folder leads over a link: that would be a way out. */
async function checkFolders(root: string, folder: string): Promise<void> {
  let path = root
  for (const name of relative(root, folder).split(sep)) {
    if (name === '') continue
    path = join(path, name)
    if (!(await lstat(path)).isDirectory()) throw storageUnavailable(new Error('a folder of blobs is no folder'))
  }
}

async function writeWhole(file: FileHandle, piece: Uint8Array): Promise<void> {
  let from = 0
  while (from < piece.byteLength) from += (await file.write(piece, from, piece.byteLength - from)).bytesWritten
}

/** Moves a file to its place such that it is still there after a power failure. Makes the folders. */
async function moveTo(root: string, from: string, to: string): Promise<void> {
  const folder = dirname(to)
  for (let attempt = 1; ; attempt++) {
    let firstMade: string | undefined
    try {
      firstMade = await mkdir(folder, { recursive: true, mode: 0o700 })
      await checkFolders(root, folder)
      await rename(from, to)
    } catch (error) {
      // Somebody deleted the last blob of the folder, and the folder with it, in this moment. That was there then, and is no folder now.
      const isGone = isAbsent(error) || (error as NodeJS.ErrnoException).code === 'EEXIST'
      if (isGone && attempt < moveAttempts) continue
      throw error
    }
    const last = firstMade === undefined ? folder : dirname(firstMade)
    for (let path = folder; ; path = dirname(path)) {
      await syncFolder(path)
      if (path === last || path === root) return
    }
  }
}

async function syncFolder(path: string): Promise<void> {
  // Windows has no such thing.
  if (process.platform === 'win32') return
  const folder = await open(path, 'r').catch((error) => {
    // What was moved there has been deleted since, and the folder with it.
    if (isAbsent(error)) return undefined
    throw error
  })
  try {
    await folder?.sync()
  } finally {
    await folder?.close()
  }
}

/** From this one up, all but those directly below the root. */
async function removeEmptyFolders(root: string, folder: string): Promise<void> {
  for (let path = folder; dirname(path) !== root && path !== root; path = dirname(path)) {
    try {
      await rmdir(path)
    } catch {
      return
    }
  }
}

async function* walk(root: string, folderKey: string, prefix: string): AsyncGenerator<StoredBlob> {
  const folder = join(root, ...folderKey.split('/'))
  const entries = await guard(() => listFolder(root, folder))
  if (entries === undefined) return
  for await (const entry of entries) {
    if (entry.isDirectory() && isBlobKey(entry.name)) {
      const below = `${folderKey}${entry.name}/`
      if (below.startsWith(prefix)) yield* walk(root, below, prefix)
    } else if (entry.isFile() && entry.name.endsWith(suffix)) {
      const key = folderKey + entry.name.slice(0, -suffix.length)
      if (!key.startsWith(prefix) || !isBlobKey(key)) continue
      const found = await lstat(join(folder, entry.name)).catch(() => undefined)
      if (found !== undefined) yield { key, bytes: found.size, changedAt: Math.floor(found.mtimeMs) }
    }
  }
}

/** undefined where there is no such folder. */
async function listFolder(root: string, folder: string) {
  try {
    await checkFolders(root, folder)
    return await opendir(folder)
  } catch (error) {
    if (isAbsent(error)) return undefined
    throw error
  }
}

async function guard<Value>(action: () => Promise<Value>): Promise<Value> {
  try {
    return await action()
  } catch (error) {
    throw toStorageFault(error)
  }
}

/** Exported for its test: a full disk is hard to come by. */
export function toStorageFault(error: unknown): Fault {
  if (error instanceof Fault) return error
  const { code } = error as NodeJS.ErrnoException
  return code === 'ENOSPC' || code === 'EDQUOT' ? diskFull(error) : storageUnavailable(error)
}

function isAbsent(error: unknown): boolean {
  return (error as NodeJS.ErrnoException).code === 'ENOENT'
}
