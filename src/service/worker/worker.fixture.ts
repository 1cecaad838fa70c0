import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Fault } from '../../core/fault.ts'
import type { JobHandler, Jobs } from '../../port/jobs/port.ts'
import { openSqliteTables } from '../../port/tables/adapters/sqlite/open-sqlite-tables.ts'
import type { Logger } from '../../telemetry/logger.ts'
import type { StartTimer } from './timer.ts'
import { startWorker, type Worker } from './worker.ts'

export type LogLine = { readonly level: string; readonly fields: Record<string, unknown>; readonly message: string }

export type World = {
  /** The table itself, which is always there. */
  readonly jobs: Jobs
  readonly log: LogLine[]
  readonly asked: Record<keyof Jobs, number>
  now(): number
  readonly startTimer: StartTimer
  /** Lets that much time pass and all that it brings about happen. */
  pass(ms: number): Promise<void>
  /** A promise that resolves after so long, as a handler would wait. */
  wait(ms: number): Promise<void>
  /** The store of every worker is away. */
  setAway(isAway: boolean): void
  start(
    handlers: Readonly<Record<string, JobHandler>>,
    owner?: string,
    formerOwners?: string,
  ): Worker & { kill(): void }
  /** The same table, as a process sees it whose clock is so far ahead. */
  openAhead(aheadMs: number): Promise<Jobs>
  remove(): Promise<void>
}

/** Workers on one real table, in a time that passes only when told to. */
export async function createWorld(random: () => number = () => 0.5): Promise<World> {
  const begin = 1_790_000_000_000
  let time = begin
  let isAway = false
  const timers = new Set<{ readonly at: number; readonly run: () => void }>()
  const now = () => time
  const folder = mkdtempSync(join(tmpdir(), 'ponto-worker-'))
  const tables = await openSqliteTables(join(folder, 'ponto.db'), { now })
  const opened = [tables]
  const { jobs } = tables
  const log: LogLine[] = []
  const note = (level: string) => (fields: object, message: string) =>
    void log.push({ level, fields: fields as Record<string, unknown>, message })
  const logger: Logger = { debug: note('debug'), info: note('info'), warn: note('warn'), error: note('error') }
  const asked = Object.fromEntries(Object.keys(jobs).map((name) => [name, 0])) as World['asked']
  const workers: Worker[] = []

  const startTimer: StartTimer = (run, afterMs) => {
    const timer = { at: time + Math.max(0, afterMs), run }
    timers.add(timer)
    return () => timers.delete(timer)
  }

  /** Statements take a few turns of promises each; a turn of the event loop comes after all of these. */
  async function settle(): Promise<void> {
    for (let i = 0; i < 4; i++) await new Promise((resolve) => setImmediate(resolve))
  }

  /** The table as one process sees it: it may be away, and a process that was killed does nothing any more. */
  function reach(isKilled: () => boolean): Jobs {
    const guarded = Object.entries(jobs).map(([name, act]) => [
      name,
      async (...parameters: unknown[]) => {
        asked[name as keyof Jobs]++
        if (isKilled()) return new Promise(() => {})
        if (isAway) throw new Fault('storage-unavailable', 'The database cannot be reached.')
        return (act as (...parameters: unknown[]) => unknown)(...parameters)
      },
    ])
    return Object.fromEntries(guarded) as Jobs
  }

  async function pass(ms: number): Promise<void> {
    const end = time + ms
    await settle()
    while (true) {
      const [next] = [...timers].filter(({ at }) => at <= end).sort((a, b) => a.at - b.at)
      if (next === undefined) break
      timers.delete(next)
      time = next.at
      next.run()
      await settle()
    }
    time = end
  }

  return {
    jobs,
    log,
    asked,
    now,
    startTimer,
    pass,
    wait: (ms) => new Promise((resolve) => startTimer(resolve, ms)),
    setAway(away) {
      isAway = away
    },
    start(handlers, owner = `worker-${workers.length}`, formerOwners) {
      let isKilled = false
      const worker = startWorker({
        jobs: reach(() => isKilled),
        handlers,
        owner,
        formerOwners,
        now,
        log: logger,
        startTimer,
        random,
      })
      workers.push(worker)
      return {
        ...worker,
        kill() {
          isKilled = true
        },
      }
    },
    async openAhead(aheadMs) {
      const ahead = await openSqliteTables(join(folder, 'ponto.db'), { now: () => time + aheadMs })
      opened.push(ahead)
      return ahead.jobs
    },
    async remove() {
      isAway = false
      const stops = Promise.all(workers.map((worker) => worker.stop()))
      await pass(60_000)
      await stops
      for (const one of opened) await one.close()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}
