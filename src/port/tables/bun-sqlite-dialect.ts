import type { Database, SQLQueryBindings } from 'bun:sqlite'
import { type SqliteDatabase, SqliteDialect } from 'kysely'

/** Kysely's SQLite dialect over `bun:sqlite`, which differs from the driver that dialect expects in three places. */
export function createBunSqliteDialect(database: Database): SqliteDialect {
  const shim: SqliteDatabase = {
    close: () => database.close(),
    prepare(sql) {
      // `query`, unlike `prepare`, keeps the compiled statement for the next time.
      const statement = database.query<unknown, SQLQueryBindings[]>(sql)
      return {
        // A statement that yields columns has to be read, whether or not it also writes (`returning`).
        reader: statement.columnNames.length > 0,
        all: (parameters) => statement.all(...(parameters as SQLQueryBindings[])),
        run: (parameters) => statement.run(...(parameters as SQLQueryBindings[])),
        iterate: (parameters) => statement.iterate(...(parameters as SQLQueryBindings[])),
      }
    },
  }
  return new SqliteDialect({ database: shim })
}
