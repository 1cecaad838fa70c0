import type { SqliteAnswer, SqliteSession } from './session.ts'

/** What goes to the thread: a call of its session. Calls are answered in order. */
export type ThreadCall = {
  [Name in keyof SqliteSession]: readonly [name: Name, ...parameters: Parameters<SqliteSession[Name]>]
}[keyof SqliteSession]

export type ThreadReply =
  | { readonly answer: SqliteAnswer | undefined }
  | { readonly error: { readonly message: string; readonly errno?: number; readonly code?: string } }
