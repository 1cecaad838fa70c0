import { createHash, randomBytes } from 'node:crypto'
import { readdir, readFile, rm, stat } from 'node:fs/promises'
import { hostname } from 'node:os'
import { join } from 'node:path'

/** No write takes so long: what another machine began and did not touch for that time is left over. */
const strangerLimitMs = 24 * 3_600_000
const namePattern = /^([0-9a-f]{12})-(\d+)-(\d+)-[0-9a-f]{24}$/

/** Names for what is being written, by which others can tell whether the writer still lives. */
export async function createTemporaryNames(): Promise<() => string> {
  const owner = `${thisMachine()}-${process.pid}-${(await readStartTime(process.pid)) ?? 0}`
  return () => `${owner}-${randomBytes(12).toString('hex')}`
}

/** Removes from the folder what writers left that are gone. What a process on this machine or another one still writes stays. */
export async function removeLeftovers(folder: string, now: number): Promise<void> {
  for (const name of await readdir(folder)) {
    const path = join(folder, name)
    if (await isLeftOver(path, name, now)) await rm(path, { force: true, recursive: true })
  }
}

async function isLeftOver(path: string, name: string, now: number): Promise<boolean> {
  const [, machine, pid, startTime] = namePattern.exec(name) ?? []
  if (machine === thisMachine()) return !(await isRunning(Number(pid), startTime as string))
  const { mtimeMs } = await stat(path).catch(() => ({ mtimeMs: now }))
  return now - mtimeMs > strangerLimitMs
}

/** In a container a process gets the number of the one before it, so the number alone says little. */
async function isRunning(pid: number, startTime: string): Promise<boolean> {
  const found = await readStartTime(pid)
  if (found !== undefined) return found === startTime
  if (startTime !== '0') return false
  try {
    return process.kill(pid, 0)
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}

/** undefined where there is no such process, or the system does not say. */
async function readStartTime(pid: number): Promise<string | undefined> {
  const text = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '')
  // The second field is the name of the program in parentheses, and may hold blanks. The time is the 22nd.
  return text.slice(text.lastIndexOf(')') + 2).split(' ')[19]
}

function thisMachine(): string {
  return createHash('sha256').update(hostname()).digest('hex').slice(0, 12)
}
