import { afterAll, beforeAll, expect, test } from 'bun:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { type PostgresServer, startPostgresServer, withPostgres } from '../../../test/support/postgres-server.ts'
import { openPostgresTables } from '../../port/tables/adapters/postgres/open-postgres-tables.ts'
import { startWorker } from './worker.ts'

const steps = 60
const jobCount = 4

withPostgres('a worker on postgres', () => {
  let server: PostgresServer
  beforeAll(async () => {
    server = await startPostgresServer()
  }, 60_000)
  afterAll(() => server.stop())

  test('goes on when its database was away: every step of every job is done, in order, and by one run', async () => {
    const tables = await openPostgresTables({ url: server.url() })
    const messages: string[] = []
    const note = (_: object, message: string) => void messages.push(message)
    const log = { debug: note, info: note, warn: note, error: note }
    const done = new Map<string, number[]>()
    const isFinished = Promise.withResolvers<void>()
    let finished = 0
    const ids = Array.from({ length: jobCount }, (_, i) => `job-${i}`)
    for (const id of ids) await tables.jobs.add({ kind: 'count', id, state: {}, runAt: Date.now() })
    const worker = startWorker({
      jobs: tables.jobs,
      owner: 'worker',
      now: Date.now,
      log,
      handlers: {
        count: {
          leaseMs: 60_000,
          atOnce: jobCount,
          async run(job, { note, signal }) {
            for (let step = Number(job.state.next ?? 0); step < steps; step++) {
              signal.throwIfAborted()
              done.set(job.id, [...(done.get(job.id) ?? []), step])
              await sleep(5)
              await note({ next: step + 1 })
            }
            if (++finished === jobCount) isFinished.resolve()
            return { kind: 'done' }
          },
        },
      },
    })
    const areUnderWay = () => ids.every((id) => (done.get(id)?.length ?? 0) > 2)
    while (!areUnderWay()) await sleep(5)
    await server.kill()
    const before = finished
    await sleep(2_500)
    expect(finished).toBe(before)
    await server.restart()
    await isFinished.promise
    await worker.stop()
    expect(await tables.jobs.nextDueAt(['count'])).toBeUndefined()
    for (const id of ids) expect(done.get(id)).toEqual(Array.from({ length: steps }, (_, i) => i))
    expect(messages.filter((message) => message.includes('failed'))).toEqual([])
    await tables.close()
  }, 60_000)
})
