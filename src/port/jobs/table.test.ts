import { afterEach, beforeEach, expect, test } from 'bun:test'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Kysely } from 'kysely'
import { createSqliteDialect } from '../tables/adapters/sqlite/dialect.ts'
import { openSqliteTables } from '../tables/adapters/sqlite/open-sqlite-tables.ts'
import type { SqliteSession } from '../tables/adapters/sqlite/session.ts'
import { createSqliteSession } from '../tables/adapters/sqlite/session-in-process.ts'
import type { Schema } from '../tables/schema.ts'
import type { Job, Jobs } from './port.ts'
import { createJobsTable, isHeld } from './table.ts'

/** The fence for other tables, with two processes' connections on one file. */

const leaseMs = 60_000
let folder: string
let time: number
let opened: SqliteSession[]
let first: { db: Kysely<Schema>; jobs: Jobs }
let second: { db: Kysely<Schema>; jobs: Jobs }

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'ponto-jobs-'))
  time = 1_790_000_000_000
  opened = []
  await (await openSqliteTables(join(folder, 'ponto.db'))).close()
  first = await open()
  second = await open()
  await first.jobs.add({ kind: 'batch', id: 'a', state: {}, runAt: time })
})
afterEach(async () => {
  for (const session of opened) await session.end()
  rmSync(folder, { recursive: true, force: true })
})

async function open() {
  const session = createSqliteSession()
  await session.open(join(folder, 'ponto.db'), 'readwrite')
  opened.push(session)
  const db = new Kysely<Schema>({ dialect: createSqliteDialect(session) })
  return {
    db,
    jobs: createJobsTable(
      db,
      (statement) => statement,
      () => time,
      'sqlite',
    ),
  }
}

async function take(from: Jobs): Promise<Job> {
  const job = await from.claim(['batch'], 'worker', leaseMs)
  if (job) return job
  throw new Error('there was no job to take')
}

const asks = (db: Kysely<Schema>, job: Job) =>
  db.transaction().execute(async (transaction) => {
    const answer = await isHeld(transaction, job)
    if (answer) await transaction.insertInto('batch_quota').values({ deployment_key: 'x' }).execute()
    return answer
  })

test('a job is held from when it is taken until it is let go or done', async () => {
  const job = await take(first.jobs)
  expect(await asks(first.db, job)).toBe(true)
  await first.jobs.release(job, {}, time)
  expect(await asks(first.db, job)).toBe(false)
  const again = await take(first.jobs)
  expect(await asks(first.db, job)).toBe(false)
  await first.jobs.finish(again)
  expect(await asks(first.db, again)).toBe(false)
})

test('asking changes nothing: the lease is neither longer nor shorter', async () => {
  const job = await take(first.jobs)
  const dueAt = await first.jobs.nextDueAt(['batch'])
  time += 5_000
  expect(await asks(first.db, job)).toBe(true)
  expect(await first.jobs.nextDueAt(['batch'])).toBe(dueAt)
})

test('after the lease it is held until another one takes it', async () => {
  const job = await take(first.jobs)
  time += leaseMs
  expect(await asks(first.db, job)).toBe(true)
  await take(second.jobs)
  expect(await asks(first.db, job)).toBe(false)
})

test('nobody takes it between asking and the end of the transaction', async () => {
  const job = await take(first.jobs)
  time += leaseMs
  await opened[1]?.run('pragma busy_timeout = 0')
  await first.db.transaction().execute(async (transaction) => {
    expect(await isHeld(transaction, job)).toBe(true)
    const reason = await second.jobs.claim(['batch'], 'other', leaseMs).catch((error: unknown) => error)
    expect(String(reason)).toContain('locked')
  })
  expect((await take(second.jobs)).attempt).toBeGreaterThan(job.attempt)
})

test('a transaction that begins by asking can write, whatever others wrote meanwhile', async () => {
  const job = await take(first.jobs)
  await first.db.transaction().execute(async (transaction) => {
    // The transaction is begun, but has not looked at anything yet.
    await second.jobs.add({ kind: 'batch', id: 'b', state: {}, runAt: time })
    expect(await isHeld(transaction, job)).toBe(true)
    await transaction.insertInto('batch_quota').values({ deployment_key: 'x' }).execute()
  })
})
