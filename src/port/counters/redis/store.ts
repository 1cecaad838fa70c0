import { type Availability, createAvailability } from './availability.ts'
import { nameMembership } from './keys.ts'
import { createMembership } from './membership.ts'
import { allScripts, heartbeatScript, reserveScript, settleScript } from './scripts.ts'
import { openStoreLink, type ScriptArgument } from './store-link.ts'
import { late, within } from './within.ts'

/** The store as one member of it sees it: whether it may be asked, what time it has, who else is there. */
export type Store = Pick<Availability, 'isUp' | 'reason' | 'firstOutcome' | 'trip'> & {
  reserve(
    mode: 'charge' | 'read',
    keys: readonly string[],
    args: readonly ScriptArgument[],
  ): Promise<readonly unknown[]>
  /** Never waited for; a failure is told by the store being away. */
  settle(keys: readonly string[], args: readonly ScriptArgument[]): void
  /** Resolves when the store has taken, or cannot take, what it was told so far. */
  told(): Promise<void>
  /** The store's time at a time of this node's clock, or a little later: what has not ended by it has not ended. */
  timeAt(at: number): number
  /** An answer of the store: what was sent at `sentAt` came back with `storeMs`. */
  observe(sentAt: number, storeMs: number): void
  /** When the store was last heard of before it went away, by its clock; undefined if never. */
  blindSince(): number | undefined
  /** When the store was last found empty, by its clock; 0 for never. */
  lostAt(): number
  /** How many live members there are, and which of them this one is, from 0. */
  members(): number
  rank(): number
  /** The heartbeat, or coming back, where due. */
  tend(): Promise<void>
  close(): Promise<void>
}

export type StoreOptions = {
  readonly url: string
  readonly nodeId: string
  readonly prefix: string
  readonly expectedMembers: number
  readonly now: () => number
  readonly storeNow: (() => number) | undefined
  onAway(reason: string): void
  /** The counters are gone, found out while the store was up or before it is. */
  onLost(): void
  onUp(wasAway: boolean): void
  onBeat(): void
}

export const heartbeatMs = 5_000
const greetMs = 1_000
const silence = `no answer within ${greetMs} ms`
/** A store that takes connections and does not answer is left for a new connection after so many attempts. */
const patience = 5

export function openStore(options: StoreOptions): Store {
  const { now } = options
  const membership = createMembership(options.nodeId, options.expectedMembers)
  const membershipKeys = nameMembership(options.prefix)
  let offsetMs = 0
  let blindSince: number | undefined
  let hasMet = false
  let beatAt = Number.NEGATIVE_INFINITY
  let unanswered = 0
  let isClosed = false
  let lastTelling = Promise.resolve()

  const availability = createAvailability({
    greet,
    onUp: options.onUp,
    onAway(reason) {
      if (hasMet) blindSince = timeAt(now())
      options.onAway(reason)
    },
  })
  const link = openStoreLink({
    url: options.url,
    onReady: () => void availability.attempt(),
    onLost: () => {
      if (!isClosed) availability.trip(link.lastError() ?? 'the connection was closed')
    },
  })

  const timeAt = (at: number): number => at + offsetMs
  const givenTime = (): ScriptArgument => options.storeNow?.() ?? ''
  const head = (): ScriptArgument[] => [givenTime(), membership.member, membership.lostAt(), membership.keptPart()]

  function observe(sentAt: number, storeMs: number): void {
    // The store read its clock after sentAt, and cut off a part of a millisecond.
    offsetMs = storeMs + 1 - sentAt
  }

  async function beat(): Promise<void> {
    const sentAt = now()
    beatAt = sentAt
    const call = link.call(heartbeatScript, membershipKeys, membership.describe(givenTime(), 'stay'))
    const answer = await within(call, greetMs)
    if (answer === late) throw new Error(silence)
    observe(sentAt, answer[0] as number)
    hasMet = true
    if (!membership.learn(answer, now())) return
    if (availability.isUp()) blindSince = membership.lostAt()
    options.onLost()
  }

  async function greet(): Promise<void> {
    unanswered += 1
    if (unanswered > patience) {
      unanswered = 0
      link.reconnect()
    }
    // Loaded beforehand: a call that finds no script is sent again, and then no longer in its order.
    const loaded = await within(link.load(allScripts), greetMs)
    if (loaded === late) throw new Error(silence)
    await beat()
    unanswered = 0
  }

  return {
    isUp: availability.isUp,
    reason: availability.reason,
    firstOutcome: availability.firstOutcome,
    trip: availability.trip,
    reserve: (mode, keys, args) => link.call(reserveScript, keys, [...head(), mode, ...args]),
    settle(keys, args) {
      lastTelling = link.call(settleScript, keys, [...head(), ...args]).then(
        () => {},
        (error: Error) => availability.trip(error.message),
      )
    },
    // One connection, in order.
    told: () => lastTelling,
    timeAt,
    observe,
    blindSince: () => blindSince,
    lostAt: membership.lostAt,
    members: membership.members,
    rank: membership.rank,
    async tend() {
      if (isClosed) return
      if (!availability.isUp()) {
        if (link.isReady()) await availability.attempt()
      } else if (now() - beatAt >= heartbeatMs || now() < beatAt) {
        options.onBeat()
        await beat().catch((error: Error) => availability.trip(error.message))
      }
    },
    async close() {
      isClosed = true
      if (link.isReady()) {
        const leave = link.call(heartbeatScript, membershipKeys, membership.describe(givenTime(), 'leave'))
        await within(leave, greetMs).catch(() => {})
      }
      availability.trip('closed')
      link.close()
    },
  }
}
