import { Kysely } from 'kysely'
import { Fault } from '../../../../core/fault.ts'
import type { Migration } from '../../migrations/index.ts'
import { backUpDatabase } from './backup.ts'
import { createSqliteDialect } from './dialect.ts'
import type { SqliteSession } from './session.ts'

/** Marks a database file as ours, in the header field SQLite has for it: the letters "PNTO". */
const applicationId = 0x504e544f

/**
 * Refuses a database this program must not write to: one of a newer Ponto, or of another program. Only reads.
 * `known` is how many migrations this program has.
 */
export async function refuseForeignDatabase(session: SqliteSession, file: string, known: number): Promise<void> {
  const version = await readNumber(session, 'pragma user_version')
  const id = await readNumber(session, 'pragma application_id')
  const tables = await readNumber(session, 'select count(*) from sqlite_schema')
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
  session: SqliteSession,
  file: string,
  migrations: readonly Migration[],
  now: () => number,
): Promise<void> {
  const db = new Kysely<unknown>({ dialect: createSqliteDialect(session) })
  const first = await readNumber(session, 'pragma user_version')
  for (let version = first; version < migrations.length; version++) {
    const backup = first > 0 ? await backUpDatabase(session, file, version, now()) : undefined
    // Immediate: of two processes that start at once, the second waits here and then finds the work done.
    await session.run('begin immediate')
    try {
      if ((await readNumber(session, 'pragma user_version')) === version) {
        await (migrations[version] as Migration)(db)
        await session.run(`pragma user_version = ${version + 1}; pragma application_id = ${applicationId}`)
      }
      await session.run('commit')
    } catch (error) {
      // SQLite may have done that itself.
      await session.run('rollback').catch(() => {})
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

async function readNumber(session: SqliteSession, sql: string): Promise<number> {
  const { rows } = await session.query(sql, [])
  return Number(Object.values((rows[0] ?? {}) as Record<string, unknown>)[0] ?? 0)
}
