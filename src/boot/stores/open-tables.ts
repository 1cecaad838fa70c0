import { existsSync } from 'node:fs'
import type { Tables } from '../../port/tables/port.ts'
import { openSqliteTables } from '../../port/tables/sqlite.ts'

export type TablesChoice = {
  /** Of PostgreSQL, where several servers are to share their state. */
  readonly url: string | undefined
  /** Of SQLite, for a server that is alone. */
  readonly file: string
  /** PEM of authorities to trust beside the system's. */
  readonly ca: string | undefined
}

export type OpenedTables = {
  readonly tables: Tables
  /** Whether there has been no server on this state before. */
  readonly isFirstStart: boolean
}

/** The durable state. Throws as `openSqliteTables` and `openPostgresTables`. */
export async function openTables({ url, file, ca }: TablesChoice): Promise<OpenedTables> {
  if (url === undefined) {
    const isFirstStart = !existsSync(file)
    return { tables: await openSqliteTables(file, { isOnThread: true }), isFirstStart }
  }
  // Its client costs time to load, and most servers are alone.
  const { openPostgresTables } = await import('../../port/tables/postgres.ts')
  const tables = await openPostgresTables({ url, ca })
  return { tables, isFirstStart: (await tables.getResource()) === undefined }
}
