/**
 * A lock in shared memory for sections of about a microsecond. Taking it spins, since the holder is nearly always done before a
 * sleep would have begun. Each taking leaves a word of its own there: one that does not change for `patienceMs` belongs to a thread
 * that died or was stopped, and the lock is taken from it.
 */
export type Lock = {
  take(): void
  /** Whether it is still ours. To be asked before anything is written: a thread that was stopped for long may have lost it. */
  isHeld(): boolean
  give(): void
}

const spins = 200
const patienceMs = 200

/** `owner` tells the users of a lock apart: those of 255 that follow each other. */
export function createLock(words: Int32Array, index: number, owner: number): Lock {
  const id = 1 + (owner % 255)
  let turn = 0
  let token = 0

  function tryTake(from: number): boolean {
    return Atomics.compareExchange(words, index, from, token) === from
  }

  function wait(): void {
    let holder = 0
    let waitedMs = 0
    for (;;) {
      for (let i = 0; i < spins; i++) if (tryTake(0)) return
      const seen = Atomics.load(words, index)
      if (seen !== holder) waitedMs = 0
      holder = seen
      if (holder === 0) continue
      if (waitedMs >= patienceMs && tryTake(holder)) return
      if (Atomics.wait(words, index, holder, 1) === 'timed-out') waitedMs += 1
    }
  }

  return {
    take() {
      turn = (turn + 1) & 0x7f_ffff
      token = (turn << 8) | id
      if (!tryTake(0)) wait()
    },
    isHeld: () => Atomics.load(words, index) === token,
    give() {
      // Not blindly: a lock that was taken from us is another's.
      Atomics.compareExchange(words, index, token, 0)
    },
  }
}
