import { type Kysely, sql, type Transaction } from 'kysely'
import { Fault } from '../../../../core/fault.ts'
import type { Migration } from '../../migrations/index.ts'
import { textInOctetOrder } from './collation.ts'

const oldestVersion = 130_000

type Server = { version: number; encoding: string; is_standby: boolean }

/** Refuses a server that this program cannot work with. */
export async function refuseForeignServer(db: Kysely<unknown>): Promise<void> {
  const { rows } = await sql<Server>`select current_setting('server_version_num')::int as version,
    current_setting('server_encoding') as encoding, pg_is_in_recovery() as is_standby`.execute(db)
  const { version, encoding, is_standby } = rows[0] as Server
  if (version < oldestVersion) {
    throw new Fault(
      'state-unusable',
      `The database is PostgreSQL ${Math.floor(version / 10_000)}; 13 or newer is needed.`,
    )
  }
  if (encoding !== 'UTF8') {
    throw new Fault(
      'state-unusable',
      `The database is encoded in ${encoding}; make one with: create database NAME encoding 'UTF8' template template0`,
    )
  }
  if (is_standby) throw new Fault('state-unusable', 'The database is a read-only standby. Name the primary.')
}

/**
 * Brings the schema of the database to the newest version, each step in one transaction. Servers that start together do it one after
 * the other. Throws Fault `state-unusable` for a schema of a newer Ponto or of another program, which stays as it is, and when a step
 * fails: all is then as it was before that step.
 */
export async function migratePostgres(
  db: Kysely<unknown>,
  schema: string,
  migrations: readonly Migration[],
): Promise<void> {
  while (await takeStep(db, schema, migrations)) {
    // One after the other.
  }
}

/** Of servers that share the schema, one goes on from here until its transaction ends. */
export async function lockSchema<T>(transaction: Transaction<T>, schema: string): Promise<void> {
  await sql`select pg_advisory_xact_lock(hashtextextended(${`ponto:${schema}`}, 0))`.execute(transaction)
}

/** Whether there may be another one. */
function takeStep(db: Kysely<unknown>, schema: string, migrations: readonly Migration[]): Promise<boolean> {
  return db.transaction().execute(async (transaction) => {
    // A step may have much to do, and whoever waits for another server's waits for all of it.
    await sql`set local statement_timeout = 0`.execute(transaction)
    await sql`set local lock_timeout = 0`.execute(transaction)
    await lockSchema(transaction, schema)
    const version = await readVersion(transaction, schema)
    if (version > migrations.length) {
      throw new Fault(
        'state-unusable',
        `The schema "${schema}" of the database has version ${version}; this Ponto knows versions up to ${migrations.length}. ` +
          'It was left untouched. Start the newer Ponto that wrote it, or restore a backup.',
      )
    }
    const step = migrations[version]
    if (step === undefined) return false
    try {
      await step(transaction.withPlugin(textInOctetOrder))
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error)
      throw new Fault(
        'state-unusable',
        `Bringing the schema "${schema}" of the database from version ${version} to ${version + 1} failed: ${reason} ` +
          'It is as it was before.',
        { cause: error },
      )
    }
    await sql`insert into schema_version (id, version) values (1, ${version + 1})
      on conflict (id) do update set version = excluded.version`.execute(transaction)
    return version + 1 < migrations.length
  })
}

/** 0 for a schema that was just made, or is empty. */
async function readVersion(transaction: Transaction<unknown>, schema: string): Promise<number> {
  type Found = { has_schema: boolean; has_version: boolean; tables: number }
  const { rows } = await sql<Found>`select to_regnamespace(${schema}) is not null as has_schema,
    to_regclass(${`${schema}.schema_version`}) is not null as has_version,
    (select count(*) from pg_class where relnamespace = to_regnamespace(${schema})) as tables`.execute(transaction)
  const { has_schema, has_version, tables } = rows[0] as Found
  if (has_version) {
    const found = await sql<{ version: number }>`select version from schema_version where id = 1`.execute(transaction)
    return found.rows[0]?.version ?? 0
  }
  if (tables > 0) {
    throw new Fault(
      'state-unusable',
      `The schema "${schema}" of the database holds tables of another program. Give Ponto one of its own, with ?schema=NAME in the URL.`,
    )
  }
  if (!has_schema) await sql`create schema ${sql.id(schema)}`.execute(transaction)
  await sql`create table schema_version (id int primary key, version int not null)`.execute(transaction)
  return 0
}
