export type FileLimits = {
  /** Of a file that comes at once. */
  readonly maxFileBytes: number
  /** Of a file whose purpose is `batch`, however it comes. */
  readonly maxBatchFileBytes: number
  /** Of a file that comes in parts, and of one part. */
  readonly maxUploadBytes: number
  readonly maxPartBytes: number
  readonly maxParts: number
  /** Files that an owner has: those that stay, and those with a time to expire. What work for him made does not count. */
  readonly maxLastingFiles: number
  readonly maxExpiringFiles: number
  /** Of all of them, those that are still coming in parts included. */
  readonly maxOwnerBytes: number
  readonly maxPendingUploads: number
  /** How long an upload waits for its parts. */
  readonly uploadLastsMs: number
}

const mib = 1024 * 1024
const gib = 1024 * mib

/** Those of the hosted services where they tell any; what they call a MB is taken for a MiB. */
export const defaultFileLimits: FileLimits = {
  maxFileBytes: 512 * mib,
  maxBatchFileBytes: 200 * mib,
  maxUploadBytes: 8 * gib,
  maxPartBytes: 64 * mib,
  maxParts: 10_000,
  maxLastingFiles: 500,
  maxExpiringFiles: 10_000,
  maxOwnerBytes: 100 * gib,
  maxPendingUploads: 100,
  uploadLastsMs: 60 * 60 * 1000,
}
