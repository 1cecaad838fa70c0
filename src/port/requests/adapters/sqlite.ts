import { chmodSync, closeSync, openSync, statSync } from 'node:fs'
import { Kysely } from 'kysely'
import { createSqliteDialect } from '../../tables/adapters/sqlite/dialect.ts'
import { migrateDatabase, refuseForeignDatabase } from '../../tables/adapters/sqlite/migrate.ts'
import { createSqliteSession } from '../../tables/adapters/sqlite/session-in-process.ts'
import { describeStorageError } from '../../tables/adapters/sqlite/storage-fault.ts'
import type { RequestStore } from '../port.ts'
import { type RequestSchema, requestMigrations } from '../schema.ts'
import { createRequestTable } from '../table.ts'

/** Pages of a file that are given back to the disk at once. */
const freedPages = 4_000

/**
 * Requests in a SQLite file of their own, so that their writes and their size are nothing to the other tables. Statements hold up the
 * thread that asks. Throws Fault `state-unusable`, as `openSqliteTables` does.
 */
export async function openSqliteRequests(file: string): Promise<RequestStore> {
  const session = createSqliteSession()
  const attempt = async <T>(statement: Promise<T>): Promise<T> => {
    try {
      return await statement
    } catch (error) {
      throw describeStorageError(error, file)
    }
  }
  try {
    closeSync(openSync(file, 'a', 0o600))
    chmodSync(file, 0o600)
    const isNew = statSync(file).size === 0
    if (!isNew) {
      await session.open(file, 'readonly')
      await refuseForeignDatabase(session, file, requestMigrations.length)
    }
    await session.open(file, 'readwrite')
    // What is deleted goes back to the disk, in pieces; it has to be said before there is a table.
    if (isNew) await session.run('pragma auto_vacuum = incremental')
    await session.run('pragma journal_mode = wal')
    // A power cut may take the last of them, a crash does not. Nobody waits for a lock: what could not be written is tried again.
    await session.run('pragma synchronous = normal; pragma busy_timeout = 0; pragma journal_size_limit = 16777216')
    await migrateDatabase(session, file, requestMigrations, Date.now)
  } catch (error) {
    await session.end()
    throw describeStorageError(error, file)
  }
  const db = new Kysely<RequestSchema>({ dialect: createSqliteDialect(session) })
  const table = createRequestTable({ db, attempt, node: '', nowMs: performance.now.bind(performance) })
  return {
    ...table,
    async sweep(retention) {
      const hasMore = await table.sweep(retention)
      await attempt(session.query(`pragma incremental_vacuum(${freedPages})`, []))
      return hasMore
    },
    close: () => session.end(),
  }
}
