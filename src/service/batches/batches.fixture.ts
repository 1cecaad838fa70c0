import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setImmediate as turn } from 'node:timers/promises'
import type { CallKind } from '../../core/call.ts'
import type { Deployment, DeploymentLimits } from '../../core/deployment.ts'
import type { Caller } from '../../core/exchange.ts'
import { Fault } from '../../core/fault.ts'
import type { JsonObject } from '../../core/json.ts'
import type { ServiceAnswer, ServiceRequest } from '../../core/service-route.ts'
import type { Job, JobOutcome, Jobs } from '../../port/jobs/port.ts'
import { openSqliteTables } from '../../port/tables/adapters/sqlite/open-sqlite-tables.ts'
import type { BatchesTable } from '../../port/tables/batches/port.ts'
import type { FileRow } from '../../port/tables/files/port.ts'
import type { Tables } from '../../port/tables/port.ts'
import type { Logger } from '../../telemetry/logger.ts'
import { type Batches, openBatches } from './open.ts'
import type { BatchFiles, BatchParts, LineAnswer, NewOutputFile, RunLine } from './parts.ts'
import { persist } from './persist.ts'

export const owner: Caller = { keyName: 'key1', grant: undefined, expiresAt: undefined }
export const team: Caller = {
  keyName: 'team',
  grant: { deployments: new Set(['gpt']), tokensPerMinute: undefined, requestsPerMinute: undefined, budgets: [] },
  expiresAt: undefined,
}

const noLog = { debug() {}, info() {}, warn() {}, error() {} } as unknown as Logger

/** Time that goes on only when nobody has anything to do. */
export function createClock(start = 1_790_000_000_000) {
  let time = start
  let timers: { readonly at: number; readonly run: () => void }[] = []

  /** Long enough for whoever waits for a table, a file or his turn. */
  async function settle(): Promise<void> {
    for (let i = 0; i < 12; i++) await turn()
  }

  return {
    now: () => time,
    startTimer(run: () => void, afterMs: number) {
      const timer = { at: time + Math.max(0, afterMs), run }
      timers.push(timer)
      return () => {
        timers = timers.filter((other) => other !== timer)
      }
    },
    sleep(afterMs: number): Promise<void> {
      return new Promise((resolve) => this.startTimer(resolve, afterMs))
    },
    /** Until it is so; throws when time has gone on for so long without it. */
    async until(isSo: () => boolean, longestMs = 100 * 3_600_000): Promise<void> {
      const end = time + longestMs
      for (;;) {
        await settle()
        if (isSo()) return
        timers.sort((a, b) => a.at - b.at)
        const next = timers.shift()
        if (!next || next.at > end) throw new Error(`it was not so after ${time - start} ms`)
        time = Math.max(time, next.at)
        next.run()
      }
    },
    async pass(ms: number): Promise<void> {
      let isOver = false
      this.startTimer(() => {
        isOver = true
      }, ms)
      await this.until(() => isOver)
    },
    settle,
  }
}

export type Clock = ReturnType<typeof createClock>

export function createFiles(pieceBytes = 50) {
  const rows = new Map<string, FileRow>()
  const contents = new Map<string, Uint8Array>()
  let made = 0
  const files: BatchFiles = {
    async find(ownerName, id) {
      const row = rows.get(id)
      return row?.owner === ownerName ? row : undefined
    },
    async *read(id, range) {
      const content = contents.get(id)
      if (!content) throw new Fault('not-found', `There is no file ${id}.`)
      const end = Math.min(range?.end ?? content.length, content.length)
      for (let at = range?.start ?? 0; at < end; at += pieceBytes) {
        yield content.subarray(at, Math.min(end, at + pieceBytes))
      }
    },
    makeId: () => `file-${made++}`,
    async createFile(file: NewOutputFile, content) {
      const pieces: Uint8Array[] = []
      for await (const piece of content) pieces.push(Uint8Array.from(piece))
      const bytes = Buffer.concat(pieces)
      contents.set(file.id, bytes)
      rows.set(file.id, { ...file, bytes: bytes.length, status: 'processed' })
    },
  }
  return {
    files,
    rows,
    contents,
    put(content: string | Uint8Array, some: Partial<FileRow> = {}): string {
      const bytes = typeof content === 'string' ? Buffer.from(content) : content
      const id = some.id ?? `file-in-${made++}`
      contents.set(id, bytes)
      const row = { id, owner: '', filename: 'in.jsonl', purpose: 'batch', status: 'processed' } as const
      rows.set(id, { ...row, bytes: bytes.length, createdAt: 0, ...some })
      return id
    },
    lines(id: string | undefined): JsonObject[] {
      const text = Buffer.from(contents.get(id ?? '') ?? '').toString()
      return text.split('\n').flatMap((line) => (line === '' ? [] : [JSON.parse(line) as JsonObject]))
    },
  }
}

export function makeDeployment(name: string, kinds: readonly CallKind[], limits?: DeploymentLimits): Deployment {
  return { name, kinds: new Set(kinds), limits } as Partial<Deployment> as Deployment
}

const deployments = [
  makeDeployment('gpt', ['chat', 'completion']),
  makeDeployment('GPT-Batch', ['chat'], { kind: 'enqueued', tokens: 1_000 }),
  makeDeployment('embed', ['embed']),
]

export function findDeployment(name: string, ownerName: string): Deployment | undefined {
  const found = deployments.find((deployment) => deployment.name.toLowerCase() === name.toLowerCase())
  return ownerName === '' || found?.name === 'gpt' ? found : undefined
}

/** A line of an input. */
export function task(customId: string, some: JsonObject = {}, body: JsonObject = {}): string {
  const messages = [{ role: 'user', content: `Say ${customId}.` }]
  const whole = { model: 'gpt', messages, ...body }
  return JSON.stringify({ custom_id: customId, method: 'POST', url: '/chat/completions', body: whole, ...some })
}

export function tasks(count: number): string {
  return Array.from({ length: count }, (_, i) => `${task(`task-${i}`)}\n`).join('')
}

export const okAnswer = (customId: string): LineAnswer => ({
  status: 200,
  requestId: `request-${customId}`,
  body: JSON.stringify({ choices: [{ message: { content: customId } }] }),
  usage: { promptTokens: 10, completionTokens: 2, cachedTokens: 4, reasoningTokens: 1 },
})

/** A server. */
export type Process = Batches & {
  /** Takes a batch as a worker would, and works on it. Resolves to how that ended; undefined where there was none to take or the server stopped. */
  work(): Promise<JobOutcome | undefined>
  stop(): void
}

export type Home = {
  readonly tables: Tables
  readonly table: BatchesTable
  readonly jobs: Jobs
  readonly clock: Clock
  readonly store: ReturnType<typeof createFiles>
  /** A server on these tables and files; `worker` is what its worker sees of the jobs. */
  open(parts?: Partial<BatchParts>, worker?: Jobs): Process
  remove(): Promise<void>
}

export async function openHome(clock = createClock(), pieceBytes = 50): Promise<Home> {
  const folder = mkdtempSync(join(tmpdir(), 'ponto-batches-'))
  const tables = await openSqliteTables(join(folder, 'ponto.db'), { now: clock.now })
  const store = createFiles(pieceBytes)
  const { jobs, batches: table } = tables
  const stops: (() => void)[] = []
  return {
    tables,
    table,
    jobs,
    clock,
    store,
    open(parts = {}, worker = jobs) {
      const stopping = new AbortController()
      const { now, startTimer } = clock
      const runLine: RunLine = async ({ customId }) => okAnswer(customId)
      const world: BatchParts = {
        table,
        jobs,
        files: store.files,
        runLine,
        findDeployment,
        now,
        startTimer,
        random: () => 0.5,
        log: noLog,
        ...parts,
      }
      const batches = openBatches(world)
      const handler = batches.handlers.batch as NonNullable<(typeof batches.handlers)[string]>
      const stop = () => stopping.abort(new Fault('conflict', 'The server stops.'))
      stops.push(stop)
      return {
        ...batches,
        async work() {
          const job: Job | undefined = await worker.claim(['batch'], 'worker', handler.leaseMs)
          if (!job) return undefined
          const lost = new AbortController()
          const lose = () => lost.abort(new Fault('conflict', 'The job is lost.'))
          const signal = AbortSignal.any([stopping.signal, lost.signal])
          const stopKeeping = keepLease(worker, clock, job, handler.leaseMs, lose)
          try {
            const outcome = await handler.run(job, {
              signal,
              failures: 0,
              async note(state) {
                const world = { startTimer: clock.startTimer, random: () => 0.5 }
                if (!(await persist(world, signal, () => worker.note(job, state)))) lose()
                lost.signal.throwIfAborted()
              },
            })
            if (outcome.kind === 'done') await worker.finish(job)
            else await worker.release(job, outcome.state, outcome.at)
            return outcome
          } catch (error) {
            if (stopping.signal.aborted) return undefined
            throw error
          } finally {
            stopKeeping()
          }
        },
        stop,
      }
    },
    async remove() {
      for (const stop of stops) stop()
      await clock.settle()
      await tables.close()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

/** Renews a lease as the worker does, and gives the job up when that did not work for as long as the lease lasts. */
function keepLease(jobs: Jobs, clock: Clock, job: Job, leaseMs: number, lose: () => void): () => void {
  let isOver = false
  let until = clock.now() + leaseMs
  const renew = async (): Promise<void> => {
    if (isOver) return
    const from = clock.now()
    try {
      if (!(await jobs.renew(job, leaseMs))) return lose()
      until = from + leaseMs
    } catch {
      if (clock.now() >= until) return lose()
    }
    if (!isOver) stop = clock.startTimer(() => void renew(), leaseMs / 10)
  }
  let stop = clock.startTimer(() => void renew(), leaseMs / 10)
  return () => {
    isOver = true
    stop()
  }
}

export type AskOptions = {
  readonly method?: 'GET' | 'POST'
  readonly base?: string
  readonly params?: Record<string, string>
  readonly query?: Record<string, string>
  readonly body?: JsonObject
  readonly caller?: Caller
}

/** Asks a route as the gateway would: `path` is what follows the base. */
export function ask({ routes }: Batches, path: string, options: AskOptions = {}): Promise<ServiceAnswer> {
  const { method = 'GET', base = '/openai/batches', params = {}, query = {}, body = {}, caller = owner } = options
  const route = routes.find((one) => one.method === method && one.path === `${base}${path}`)
  if (!route) throw new Error(`there is no route ${method} ${base}${path}`)
  const request: ServiceRequest = {
    params,
    query: new URLSearchParams(query),
    body,
    caller,
    requestId: 'request-1',
    url: `https://localhost${base}${path}`,
    header: () => null,
    signal: new AbortController().signal,
  }
  return route.answer(request)
}

/** Makes a batch of a file; gives its id. */
export async function createBatch(batches: Batches, inputFileId: string, more: JsonObject = {}, caller = owner) {
  const body = { input_file_id: inputFileId, endpoint: '/chat/completions', completion_window: '24h', ...more }
  const answer = await ask(batches, '', { method: 'POST', body, caller })
  return (answer.body as { id: string }).id
}
