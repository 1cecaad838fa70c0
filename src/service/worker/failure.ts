import { Fault } from '../../core/fault.ts'

/** Whether the store is away, and may be back if one waits. SQLite says so with `state-unusable`: locked, disk full, not writable. */
export function isStoreAway(error: unknown): boolean {
  if (error instanceof Fault) return error.code === 'storage-unavailable' || error.code === 'state-unusable'
  return error instanceof Error && /\bclosed\b/i.test(error.message)
}

/**
 * What the log may know of an error: of one about the store all of it, of any other what it is and where it arose. Messages of those may
 * hold what a caller sent, as the one of a JSON parser does.
 */
export function describeFailure(error: unknown): Readonly<Record<string, string>> {
  if (error instanceof Fault)
    return isStoreAway(error) ? { code: error.code, reason: error.message } : { code: error.code }
  if (!(error instanceof Error)) return { error: typeof error }
  const frames = (error.stack ?? '').split('\n').filter((line) => /^\s+at /.test(line))
  return {
    error: error.name,
    at: frames
      .slice(0, 4)
      .map((line) => line.trim().slice(3))
      .join(' < '),
  }
}
