import { expect, test } from 'bun:test'
import type { Verdict } from '../../port/counters/port.ts'
import { createSharedCounters } from '../../port/counters/shared-memory/counters.ts'
import { allocateCounterMemory } from '../../port/counters/shared-memory/table.ts'
import { createPlans, writeDemands } from './demands.ts'
import { keyWith, limitedTo, perMinute, start } from './limit.fixture.ts'

/** After a restart nobody knows what was used before it, but of what was made since that is nothing. */
test.each([
  ['made before the restart', -60_000, false],
  ['made after it', 1_000, true],
])('a deployment and a key %s', (_when, since, isWhole) => {
  const counters = createSharedCounters({
    memory: allocateCounterMemory(64, start),
    now: () => start,
    isColdStart: true,
  })
  const plans = createPlans(() => {
    throw new Error('nobody waits here')
  })
  const deployment = { ...limitedTo({ tokens: perMinute(6_000) }), createdAt: (start + since) / 1000 }
  const plan = plans.find(deployment, keyWith({ tokensPerMinute: 6_000, requestsPerMinute: 60, since: start + since }))
  for (const line of plan?.lines ?? []) {
    const cost = line.measure === 'tokens' ? 6_000 : 60
    const [demand] = writeDemands([line], { promptTokens: 0, completionTokens: 0, isGuess: false }, 0)
    const verdict = counters.reserve([{ rule: demand?.rule ?? line.rule, cost }]) as Verdict
    expect([line.rule.key, verdict.isAdmitted]).toEqual([line.rule.key, isWhole])
  }
  expect(plan?.lines).toHaveLength(3)
})
