import { chmodSync, closeSync, openSync, statSync } from 'node:fs'
import { Kysely } from 'kysely'
import { createTables } from '../../create-tables.ts'
import { type Migration, migrations as ownMigrations } from '../../migrations/index.ts'
import type { Tables } from '../../port.ts'
import type { Schema } from '../../schema.ts'
import { createUsageTable } from '../../usage/table.ts'
import { createSqliteDialect } from './dialect.ts'
import { migrateDatabase, refuseForeignDatabase } from './migrate.ts'
import type { SqliteSession } from './session.ts'
import { describeStorageError } from './storage-fault.ts'

export type SqliteOptions = {
  /** Whether SQLite runs on a thread of its own. A server wants that: SQLite waits for disk and locks with all of its thread. */
  readonly isOnThread?: boolean
  /** Unix milliseconds. */
  readonly now?: () => number
  /** Other steps than the program's own; for tests. */
  readonly migrations?: readonly Migration[]
}

/**
 * Tables in one SQLite file, made with mode 0600 when absent and brought to the newest schema.
 * Throws Fault `state-unusable`, with what to do, when the file is damaged, in use, not writable, of another program or of a newer Ponto.
 */
export async function openSqliteTables(file: string, options: SqliteOptions = {}): Promise<Tables> {
  const { isOnThread = false, now = Date.now, migrations = ownMigrations } = options
  const session = await startSession(isOnThread)
  try {
    await openDatabase(session, file, migrations.length)
    await migrateDatabase(session, file, migrations, now)
  } catch (error) {
    await session.end()
    throw describeStorageError(error, file)
  }
  return createSqliteTables(session, file, now)
}

/** `bun:sqlite` is loaded on the thread that it runs on, and on no other. */
async function startSession(isOnThread: boolean): Promise<SqliteSession> {
  if (isOnThread) return (await import('./session-on-thread.ts')).startSqliteThread()
  return (await import('./session-in-process.ts')).createSqliteSession()
}

/** Two processes on one database are a mistake, but a short overlap (a restart, a backup) should wait, not fail. */
const busyTimeout = 'pragma busy_timeout = 5000'

async function openDatabase(session: SqliteSession, file: string, known: number): Promise<void> {
  closeSync(openSync(file, 'a', 0o600))
  // SQLite gives its -wal and -shm files the mode of the database.
  chmodSync(file, 0o600)
  if (statSync(file).size > 0) {
    // Looked at read-only first: switching to WAL, even closing a writing connection, changes the file.
    await session.open(file, 'readonly')
    await session.run(busyTimeout)
    await refuseForeignDatabase(session, file, known)
    await session.close()
  }
  await session.open(file, 'readwrite')
  await session.run(busyTimeout)
  await session.run('pragma journal_mode = wal')
  // FULL, not NORMAL: in WAL mode NORMAL may lose the last commits in a power cut. Writes here are an operator's own
  // acts, few and worth an fsync; what was answered with 200 has to stay. Usage is another matter: see `runUnhurried`.
  await session.run('pragma synchronous = full; pragma foreign_keys = on')
}

/**
 * Runs writes that come by themselves every second and are tried again when they fail. Whatever SQLite waits for, a lock or the disk,
 * holds up every other statement. So these do not wait for a lock, nor for the disk: a power cut may take the last of them, a crash
 * does not.
 */
function runUnhurried<T>(
  session: SqliteSession,
  db: Kysely<Schema>,
  write: (db: Kysely<Schema>) => Promise<T>,
): Promise<T> {
  // With the connection to itself nothing else runs meanwhile.
  return db.connection().execute(async (connection) => {
    await session.run('pragma busy_timeout = 0; pragma synchronous = normal')
    try {
      return await write(connection)
    } finally {
      await session.run(`pragma synchronous = full; ${busyTimeout}`)
    }
  })
}

function createSqliteTables(session: SqliteSession, file: string, now: () => number): Tables {
  const db = new Kysely<Schema>({ dialect: createSqliteDialect(session) })

  async function attempt<T>(statement: Promise<T>): Promise<T> {
    try {
      return await statement
    } catch (error) {
      throw describeStorageError(error, file)
    }
  }

  const tables = createTables({ db, dialect: 'sqlite', attempt, now, place: file })
  return {
    ...tables,
    usage: {
      ...tables.usage,
      add: (rows) => runUnhurried(session, db, (connection) => createUsageTable(connection, attempt).add(rows)),
    },
    // A data folder has one server.
    exclusively: (run) => run(),
    subscribe: () => () => {},
    close: () => session.end(),
  }
}
