import { afterEach, beforeEach, expect, test } from 'bun:test'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { JobHandler } from '../../port/jobs/port.ts'
import { openSqliteTables } from '../../port/tables/adapters/sqlite/open-sqlite-tables.ts'
import type { Tables } from '../../port/tables/port.ts'
import { noUsage } from '../../port/tables/usage/port.ts'
import { createUsageChores } from './chores.ts'

const hourMs = 3_600_000
/** A noon. */
const start = Date.UTC(2026, 5, 15, 12)
const ignore = () => {}
const log = { debug: ignore, info: ignore, warn: ignore, error: ignore }

let folder: string
let tables: Tables
let time = start

beforeEach(async () => {
  time = start
  folder = mkdtempSync(join(tmpdir(), 'ponto-usage-'))
  tables = await openSqliteTables(join(folder, 'ponto.db'), { now: () => time })
})
afterEach(async () => {
  await tables.close()
  rmSync(folder, { recursive: true, force: true })
})

const hour = (daysBack: number, hours = 0) => Math.floor(start / hourMs) - 24 * daysBack + hours

function run(signal = new AbortController().signal) {
  const chores = createUsageChores({ table: tables.usage, hourlyDays: 10, days: 100, now: () => time, log })
  const job = { kind: 'usage-roll-up', id: 'chore', state: {}, owner: 'w', attempt: 1 }
  return (chores['usage-roll-up'] as JobHandler).run(job, { signal, failures: 0, async note() {} })
}

const hours = async () =>
  (await tables.usage.read({ fromHour: 0, toHour: 1e9, groupBy: ['hour'] })).map(({ hour: at }) => at)

test('hours become days after a while, days are forgotten after a longer one, and the sums in between stay', async () => {
  const row = { ...noUsage, resource: '', deployment: 'gpt', model: 'm', keyName: 'key1', requests: 1, promptTokens: 3 }
  const daysBack = [200, 101, 100, 99, 30, 11, 10, 9, 1, 0]
  const all = daysBack.flatMap((days) => [hour(days, -1), hour(days)])
  await tables.usage.add(all.map((at) => ({ ...row, hour: at })))
  const sumOf = (fromHour: number, toHour: number) => tables.usage.read({ fromHour, toHour, groupBy: ['day'] })
  const kept = [hour(100, -12), hour(0, 12)] as const
  const before = await sumOf(...kept)
  expect(await run()).toEqual({ kind: 'done' })
  expect(await sumOf(...kept)).toEqual(before)
  const asDays = [100, 99, 30, 11].map((days) => hour(days, -12))
  const asHours = [10, 9, 1, 0].flatMap((days) => [hour(days, -1), hour(days)])
  expect(await hours()).toEqual([...asDays, ...asHours])
  time += 24 * hourMs
  await run()
  expect((await hours())[0]).toBe(hour(99, -12))
  expect(await hours()).toContain(hour(10, -12))
})

test('many hours, in portions; one that is told to stop stops', async () => {
  const row = { ...noUsage, resource: '', deployment: 'gpt', model: 'm', keyName: 'key1', requests: 1 }
  await tables.usage.add(Array.from({ length: 24 * 20 }, (_, i) => ({ ...row, hour: hour(20, -12 + i) })))
  const stopped = new AbortController()
  stopped.abort()
  await run(stopped.signal)
  expect(await hours()).toHaveLength(24 * 20)
  await run()
  expect(await hours()).toHaveLength(10 + 24 * 10)
})
