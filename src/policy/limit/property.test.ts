import { expect, test } from 'bun:test'
import fc from 'fast-check'
import type { Deployment } from '../../core/deployment.ts'
import type { Caller } from '../../core/exchange.ts'
import { Fault } from '../../core/fault.ts'
import { createSpillOver } from '../spill-over.ts'
import {
  answer,
  callOf,
  createWorld,
  type Entered,
  keyWith,
  limitedTo,
  perMinute,
  provisioned,
} from './limit.fixture.ts'

/** Random calls with random ends, through spill-over and limits: whatever happens, nothing stays held. */

const pool = { key: 'p', tokensPerMinute: 6_000 }
const deployments: readonly Deployment[] = [
  { ...limitedTo({ tokens: perMinute(2_000), requests: { limit: 5, windowMs: 10_000 }, pool }), name: 'a' },
  { ...limitedTo({ tokens: perMinute(3_000), pool }, 'GlobalStandard'), name: 'b' },
  { ...provisioned(5_000, 2), name: 'ptu', spillover: 'b' },
]
const callers = [keyWith({ tokensPerMinute: 8_000, requestsPerMinute: 40 }), keyWith({}, 'free')]

type Plan = {
  readonly deployment: number
  readonly caller: number
  readonly tokens: number
  readonly tier: string
  /** How the backend answers the first and, if it spills over, the second time. */
  readonly backend: readonly ('answers' | 'fails')[]
  readonly waitMs: number
  readonly lastsMs: number
  readonly end: 'counted' | 'uncounted' | 'aborted' | 'failed'
  readonly usage: readonly [number, number]
  /** The caller leaves after so long, wherever the call is by then. */
  readonly leavesAfterMs: number | undefined
}

const plan: fc.Arbitrary<Plan> = fc.record({
  deployment: fc.nat(deployments.length - 1),
  caller: fc.nat(callers.length - 1),
  tokens: fc.integer({ min: 11, max: 3_500 }),
  tier: fc.constantFrom('auto', 'auto', 'priority', 'flex'),
  backend: fc.tuple(fc.constantFrom('answers', 'answers', 'fails'), fc.constantFrom('answers', 'fails')),
  waitMs: fc.integer({ min: 0, max: 800 }),
  lastsMs: fc.integer({ min: 0, max: 2_000 }),
  end: fc.constantFrom('counted', 'uncounted', 'aborted', 'failed'),
  usage: fc.tuple(fc.nat(500), fc.nat(4_000)),
  leavesAfterMs: fc.option(fc.integer({ min: 0, max: 1_500 }), { nil: undefined }),
})

const tokensOfKey = { kind: 'window', key: 'key/team-a/tokens' } as const

/** Plays the calls, all within a minute. `charged` is what the key of the first caller should have been. */
async function play(plans: readonly Plan[], isSlow: boolean) {
  const backends = new Map(plans.map(({ backend }, i) => [String(i), [...backend]]))
  const world = createWorld({
    isSlow,
    before: [createSpillOver((name) => deployments.find((deployment) => deployment.name === name))],
    async next({ id }) {
      if (backends.get(id)?.shift() === 'fails') throw new Fault('upstream-unavailable', 'down')
      return answer
    },
  })
  const entered: Entered[] = []
  let charged = 0

  async function run(plan: Plan, id: string): Promise<void> {
    const leaving = new AbortController()
    if (plan.leavesAfterMs !== undefined) world.startTimer(() => leaving.abort(), plan.leavesAfterMs)
    const call = await world.enter({
      id,
      caller: callers[plan.caller] as Caller,
      deployment: deployments[plan.deployment] as Deployment,
      call: callOf(plan.tokens, { source: { wire: 'openai-chat', text: '', body: { service_tier: plan.tier } } }),
      signal: leaving.signal,
    })
    entered.push(call)
    if (!call.fault) world.startTimer(() => finish(plan, call), plan.lastsMs)
  }

  function finish({ end, usage: [promptTokens, completionTokens], caller, tokens }: Plan, call: Entered): void {
    if (end === 'counted') call.end('done', { promptTokens, completionTokens })
    else call.end(end === 'uncounted' ? 'done' : end)
    const costs = { counted: promptTokens + completionTokens, uncounted: tokens, aborted: 10, failed: 0 }
    if (caller === 0) charged += costs[end]
  }

  const runs: Promise<void>[] = []
  for (const [i, plan] of plans.entries()) {
    await world.advance(plan.waitMs)
    runs.push(run(plan, String(i)))
  }
  await world.advance(5_000)
  await Promise.all(runs)
  return { world, entered, charged }
}

test.each([false, true])('nothing stays held, and the key pays for what it got (slow counters: %p)', async (isSlow) => {
  let admitted = 0
  let refused = 0
  let spilled = 0
  await fc.assert(
    fc.asyncProperty(fc.array(plan, { minLength: 5, maxLength: 40 }), async (plans) => {
      const { world, entered, charged } = await play(plans, isSlow)
      try {
        for (const { exchange, fault } of entered) {
          expect(exchange.holds).toEqual([])
          if (fault) refused++
          else admitted++
          if (exchange.spilledFrom) spilled++
        }
        expect(world.pendingTimers()).toBe(0)
        expect(await world.used({ kind: 'slots', key: 'deployment/ptu/slots' })).toBe(0)
        expect(await world.used(tokensOfKey)).toBe(charged)
      } finally {
        await world.close()
      }
    }),
    { numRuns: 100 },
  )
  expect(Math.min(admitted, refused, spilled)).toBeGreaterThan(50)
})
