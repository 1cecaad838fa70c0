import { afterEach, beforeEach, describe, expect, test } from 'bun:test'
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  createDataFolder,
  type DataFolder,
  locateDataFolder,
  readServerRecord,
  removeServerRecord,
  writeServerRecord,
} from './data-folder.ts'
import { findLockHolder, lockDataFolder } from './folder-lock.ts'

let home: string
let folder: DataFolder
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'ponto-data-'))
  folder = locateDataFolder({ given: join(home, 'deep', 'data'), homeFolder: home })
})
afterEach(() => rmSync(home, { recursive: true, force: true }))

describe('where it lies', () => {
  test.each([
    [{ given: '/a/b', xdgDataHome: '/x', homeFolder: '/h' }, '/a/b'],
    [{ xdgDataHome: '/x', homeFolder: '/h' }, '/x/ponto'],
    [{ given: '', xdgDataHome: '', homeFolder: '/h' }, '/h/.ponto'],
  ])('%p', (choices, path) => {
    expect(locateDataFolder(choices).path).toBe(path)
  })

  test('is made for its owner only, whatever the umask', () => {
    const before = process.umask(0)
    createDataFolder(folder)
    process.umask(before)
    for (const path of [folder.path, folder.tls]) expect(statSync(path).mode & 0o777).toBe(0o700)
  })

  test('a file in the way is said to be one', () => {
    writeFileSync(join(home, 'deep'), '')
    expect(() => createDataFolder(folder)).toThrow('a file is in the way. Choose another folder with --data DIR')
  })
})

describe('the lock', () => {
  beforeEach(() => createDataFolder(folder))

  /** Takes the lock in a process of its own, says so, and holds it until its input ends. */
  function holdElsewhere() {
    const script = `
      import { lockDataFolder } from ${JSON.stringify(join(import.meta.dir, 'folder-lock.ts'))}
      import { locateDataFolder } from ${JSON.stringify(join(import.meta.dir, 'data-folder.ts'))}
      try {
        lockDataFolder(locateDataFolder({ given: ${JSON.stringify(folder.path)}, homeFolder: '/' }))
        console.log('held')
      } catch (error) { console.log(error.message); process.exit(0) }
      for await (const _ of process.stdin) {}
      process.kill(process.pid, 'SIGKILL')`
    const child = Bun.spawn([process.execPath, '-e', script], { stdin: 'pipe', stdout: 'pipe', stderr: 'inherit' })
    const firstLine = async () => {
      for await (const chunk of child.stdout) return new TextDecoder().decode(chunk).trim()
      return ''
    }
    return { child, firstLine: firstLine() }
  }

  test('refuses a second process, naming it and the flag', async () => {
    const lock = lockDataFolder(folder)
    expect(findLockHolder(folder)).toBe(process.pid)
    expect(await holdElsewhere().firstLine).toContain(
      `(process ${process.pid}) already uses the data folder ${folder.path}`,
    )
    lock.release()
    expect(findLockHolder(folder)).toBeUndefined()
    expect(readdirSync(folder.path)).toEqual(['tls'])
  })

  test('of a killed process is taken over', async () => {
    const { child, firstLine } = holdElsewhere()
    expect(await firstLine).toBe('held')
    expect(() => lockDataFolder(folder)).toThrow(`process ${child.pid}`)
    child.stdin.end()
    await child.exited
    expect(findLockHolder(folder)).toBeUndefined()
    lockDataFolder(folder).release()
  })

  test.if(process.platform === 'linux')('of a process whose number another one has now is taken over', () => {
    writeFileSync(folder.lock, JSON.stringify({ pid: process.ppid, started: 'another-boot:1' }))
    expect(findLockHolder(folder)).toBeUndefined()
    lockDataFolder(folder).release()
  })

  test.each(['', 'nonsense', '{"pid":"1"}', '{"pid":-1}'])('that is damaged (%p) is taken over', (text) => {
    writeFileSync(folder.lock, text)
    lockDataFolder(folder).release()
  })

  test('of ten processes at once, one gets it, also over a dead lock', async () => {
    writeFileSync(folder.lock, JSON.stringify({ pid: 2 ** 22 + 1, started: '' }))
    const all = Array.from({ length: 10 }, holdElsewhere)
    const lines = await Promise.all(all.map(({ firstLine }) => firstLine))
    expect(lines.filter((line) => line === 'held')).toHaveLength(1)
    for (const { child } of all) child.stdin.end()
    await Promise.all(all.map(({ child }) => child.exited))
  }, 20_000)

  test('is released by its holder only', () => {
    const lock = lockDataFolder(folder)
    writeFileSync(folder.lock, '{"pid":1,"started":""}')
    lock.release()
    expect(readFileSync(folder.lock, 'utf8')).toContain('"pid":1')
  })
})

describe('the record of the running server', () => {
  const record = {
    pid: 42,
    startedAt: '2026-01-02T03:04:05Z',
    version: '1.2.3',
    httpsUrl: 'https://localhost:8443',
    trust: { kind: 'authority', file: '/x/ca.pem' },
  } as const

  test('comes back as written, is private, and goes', () => {
    createDataFolder(folder)
    expect(readServerRecord(folder)).toBeUndefined()
    writeServerRecord(folder, record)
    expect(statSync(folder.server).mode & 0o777).toBe(0o600)
    expect(readServerRecord(folder)).toEqual(record)
    removeServerRecord(folder)
    removeServerRecord(folder)
    expect(readServerRecord(folder)).toBeUndefined()
  })

  test('a damaged one is reported', () => {
    createDataFolder(folder)
    writeFileSync(folder.server, '{"pid":')
    expect(() => readServerRecord(folder)).toThrow('is damaged')
  })
})
