import { describe, expect, test } from 'bun:test'
import { Redis } from 'ioredis'
import { startRedisServer, withRedisServer } from '../../../../test/support/redis-server.ts'
import { Fault } from '../../../core/fault.ts'
import type { CounterRule } from '../port.ts'
import { createRedisCounters } from './create-redis-counters.ts'
import { nameCounter } from './keys.ts'
import { until } from './nodes.fixture.ts'

const secret = 'pa ss/w:ord'
const rules: readonly CounterRule[] = [
  { kind: 'window', key: 'deployment/gpt {4}/tokens', limit: 10, windowMs: 60_000, settles: true },
  { kind: 'window', key: 'deployment/gpt {4}/requests', limit: 10, windowMs: 60_000, settles: true },
  { kind: 'leaky', key: 'deployment/gpt {4}/tokens', depth: 10, drainPerMs: 1e-9 },
  { kind: 'slots', key: 'deployment/gpt {4}/slots', limit: 10 },
]
const demands = rules.map((rule) => ({ rule, cost: 1 }))

function open(url: string, told: string[] = []) {
  const onDegraded = (reason: string) => told.push(reason)
  return createRedisCounters({ url, nodeId: 'a', now: Date.now, budgetMs: 20_000, onDegraded })
}

test.each(['localhost:6379', `http://:${encodeURIComponent(secret)}@host`, `redis//user:${secret}@host`])(
  'an address that is none is a Fault that does not repeat it: %s',
  (url) => {
    expect(() => open(url)).toThrow(Fault)
    expect(() => open(url)).not.toThrow(/pa ss|pa%20ss/)
  },
)

test('counters of one deployment share a hash tag, whatever their names', () => {
  const tags = rules.map((rule) => /\{([^}]*)\}/.exec(nameCounter('ponto', rule))?.[1])
  expect(new Set(tags)).toEqual(new Set(['deployment/gpt %7B4%7D']))
  expect(new Set(rules.map((rule) => nameCounter('ponto', rule))).size).toBe(rules.length)
})

withRedisServer('the connection to redis', () => {
  test('a password opens the store, and a wrong one is told without being shown', async () => {
    const server = await startRedisServer('--requirepass', secret)
    const urlWith = (password: string) => server.url.replace('//', `//:${encodeURIComponent(password)}@`)
    const right = open(urlWith(secret))
    const told: string[] = []
    const wrong = open(urlWith(`${secret}!`), told)
    const none = open(server.url, told)
    try {
      await right.reserve(demands)
      expect(right.degradedReason()).toBeUndefined()
      for (const counters of [wrong, none]) {
        await counters.reserve(demands)
        await until(() => /WRONGPASS|NOAUTH/.test(counters.degradedReason() ?? ''))
      }
      expect(told.join()).not.toContain(secret)
      expect(told.join()).not.toContain(encodeURIComponent(secret))
    } finally {
      await Promise.all([right, wrong, none].map((counters) => counters.close()))
      await server.stop()
    }
  })

  describe('on a server of a cluster', () => {
    test('what one deployment needs is decided by one call', async () => {
      const server = await startRedisServer('--cluster-enabled', 'yes')
      const admin = new Redis(server.url)
      await admin.call('CLUSTER', 'ADDSLOTSRANGE', 0, 16_383)
      await until(async () => String(await admin.call('CLUSTER', 'INFO')).includes('cluster_state:ok'))
      const counters = open(server.url)
      try {
        const verdict = await counters.reserve(demands)
        expect(verdict.isAdmitted).toBe(true)
        expect(counters.degradedReason()).toBeUndefined()
        if (verdict.isAdmitted) verdict.reservation.settle([3, 3, 3, 0])
        await counters.told()
        expect((await counters.read(rules)).map(({ used }) => Math.round(used))).toEqual([3, 3, 3, 0])
        const keys = (await admin.keys('*')).filter((key) => key.includes('gpt'))
        expect(keys).toHaveLength(3)
        for (const key of keys) expect(await admin.pttl(key)).toBeGreaterThan(0)
      } finally {
        await counters.close()
        admin.disconnect()
        await server.stop()
      }
    })
  })
})
