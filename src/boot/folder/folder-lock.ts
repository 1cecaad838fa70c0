import { linkSync, readFileSync, renameSync, rmSync, unlinkSync, writeFileSync } from 'node:fs'
import { Fault } from '../../core/fault.ts'
import { isJsonObject } from '../../core/json.ts'
import type { DataFolder } from './data-folder.ts'
import { errorCode, privateFileMode, readFileIfThere } from './private-file.ts'

/** Who holds a lock. A pid alone is not enough: pids are reused, after a restart of a container at once. */
type Holder = { readonly pid: number; readonly started: string }

export type FolderLock = { release(): void }

/**
 * Takes the data folder for this process: two servers on one folder would write over each other. What a dead process left
 * behind is taken over.
 *
 * @throws Fault `conflict` naming the other process and `--data`.
 */
export function lockDataFolder(folder: DataFolder): FolderLock {
  const content = JSON.stringify({ pid: process.pid, started: startOf(process.pid) ?? '' } satisfies Holder)
  const own = `${folder.lock}.${process.pid}`
  writeFileSync(own, content, { mode: privateFileMode })
  try {
    // Bounded: every further round means that another process took over what we had found dead.
    for (let round = 0; round < 10; round++) {
      if (tryCreate(own, folder.lock, content)) return { release: () => releaseLock(folder.lock, content) }
      const found = readFileIfThere(folder.lock)
      if (found === undefined) continue
      const holder = parseHolder(found)
      if (holder && isAlive(holder)) throw refuse(folder, holder)
      removeStale(folder.lock, found)
    }
  } finally {
    rmSync(own, { force: true })
  }
  throw new Fault('conflict', `The data folder ${folder.path} is being taken by another process. Try again.`)
}

/** The process holding the folder, or undefined when it is free. */
export function findLockHolder(folder: DataFolder): number | undefined {
  const found = readFileIfThere(folder.lock)
  const holder = found === undefined ? undefined : parseHolder(found)
  return holder && isAlive(holder) ? holder.pid : undefined
}

function refuse(folder: DataFolder, holder: Holder): Fault {
  return new Fault(
    'conflict',
    `Another Ponto (process ${holder.pid}) already uses the data folder ${folder.path}. Stop it (kill ${holder.pid}), or give this one its own folder with --data DIR.`,
  )
}

/** A link appears with its content in one step, so nobody ever reads half a lock. */
function tryCreate(own: string, lock: string, content: string): boolean {
  try {
    linkSync(own, lock)
    return true
  } catch (error) {
    if (errorCode(error) === 'EEXIST') return false
  }
  // No hard links on this file system.
  try {
    writeFileSync(lock, content, { flag: 'wx', mode: privateFileMode })
    return true
  } catch (error) {
    if (errorCode(error) === 'EEXIST') return false
    throw error
  }
}

/** Moves the dead lock aside and looks again: if another process was quicker, what we moved is its live lock and goes back. */
function removeStale(lock: string, expected: string): void {
  const aside = `${lock}.${process.pid}.stale`
  try {
    renameSync(lock, aside)
    if (readFileSync(aside, 'utf8') !== expected) linkSync(aside, lock)
  } catch (error) {
    if (errorCode(error) !== 'ENOENT' && errorCode(error) !== 'EEXIST') throw error
  } finally {
    rmSync(aside, { force: true })
  }
}

function releaseLock(lock: string, content: string): void {
  if (readFileIfThere(lock) === content) unlinkSync(lock)
}

function parseHolder(text: string): Holder | undefined {
  try {
    const value: unknown = JSON.parse(text)
    if (!isJsonObject(value) || typeof value.pid !== 'number' || !Number.isInteger(value.pid) || value.pid < 1)
      return undefined
    return { pid: value.pid, started: typeof value.started === 'string' ? value.started : '' }
  } catch {
    return undefined
  }
}

function isAlive(holder: Holder): boolean {
  const started = startOf(holder.pid)
  if (started !== undefined && holder.started !== '') return started === holder.started
  try {
    process.kill(holder.pid, 0)
    // Without start times an equal pid can only be our own, left by an earlier life of this container.
    return holder.pid !== process.pid
  } catch (error) {
    return errorCode(error) === 'EPERM'
  }
}

/** When a process started, as Linux tells it: boot id and clock ticks since boot. Undefined elsewhere and for a dead process. */
function startOf(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
    const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').trim()
    // The command name, field 2, may hold spaces and brackets: count from its end.
    const ticks = stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19]
    return ticks ? `${boot}:${ticks}` : undefined
  } catch {
    return undefined
  }
}
