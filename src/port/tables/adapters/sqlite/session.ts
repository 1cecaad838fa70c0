/** What SQLite takes for a parameter. */
export type SqliteValue = string | number | bigint | boolean | null | Uint8Array

/** `changes` is how many rows a statement without columns wrote. */
export type SqliteAnswer = { readonly rows: readonly unknown[]; readonly changes: number | undefined }

/**
 * One connection to one database file at a time; what is asked is done in order. Rejects with errors that `isSqliteError` knows.
 * `session-in-process.ts` does it where it is called, `session-on-thread.ts` on a thread of its own.
 */
export type SqliteSession = {
  open(file: string, mode: 'readonly' | 'readwrite'): Promise<void>
  /** One statement. It is compiled once and kept. */
  query(sql: string, parameters: readonly SqliteValue[]): Promise<SqliteAnswer>
  /** Any number of statements without answers, compiled anew: some pragmas act while they are compiled. */
  run(sql: string): Promise<void>
  /** Closes the file; another one may be opened. */
  close(): Promise<void>
  /** Closes the file, after what was asked before is done, and gives up the thread if there is one. */
  end(): Promise<void>
}

/** The shape of an error of SQLite, on whatever thread it arose. */
export type SqliteError = Error & { readonly errno: number; readonly code?: string | undefined }

export const sqliteErrorName = 'SQLiteError'

export function isSqliteError(error: unknown): error is SqliteError {
  return error instanceof Error && error.name === sqliteErrorName && 'errno' in error
}
