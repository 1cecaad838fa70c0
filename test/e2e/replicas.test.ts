import { afterAll, beforeAll, expect, test } from 'bun:test'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Status } from '../../src/control/api.ts'
import { type FakeUpstream, json, startFakeUpstream } from '../support/fake-upstream.ts'
import { type RedisServer, startRedisServer, withRedisServer } from '../support/redis-server.ts'
import { makeTempFolder, removeFolder, type ServerProcess, startServer } from '../support/server-process.ts'

/** Two servers that share their limits through Redis, and what callers see when it is gone. */

withRedisServer('two servers with one limit', () => {
  const renewalS = 2
  const limit = 200
  const tokens = 10

  let upstream: FakeUpstream
  let redis: RedisServer
  let folder: string
  let servers: ServerProcess[] = []
  let keys: string[] = []

  beforeAll(async () => {
    upstream = await startFakeUpstream()
    upstream.script(
      json({
        id: 'c',
        object: 'text_completion',
        choices: [],
        usage: { prompt_tokens: 2, completion_tokens: 8, total_tokens: 10 },
      }),
    )
    redis = await startRedisServer()
    folder = makeTempFolder()
    const config = join(folder, 'ponto.yaml')
    const limited = {
      name: 'limited',
      model: { name: 'm' },
      tokenAccounting: 'estimate',
      rateLimits: [{ key: 'token', renewalPeriod: renewalS, count: limit }],
      backends: [{ url: `${upstream.url}/v1` }],
    }
    writeFileSync(config, JSON.stringify({ deployments: [limited] }))
    const env = { PONTO_SECRET_REDIS_URL: redis.url }
    const args = ['--config', config, '--replicas', '2']
    servers = await Promise.all(['a', 'b'].map((name) => startServer({ dataFolder: join(folder, name), args, env })))
    keys = servers.map(({ key }) => key)
  })
  afterAll(async () => {
    await Promise.all(servers.map((server) => server.stop()))
    await redis?.stop()
    await upstream?.stop()
    removeFolder(folder)
  })

  const call = async (which: number): Promise<number> => {
    const response = await fetch(`${servers[which]?.httpUrl}/openai/v1/completions`, {
      method: 'POST',
      headers: { 'api-key': keys[which] as string },
      // About two tokens of prompt, and eight of answer.
      body: JSON.stringify({ model: 'limited', prompt: '12345678', max_tokens: tokens - 2 }),
    })
    await response.arrayBuffer()
    return response.status
  }

  const timesAway = () => servers.map((server) => server.errors().split('without the shared store').length).join()

  /**
   * What both servers let through by window of the clock, the statuses there were, and whether a server went without the store
   * meanwhile: on a machine that is busy with other things an answer may be late.
   */
  async function flood(forMs: number) {
    const from = upstream.requests.length
    const awayBefore = timesAway()
    const statuses = new Set<number>()
    const endAt = Date.now() + forMs
    const callers = Array.from({ length: 12 }, async (_, i) => {
      while (Date.now() < endAt) statuses.add(await call(i % 2))
    })
    await Promise.all(callers)
    const seen = upstream.requests.slice(from)
    const windows = Map.groupBy(seen, ({ receivedAtMs }) => Math.floor(receivedAtMs / (renewalS * 1000)))
    // The first window and the last were open for a part of their time only.
    const whole = [...windows].sort(([a], [b]) => a - b).slice(1, -1)
    const used = whole.map(([, requests]) => requests.length * tokens)
    return { used, total: seen.length * tokens, statuses, isDisturbed: timesAway() !== awayBefore }
  }

  async function until(isSo: () => Promise<boolean>): Promise<void> {
    const endAt = Date.now() + 30_000
    while (!(await isSo())) {
      if (Date.now() > endAt) throw new Error('it did not come to that within 30 s')
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
  }

  const hasWarning = async (which: number): Promise<boolean> => {
    const { httpUrl, dataFolder } = servers[which] as ServerProcess
    const credential = readFileSync(join(dataFolder, 'management.key'), 'utf8').trim()
    const headers = { authorization: `Bearer ${credential}` }
    const { warnings } = (await (await fetch(`${httpUrl}/management/status`, { headers })).json()) as Status
    return warnings.some((text) => text.includes('without the shared store'))
  }
  const allHave = async (isWarned: boolean) => (await hasWarning(0)) === isWarned && (await hasWarning(1)) === isWarned

  test('together they let the limit through and use it up', async () => {
    await until(() => allHave(false))
    let seen = await flood(8_000)
    for (let again = 0; seen.isDisturbed && again < 3; again++) seen = await flood(8_000)
    const { used, statuses, isDisturbed } = seen
    expect([...statuses].sort()).toEqual([200, 429])
    expect(used.length).toBeGreaterThanOrEqual(2)
    // A server that alone loses the store gives out its part, while the other does not know yet and gives out all.
    const most = isDisturbed ? limit + limit / servers.length : limit
    // A request is counted in the store's window and seen by the upstream a moment later.
    for (const sum of used) expect(sum).toBeLessThanOrEqual(most * 1.05)
    expect(Math.max(...used)).toBeGreaterThanOrEqual(limit * 0.9)
  }, 120_000)

  // Without the store's clock each server has its own idea of when a window begins, so here it is what many windows let through.
  const flooding = async (forMs: number, change: () => Promise<void>) => {
    const flooded = flood(forMs)
    await Bun.sleep(renewalS * 1_000 * (1 + Math.random()))
    await change()
    const { total, statuses } = await flooded
    for (const status of statuses) expect([200, 429]).toContain(status)
    const windows = forMs / (renewalS * 1_000) + 1
    // The server that is the first to notice gives out its part of a window while the other may still give out all.
    expect(total).toBeLessThanOrEqual(windows * limit + limit / servers.length)
    return total
  }

  test('the store killed under load: no request fails for it, and the limit holds', async () => {
    const total = await flooding(10_000, async () => {
      await redis.kill()
      await until(() => allHave(true))
    })
    // Without the store they do not stop.
    expect(total).toBeGreaterThanOrEqual(3 * limit)
  }, 60_000)

  test('the store back under load: the warnings go, and the limit holds', async () => {
    await flooding(10_000, async () => {
      await redis.restart()
      await until(() => allHave(false))
    })
    expect([200, 429]).toContain(await call(0))
  }, 60_000)
})
