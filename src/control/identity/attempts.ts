import { Fault } from '../../core/fault.ts'

/** Wrong secrets, counted by where they come from. */
export type Attempts = {
  /** Throws Fault `rate-limited` for an address that has had too many. */
  check(address: string): void
  noteFailure(address: string): void
  /** Takes back a failure that was noted before the secret was judged, and turned out to be none. */
  forgive(address: string): void
}

const windowMs = 60_000
const maxFailures = 20
/** Of addresses: those that failed longest ago are forgotten first, so that many strangers cannot fill the memory. */
const maxAddresses = 10_000

export function createAttempts(now: () => number): Attempts {
  const failures = new Map<string, { count: number; readonly since: number }>()
  return {
    check(address) {
      const found = failures.get(address)
      if (!found || found.count < maxFailures) return
      const waitMs = found.since + windowMs - now()
      if (waitMs <= 0) return void failures.delete(address)
      throw new Fault('rate-limited', `Too many wrong secrets came from this address. Try again later.`, {
        retryAfterMs: waitMs,
      })
    },
    noteFailure(address) {
      const found = failures.get(address)
      const isRunning = found !== undefined && found.since + windowMs > now()
      failures.delete(address)
      if (failures.size >= maxAddresses) failures.delete(failures.keys().next().value as string)
      failures.set(address, isRunning ? { count: found.count + 1, since: found.since } : { count: 1, since: now() })
    },
    forgive(address) {
      const found = failures.get(address)
      if (found && found.count > 1) failures.set(address, { ...found, count: found.count - 1 })
      else failures.delete(address)
    },
  }
}
