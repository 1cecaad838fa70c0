import { afterEach, beforeEach, describe, expect, test } from 'bun:test'
import type { SkuName } from '../../core/deployment.ts'
import { makeChatCall, makeDeployment } from '../../core/exchange.fixture.ts'
import type { ServedTier } from '../../core/exchange.ts'
import type { Json, JsonObject } from '../../core/json.ts'
import { callOf, createWorld, keyWith, limitedTo, perMinute, type World } from './limit.fixture.ts'
import { chooseTier, withoutTier } from './service-tier.ts'

const asking = (tier: Json | undefined, tokens = 100) => {
  const fields: JsonObject = tier === undefined ? {} : { service_tier: tier }
  return callOf(tokens, {
    rest: { wire: 'openai-chat', fields: { user: 'u', ...fields } },
    source: { wire: 'openai-chat', text: '', body: fields },
  })
}

describe('which tier serves', () => {
  const table: [Json | undefined, 'default' | 'priority', SkuName, ServedTier][] = [
    [undefined, 'default', 'GlobalStandard', 'default'],
    ['auto', 'default', 'GlobalStandard', 'default'],
    ['auto', 'priority', 'GlobalStandard', 'priority'],
    [undefined, 'priority', 'DataZoneStandard', 'priority'],
    [null, 'priority', 'DataZoneStandard', 'priority'],
    ['default', 'priority', 'GlobalStandard', 'default'],
    ['standard_only', 'priority', 'GlobalStandard', 'default'],
    ['priority', 'default', 'GlobalStandard', 'priority'],
    ['priority', 'default', 'DataZoneStandard', 'priority'],
    ['priority', 'default', 'Standard', 'default'],
    ['priority', 'priority', 'Standard', 'default'],
    ['priority', 'priority', 'DeveloperTier', 'default'],
    ['priority', 'priority', 'GlobalProvisionedManaged', 'default'],
    ['auto', 'priority', 'ProvisionedManaged', 'default'],
    ['scale', 'default', 'GlobalStandard', 'default'],
    ['flex', 'priority', 'GlobalStandard', 'flex'],
  ]
  test.each(table)('%p of a deployment with %s, SKU %s: %s', (asked, serviceTier, name, served) => {
    const deployment = makeDeployment({ serviceTier, sku: { name, capacity: 1 } })
    expect(chooseTier(asking(asked), deployment)).toBe(served)
  })

  test('flex is refused where there is none', () => {
    for (const name of ['Standard', 'DataZoneStandard', 'ProvisionedManaged', 'DeveloperTier'] as const) {
      const deployment = makeDeployment({ sku: { name, capacity: 1 } })
      expect(() => chooseTier(asking('flex'), deployment)).toThrow(
        `'flex' is only available on Global Standard deployments, and deployment 'd' is of SKU ${name}`,
      )
    }
  })

  test('without a SKU the backend decides what it is asked for', () => {
    const deployment = makeDeployment()
    expect(chooseTier(asking('flex'), deployment)).toBeUndefined()
    expect(chooseTier(asking('priority'), deployment)).toBeUndefined()
    expect(chooseTier(asking('auto'), deployment)).toBe('default')
  })

  test('a call that a policy changed still asks', () => {
    const deployment = makeDeployment({ sku: { name: 'GlobalStandard', capacity: 1 } })
    expect(chooseTier({ ...asking('flex'), source: undefined }, deployment)).toBe('flex')
  })

  test('no backend is asked again, and the answer to a call that asked is not relayed', () => {
    for (const tier of ['priority', 'auto']) {
      expect(withoutTier(asking(tier)).rest?.fields).toEqual({ user: 'u' })
      expect(withoutTier(asking(tier)).source).toBeUndefined()
    }
    const plain = makeChatCall()
    expect(withoutTier(plain)).toBe(plain)
  })
})

describe.each([
  ['counters that answer at once', false],
  ['counters that answer later', true],
])('%s', (_, isSlow) => {
  let world: World
  beforeEach(() => {
    world = createWorld({ isSlow })
  })
  afterEach(() => world.close())

  test('what was decided is known afterwards, and goes no further', async () => {
    const deployment = limitedTo({ tokens: perMinute(1_000) }, 'GlobalStandard')
    const { exchange } = await world.enter({ deployment, call: asking('priority') })
    expect(exchange.servedTier).toBe('priority')
    expect(exchange.call.rest?.fields).toEqual({ user: 'u' })
    const unlimited = await world.enter({ call: asking('flex') })
    expect(unlimited.exchange.servedTier).toBeUndefined()
    expect(unlimited.exchange.call.rest?.fields).toEqual({ user: 'u', service_tier: 'flex' })
  })

  test('flex leaves a fifth of the window to others', async () => {
    const deployment = limitedTo({ tokens: perMinute(1_000) }, 'GlobalStandard')
    expect((await world.enter({ deployment, call: asking('flex', 700) })).fault).toBeUndefined()
    await world.advance(20_000)
    const { fault, headers, exchange } = await world.enter({ deployment, call: asking('flex', 101) })
    expect(fault?.code).toBe('rate-limited')
    expect(fault?.detail.retryAfterMs).toBe(40_000)
    expect(fault?.message).toContain("exceeded token rate limit of deployment 'Chat-A' for flex processing")
    expect(headers['x-ratelimit-remaining-tokens']).toBe('300')
    expect(exchange.holds).toEqual([])
    expect((await world.enter({ deployment, call: asking('flex', 100) })).fault).toBeUndefined()
    expect((await world.enter({ deployment, call: asking('flex', 11) })).fault?.code).toBe('rate-limited')
    expect((await world.enter({ deployment, call: asking('default', 200) })).fault).toBeUndefined()
  })

  test('flex leaves requests to others', async () => {
    const deployment = limitedTo({ requests: perMinute(10) }, 'GlobalStandard')
    for (let i = 0; i < 8; i++) expect((await world.enter({ deployment, call: asking('flex') })).fault).toBeUndefined()
    const { fault } = await world.enter({ deployment, call: asking('flex') })
    expect(fault?.message).toContain("exceeded call rate limit of deployment 'Chat-A' for flex processing")
    expect((await world.enter({ deployment, call: asking('auto') })).fault).toBeUndefined()
  })

  test('flex does not borrow', async () => {
    const pool = { key: 'p', tokensPerMinute: 10_000 }
    const deployment = limitedTo({ tokens: perMinute(1_000), pool }, 'GlobalStandard')
    await world.enter({ deployment, call: asking('flex', 800) })
    expect((await world.enter({ deployment, call: asking('flex', 100) })).fault?.code).toBe('rate-limited')
    expect((await world.enter({ deployment, call: asking('auto', 900) })).fault).toBeUndefined()
  })

  test('flex that would never have room is told so', async () => {
    const pool = { key: 'p', tokensPerMinute: 10_000 }
    const deployment = limitedTo({ tokens: perMinute(1_000), pool }, 'GlobalStandard')
    const { fault } = await world.enter({ deployment, call: asking('flex', 900) })
    expect(fault?.code).toBe('exceeds-capacity')
    expect(fault?.message).toContain("lets through 800 tokens in 60 seconds for service_tier 'flex', 80% of its limit")
    expect(fault?.message).toContain('A capacity of 2 units')
    const caller = keyWith({ tokensPerMinute: 500 })
    const byKey = await world.enter({ deployment, caller, call: asking('flex', 450) })
    expect(byKey.fault).toBeUndefined()
  })
})
