import { Fault } from '../../core/fault.ts'
import type { Blobs } from '../../port/blobs/port.ts'

export type MemoryBlobs = Blobs & {
  readonly held: Map<string, { bytes: Buffer; changedAt: number }>
  /** While set, the store is away: told at the first use, or by a write after so many bytes. */
  failure: { readonly after: number; readonly fault: Fault } | undefined
}

export const storeAway = new Fault('storage-unavailable', 'The storage of the server cannot be used at the moment.')

/** Blobs in memory that can be told to fail. */
export function createMemoryBlobs(now: () => number): MemoryBlobs {
  const held: MemoryBlobs['held'] = new Map()
  const requireStore = (): void => {
    if (blobs.failure) throw blobs.failure.fault
  }
  const blobs: MemoryBlobs = {
    held,
    failure: undefined,
    async write(key, content) {
      const pieces: Buffer[] = []
      let length = 0
      for await (const bytes of content) {
        length += bytes.length
        if (blobs.failure && length > blobs.failure.after) throw blobs.failure.fault
        pieces.push(Buffer.from(bytes))
      }
      if (blobs.failure && length >= blobs.failure.after) throw blobs.failure.fault
      held.set(key, { bytes: Buffer.concat(pieces), changedAt: now() })
      return { bytes: length }
    },
    async *read(key, range) {
      requireStore()
      const blob = held.get(key)
      if (!blob) throw new Fault('not-found', 'There is no content of that name.')
      const bytes = blob.bytes.subarray(range?.start, range?.end)
      for (let at = 0; at < bytes.length; at += 65_536) yield bytes.subarray(at, at + 65_536)
    },
    async size(key) {
      requireStore()
      return held.get(key)?.bytes.length
    },
    join(key, parts) {
      return blobs.write(
        key,
        (async function* () {
          for (const part of parts) yield* blobs.read(part)
        })(),
      )
    },
    async delete(key) {
      requireStore()
      return held.delete(key)
    },
    async *list(prefix) {
      requireStore()
      for (const [key, { bytes, changedAt }] of held) {
        if (key.startsWith(prefix)) yield { key, bytes: bytes.length, changedAt }
      }
    },
    close: async () => {},
  }
  return blobs
}
