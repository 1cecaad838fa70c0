import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Job } from '../../../src/port/jobs/port.ts'
import { openSqliteTables } from '../../../src/port/tables/adapters/sqlite/open-sqlite-tables.ts'

/**
 * `npm run ponto -- --run-script bench/micro/port/jobs.ts`: how many steps of jobs one SQLite file takes a second, one after the other,
 * with other jobs around that are due some day. Every step is durable before the next one begins.
 */

const rounds = 2_000
const kinds = ['batch', 'file-expiry']

for (const waiting of [0, 10_000]) {
  const folder = mkdtempSync(join(tmpdir(), 'ponto-jobs-'))
  const tables = await openSqliteTables(join(folder, 'ponto.db'))
  const { jobs } = tables
  const farMs = Date.now() + 86_400_000
  for (let i = 0; i < waiting; i++) await jobs.add({ kind: 'batch', id: `later-${i}`, state: {}, runAt: farMs + i })

  const report = async (name: string, step: (i: number) => Promise<unknown>): Promise<void> => {
    const startMs = performance.now()
    for (let i = 0; i < rounds; i++) await step(i)
    const perSecond = rounds / ((performance.now() - startMs) / 1e3)
    console.log(`${name.padEnd(28)} ${perSecond.toFixed(0).padStart(8)}`)
  }

  console.log(`${`a second, ${waiting} waiting`.padEnd(28)}`)
  const taken: Job[] = []
  await report('add', (i) => jobs.add({ kind: 'batch', id: `job-${i}`, state: { line: i }, runAt: i }))
  await report('claim', async () => {
    const job = await jobs.claim(kinds, 'bench', 60_000)
    if (job) taken.push(job)
  })
  if (taken.length !== rounds) throw new Error(`${taken.length} of ${rounds} jobs were taken`)
  await report('renew', (i) => jobs.renew(taken[i] as Job, 60_000))
  await report('note', (i) => jobs.note(taken[i] as Job, { line: i + 1 }))
  await report('finish', (i) => jobs.finish(taken[i] as Job))
  await report('next due', () => jobs.nextDueAt(kinds))
  await report('claim, with nothing due', () => jobs.claim(kinds, 'bench', 60_000))
  await tables.close()
  rmSync(folder, { recursive: true, force: true })
}
