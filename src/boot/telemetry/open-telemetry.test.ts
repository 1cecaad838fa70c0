import { afterEach, beforeEach, expect, jest, test } from 'bun:test'
import { openTelemetry, type Telemetry } from './open-telemetry.ts'
import type { StateParts } from './state-families.ts'

const idle: StateParts = {
  listDeployments: () => [],
  counters: { read: () => [], degradedReason: () => undefined },
  health: { stateOf: () => 'closed' },
  tables: { batches: { sumRunning: async () => [] }, files: { sumAll: async () => ({ files: 4, bytes: 9 }) } },
  builtins: { models: [], find: () => undefined, stop: async () => {} },
  countUnstored: () => 0,
  configError: () => undefined,
}
const silent = { debug() {}, info() {}, warn() {}, error() {} }
let telemetry: Telemetry

beforeEach(async () => {
  telemetry = await openTelemetry({
    version: '1.2.3',
    instance: 'i',
    credentials: ['the-credential'],
    isResourceKey: () => false,
    nameResource: () => '',
    otel: {},
    log: silent,
  })
})
afterEach(() => telemetry.close())

async function scrape(): Promise<string> {
  const url = new URL('http://x/metrics?names=ponto')
  const headers = { authorization: 'Bearer the-credential' }
  return (await telemetry.serveMetrics(new Request(url, { headers }), url)).text()
}

test('a database that fails is left out and said to be, and all else is told', async () => {
  const batches = { sumRunning: () => Promise.reject(new Error('away')) }
  telemetry.connect({ ...idle, tables: { ...idle.tables, batches } })
  const text = await scrape()
  expect(text).toContain('ponto_scrape_failures_total{source="database"} 1\n')
  expect(text).toContain('ponto_scrape_failures_total{source="counters"} 0\n')
  expect(text).not.toContain('ponto_files ')
  expect(text).toContain('ponto_info{version="1.2.3"')
})

test('nobody waits for long for what does not answer', async () => {
  telemetry.connect({
    ...idle,
    listDeployments: () => [
      {
        resource: '',
        deployment: {
          name: 'd',
          limits: {
            kind: 'rate',
            tokens: { limit: 1, windowMs: 1 },
            settles: true,
            requests: undefined,
            pool: undefined,
          },
          model: { format: '', name: 'm', version: '1' },
          routes: [],
        } as never,
      },
    ],
    counters: { ...idle.counters, read: () => new Promise(() => {}) },
  })
  jest.useFakeTimers()
  try {
    const scraped = scrape()
    jest.advanceTimersByTime(2_000)
    jest.useRealTimers()
    expect(await scraped).toContain('ponto_scrape_failures_total{source="counters"} 1\n')
  } finally {
    jest.useRealTimers()
  }
})

test('before the rest of the server is there, there is only what was counted', async () => {
  expect(await scrape()).not.toContain('ponto_deployments')
})
