import { randomBytes } from 'node:crypto'
import {
  closeSync,
  fchmodSync,
  fsyncSync,
  openSync,
  readFileSync,
  renameSync,
  statSync,
  unlinkSync,
  writeSync,
} from 'node:fs'
import { Fault } from '../../core/fault.ts'

/** Mode of everything that may hold a secret. Windows has no such modes; the profile folder's rights hold there. */
export const privateFileMode = 0o600
export const privateFolderMode = 0o700

/** Writes a file that only its owner can read, whole or not at all: a reader sees the old text or the new one. */
export function writePrivateFile(path: string, content: string | Uint8Array): void {
  const temporary = `${path}.${process.pid}.${randomBytes(4).toString('hex')}.new`
  const descriptor = openSync(temporary, 'wx', privateFileMode)
  try {
    // Against a umask that takes rights from the owner.
    fchmodSync(descriptor, privateFileMode)
    const bytes = typeof content === 'string' ? Buffer.from(content) : content
    for (let written = 0; written < bytes.length; ) written += writeSync(descriptor, bytes, written)
    fsyncSync(descriptor)
  } finally {
    closeSync(descriptor)
  }
  try {
    renameSync(temporary, path)
  } catch (error) {
    unlinkSync(temporary)
    throw error
  }
}

/** The file's text, or undefined when there is none. */
export function readFileIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return undefined
    throw error
  }
}

/**
 * Refuses a secret that others can read. As PostgreSQL does it: a file of our own must have no group or other rights; one that
 * root owns may be readable by our group, which is how secrets are mounted into containers.
 *
 * @throws Fault `forbidden` with the command that puts it right.
 */
export function requirePrivate(path: string): void {
  if (process.platform === 'win32') return
  const { mode, uid } = statSync(path)
  const isRootMount = uid === 0 && process.getuid?.() !== 0
  if ((mode & (isRootMount ? 0o037 : 0o077)) === 0) return
  const shown = (mode & 0o777).toString(8).padStart(4, '0')
  throw new Fault('forbidden', `${path} can be read by others (mode ${shown}). Run: chmod 600 ${quotePath(path)}`)
}

/** A path as a shell takes it. */
export function quotePath(path: string): string {
  return /^[A-Za-z0-9_@%+=:,./~-]+$/.test(path) ? path : `'${path.replaceAll("'", `'\\''`)}'`
}

/** `ENOENT` and its like; undefined for anything that is not a system error. */
export function errorCode(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined
}
