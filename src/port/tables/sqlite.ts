import { Database } from 'bun:sqlite'
import { chmodSync, closeSync, openSync, statSync } from 'node:fs'
import { type Insertable, Kysely, type Selectable } from 'kysely'
import { deploymentKey } from '../../core/deployment.ts'
import { Fault } from '../../core/fault.ts'
import { randomId } from '../../core/id.ts'
import { isJsonObject, type JsonObject } from '../../core/json.ts'
import { createJobsTable } from '../jobs/table.ts'
import { createBatchesTable } from './batches/table.ts'
import { createBunSqliteDialect } from './bun-sqlite-dialect.ts'
import { createFilesTable } from './files/table.ts'
import { createFiltersTable } from './filters/table.ts'
import { migrateDatabase, refuseForeignDatabase } from './migrate.ts'
import { type Migration, migrations as ownMigrations } from './migrations/index.ts'
import { createNamedKeysTable } from './named-keys/table.ts'
import type { DeploymentRow, Tables } from './port.ts'
import { createQuotaTable } from './quota/table.ts'
import type { Schema } from './schema.ts'
import { describeStorageError } from './storage-fault.ts'
import { createStoredCompletionsTable } from './stored-completions/table.ts'
import { createUsageTable } from './usage/table.ts'

export type SqliteOptions = {
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
  const { now = Date.now, migrations = ownMigrations } = options
  try {
    const database = openDatabase(file, migrations.length)
    try {
      await migrateDatabase(database, file, migrations, now)
      return createTables(database, file, now)
    } catch (error) {
      database.close()
      throw error
    }
  } catch (error) {
    throw describeStorageError(error, file)
  }
}

/** Two processes on one database are a mistake, but a short overlap (a restart, a backup) should wait, not fail. */
const busyTimeout = 'pragma busy_timeout = 5000'

/**
 * Runs writes that come by themselves every second and are tried again when they fail. Here everything that SQLite waits for, a lock or
 * the disk, holds up the whole thread and every request with it. So these do not wait for a lock, nor for the disk: a power cut may
 * take the last of them, a crash does not.
 */
function runUnhurried<T>(
  database: Database,
  db: Kysely<Schema>,
  write: (db: Kysely<Schema>) => Promise<T>,
): Promise<T> {
  // On a connection of its own nothing else runs meanwhile. Not through Kysely: some pragmas act when they are compiled, and that is kept.
  return db.connection().execute(async (connection) => {
    database.run('pragma busy_timeout = 0')
    database.run('pragma synchronous = normal')
    try {
      return await write(connection)
    } finally {
      database.run('pragma synchronous = full')
      database.run(busyTimeout)
    }
  })
}

function openDatabase(file: string, known: number): Database {
  closeSync(openSync(file, 'a', 0o600))
  // SQLite gives its -wal and -shm files the mode of the database.
  chmodSync(file, 0o600)
  if (statSync(file).size > 0) {
    // Looked at read-only first: switching to WAL, even closing a writing connection, changes the file.
    const reader = new Database(file, { readonly: true })
    try {
      reader.run(busyTimeout)
      refuseForeignDatabase(reader, file, known)
    } finally {
      reader.close()
    }
  }
  const database = new Database(file, { readwrite: true, strict: true })
  try {
    database.run(busyTimeout)
    database.run('pragma journal_mode = wal')
    // FULL, not NORMAL: in WAL mode NORMAL may lose the last commits in a power cut. Writes here are an operator's own
    // acts, few and worth an fsync; what was answered with 200 has to stay. Usage is another matter: see `runUnhurried`.
    database.run('pragma synchronous = full')
    database.run('pragma foreign_keys = on')
    return database
  } catch (error) {
    database.close()
    throw error
  }
}

function createTables(database: Database, file: string, now: () => number): Tables {
  const db = new Kysely<Schema>({ dialect: createBunSqliteDialect(database) })

  /** Runs a statement; SQLite's failures become Faults. */
  async function attempt<T>(statement: Promise<T>): Promise<T> {
    try {
      return await statement
    } catch (error) {
      throw describeStorageError(error, file)
    }
  }

  const usage = createUsageTable(db, attempt)

  return {
    async getResource() {
      const row = await attempt(db.selectFrom('resource').selectAll().executeTakeFirst())
      return row && { name: row.name, createdAt: row.created_at }
    },
    async putResource({ name, createdAt }) {
      const row: Insertable<Schema['resource']> = { id: 1, name, created_at: createdAt }
      await attempt(
        db
          .insertInto('resource')
          .values(row)
          .onConflict((conflict) => conflict.column('id').doUpdateSet(row))
          .execute(),
      )
    },

    async listKeys() {
      const rows = await attempt(db.selectFrom('resource_key').selectAll().orderBy('name').execute())
      return rows.map(({ name, sealed, created_at }) => ({ name, sealed, createdAt: created_at }))
    },
    async putKey({ name, sealed, createdAt }) {
      const row: Insertable<Schema['resource_key']> = { name, sealed, created_at: createdAt }
      await attempt(
        db
          .insertInto('resource_key')
          .values(row)
          .onConflict((conflict) => conflict.column('name').doUpdateSet(row))
          .execute(),
      )
    },

    async listDeployments() {
      const rows = await attempt(db.selectFrom('deployment').selectAll().orderBy('key').execute())
      return rows.map((row) => readDeployment(row, file))
    },
    async getDeployment(name) {
      const query = db.selectFrom('deployment').selectAll().where('key', '=', deploymentKey(name))
      const row = await attempt(query.executeTakeFirst())
      return row && readDeployment(row, file)
    },
    async putDeployment(name, document, expectedEtag) {
      const key = deploymentKey(name)
      const time = now()
      const change = { document: JSON.stringify(document), etag: randomId(20), updated_at: time }
      const insert = db.insertInto('deployment').values({ key, name, ...change, created_at: time })
      // One statement each, so that comparing and writing cannot be parted.
      const query =
        expectedEtag === undefined
          ? insert.onConflict((conflict) => conflict.column('key').doUpdateSet(change)).returningAll()
          : expectedEtag === null
            ? insert.onConflict((conflict) => conflict.column('key').doNothing()).returningAll()
            : db
                .updateTable('deployment')
                .set(change)
                .where('key', '=', key)
                .where('etag', '=', expectedEtag)
                .returningAll()
      const row = await attempt<Selectable<Schema['deployment']> | undefined>(query.executeTakeFirst())
      return row && readDeployment(row, file)
    },
    async deleteDeployment(name) {
      const query = db.deleteFrom('deployment').where('key', '=', deploymentKey(name))
      const { numDeletedRows } = await attempt(query.executeTakeFirst())
      return numDeletedRows > 0n
    },

    namedKeys: createNamedKeysTable(db, attempt),
    storedCompletions: createStoredCompletionsTable(db, attempt),
    quota: createQuotaTable(db, attempt),
    filters: createFiltersTable(db, attempt),
    files: createFilesTable(db, attempt),
    jobs: createJobsTable(db, attempt, now, 'sqlite'),
    batches: createBatchesTable(db, attempt),
    usage: {
      ...usage,
      add: (rows) => runUnhurried(database, db, (connection) => createUsageTable(connection, attempt).add(rows)),
    },

    // Not Kysely's `destroy`: it closes nothing when no query was ever run.
    close: async () => database.close(),
  }
}

function readDeployment(row: Selectable<Schema['deployment']>, file: string): DeploymentRow {
  return {
    name: row.name,
    document: readDocument(row, file),
    etag: row.etag,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
  }
}

function readDocument(row: Selectable<Schema['deployment']>, file: string): JsonObject {
  try {
    const document: unknown = JSON.parse(row.document)
    if (isJsonObject(document)) return document
  } catch {
    // Falls through to the same Fault as a document of another kind.
  }
  throw new Fault(
    'state-unusable',
    `The stored deployment "${row.name}" in ${file} is not a JSON object. Delete it and make it anew.`,
  )
}
