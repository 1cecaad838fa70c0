import type { Database } from 'bun:sqlite'
import { Kysely } from 'kysely'
import { Fault } from '../../core/fault.ts'
import { backUpDatabase } from './backup.ts'
import { createBunSqliteDialect } from './bun-sqlite-dialect.ts'
import type { Migration } from './migrations/index.ts'

/** Marks a database file as ours, in the header field SQLite has for it: the letters "PNTO". */
const applicationId = 0x504e544f

/**
 * Refuses a database this program must not write to: one of a newer Ponto, or of another program. Only reads.
 * `known` is how many migrations this program has.
 */
export function refuseForeignDatabase(database: Database, file: string, known: number): void {
  const version = readPragma(database, 'user_version')
  const id = readPragma(database, 'application_id')
  const tables = database.query<{ count: number }, []>('select count(*) as count from sqlite_schema').get()?.count ?? 0
  if (tables > 0 && id !== applicationId) {
    throw new Fault('state-unusable', `${file} is a database of another program. Give Ponto a data folder of its own.`)
  }
  if (version > known) {
    throw new Fault(
      'state-unusable',
      `${file} has schema version ${version}; this Ponto knows versions up to ${known}. It was left untouched. ` +
        `Start the newer Ponto that wrote it, or put a backup in its place (${file}.backup-v${known}-*).`,
    )
  }
}

/**
 * Brings the database to the newest schema. Before each step a database that was there already is backed up; each step is one
 * transaction.
 * Throws Fault `state-unusable` when a step fails: the database is then as it was before that step.
 */
export async function migrateDatabase(
  database: Database,
  file: string,
  migrations: readonly Migration[],
  now: () => number,
): Promise<void> {
  const db = new Kysely<unknown>({ dialect: createBunSqliteDialect(database) })
  const first = readPragma(database, 'user_version')
  for (let version = first; version < migrations.length; version++) {
    const backup = first > 0 ? backUpDatabase(database, file, version, now()) : undefined
    // Immediate: of two processes that start at once, the second waits here and then finds the work done.
    database.run('begin immediate')
    try {
      if (readPragma(database, 'user_version') === version) {
        await (migrations[version] as Migration)(db)
        database.run(`pragma user_version = ${version + 1}`)
        database.run(`pragma application_id = ${applicationId}`)
      }
      database.run('commit')
    } catch (error) {
      if (database.inTransaction) database.run('rollback')
      throw new Fault(
        'state-unusable',
        `Bringing ${file} from schema version ${version} to ${version + 1} failed: ` +
          `${error instanceof Error ? error.message : String(error)}. The database is as it was before` +
          `${backup ? `; a copy lies in ${backup}` : ''}.`,
        { cause: error },
      )
    }
  }
}

function readPragma(database: Database, name: 'user_version' | 'application_id'): number {
  return Object.values(database.query<Record<string, number>, []>(`pragma ${name}`).get() ?? {})[0] ?? 0
}
