/**
 * Counters in one piece of shared memory: a header, the lanes of the threads that use it, and a hash table of entries that are
 * found by linear probing. Everything but the lanes is only touched under the lock.
 */

/** Numbers of an entry. `mark` is a window's number, the time of a leaky level, or the generation of a lane. */
export const field = { hash: 0, used: 1, mark: 2, expiresAt: 3 } as const
const entrySize = 4

export const maxLanes = 64
const headerSize = 2
const laneSize = 2
const entriesAt = headerSize + maxLanes * laneSize

/** Entries looked at before the table counts as full for a key. */
const maxProbes = 64

export type CounterMemory = {
  /** Words of 4 bytes; the first is the lock. */
  readonly words: Int32Array
  readonly numbers: Float64Array
  readonly slots: number
  /** Unix milliseconds at which the memory was made. */
  readonly createdAt: number
}

/** Memory for about so many counters, a power of two. The system gives pages only as they are used. */
export function allocateCounterMemory(slots: number, createdAt: number): SharedArrayBuffer {
  const memory = new SharedArrayBuffer((entriesAt + slots * entrySize) * 8)
  new Float64Array(memory)[1] = createdAt
  return memory
}

export function viewCounterMemory(memory: SharedArrayBuffer): CounterMemory {
  const numbers = new Float64Array(memory)
  const slots = (numbers.length - entriesAt) / entrySize
  return { words: new Int32Array(memory), numbers, slots, createdAt: numbers[1] as number }
}

/** Where the entry of that hash is; one is made where there is none. -1 when the table has no room. */
export function findEntry(memory: CounterMemory, hash: number, nowMs: number): number {
  const { numbers, slots } = memory
  let free = -1
  let slot = hash % slots
  for (let probe = 0; probe < maxProbes; probe++) {
    const at = entriesAt + slot * entrySize
    const found = numbers[at] as number
    if (found === hash) return at
    if (found === 0) {
      if (free === -1) free = at
      break
    }
    // What nobody needs any more may be taken over, but the key may still stand behind it.
    if (free === -1 && (numbers[at + field.expiresAt] as number) <= nowMs) free = at
    slot = slot + 1 === slots ? 0 : slot + 1
  }
  if (free === -1) return -1
  numbers[free] = hash
  numbers[free + field.used] = 0
  numbers[free + field.mark] = Number.NaN
  numbers[free + field.expiresAt] = nowMs
  return free
}

/** Where a thread's heartbeat (unix ms) is among the numbers. */
export function beatAt(lane: number): number {
  return headerSize + lane * laneSize
}

/** Where it stands among the words how often the place of that lane has been taken. */
export function generationAt(lane: number): number {
  return (headerSize + lane * laneSize + 1) * 2
}
