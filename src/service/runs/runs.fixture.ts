import { setTimeout as sleep } from 'node:timers/promises'
import type { ChatCall } from '../../core/call.ts'
import type { Event } from '../../core/event.ts'
import { Fault } from '../../core/fault.ts'
import type { JsonObject } from '../../core/json.ts'
import type { Jobs } from '../../port/jobs/port.ts'
import type { ItemRow, RunEventRow, RunRow, RunsTable } from '../../port/tables/runs/port.ts'
import { createIds } from '../files/ids.ts'
import type { Ask, AskModels } from '../tools/ask.ts'
import type { HostedTool, OpenTool, ToolOutcome } from '../tools/hosted-tool.ts'
import { startWorker, type Worker } from '../worker/worker.ts'
import type { Face, RunEvent } from './face.ts'
import { createMemoryRuns, type MemoryRows } from './memory-runs.fixture.ts'
import { openRuns, type Runs } from './open.ts'
import type { RunParts } from './parts.ts'
import type { NewRun } from './port.ts'
import type { RunSettings } from './settings.ts'

/** What a model says in one turn; an async one may wait, and a Fault is thrown. */
export type Said = string | readonly Event[] | AsyncIterable<Event> | Fault
export type Model = (call: ChatCall, ask: Ask) => Said

export const owner = 'tester'

/** Tells of a run in the engine's own words. */
export const plainFace: Face = {
  kind: 'run',
  terminator: undefined,
  open(_, next) {
    let seq = next
    return {
      write: (event: RunEvent): RunEventRow[] => [
        { seq: seq++, name: event.type, data: JSON.stringify(shorten(event)) },
      ],
    }
  },
}

function shorten(event: RunEvent): object {
  if (event.type === 'run-changed') return { status: event.run.status }
  const { item, ...rest } = event
  return { ...rest, id: item.id, kind: item.type, status: item.status }
}

export function say(text: string, usage = { promptTokens: 10, completionTokens: 5 }): Event[] {
  return [
    { type: 'answer-start' },
    ...text.split(/(?<= )/).map((piece): Event => ({ type: 'text-delta', choice: 0, text: piece })),
    { type: 'choice-end', choice: 0, reason: 'stop' },
    { type: 'usage', usage },
  ]
}

export function callTools(...calls: readonly (readonly [name: string, args: string])[]): Event[] {
  return [
    { type: 'answer-start' },
    ...calls.flatMap(([name, args], index): Event[] => [
      { type: 'tool-call-start', choice: 0, index, id: `call_${name}_${index}`, name },
      { type: 'tool-call-delta', choice: 0, index, arguments: args },
    ]),
    { type: 'choice-end', choice: 0, reason: 'tool_calls' },
    { type: 'usage', usage: { promptTokens: 20, completionTokens: 7 } },
  ]
}

export function createModel(model: Model): AskModels & { readonly asked: ChatCall[] } {
  const asked: ChatCall[] = []
  return {
    asked,
    async chat(ask, call) {
      asked.push(call)
      const said = model(call, ask)
      if (said instanceof Fault) throw said
      let usage: Extract<Event, { type: 'usage' }>['usage'] | undefined
      async function* read(): AsyncGenerator<Event> {
        for await (const event of typeof said === 'string' ? say(said) : (said as AsyncIterable<Event>)) {
          ask.signal.throwIfAborted()
          if (event.type === 'usage') usage = event.usage
          yield event
        }
      }
      return { events: read(), servedModel: 'stub-1', usage: () => usage }
    },
    embed: () => Promise.reject(new TypeError('no embeddings here')),
    rerank: () => Promise.reject(new TypeError('no ranking here')),
  }
}

/** A tool that the server runs: it looks something up, which may take its time. */
export function createLookUp(
  act: (args: string, id: string) => Promise<Partial<ToolOutcome>>,
): HostedTool & { readonly done: string[]; open_: number } {
  const done: string[] = []
  const tool = {
    type: 'file_search' as const,
    done,
    open_: 0,
    async check() {},
    async open(): Promise<OpenTool> {
      tool.open_++
      return {
        functions: [
          { name: 'look_up', description: 'Looks something up.', parameters: { type: 'object', properties: {} } },
        ],
        instructions: 'Look things up.',
        begin: (id, _, args) => ({ type: 'file_search_call', id, status: 'in_progress', queries: [args] }),
        async call(id, _, args, report) {
          report({ type: 'phase', phase: 'searching' })
          const outcome = await act(args, id)
          done.push(args)
          return {
            text: `found ${args}`,
            item: { type: 'file_search_call', id, status: 'completed', queries: [args], results: null },
            ...outcome,
          }
        },
        async close() {
          tool.open_--
        },
      }
    },
  }
  return tool
}

export type TestRuns = {
  readonly table: RunsTable
  readonly jobs: Jobs
  readonly rows: MemoryRows
  readonly runs: Runs
  readonly makeId: (prefix: string) => string
  /** Lets the clock of the tables go on. */
  skip(ms: number): void
  now(): number
  newRun(given?: {
    state?: JsonObject
    request?: JsonObject
    text?: string
    run?: Partial<RunRow>
    isDurable?: boolean
  }): NewRun
  /** Starts it, and the names and statuses of all that is told until it rests. */
  tell(run: NewRun): Promise<string[]>
  hear(runId: string, after?: number): Promise<{ seq: number; name: string; data: JsonObject }[]>
  made(runId: string): ItemRow[]
  get(runId: string): RunRow
  /** Another server on the same tables. */
  another(parts: Partial<RunParts>, isWorking?: boolean): { readonly runs: Runs; kill(): void; stop(): Promise<void> }
  stop(): Promise<void>
}

const ignore = (): void => {}
const log = {
  debug: ignore,
  info: ignore,
  warn: ignore,
  error: (fields: object, text: string) => console.error(text, fields),
}

/** An engine with a worker on tables in memory. */
export function createTestRuns(
  parts: Partial<RunParts> & Pick<RunParts, 'ask'>,
  settings: Partial<RunSettings> = {},
): TestRuns {
  let skipped = 0
  const now = (): number => Date.now() + skipped
  const { table, jobs, rows } = createMemoryRuns(now)
  const makeId = createIds(now)
  const threadId = makeId('thread_')
  let count = 0

  function another(own: Partial<RunParts>, isWorking = true) {
    let isKilled = false
    const reach = <T extends object>(port: T): T =>
      new Proxy(port, {
        get(target, name) {
          const act = Reflect.get(target, name)
          if (typeof act !== 'function') return act
          return (...given: unknown[]) => (isKilled ? new Promise(() => {}) : act.apply(target, given))
        },
      })
    const runs = openRuns({
      table: reach(table),
      tools: new Map(),
      faces: { run: plainFace, response: { ...plainFace, kind: 'response' } },
      nudge: () => worker?.nudge(),
      now,
      log,
      makeId,
      ...parts,
      ...own,
      settings: { flushMs: 5, firstPollMs: 2, lastPollMs: 10, lookMs: 20, ...settings, ...own.settings },
    })
    const worker: Worker | undefined = isWorking
      ? startWorker({ jobs: reach(jobs), handlers: runs.handlers, owner: `server-${count++}`, now, log })
      : undefined
    return {
      runs,
      kill() {
        isKilled = true
      },
      async stop() {
        runs.close()
        // One that was killed does nothing any more, nor ends.
        if (!isKilled) await worker?.stop(500)
      },
    }
  }
  const first = another({})

  async function hear(runId: string, after = -1) {
    const heard: { seq: number; name: string; data: JsonObject }[] = []
    for await (const { seq, name, data } of first.runs.engine.follow(runId, after, new AbortController().signal)) {
      heard.push({ seq, name, data: JSON.parse(data) as JsonObject })
    }
    return heard
  }

  const test: TestRuns = {
    table,
    jobs,
    rows,
    runs: first.runs,
    makeId,
    now,
    skip(ms) {
      skipped += ms
    },
    newRun({ state, request, text = 'Hello', run, isDurable = true } = {}) {
      const id = run?.id ?? makeId('run_')
      const home = run && 'threadId' in run ? run.threadId : threadId
      return {
        isDurable,
        run: {
          id,
          owner,
          kind: 'run',
          threadId,
          assistantId: 'asst_1',
          status: 'queued',
          request: { model: 'stub', instructions: 'Be brief.', ...request },
          state: { functions: 'wait', ...state },
          metadata: {},
          createdAt: now(),
          expiresAt: now() + 600_000,
          ...run,
        },
        items: [
          {
            id: makeId('msg_'),
            owner,
            homeId: home ?? id,
            runId: id,
            isInput: true,
            type: 'message',
            status: 'completed',
            document: { type: 'message', role: 'user', content: [{ type: 'input_text', text }] },
            extras: {},
            createdAt: now(),
          },
        ],
      }
    },
    async tell(run) {
      await first.runs.engine.start(run)
      return (await hear(run.run.id)).map(({ name, data }) => [name, data.kind, data.status].filter(Boolean).join(' '))
    },
    hear,
    made: (runId) =>
      [...rows.items.values()]
        .filter((item) => item.runId === runId && !item.isInput)
        .toSorted((a, b) => (a.id.slice(a.id.indexOf('_')) < b.id.slice(b.id.indexOf('_')) ? -1 : 1)),
    get: (runId) => rows.runs.get(runId) as RunRow,
    another,
    stop: first.stop,
  }
  return test
}

export { sleep }
