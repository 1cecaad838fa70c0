import { setTimeout as sleep } from 'node:timers/promises'
import { type Kysely, sql } from 'kysely'
import { Client, type PoolConfig } from 'pg'
import { lockSchema } from './migrate.ts'

/** What servers read at their start and hold in memory. Items of blocklists have no life of their own: their list changes with them. */
const announcedTables = [
  'resource',
  'resource_key',
  'deployment',
  'named_key',
  'quota_pool',
  'filter_document',
  'service_principal',
  'role_assignment',
  'signing_key',
]
const triggerName = 'announce_change'

const firstPauseMs = 250
const lastPauseMs = 5_000
/** A connection that broke without a word is found out after this and the limit of a statement. */
const beatMs = 10_000
const answerMs = 5_000

/**
 * Has the database itself tell all who listen when one of those tables was written, whoever did it: with the commit, so that nobody is told
 * of what is not there yet, and no writer can die in between. The channel is named as the schema.
 */
export async function installAnnouncements(db: Kysely<unknown>, schema: string): Promise<void> {
  const { rows } = await sql<{
    name: string
  }>`select relname as name from pg_trigger join pg_class on tgrelid = pg_class.oid
    where tgname = ${triggerName} and relnamespace = to_regnamespace(${schema})`.execute(db)
  const found = new Set(rows.map(({ name }) => name))
  // Making one waits for all who read or write that table: only where there is none.
  const missing = announcedTables.filter((table) => !found.has(table))
  if (missing.length === 0) return
  await db.transaction().execute(async (transaction) => {
    await lockSchema(transaction, schema)
    await sql`create or replace function announce_change() returns trigger language plpgsql as $body$
      begin
        perform pg_notify(${sql.lit(schema)}, '');
        return null;
      end $body$`.execute(transaction)
    for (const table of missing) {
      await sql`drop trigger if exists ${sql.id(triggerName)} on ${sql.id(table)}`.execute(transaction)
      await sql`create trigger ${sql.id(triggerName)} after insert or update or delete on ${sql.id(table)}
        for each statement execute function announce_change()`.execute(transaction)
    }
  })
}

/**
 * Listens on a connection of its own, and calls `onChange` when something was written, and each time that it listens again after it did not:
 * what was written meanwhile nobody told. Asks a database that is away again every few seconds. The function returned ends that.
 */
export function listenForChanges(config: PoolConfig, schema: string, onChange: () => void): () => Promise<void> {
  const closing = new AbortController()
  let current: Client | undefined

  const rest = (ms: number): Promise<unknown> => sleep(ms, undefined, { signal: closing.signal }).catch(() => {})

  /** Resolves when the connection is of no use any more. */
  async function listen(onListening: () => void): Promise<void> {
    const client = new Client({ ...config, query_timeout: answerMs })
    current = client
    const lost = new AbortController()
    client.on('error', () => lost.abort())
    client.on('end', () => lost.abort())
    client.on('notification', onChange)
    try {
      await client.connect()
      await client.query(`listen ${client.escapeIdentifier(schema)}`)
      onListening()
      const isOver = AbortSignal.any([lost.signal, closing.signal])
      while (!isOver.aborted) {
        await sleep(beatMs, undefined, { signal: isOver }).catch(() => {})
        if (!isOver.aborted) await client.query('select 1')
      }
    } finally {
      current = undefined
      // A server that does not answer is not waited for.
      void client.end().catch(() => {})
    }
  }

  async function listenOn(): Promise<void> {
    let pauseMs = firstPauseMs
    while (!closing.signal.aborted) {
      await listen(() => {
        pauseMs = firstPauseMs
        onChange()
      }).catch(() => {})
      await rest(pauseMs)
      pauseMs = Math.min(pauseMs * 2, lastPauseMs)
    }
  }

  const listening = listenOn()
  return async () => {
    closing.abort()
    void current?.end().catch(() => {})
    await listening
  }
}
