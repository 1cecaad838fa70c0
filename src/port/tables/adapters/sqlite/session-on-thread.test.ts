import { Database } from 'bun:sqlite'
import { afterEach, beforeEach, expect, test } from 'bun:test'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setImmediate as turn } from 'node:timers/promises'
import { isSqliteError, type SqliteSession } from './session.ts'
import { startSqliteThread } from './session-on-thread.ts'

let folder: string
let file: string
let session: SqliteSession
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'ponto-thread-'))
  file = join(folder, 'a.db')
  session = startSqliteThread()
  new Database(file).close()
  await session.open(file, 'readwrite')
  await session.run('pragma journal_mode = wal; create table item (id integer primary key, value)')
})
afterEach(async () => {
  await session.end()
  rmSync(folder, { recursive: true, force: true })
})

const reasonOf = (run: Promise<unknown>) =>
  run.then(
    () => undefined,
    (error: unknown) => error,
  )

test('values go and come as they are', async () => {
  const values = ['', `Größe 🙂 ${'\u0000'}x`, 0, -0.5, 2 ** 53 - 1, null, new Uint8Array([0, 255]), 7n, true]
  for (const value of values) await session.query('insert into item (value) values (?)', [value])
  const { rows, changes } = await session.query('select value from item order by id', [])
  expect((rows as { value: unknown }[]).map(({ value }) => value)).toEqual([...values.slice(0, 7), 7, 1])
  expect(changes).toBeUndefined()
  expect(await session.query('update item set value = 1', [])).toEqual({ rows: [], changes: values.length })
})

test('errors keep what SQLite says, and the next statement is none the worse', async () => {
  await session.query('insert into item (id) values (1)', [])
  const error = await reasonOf(session.query('insert into item (id) values (1)', []))
  if (!isSqliteError(error)) throw new Error(`expected an error of SQLite, got ${String(error)}`)
  expect(error).toBeInstanceOf(Error)
  expect(error.code).toBe('SQLITE_CONSTRAINT_PRIMARYKEY')
  expect(error.errno & 0xff).toBe(19)
  expect(error.message).toContain('UNIQUE constraint failed')
  expect(isSqliteError(await reasonOf(session.query('selekt', [])))).toBe(true)
  expect((await session.query('select id from item', [])).rows).toEqual([{ id: 1 }])
})

test('while SQLite waits for a lock, this thread goes on', async () => {
  const other = new Database(file)
  other.run('begin immediate')
  await session.run('pragma busy_timeout = 20000')
  let isWritten = false
  const writing = session.query('insert into item (value) values (1)', []).then(() => {
    isWritten = true
  })
  for (let i = 0; i < 1_000; i++) await turn()
  expect(isWritten).toBe(false)
  // A statement that waits on this thread would never have let us come here.
  other.run('commit')
  await writing
  other.close()
})

test('what is asked is done in order', async () => {
  const asked = Array.from({ length: 200 }, (_, i) =>
    i % 2 === 0
      ? session.query('insert into item (value) values (?)', [i])
      : session.query('select count(*) as count from item', []),
  )
  const answers = await Promise.all(asked)
  for (let i = 1; i < answers.length; i += 2) expect(answers[i]?.rows).toEqual([{ count: (i + 1) / 2 }])
})

test('ending waits for what was asked before, and refuses what is asked later', async () => {
  const asked = Array.from({ length: 50 }, () => session.query("insert into item (value) values ('x')", []))
  const ended = session.end()
  expect(String(await reasonOf(session.query('select 1', [])))).toContain('closed')
  await Promise.all(asked)
  await ended
  await session.end()
  const database = new Database(file, { readonly: true })
  expect(database.query('select count(*) as count from item').get()).toEqual({ count: 50 })
  database.close()
})

test('a process whose sessions have ended ends by itself', async () => {
  const script = `
    const { startSqliteThread } = await import(${JSON.stringify(join(import.meta.dir, 'session-on-thread.ts'))})
    for (let i = 0; i < 20; i++) {
      const session = startSqliteThread()
      await session.open(${JSON.stringify(file)}, 'readwrite')
      await session.query('insert into item (value) values (?)', ['y'.repeat(10000)])
      await session.end()
    }
    console.log('done')`
  const child = Bun.spawn([process.execPath, '-e', script], { stderr: 'pipe' })
  expect(await new Response(child.stderr).text()).toBe('')
  expect(await new Response(child.stdout).text()).toBe('done\n')
  expect(await child.exited).toBe(0)
})
