import { inflateRawSync } from 'node:zlib'
import { IngestionError, type IngestionLimits } from '../port.ts'

/** The parts of a zip file. */
export type Archive = {
  has(name: string): boolean
  /** Undefined where there is no such part. */
  read(name: string): Uint8Array | undefined
}

type Entry = { readonly method: number; readonly packedBytes: number; readonly place: number }

const endBytes = 22
const longestComment = 65_535
const unpackedByDeflate = 8

/**
 * Reads the list of parts at the end of a zip file. Parts are unpacked when asked for, and all of them together to no more than
 * `unpackedBytes`, whatever they say of their size; no archive within is opened, and nothing is written anywhere. Throws IngestionError for what is
 * no zip file, or too much.
 */
export function openArchive(
  bytes: Uint8Array,
  limits: Pick<IngestionLimits, 'unpackedBytes' | 'archiveEntries'>,
): Archive {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const entries = listEntries(view, limits.archiveEntries)
  let left = limits.unpackedBytes
  return {
    has: (name) => entries.has(name),
    read(name) {
      const entry = entries.get(name)
      if (!entry) return undefined
      const content = unpack(bytes, view, entry, left)
      left -= content.length
      return content
    },
  }
}

function listEntries(view: DataView, most: number): Map<string, Entry> {
  const end = findEnd(view)
  if (end === undefined) throw damaged()
  const entries = new Map<string, Entry>()
  let place = view.getUint32(end + 16, true)
  const count = view.getUint16(end + 10, true)
  if (count > most) throw new IngestionError('invalid_file', `This file has ${count} parts; at most ${most} are read.`)
  for (let i = 0; i < count && place + 46 <= view.byteLength; i++) {
    if (view.getUint32(place, true) !== 0x02014b50) break
    const nameBytes = view.getUint16(place + 28, true)
    const nameEnd = place + 46 + nameBytes
    if (nameEnd > view.byteLength) break
    const name = new TextDecoder().decode(new Uint8Array(view.buffer, view.byteOffset + place + 46, nameBytes))
    const isLocked = (view.getUint16(place + 8, true) & 1) === 1
    if (isLocked)
      throw new IngestionError('invalid_file', 'This file is protected by a password. Upload it without one.')
    entries.set(name.replaceAll('\\', '/').replace(/^\//, ''), {
      method: view.getUint16(place + 10, true),
      packedBytes: view.getUint32(place + 20, true),
      place: view.getUint32(place + 42, true),
    })
    place = nameEnd + view.getUint16(place + 30, true) + view.getUint16(place + 32, true)
  }
  return entries
}

/** The record that ends a zip file stands before a comment of any length. */
function findEnd(view: DataView): number | undefined {
  const last = view.byteLength - endBytes
  for (let place = last; place >= Math.max(0, last - longestComment); place--) {
    if (view.getUint32(place, true) === 0x06054b50) return place
  }
  return undefined
}

function unpack(bytes: Uint8Array, view: DataView, { method, packedBytes, place }: Entry, left: number): Uint8Array {
  if (place + 30 > bytes.length || view.getUint32(place, true) !== 0x04034b50) throw damaged()
  const start = place + 30 + view.getUint16(place + 26, true) + view.getUint16(place + 28, true)
  const packed = bytes.subarray(start, start + packedBytes)
  if (packed.length < packedBytes) throw damaged()
  if (method === 0) {
    if (packed.length > left) throw tooLarge()
    return packed
  }
  if (method !== unpackedByDeflate) throw damaged()
  try {
    return inflateRawSync(packed, { maxOutputLength: Math.max(left, 1) })
  } catch (error) {
    throw (error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE' ? tooLarge() : damaged()
  }
}

function damaged(): IngestionError {
  return new IngestionError(
    'invalid_file',
    'This file is damaged: it cannot be unpacked. Save it again, and upload it anew.',
  )
}

function tooLarge(): IngestionError {
  return new IngestionError(
    'invalid_file',
    'What is packed in this file is too large to be read. Split it into smaller files.',
  )
}
