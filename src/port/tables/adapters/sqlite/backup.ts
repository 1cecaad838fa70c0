import { closeSync, openSync, readdirSync, rmSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import type { SqliteSession } from './session.ts'

const keptBackups = 5

/**
 * Copies the database to `<file>.backup-v<version>-<time>` beside it and removes all but the newest five copies.
 * The copy is SQLite's own (`VACUUM INTO`), so it is whole even while others write. `now` is unix milliseconds. Returns the copy's path.
 */
export async function backUpDatabase(
  session: SqliteSession,
  file: string,
  version: number,
  now: number,
): Promise<string> {
  const copy = createEmptyCopy(file, version, now)
  try {
    await session.query('vacuum into ?', [copy])
  } catch (error) {
    rmSync(copy, { force: true })
    throw error
  }
  for (const old of listBackups(file).slice(keptBackups)) rmSync(old)
  return copy
}

/** SQLite fills an empty file as it is, but would make a new one readable for everyone. */
function createEmptyCopy(file: string, version: number, now: number): string {
  for (let time = now; ; time++) {
    const copy = `${file}.backup-v${version}-${formatTime(time)}`
    try {
      closeSync(openSync(copy, 'wx', 0o600))
      return copy
    } catch (error) {
      // Another process did the same in the same millisecond.
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
    }
  }
}

/** Paths of the copies made of `file`, newest first. */
export function listBackups(file: string): string[] {
  const prefix = `${basename(file)}.backup-v`
  const timeOf = (name: string) => name.slice(name.lastIndexOf('-'))
  return readdirSync(dirname(file))
    .filter((name) => name.startsWith(prefix) && /^\d+-\d{8}T\d{9}Z$/.test(name.slice(prefix.length)))
    .sort((a, b) => (timeOf(a) < timeOf(b) ? 1 : -1))
    .map((name) => join(dirname(file), name))
}

/** `20250131T120000123Z`: sorts by time and needs no escaping in any file system. */
function formatTime(now: number): string {
  return new Date(now).toISOString().replaceAll(/[-:.]/g, '')
}
