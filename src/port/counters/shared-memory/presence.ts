import { beatAt, type CounterTable, generationAt, header, maxLanes } from './table.ts'

/**
 * The time of a table, and which threads are there. Everything here is done under the lock.
 *
 * Time never goes back: where the clock does, the table goes on from where it was, at the clock's pace. So a jump opens no window
 * again and drains nothing twice, and nobody waits longer for it.
 */
export type Presence = {
  /** The time (unix ms, whole), and a sign of life. */
  tick(): number
  lane(): number
  /** Lanes above were never taken. */
  lanes(): number
  /** Tells one taking of a lane from another. */
  mark(): number
  isAlive(mark: number): boolean
  leave(): void
}

export const beatEveryMs = 2_000
/** A thread whose heartbeat is older is taken for dead. */
export const deadAfterMs = 10_000
/** Threads read the clock one after the other, and not quite the same one: so much behind is no jump. */
const skewMs = 1_000
/** When nobody has been heard of for so long, the clock jumped or everybody was stopped: that is no thread's death. */
const silenceMs = 5_000

export function createPresence({ numbers }: CounterTable, now: () => number): Presence {
  let lane = -1
  let generation = 0

  function readTime(): number {
    const latest = numbers[header.latest] as number
    const time = Math.floor(now()) + (numbers[header.offset] as number)
    if (time >= latest) {
      if (time - latest > silenceMs) moveBeats(time - latest)
      numbers[header.latest] = time
      return time
    }
    if (latest - time > skewMs) numbers[header.offset] = (numbers[header.offset] as number) + latest - time
    return latest
  }

  function moveBeats(byMs: number): void {
    for (let other = 0; other < (numbers[header.lanes] as number); other++) {
      const beat = numbers[beatAt(other)] as number
      if (beat !== 0) numbers[beatAt(other)] = beat + byMs
    }
  }

  function isLaneAlive(index: number): boolean {
    const beat = numbers[beatAt(index)] as number
    return beat !== 0 && (numbers[header.latest] as number) - beat <= deadAfterMs
  }

  /** A free lane, or that of a thread that died, whose slots are free with that. */
  function claimLane(): void {
    for (let index = 0; index < maxLanes; index++) {
      if (isLaneAlive(index)) continue
      lane = index
      generation = (numbers[generationAt(index)] as number) + 1
      numbers[generationAt(index)] = generation
      numbers[header.lanes] = Math.max(index + 1, numbers[header.lanes] as number)
      return
    }
    throw new RangeError(`More than ${maxLanes} threads share these counters.`)
  }

  return {
    tick() {
      const time = readTime()
      // The first time; or it was stopped for so long that another thread has its lane, and what it held is free already.
      if (lane === -1 || numbers[generationAt(lane)] !== generation) claimLane()
      numbers[beatAt(lane)] = time
      return time
    },
    lane: () => lane,
    lanes: () => numbers[header.lanes] as number,
    mark: () => generation * maxLanes + lane,
    isAlive(mark) {
      const index = mark % maxLanes
      return numbers[generationAt(index)] === Math.floor(mark / maxLanes) && isLaneAlive(index)
    },
    leave() {
      if (numbers[generationAt(lane)] !== generation) return
      numbers[beatAt(lane)] = 0
      lane = -1
    },
  }
}
