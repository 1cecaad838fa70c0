import type { Counters } from '../../port/counters/port.ts'
import { createSharedCounters } from '../../port/counters/shared-memory/counters.ts'
import { allocateCounterMemory } from '../../port/counters/shared-memory/table.ts'
import type { Logger } from '../../telemetry/logger.ts'
import { nodeIdOf } from '../folder/node-id.ts'

export type CountersChoice = {
  /** Of Redis or Valkey, where several servers are to share their limits. */
  readonly url: string | undefined
  /** How many servers share them. */
  readonly replicas: number
  readonly dataFolder: string
  /** Whether there has been no server on this data folder before, so that nothing was used before. */
  readonly isFirstStart: boolean
  readonly log: Logger
}

const counterSlots = 65_536

/** The counters behind all limits. Throws Fault `invalid-request` for a URL that is none; a store that is away is waited for. */
export async function openCounters({
  url,
  replicas,
  dataFolder,
  isFirstStart,
  log,
}: CountersChoice): Promise<Counters> {
  if (url === undefined) {
    return createSharedCounters({
      memory: allocateCounterMemory(counterSlots, steadyNow()),
      now: steadyNow,
      isColdStart: !isFirstStart,
    })
  }
  // Its client costs time to load, and most servers are alone.
  const { createRedisCounters } = await import('../../port/counters/redis/create-redis-counters.ts')
  return createRedisCounters({
    url,
    nodeId: nodeIdOf(dataFolder),
    now: steadyNow,
    expectedMembers: replicas,
    onDegraded: (reason) => log.warn({}, `limits are counted without the shared store: ${reason}`),
    onRecovered: () => log.info({}, 'limits are counted in the shared store again'),
  })
}

/** Unix milliseconds that do not jump when somebody sets the clock. */
export function steadyNow(): number {
  return Math.floor(performance.timeOrigin + performance.now())
}
