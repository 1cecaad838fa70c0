import { Database } from 'bun:sqlite'
import { expect, test } from 'bun:test'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { openSqliteTables } from '../../port/tables/adapters/sqlite/open-sqlite-tables.ts'

const leaseMs = 600
const workers = 3
const kills = 25
const jobCount = 16
const units = 200
const longestMs = 25_000

test('processes that are killed at any point: each unit of each job is there once, and a former holder wrote none', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'ponto-processes-'))
  const file = join(folder, 'ponto.db')
  const tables = await openSqliteTables(file)
  const database = new Database(file, { readwrite: true })
  database.run('pragma busy_timeout = 5000')
  // Without a key: a unit that is written twice shall be seen, not refused.
  database.run('create table unit (job text not null, number integer not null, attempt integer not null)')
  const ids = Array.from({ length: jobCount }, (_, i) => `job-${i}`)
  for (const id of ids) await tables.jobs.add({ kind: 'count', id, state: {}, runAt: Date.now() })

  let started = 0
  const start = () =>
    Bun.spawn(
      [
        process.execPath,
        join(import.meta.dir, 'counting.fixture.ts'),
        file,
        `p-${started++}`,
        `${leaseMs}`,
        `${units}`,
      ],
      { stdout: 'ignore', stderr: 'pipe' },
    )
  const running = Array.from({ length: workers }, start)
  try {
    const endAt = Date.now() + longestMs
    for (let i = 0; i < kills; i++) {
      await sleep(50 + Math.random() * 350)
      const at = Math.floor(Math.random() * workers)
      running[at]?.kill('SIGKILL')
      await running[at]?.exited
      running[at] = start()
    }
    while ((await tables.jobs.nextDueAt(['count'])) !== undefined && Date.now() < endAt) await sleep(50)

    expect(await tables.jobs.nextDueAt(['count'])).toBeUndefined()
    const counts = database
      .query<{ job: string; rows: number; distinct_rows: number; last: number }, []>(
        'select job, count(*) as rows, count(distinct number) as distinct_rows, max(number) as last from unit group by job',
      )
      .all()
    expect(counts.map(({ job }) => job).toSorted()).toEqual(ids.toSorted())
    for (const { rows, distinct_rows, last } of counts) {
      expect([rows, distinct_rows, last]).toEqual([units, units, units - 1])
    }
    const attempts = database
      .query<{ job: string; attempt: number }, []>('select job, attempt from unit order by rowid')
      .all()
    const highest = new Map<string, number>()
    for (const { job, attempt } of attempts) {
      expect(attempt).toBeGreaterThanOrEqual(highest.get(job) ?? 0)
      highest.set(job, attempt)
    }
    // Some were killed while they had a job: else nothing was tried here.
    expect(Math.max(...highest.values())).toBeGreaterThan(1)
  } finally {
    for (const child of running) child.kill('SIGKILL')
    await Promise.all(running.map((child) => child.exited))
    database.close()
    await tables.close()
    rmSync(folder, { recursive: true, force: true })
  }
}, 40_000)
