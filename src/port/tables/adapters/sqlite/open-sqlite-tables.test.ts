import { Database } from 'bun:sqlite'
import { afterEach, beforeEach, describe, expect, test } from 'bun:test'
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { sql } from 'kysely'
import { Fault } from '../../../../core/fault.ts'
import { describeTablesContract } from '../../contract.ts'
import { type Migration, migrations } from '../../migrations/index.ts'
import { listBackups } from './backup.ts'
import { openSqliteTables } from './open-sqlite-tables.ts'

let folder: string
let file: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'ponto-tables-'))
  file = join(folder, 'ponto.db')
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

for (const isOnThread of [false, true]) {
  describeTablesContract(isOnThread ? 'sqlite on a thread' : 'sqlite', async (now = Date.now) => {
    const home = mkdtempSync(join(tmpdir(), 'ponto-tables-'))
    const open = () => openSqliteTables(join(home, 'ponto.db'), { now, isOnThread })
    let tables = await open()
    return {
      tables,
      async reopen() {
        await tables.close()
        tables = await open()
        return tables
      },
      async remove() {
        await tables.close()
        rmSync(home, { recursive: true, force: true })
      },
    }
  })
}

/** A step that a later version of the program might add. */
const addNotes: Migration = async (db) => {
  await db.schema.createTable('note').addColumn('text', 'text').execute()
}
const addColours: Migration = async (db) => {
  await db.schema.createTable('colour').addColumn('text', 'text').execute()
}

async function faultOf(run: Promise<unknown>): Promise<Fault> {
  const error = await run.then(
    () => undefined,
    (reason: unknown) => reason,
  )
  if (error instanceof Fault) return error
  throw new Error(`expected a Fault, got ${String(error)}`)
}

async function makeDatabase(steps: readonly Migration[] = migrations): Promise<void> {
  const tables = await openSqliteTables(file, { migrations: steps })
  await tables.putDeployment('gpt', { model: { name: 'm' } })
  await tables.close()
}

function inspect<T>(path: string, read: (database: Database) => T): T {
  const database = new Database(path, { readonly: true })
  try {
    return read(database)
  } finally {
    database.close()
  }
}

const versionOf = (path: string) =>
  inspect(path, (db) => db.query<{ user_version: number }, []>('pragma user_version').get()?.user_version)
const tablesOf = (path: string) =>
  inspect(path, (db) =>
    db.query<{ name: string }, []>("select name from sqlite_schema where type = 'table'").all(),
  ).map((row) => row.name)

describe('sqlite file', () => {
  test('is for its owner alone, its companions and backups too; looser modes are tightened', async () => {
    const modes = () => readdirSync(folder).map((name) => [name, statSync(join(folder, name)).mode & 0o777])
    const tables = await openSqliteTables(file)
    await tables.putDeployment('gpt', {})
    expect(modes().sort()).toEqual([
      ['ponto.db', 0o600],
      ['ponto.db-shm', 0o600],
      ['ponto.db-wal', 0o600],
    ])
    await tables.close()
    expect(readdirSync(folder)).toEqual(['ponto.db'])
    chmodSync(file, 0o644)
    await (await openSqliteTables(file, { migrations: [...migrations, addNotes] })).close()
    expect(modes().map(([, mode]) => mode)).toEqual([0o600, 0o600])
  })

  test.each([false, true])(
    'one that is no database is refused, untouched, with what to do (on a thread: %p)',
    async (isOnThread) => {
      writeFileSync(file, 'this is a letter to my aunt, not a database, and long enough for a header '.repeat(20))
      const before = readFileSync(file)
      const fault = await faultOf(openSqliteTables(file, { isOnThread }))
      expect(fault.message).toBe(
        `The database ${file} cannot be used: file is not a database. Put a backup in its place (the newest of ` +
          `${file}.backup-*), or move it away to begin anew.`,
      )
      expect(readFileSync(file)).toEqual(before)
      expect(readdirSync(folder)).toEqual(['ponto.db'])
    },
  )

  test('one with damaged pages fails with the same advice when they are read', async () => {
    const tables = await openSqliteTables(file)
    for (let i = 0; i < 50; i++) await tables.putDeployment(`gpt-${i}`, { text: 'x'.repeat(500) })
    await tables.close()
    const bytes = readFileSync(file)
    bytes.fill(0xa5, 4096)
    writeFileSync(file, bytes)
    const fault = await faultOf(
      openSqliteTables(file).then(async (damaged) => {
        try {
          await damaged.listDeployments()
        } finally {
          await damaged.close()
        }
      }),
    )
    expect(fault.message).toContain(`The database ${file} cannot be used: database disk image is malformed.`)
    expect(fault.message).toContain(`${file}.backup-*`)
  })

  test.each([false, true])('one of another program is refused (on a thread: %p)', async (isOnThread) => {
    const other = new Database(file)
    other.run('create table recipe (text)')
    other.close()
    const fault = await faultOf(openSqliteTables(file, { isOnThread }))
    expect(fault.message).toBe(`${file} is a database of another program. Give Ponto a data folder of its own.`)
    expect(tablesOf(file)).toEqual(['recipe'])
  })

  test('a folder that does not exist is named', async () => {
    const missing = join(folder, 'nowhere', 'ponto.db')
    const fault = await faultOf(openSqliteTables(missing))
    expect(fault.message).toContain(missing)
    expect(fault.message).toContain('Make sure the folder')
  })

  test('a stored document that is no JSON is named, not passed on', async () => {
    await makeDatabase()
    const database = new Database(file)
    database.run("update deployment set document = '[1'")
    database.close()
    const tables = await openSqliteTables(file)
    const fault = await faultOf(tables.listDeployments())
    expect(fault.message).toContain('The stored deployment "gpt"')
    await tables.close()
  })

  test('opened twice, both write, one waiting for the other', async () => {
    const [first, second] = [await openSqliteTables(file), await openSqliteTables(file)]
    await Promise.all(
      Array.from({ length: 20 }, (_, i) =>
        (i % 2 ? first : second).putDeployment(`gpt-${i}`, { model: { name: 'm' } }),
      ),
    )
    expect(await first.listDeployments()).toHaveLength(20)
    await first.close()
    await second.close()
  })

  test('locked by another process: usage does not wait for it, since requests would; what an operator does waits', async () => {
    const tables = await openSqliteTables(file)
    const script = `
      const { Database } = require('bun:sqlite')
      const db = new Database(${JSON.stringify(file)})
      db.run('begin immediate')
      console.log('held')
      setTimeout(() => db.run('commit'), 1500)`
    const holder = Bun.spawn([process.execPath, '-e', script], { stdout: 'pipe' })
    await holder.stdout.getReader().read()
    const counts = { requests: 1, failed: 0, refused: 0, estimated: 0, costMicros: 0 }
    const tokens = { promptTokens: 1, cachedTokens: 0, completionTokens: 0, reasoningTokens: 0 }
    const row = { hour: 1, resource: '', deployment: 'd', model: 'm', keyName: 'k', ...counts, ...tokens }
    expect((await faultOf(tables.usage.add([row]))).message).toContain('Another process holds it locked')
    await tables.putDeployment('gpt', { model: { name: 'm' } })
    await tables.usage.add([row])
    expect(await tables.usage.read({ fromHour: 0, toHour: 2, groupBy: [] })).toMatchObject([{ requests: 1 }])
    await tables.close()
  })
})

describe('migrations', () => {
  test('a new database needs no backup', async () => {
    await makeDatabase()
    expect(versionOf(file)).toBe(migrations.length)
    expect(listBackups(file)).toEqual([])
  })

  test('each pending step is preceded by a backup that opens and holds what was there', async () => {
    await makeDatabase()
    const at = Date.UTC(2026, 0, 2, 3, 4, 5, 6)
    const tables = await openSqliteTables(file, { migrations: [...migrations, addNotes, addColours], now: () => at })
    expect(await tables.getDeployment('gpt')).toBeDefined()
    await tables.close()
    expect(versionOf(file)).toBe(migrations.length + 2)
    const [first, second] = [migrations.length, migrations.length + 1].map(
      (v) => `${file}.backup-v${v}-20260102T030405006Z`,
    )
    expect(listBackups(file).toSorted()).toEqual([first as string, second as string].toSorted())
    expect(versionOf(first as string)).toBe(migrations.length)
    expect(tablesOf(first as string)).not.toContain('note')
    expect(tablesOf(second as string)).toContain('note')
    const restored = await openSqliteTables(first as string)
    expect((await restored.listDeployments()).map((row) => row.name)).toEqual(['gpt'])
    await restored.close()
  })

  test('the five newest backups are kept, and nothing else that lies there is removed', async () => {
    await makeDatabase()
    writeFileSync(`${file}.backup-mine`, 'kept')
    let time = Date.UTC(2026, 0, 1)
    const now = () => {
      time += 86_400_000
      return time
    }
    const noted: Migration[] = Array.from({ length: 8 }, (_, i) => async (db) => {
      await db.schema.createTable(`note_${i}`).addColumn('text', 'text').execute()
    })
    const tables = await openSqliteTables(file, { migrations: [...migrations, ...noted], now })
    await tables.close()
    expect(listBackups(file).map((path) => Number(/backup-v(\d+)/.exec(path)?.[1]) - migrations.length)).toEqual([
      7, 6, 5, 4, 3,
    ])
    expect(readFileSync(`${file}.backup-mine`, 'utf8')).toBe('kept')
  })

  test('a step that fails leaves the database as it was, and the message names the backup', async () => {
    await makeDatabase()
    const failing: Migration = async (db) => {
      await db.schema.createTable('half').addColumn('text', 'text').execute()
      await sql`delete from deployment`.execute(db)
      await sql`insert into nowhere values (1)`.execute(db)
    }
    const fault = await faultOf(openSqliteTables(file, { migrations: [...migrations, failing] }))
    const [backup] = listBackups(file)
    expect(fault.message).toBe(
      `Bringing ${file} from schema version ${migrations.length} to ${migrations.length + 1} failed: no such table: nowhere. The database is as it was before; ` +
        `a copy lies in ${backup}.`,
    )
    expect(versionOf(file)).toBe(migrations.length)
    expect(tablesOf(file)).not.toContain('half')
    const tables = await openSqliteTables(file)
    expect(await tables.listDeployments()).toHaveLength(1)
    await tables.close()
  })

  test.each(['closed', 'killed'])('a newer schema is refused and the file left untouched (writer %s)', async (end) => {
    const newer = [...migrations, addNotes]
    await makeDatabase(newer)
    if (end === 'killed') leaveWriteAheadLog()
    const before = readdirSync(folder)
      .filter((name) => !name.endsWith('-shm'))
      .map((name) => ({ name, bytes: readFileSync(join(folder, name)) }))
    const fault = await faultOf(openSqliteTables(file))
    expect(fault.message).toBe(
      `${file} has schema version ${newer.length}; this Ponto knows versions up to ${migrations.length}. It was left untouched. ` +
        `Start the newer Ponto that wrote it, or put a backup in its place (${file}.backup-v${migrations.length}-*).`,
    )
    for (const { name, bytes } of before) expect(readFileSync(join(folder, name))).toEqual(bytes)
    const tables = await openSqliteTables(file, { migrations: newer })
    expect(await tables.listDeployments()).toHaveLength(1)
    await tables.close()
  })

  /** Ends with a -wal file that holds a commit, as a killed process leaves it. */
  function leaveWriteAheadLog(): void {
    const script = `
      const { Database } = require('bun:sqlite')
      const db = new Database(${JSON.stringify(file)})
      db.run("update deployment set etag = 'late'")
      process.kill(process.pid, 'SIGKILL')`
    Bun.spawnSync([process.execPath, '-e', script])
    expect(readdirSync(folder)).toContain('ponto.db-wal')
    expect(statSync(`${file}-wal`).size).toBeGreaterThan(0)
  }

  test('processes that start at once on an old database all end with the new one', async () => {
    await makeDatabase()
    const script = `
      const { openSqliteTables } = await import(${JSON.stringify(join(import.meta.dir, 'open-sqlite-tables.ts'))})
      const { migrations } = await import(${JSON.stringify(join(import.meta.dir, '../../migrations/index.ts'))})
      const addNotes = (db) => db.schema.createTable('note').addColumn('text', 'text').execute()
      const tables = await openSqliteTables(${JSON.stringify(file)}, { migrations: [...migrations, addNotes] })
      console.log((await tables.listDeployments()).length)
      await tables.close()`
    const started = Array.from({ length: 3 }, () => Bun.spawn([process.execPath, '-e', script], { stderr: 'pipe' }))
    for (const child of started) {
      expect(await new Response(child.stderr).text()).toBe('')
      expect(await new Response(child.stdout).text()).toBe('1\n')
    }
    expect(versionOf(file)).toBe(migrations.length + 1)
    expect(tablesOf(file)).toContain('note')
  })
})
