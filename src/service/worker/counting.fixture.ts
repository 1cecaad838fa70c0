import { setTimeout as sleep } from 'node:timers/promises'
import { Kysely, sql } from 'kysely'
import { createJobsTable, isHeld } from '../../port/jobs/table.ts'
import { createSqliteDialect } from '../../port/tables/adapters/sqlite/dialect.ts'
import { createSqliteSession } from '../../port/tables/adapters/sqlite/session-in-process.ts'
import type { Schema } from '../../port/tables/schema.ts'
import { startWorker } from './worker.ts'

/**
 * A process that counts: `bun counting.fixture.ts FILE OWNER LEASE_MS UNITS`. Each unit of a job is a row, written once under the fence;
 * how far it is gets noted every few units only, so that whoever goes on has to do with units that are there already.
 */

const [file = '', owner = '', leaseText, unitsText] = process.argv.slice(2)
const leaseMs = Number(leaseText)
const units = Number(unitsText)
const noteEvery = 5

const session = createSqliteSession()
await session.open(file, 'readwrite')
await session.run('pragma busy_timeout = 5000')
const db = new Kysely<Schema & { unit: { job: string; number: number; attempt: number } }>({
  dialect: createSqliteDialect(session),
})
const schema = db as unknown as Kysely<Schema>
const jobs = createJobsTable(schema, (statement) => statement, Date.now, 'sqlite')
const ignore = () => {}

startWorker({
  jobs,
  owner,
  now: Date.now,
  log: { debug: ignore, info: ignore, warn: ignore, error: (fields, message) => console.error(message, fields) },
  handlers: {
    count: {
      leaseMs,
      atOnce: 2,
      async run(job, { note, signal }) {
        for (let number = Number(job.state.next ?? 0); number < units; number++) {
          signal.throwIfAborted()
          await sleep(5)
          const wasHeld = await db.transaction().execute(async (transaction) => {
            if (!(await isHeld(transaction as unknown as Parameters<typeof isHeld>[0], job))) return false
            await sql`insert into unit select ${job.id}, ${number}, ${job.attempt}
              where not exists (select 1 from unit where job = ${job.id} and number = ${number})`.execute(transaction)
            return true
          })
          if (!wasHeld) throw new Error('the job is held no more')
          if (number % noteEvery === noteEvery - 1) await note({ next: number + 1 })
        }
        return { kind: 'done' }
      },
    },
  },
})
