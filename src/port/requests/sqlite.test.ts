import { Database } from 'bun:sqlite'
import { expect, test } from 'bun:test'
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openSqliteRequests } from './adapters/sqlite.ts'
import { describeRequestsContract, makeDocument, type RequestsFixture } from './contract.ts'
import { gatherLines } from './lines.ts'
import type { RequestStore } from './port.ts'
import { startRequestStore } from './thread/start-store.ts'

async function makeFixture(open: (file: string) => Promise<RequestStore>): Promise<RequestsFixture> {
  const folder = mkdtempSync(join(tmpdir(), 'ponto-requests-'))
  const file = join(folder, 'requests.db')
  let store = await open(file)
  return {
    store,
    async reopen() {
      await store.close()
      store = await open(file)
      return store
    },
    async remove() {
      await store.close()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

describeRequestsContract('sqlite', () => makeFixture(openSqliteRequests))
describeRequestsContract('sqlite on a thread', () =>
  makeFixture(async (file) => startRequestStore({ kind: 'sqlite', file })),
)

async function withFile(run: (file: string, folder: string) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'ponto-requests-'))
  try {
    await run(join(folder, 'requests.db'), folder)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

const messageOf = (refused: Promise<unknown>): Promise<string> =>
  refused.then(
    () => '',
    (error: Error) => error.message,
  )
const line = (seconds: number) => JSON.stringify(makeDocument(seconds, { message: crypto.randomUUID().repeat(20) }))

test('the file is for its owner alone, and gives back to the disk what was deleted', () =>
  withFile(async (file, folder) => {
    const store = await openSqliteRequests(file)
    for (let i = 0; i < 20; i++) {
      await store.append([gatherLines(Array.from({ length: 1_000 }, (_, k) => line(i * 1_000 + k)))], [])
    }
    expect(readdirSync(folder).map((name) => statSync(join(folder, name)).mode & 0o777)).toEqual([0o600, 0o600, 0o600])
    const { bytes } = await store.totals()
    while (await store.sweep({ before: 0, maxBytes: bytes / 10, now: 0 })) {
      // Until all of it is gone.
    }
    await store.close()
    expect(statSync(file).size).toBeLessThan(bytes / 4)
    expect(statSync(file).size).toBeGreaterThan(bytes / 20)
  }))

test('while another process holds it locked nothing waits; it is written later', () =>
  withFile(async (file) => {
    const store = startRequestStore({ kind: 'sqlite', file })
    await store.append([gatherLines([line(1)])], [])
    const other = new Database(file)
    other.run('begin immediate')
    expect(await messageOf(store.append([gatherLines([line(2)])], []))).toContain('Another process holds it locked')
    other.run('commit')
    other.close()
    await store.append([gatherLines([line(2)])], [])
    expect((await store.totals()).count).toBe(2)
    await store.close()
  }))

test('a file that is no database is refused with what to do, and left as it is; a later call tries again', () =>
  withFile(async (file) => {
    writeFileSync(file, 'a letter to my aunt, and long enough for the header of a database '.repeat(20))
    const before = readFileSync(file)
    const store = startRequestStore({ kind: 'sqlite', file })
    const message = await messageOf(store.append([gatherLines([line(1)])], []))
    expect(message).toContain(`The database ${file} cannot be used`)
    expect(message).toContain('or move it away to begin anew')
    expect(readFileSync(file)).toEqual(before)
    await store.close()
    expect(await messageOf(store.append([gatherLines([line(1)])], []))).toBe('The request log is closed.')
  }))

test('a database of another program is refused', () =>
  withFile(async (file) => {
    const other = new Database(file)
    other.run('create table recipe (text)')
    other.close()
    await expect(openSqliteRequests(file)).rejects.toThrow('is a database of another program')
  }))

test('what could not be opened is opened by a later call, when it can be', () =>
  withFile(async (file) => {
    writeFileSync(file, 'a letter to my aunt, and long enough for the header of a database '.repeat(20))
    const store = startRequestStore({ kind: 'sqlite', file }, 0)
    expect(await messageOf(store.append([gatherLines([line(1)])], []))).toContain('cannot be used')
    rmSync(file)
    await store.append([gatherLines([line(1)])], [])
    expect((await store.totals()).count).toBe(1)
    await store.close()
  }))
