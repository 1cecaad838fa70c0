import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setImmediate as turn } from 'node:timers/promises'
import type { Job } from '../../../src/port/jobs/port.ts'
import { openPostgresTables } from '../../../src/port/tables/adapters/postgres/open-postgres-tables.ts'
import { openSqliteTables } from '../../../src/port/tables/adapters/sqlite/open-sqlite-tables.ts'
import type { LineResult } from '../../../src/port/tables/batches/port.ts'
import type { Tables } from '../../../src/port/tables/port.ts'
import { findPostgres, startPostgresServer } from '../../../test/support/postgres-server.ts'

/**
 * `npm run ponto -- --run-script bench/micro/port/tables.ts`: what statements cost, and for how long they hold up the thread that asks,
 * and with it every request there, with SQLite on that thread, with SQLite on its own and with a PostgreSQL of its own (without fsync).
 */

const samples = 400
const linesAtOnce = 200
const record = JSON.stringify({ id: 'x', response: { body: 'y'.repeat(700) } })
const noTokens = { input: 0, cached: 0, output: 0, reasoning: 0 }

async function addBatch(tables: Tables): Promise<Job> {
  const now = Date.now()
  await tables.jobs.add({ kind: 'batch', id: 'b', state: {}, runAt: now })
  const job = await tables.jobs.claim(['batch'], 'bench', 600_000)
  if (!job) throw new Error('there was no job to take')
  await tables.batches.add({
    ...{ id: 'b', owner: 'o', endpoint: '/chat/completions', inputFileId: 'f', completionWindow: '24h' },
    ...{ status: 'in_progress', total: 0, completed: 0, failed: 0, tokens: noTokens, enqueuedTokens: 0 },
    ...{ createdAt: now, expiresAt: now + 86_400_000 },
  })
  const count = samples * linesAtOnce
  for (let at = 0; at < count; at += 1_000) {
    const lines = Array.from({ length: 1_000 }, (_, i) => ({
      line: at + i,
      customId: `c-${at + i}`,
      start: 0,
      bytes: 1,
    }))
    await tables.batches.addLines(job, 'b', lines)
  }
  return job
}

function percentile(values: readonly number[], share: number): number {
  return values[Math.min(values.length - 1, Math.floor(values.length * share))] as number
}

/** Times each step, and the longest that this thread took meanwhile from one turn of its loop to the next. */
async function measure(name: string, step: (i: number) => Promise<unknown>): Promise<void> {
  const times: number[] = []
  const gaps: number[] = []
  let longest = 0
  let last = 0
  let isOver = false
  function look(): void {
    const at = performance.now()
    longest = Math.max(longest, at - last)
    last = at
    if (!isOver) setImmediate(look)
  }
  last = performance.now()
  setImmediate(look)
  for (let i = 0; i < samples; i++) {
    await turn()
    longest = 0
    last = performance.now()
    const startMs = last
    await step(i)
    times.push(performance.now() - startMs)
    await turn()
    gaps.push(longest)
  }
  isOver = true
  for (const list of [times, gaps]) list.sort((a, b) => a - b)
  const columns = [times, gaps].flatMap((list) => [percentile(list, 0.5), percentile(list, 0.9)])
  console.log(`${name.padEnd(34)}${columns.map((ms) => ms.toFixed(2).padStart(14)).join('')}`)
}

async function benchTables(name: string, tables: Tables): Promise<void> {
  console.log(
    `${`${name}, ms`.padEnd(34)}${['p50', 'p90', 'held up p50', 'held up p90'].map((word) => word.padStart(14)).join('')}`,
  )
  const job = await addBatch(tables)
  await tables.putDeployment('gpt', { text: 'x'.repeat(500) })
  await measure('read a row', () => tables.getDeployment('gpt'))
  await measure('write a row', (i) => tables.putDeployment('gpt', { text: 'x'.repeat(500), i }))
  await measure(`write ${linesAtOnce} results of 0.7 kB`, (i) => {
    const results = Array.from({ length: linesAtOnce }, (_, n): LineResult => {
      return { line: i * linesAtOnce + n, state: 'done', record }
    })
    return tables.batches.addResults(job, 'b', results, { tokens: noTokens, releasedTokens: 0 })
  })
  await measure(`read ${linesAtOnce} results of 0.7 kB`, (i) =>
    tables.batches.listResults('b', 'done', i * linesAtOnce - 1, linesAtOnce),
  )
  await tables.close()
}

for (const isOnThread of [false, true, false, true]) {
  const folder = mkdtempSync(join(tmpdir(), 'ponto-tables-'))
  const name = isOnThread ? 'SQLite on its own thread' : 'SQLite on this thread'
  await benchTables(name, await openSqliteTables(join(folder, 'ponto.db'), { isOnThread }))
  rmSync(folder, { recursive: true, force: true })
}
if (findPostgres() === undefined) console.log('PostgreSQL is left out: there is none')
else {
  const server = await startPostgresServer()
  await benchTables('PostgreSQL', await openPostgresTables({ url: server.url() }))
  await server.stop()
}
