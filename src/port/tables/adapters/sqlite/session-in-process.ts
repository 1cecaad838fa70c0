import { Database, type SQLQueryBindings } from 'bun:sqlite'
import type { SqliteSession } from './session.ts'

/** A session whose statements hold up the thread that asks for them, the disk's time included. */
export function createSqliteSession(): SqliteSession {
  let database: Database | undefined
  const current = (): Database => {
    if (database) return database
    throw new Error('The database is closed.')
  }
  const close = async (): Promise<void> => {
    database?.close()
    database = undefined
  }
  return {
    async open(file, mode) {
      database?.close()
      database = new Database(file, mode === 'readonly' ? { readonly: true } : { readwrite: true, strict: true })
    },
    async query(sql, parameters) {
      const statement = current().query<unknown, SQLQueryBindings[]>(sql)
      const values = parameters as SQLQueryBindings[]
      // A statement that yields columns has to be read, whether or not it also writes (`returning`).
      if (statement.columnNames.length > 0) return { rows: statement.all(...values), changes: undefined }
      return { rows: [], changes: statement.run(...values).changes }
    },
    async run(sql) {
      current().run(sql)
    },
    close,
    end: close,
  }
}
