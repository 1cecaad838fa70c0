/** From where up to where, in bytes; `end` is behind the last one, and absent up to the end of the blob. */
export type ByteRange = { readonly start: number; readonly end?: number | undefined }

export type ReadOptions = {
  /** Every piece may lie where the one before it lay: for readers that are done with it when they ask for the next. Else each has its own memory. */
  readonly isReused?: boolean
}

export type StoredBlob = {
  readonly key: string
  readonly bytes: number /** Unix milliseconds. */
  readonly changedAt: number
}

/**
 * Bytes by key, of any size, never held whole. Keys are made by us (`files/file-abc`, letters, digits, "-", "_", "/"); no part of one is
 * a name that a caller gave. Failures of the store are Faults `storage-unavailable`, which name neither path nor address.
 */
export type Blobs = {
  /** Resolves when all that comes is durable, and replaces what was under the key. When it rejects, that is as it was before. */
  write(key: string, content: AsyncIterable<Uint8Array>): Promise<{ readonly bytes: number }>
  /** In pieces, at the reader's pace. Rejects with Fault `not-found` before the first one where there is no such blob. */
  read(key: string, range?: ByteRange, options?: ReadOptions): AsyncIterable<Uint8Array>
  /** undefined where there is no such blob. */
  size(key: string): Promise<number | undefined>
  /** One blob of several, in their order, without reading them where the store can do without. The parts stay. */
  join(key: string, parts: readonly string[]): Promise<{ readonly bytes: number }>
  /** Whether it was there. */
  delete(key: string): Promise<boolean>
  /** Those whose keys begin so, for finding what nobody refers to any more. */
  list(prefix: string): AsyncIterable<StoredBlob>
  close(): Promise<void>
}
