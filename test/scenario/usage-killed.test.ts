import { afterEach, beforeEach, expect, test } from 'bun:test'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { openBudgets } from '../../src/policy/meter/budgets.ts'
import { openSqliteTables } from '../../src/port/tables/adapters/sqlite/open-sqlite-tables.ts'
import type { UsageTotals } from '../../src/port/tables/usage/port.ts'
import { makeTempFolder, removeFolder } from '../support/server-process.ts'

/** What is stored of usage when the process that counts it is killed. */

const keys = 20
let folder: string
let file: string

beforeEach(() => {
  folder = makeTempFolder()
  file = join(folder, 'ponto.db')
})
afterEach(() => removeFolder(folder))

/** Runs the writer, kills it when it has said so often that it stored something, and resolves to how often it had said so by then. */
async function writeAndKill(rounds: number): Promise<number> {
  const writer = join(import.meta.dir, '../support/usage-writer.ts')
  const child = spawn(process.execPath, [writer, file, String(keys)], { stdio: ['ignore', 'pipe', 'inherit'] })
  const closed = once(child, 'close')
  let stored = 0
  for await (const line of createInterface({ input: child.stdout })) {
    stored = Number(line)
    if (stored === rounds) child.kill('SIGKILL')
  }
  expect(await closed).toEqual([null, 'SIGKILL'])
  return stored
}

async function readKeys(): Promise<UsageTotals[]> {
  const tables = await openSqliteTables(file)
  try {
    return await tables.usage.read({ fromHour: 0, toHour: 1e9, groupBy: ['keyName'] })
  } finally {
    await tables.close()
  }
}

test('kill -9 takes nothing that was stored, and leaves no batch in part', async () => {
  let least = 0
  for (const rounds of [1, 2, 7, 25, 60]) {
    least += await writeAndKill(rounds)
    const rows = await readKeys()
    expect(rows).toHaveLength(keys)
    const requests = rows[0]?.requests as number
    expect(requests).toBeGreaterThanOrEqual(least)
    for (const row of rows) {
      expect(row).toMatchObject({ requests, promptTokens: 10 * requests, costMicros: 20 * requests })
    }
    // What was stored and could not be said any more counts too.
    least = requests
  }
}, 60_000)

test('budgets begin with what was stored', async () => {
  await writeAndKill(10)
  const tables = await openSqliteTables(file)
  const [row] = await tables.usage.read({ fromHour: 0, toHour: 1e9, keyName: 'key-7', groupBy: [] })
  const budgets = await openBudgets(tables.usage, Date.now)
  const status = budgets.status('key-7', [{ unit: 'tokens', period: 'month', limit: 1 }])
  expect(status).toMatchObject([{ spent: 15 * (row?.requests as number) }])
  expect(row?.requests).toBeGreaterThanOrEqual(10)
  await tables.close()
}, 60_000)
