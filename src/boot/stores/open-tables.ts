import { existsSync } from 'node:fs'
import { openSqliteTables } from '../../port/tables/adapters/sqlite/open-sqlite-tables.ts'
import type { Tables } from '../../port/tables/port.ts'
import type { Logger } from '../../telemetry/logger.ts'

export type TablesChoice = {
  /** Of PostgreSQL, where several servers are to share their state. */
  readonly url: string | undefined
  /** Of SQLite, for a server that is alone. */
  readonly file: string
  /** PEM of authorities to trust beside the system's. */
  readonly ca: string | undefined
  /** How long PostgreSQL is waited for. */
  readonly waitMs: number
  readonly log: Logger
}

export type OpenedTables = {
  readonly tables: Tables
  /** Whether there has been no server on this state before. */
  readonly isFirstStart: boolean
  /** Whether other servers may work on it at the same time. */
  readonly isShared: boolean
}

/** The durable state. Throws as `openSqliteTables` and `openPostgresTables`. */
export async function openTables({ url, file, ca, waitMs, log }: TablesChoice): Promise<OpenedTables> {
  if (url === undefined) {
    const isFirstStart = !existsSync(file)
    return { tables: await openSqliteTables(file, { isOnThread: true }), isFirstStart, isShared: false }
  }
  // Its client costs time to load, and most servers are alone.
  const { openPostgresTables } = await import('../../port/tables/adapters/postgres/open-postgres-tables.ts')
  const tables = await openPostgresTables({
    url,
    ca,
    waitMs,
    onWait: ({ message }) => log.warn({ forSeconds: waitMs / 1000 }, `${message} It is waited for.`),
  })
  return { tables, isFirstStart: (await tables.getResource()) === undefined, isShared: true }
}
