import { Kysely, PostgresDialect } from 'kysely'
import { createTables } from './create-tables.ts'
import { type Migration, migrations as ownMigrations } from './migrations/index.ts'
import type { Tables } from './port.ts'
import { describeStartFailure } from './postgres/failures.ts'
import { lockSchema, migratePostgres, refuseForeignServer } from './postgres/migrate.ts'
import { createPool } from './postgres/pool.ts'
import { readPostgresUrl } from './postgres/settings.ts'
import type { Schema } from './schema.ts'

export type PostgresOptions = {
  /** `postgresql://USER:PASSWORD@HOST:5432/DATABASE`; see `readPostgresUrl` for its parameters. */
  readonly url: string
  /** PEM of authorities to trust beside the system's. */
  readonly ca?: string | undefined
  /** How long a database that refuses connections is asked again, since it may be starting too. */
  readonly waitMs?: number
  /** How long a connected database may say nothing. */
  readonly answerMs?: number
  /** Unix milliseconds. */
  readonly now?: () => number
  /** Other steps than the program's own; for tests. */
  readonly migrations?: readonly Migration[]
}

const defaultWaitMs = 5_000

/**
 * Tables in a schema of a PostgreSQL database, 13 or newer, brought to the newest version. Any number of servers may share them.
 * Throws Fault `invalid-request` for a URL that is none and `state-unusable` where the database cannot be used. Later, while it is
 * away, calls fail with `storage-unavailable` and work again when it is back.
 */
export async function openPostgresTables(options: PostgresOptions): Promise<Tables> {
  const { url, ca, waitMs = defaultWaitMs, answerMs, now = Date.now, migrations = ownMigrations } = options
  const { pool: config, schema } = readPostgresUrl(url, ca)
  const pool = createPool({ ...config, ...(answerMs !== undefined && { query_timeout: answerMs }) })
  const db = new Kysely<Schema>({ dialect: new PostgresDialect({ pool }) })
  try {
    await pool.waitForServer(waitMs)
    await refuseForeignServer(db as unknown as Kysely<unknown>)
    await migratePostgres(db as unknown as Kysely<unknown>, schema, migrations)
  } catch (error) {
    await pool.end()
    throw describeStartFailure(error)
  }
  return {
    // The pool says what is wrong itself.
    ...createTables({ db, dialect: 'postgres', attempt: (statement) => statement, now, place: 'the database' }),
    exclusively: (run) =>
      db.transaction().execute(async (transaction) => {
        await lockSchema(transaction, schema)
        return run()
      }),
    close: () => pool.end(),
  }
}
