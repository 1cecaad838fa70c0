import { Kysely, PostgresDialect } from 'kysely'
import { migratePostgres, refuseForeignServer } from '../../tables/adapters/postgres/migrate.ts'
import { createPool } from '../../tables/adapters/postgres/pool.ts'
import { readPostgresUrl } from '../../tables/adapters/postgres/settings.ts'
import type { RequestStore } from '../port.ts'
import { type RequestSchema, requestMigrations } from '../schema.ts'
import { createRequestTable } from '../table.ts'

export type PostgresRequestsOptions = {
  /** As the tables have it: the requests are in a schema of their own beside theirs, named after it. */
  readonly url: string
  readonly ca: string | undefined
  /** Different for each server that shares the store. */
  readonly node: string
}

const maxNameChars = 63
const ending = '_requests'

/** Requests in PostgreSQL, for servers that share it. Throws as `openPostgresTables`. */
export async function openPostgresRequests({ url, ca, node }: PostgresRequestsOptions): Promise<RequestStore> {
  const schema = readPostgresUrl(url, ca).schema.slice(0, maxNameChars - ending.length) + ending
  const own = new URL(url)
  own.searchParams.set('schema', schema)
  // One writes, one searches.
  own.searchParams.set('pool_size', '2')
  const pool = createPool(readPostgresUrl(own.href, ca).pool)
  const db = new Kysely<RequestSchema>({ dialect: new PostgresDialect({ pool }) })
  try {
    await pool.waitForServer(0)
    await refuseForeignServer(db as unknown as Kysely<unknown>)
    await migratePostgres(db as unknown as Kysely<unknown>, schema, requestMigrations)
  } catch (error) {
    await pool.end()
    throw error
  }
  const nowMs = performance.now.bind(performance)
  return { ...createRequestTable({ db, attempt: (statement) => statement, node, nowMs }), close: () => pool.end() }
}
