/**
 * Counters in one piece of shared memory: a header, the lanes of the threads that use it, and a hash table of entries that are
 * found by linear probing. All of it is touched only under the lock.
 */

/**
 * Numbers of an entry after its key. `mark` is a window's number, the time at which a leaky level stood there, or for slots the lane
 * and how often it was taken. From `expiresAt` on nobody misses the entry.
 */
export const field = { used: 1, mark: 2, expiresAt: 3 } as const
const entrySize = 4

/** Words of the header. `reach` is the longest way from an entry's home that was ever needed, `users` how many there were so far. */
export const word = { lock: 0, reach: 1, users: 2 } as const
/** Numbers of the header. `latest` is the last time seen, `offset` what a clock that went back is behind
 * by, `lanes` how many lanes were ever in use. */
export const header = { createdAt: 2, latest: 3, offset: 4, lanes: 5 } as const
const headerSize = 6

export const maxLanes = 64
const laneSize = 2
const entriesAt = headerSize + maxLanes * laneSize

/** Entries looked at before the table counts as full for a key. */
const maxProbes = 64

export type CounterTable = { readonly words: Int32Array; readonly numbers: Float64Array; readonly slots: number }

/** Memory for up to `slots` counters, a power of two. `createdAt` (unix ms) counts after a cold start. */
export function allocateCounterMemory(slots: number, createdAt: number): SharedArrayBuffer {
  if (!(slots >= 1 && Number.isInteger(Math.log2(slots)))) throw new RangeError(`slots is ${slots}, not a power of two`)
  const memory = new SharedArrayBuffer((entriesAt + slots * entrySize) * 8)
  new Float64Array(memory)[header.createdAt] = createdAt
  return memory
}

export function viewCounterMemory(memory: SharedArrayBuffer): CounterTable {
  const numbers = new Float64Array(memory)
  return { words: new Int32Array(memory), numbers, slots: (numbers.length - entriesAt) / entrySize }
}

/** Where the entry of that key is, or -1. */
export function findEntry({ words, slots }: CounterTable, low: number, high: number): number {
  const mask = slots - 1
  const reach = words[word.reach] as number
  for (let probe = 0; probe < reach; probe++) {
    const at = entriesAt + ((low + probe) & mask) * entrySize
    if (words[2 * at] === low && words[2 * at + 1] === high) return at
  }
  return -1
}

/**
 * An entry for a key that has none, all numbers 0. It may take the place of one that `isOver`. -1 when there is no room.
 */
export function addEntry(table: CounterTable, low: number, high: number, isOver: (at: number) => boolean): number {
  const { words, numbers, slots } = table
  for (let probe = 0; probe < maxProbes && probe < slots; probe++) {
    const at = entriesAt + ((low + probe) & (slots - 1)) * entrySize
    const isFree = words[2 * at] === 0 && words[2 * at + 1] === 0
    if (!isFree && !isOver(at)) continue
    numbers[at + field.used] = 0
    numbers[at + field.mark] = 0
    numbers[at + field.expiresAt] = 0
    words[2 * at] = low
    words[2 * at + 1] = high
    if (probe >= (words[word.reach] as number)) words[word.reach] = probe + 1
    return at
  }
  return -1
}

/** Where a lane's heartbeat is among the numbers; 0 there when nobody has the lane. */
export function beatAt(lane: number): number {
  return headerSize + lane * laneSize
}

/** Where it stands among the numbers how often a lane was taken. */
export function generationAt(lane: number): number {
  return beatAt(lane) + 1
}
