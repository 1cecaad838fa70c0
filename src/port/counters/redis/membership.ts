import { randomHex, randomId } from '../../../core/text/id.ts'
import type { ScriptArgument } from './store-link.ts'

export type Membership = {
  /** This adapter among all: the node and an incarnation. */
  readonly member: string
  /** Live members with this one, and never less than were expected. */
  members(): number
  /** How many live members sort before this one. */
  rank(): number
  /** When the store was last found empty, by its clock; 0 for never. */
  lostAt(): number
  /** The part of every limit that may be given out: without the shares of members that fell silent. */
  keptPart(): number
  /** Arguments of the heartbeat script. */
  describe(givenTime: ScriptArgument, intent: 'stay' | 'leave'): readonly ScriptArgument[]
  /** Reads the script's answer. True when the store turns out to have lost its counters. */
  learn(answer: readonly unknown[], now: number): boolean
}

/** Members that lost the store with this one come back within this time; until then they count as there. */
const returnMs = 15_000

/**
 * `expectedMembers` stands in until the store has been asked, and for those it has not shown yet: a member hears of another only with a
 * heartbeat, and where the store goes away before that, both would take the other's part for theirs.
 */
export function createMembership(nodeId: string, expectedMembers: number): Membership {
  const member = `${nodeId}:${randomId(10)}`
  const state = { epoch: '', lostAt: 0, members: expectedMembers, silent: 0, rank: 0 }
  let waitUntil = Number.NEGATIVE_INFINITY
  return {
    member,
    members: () => Math.max(state.members, expectedMembers),
    rank: () => state.rank,
    lostAt: () => state.lostAt,
    keptPart: () => state.members / (state.members + state.silent),
    describe: (givenTime, intent) => [givenTime, member, randomHex(), state.epoch, intent],
    learn(answer, now) {
      const [, epoch, lostAt, live, silent, rank] = answer as [number, string, number, number, number, number]
      const isLost = state.epoch !== '' && state.epoch !== epoch
      if (isLost) waitUntil = now + returnMs
      // An emptied store knows only who has come back so far.
      const isWaiting = now < waitUntil && live < state.members
      if (!isWaiting) Object.assign(state, { members: Math.max(1, live), rank })
      Object.assign(state, { epoch, lostAt, silent })
      return isLost
    },
  }
}
