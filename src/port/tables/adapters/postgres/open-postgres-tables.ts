import { Kysely, PostgresDialect } from 'kysely'
import type { Fault } from '../../../../core/fault.ts'
import { createTables } from '../../create-tables.ts'
import { type Migration, migrations as ownMigrations } from '../../migrations/index.ts'
import type { Tables } from '../../port.ts'
import type { Schema } from '../../schema.ts'
import { installAnnouncements, listenForChanges } from './announce.ts'
import { describeFailure } from './failures.ts'
import { lockSchema, migratePostgres, refuseForeignServer } from './migrate.ts'
import { createPool } from './pool.ts'
import { readPostgresUrl } from './settings.ts'

export type PostgresOptions = {
  /** `postgresql://USER:PASSWORD@HOST:5432/DATABASE`; see `readPostgresUrl` for its parameters. */
  readonly url: string
  /** PEM of authorities to trust beside the system's. */
  readonly ca?: string | undefined
  /** How long a database that is not there is asked again, since it may be starting too. Not at all when absent. */
  readonly waitMs?: number
  /** Told once when that begins, and why. */
  readonly onWait?: (why: Fault) => void
  /** How long a connected database may say nothing. */
  readonly answerMs?: number
  /** Unix milliseconds. */
  readonly now?: () => number
  /** Other steps than the program's own; for tests. */
  readonly migrations?: readonly Migration[]
}

/**
 * Tables in a schema of a PostgreSQL database, 13 or newer, brought to the newest version. Any number of servers may share them.
 * Throws Fault `invalid-request` for a URL that is none, `state-unusable` where the database cannot be used, and `storage-unavailable`
 * where it is not there. Later, while it is away, calls fail with `storage-unavailable` and work again when it is back.
 */
export async function openPostgresTables(options: PostgresOptions): Promise<Tables> {
  const { url, ca, waitMs = 0, answerMs, now = Date.now, migrations = ownMigrations } = options
  const { pool: config, schema } = readPostgresUrl(url, ca)
  const pool = createPool({ ...config, ...(answerMs !== undefined && { query_timeout: answerMs }) })
  const db = new Kysely<Schema>({ dialect: new PostgresDialect({ pool }) })
  try {
    await pool.waitForServer(waitMs, options.onWait)
    await refuseForeignServer(db as unknown as Kysely<unknown>)
    await migratePostgres(db as unknown as Kysely<unknown>, schema, migrations)
    await installAnnouncements(db as unknown as Kysely<unknown>, schema)
  } catch (error) {
    await pool.end()
    throw describeFailure(error)
  }
  const listening = new Set<() => Promise<void>>()
  return {
    // The pool says what is wrong itself.
    ...createTables({ db, dialect: 'postgres', attempt: (statement) => statement, now, place: 'the database' }),
    exclusively: (run) =>
      db.transaction().execute(async (transaction) => {
        await lockSchema(transaction, schema)
        return run()
      }),
    subscribe(onChange) {
      const end = listenForChanges(config, schema, onChange)
      listening.add(end)
      return () => void end()
    },
    async close() {
      await Promise.all([...listening].map((end) => end()))
      await pool.end()
    },
  }
}
