import type { CounterRule, Demand } from '../../../src/port/counters/port.ts'
import { createRedisCounters } from '../../../src/port/counters/redis/create-redis-counters.ts'
import { findRedisServer, startRedisServer } from '../../../test/support/redis-server.ts'

/**
 * `npm run ponto -- --run-script bench/micro/port/redis-counters.ts`: how long one reservation takes, with a store of its own on this
 * machine. Says so and ends where there is no redis-server.
 */

const rounds = 5_000
const limit = 1e12

const windowOf = (key: string): CounterRule => ({ kind: 'window', key, limit, windowMs: 60_000, settles: true })

if (findRedisServer() === undefined) {
  console.log('there is no redis-server on PATH: nothing was measured')
} else {
  const server = await startRedisServer()
  const now = (): number => performance.timeOrigin + performance.now()
  const counters = createRedisCounters({ url: server.url, nodeId: 'bench', now })
  const names = ['tokens', 'requests', 'caller-tokens', 'caller-requests']
  let round = 0

  const report = async (name: string, demandsOf: () => readonly Demand[]): Promise<void> => {
    const tookUs: number[] = []
    for (let i = 0; i < rounds; i++) {
      const startMs = performance.now()
      const verdict = counters.reserve(demandsOf())
      if (verdict instanceof Promise) await verdict
      tookUs.push((performance.now() - startMs) * 1e3)
    }
    tookUs.sort((a, b) => a - b)
    const at = (part: number): string => (tookUs[Math.floor(rounds * part)] as number).toFixed(1).padStart(8)
    console.log(`${name.padEnd(34)} ${at(0.5)} ${at(0.99)}`)
  }

  console.log(`${'microseconds for one reservation'.padEnd(34)}      p50      p99`)
  try {
    await counters.read([])
    // Hundreds of counters in turn: none of them gets hot.
    const cold = (count: number) => () => {
      round += 1
      return names.slice(0, count).map((name) => ({ rule: windowOf(`d${round % 3_000}/${name}`), cost: 1_000 }))
    }
    await report('asked of the store, 1 counter', cold(1))
    await report('asked of the store, 4 counters', cold(4))
    const hot = names.map((name) => ({ rule: windowOf(`hot/${name}`), cost: 1_000 }))
    await report('mostly leased, 1 counter', () => hot.slice(0, 1))
    await report('mostly leased, 4 counters', () => hot)
    console.log(counters.degradedReason() ?? 'the store answered throughout')
  } finally {
    await counters.close()
    await server.stop()
  }
}
