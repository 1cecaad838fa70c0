import {
  CompiledQuery,
  type DatabaseConnection,
  type Dialect,
  type Driver,
  type QueryResult,
  SqliteAdapter,
  SqliteIntrospector,
  SqliteQueryCompiler,
} from 'kysely'
import type { SqliteSession, SqliteValue } from './session.ts'

/** Kysely's SQLite over a session. Ending that is the business of whoever opened it. */
export function createSqliteDialect(session: SqliteSession): Dialect {
  return {
    createDriver: () => createDriver(session),
    createQueryCompiler: () => new SqliteQueryCompiler(),
    createAdapter: () => new SqliteAdapter(),
    createIntrospector: (db) => new SqliteIntrospector(db),
  }
}

/** A session is one connection: whoever needs it for more than a statement has it alone meanwhile. */
function createDriver(session: SqliteSession): Driver {
  const connection: DatabaseConnection = {
    async executeQuery<R>({ sql, parameters }: CompiledQuery): Promise<QueryResult<R>> {
      const { rows, changes } = await session.query(sql, parameters as readonly SqliteValue[])
      return { rows: rows as R[], ...(changes !== undefined && { numAffectedRows: BigInt(changes) }) }
    },
    async *streamQuery() {
      yield* []
      throw new Error('Rows are not streamed: ask for them in pages.')
    },
  }
  const run = async (on: DatabaseConnection, sql: string): Promise<void> => {
    await on.executeQuery(CompiledQuery.raw(sql))
  }
  const queue: (() => void)[] = []
  let isTaken = false
  return {
    init: async () => {},
    async acquireConnection() {
      if (isTaken) await new Promise<void>((free) => queue.push(free))
      isTaken = true
      return connection
    },
    async releaseConnection() {
      const next = queue.shift()
      // Handed on, not given up: nobody comes between.
      if (next) next()
      else isTaken = false
    },
    beginTransaction: (on) => run(on, 'begin'),
    commitTransaction: (on) => run(on, 'commit'),
    rollbackTransaction: (on) => run(on, 'rollback'),
    destroy: async () => {},
  }
}
