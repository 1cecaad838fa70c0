import { Fault } from '../../../../core/fault.ts'
import { isSqliteError } from './session.ts'

/** What to do about a database that SQLite cannot use, by SQLite's primary result code. */
const wayOut: Record<number, (file: string) => string> = {
  5: () => 'Another process holds it locked; end that process or wait for it.',
  8: (file) => `Make ${file} and its folder writable for this user.`,
  10: () => 'The disk failed; see the system log.',
  11: restore,
  13: () => 'The disk is full; free some space.',
  14: (file) => `Make sure the folder of ${file} exists and this user may read and write there.`,
  26: restore,
}

function restore(file: string): string {
  return `Put a backup in its place (the newest of ${file}.backup-*), or move it away to begin anew.`
}

/**
 * A failure of SQLite or the file system as a Fault that names the file, what is wrong and what to do.
 * Anything else is returned as it is.
 */
export function describeStorageError(error: unknown, file: string): unknown {
  const advice = adviceFor(error, file)
  if (advice === undefined) return error
  const reason = (error as Error).message
  return new Fault('state-unusable', `The database ${file} cannot be used: ${reason}. ${advice}`.trimEnd(), {
    cause: error,
  })
}

/** Undefined when the error is not one of storage. */
function adviceFor(error: unknown, file: string): string | undefined {
  // An extended result code holds the primary one in its low byte.
  if (isSqliteError(error)) return wayOut[error.errno & 0xff]?.(file) ?? ''
  const isFileError = error instanceof Error && 'syscall' in error
  return isFileError ? wayOut[14]?.(file) : undefined
}
