/**
 * A lock in shared memory for sections of about a microsecond. Taking it spins, since the holder is nearly always done before a
 * sleep would have begun. A holder that died in the middle is found by its lane's heartbeat, and the lock is taken from it.
 */
export type Lock = { take(): void; give(): void }

const spins = 200
const sleepMs = 1

export function createLock(words: Int32Array, index: number, owner: number, isAlive: (owner: number) => boolean): Lock {
  const id = owner + 1
  return {
    take() {
      if (Atomics.compareExchange(words, index, 0, id) === 0) return
      for (;;) {
        for (let i = 0; i < spins; i++) if (Atomics.compareExchange(words, index, 0, id) === 0) return
        const holder = Atomics.load(words, index)
        if (holder === 0) continue
        if (!isAlive(holder - 1) && Atomics.compareExchange(words, index, holder, id) === holder) return
        Atomics.wait(words, index, holder, sleepMs)
      }
    },
    give() {
      // Not blindly: a lock that was taken from a holder thought dead is the other's.
      Atomics.compareExchange(words, index, id, 0)
    },
  }
}
