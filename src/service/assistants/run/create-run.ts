import { Fault } from '../../../core/fault.ts'
import type { JsonObject } from '../../../core/json.ts'
import type { ServiceRequest } from '../../../core/service-route.ts'
import {
  type AssistantRow,
  activeStatuses,
  type ItemRow,
  type RunRow,
  type ThreadRow,
} from '../../../port/tables/runs/port.ts'
import { objectsOf } from '../../runs/kept-beside.ts'
import type { NewRun } from '../../runs/port.ts'
import { ownerOf } from '../../stored-completions/owner.ts'
import { readMessage } from '../read-message.ts'
import type { RunRoutesParts } from './parts.ts'
import { readRunBody, readThreadAndRunBody } from './read-run-request.ts'
import { type AskedRun, toRequest } from './to-request.ts'

const lifetimeMs = 10 * 60_000
/** An extension of ours: the run that is active makes room for the new one. */
const replaceHeader = 'x-ms-cancel-active-run'
const longestReplaceMs = 10_000

export type StartedRun = { readonly run: RunRow; readonly stream: boolean }

export type CreateRun = {
  /** On a thread that is there. */
  create(request: ServiceRequest): Promise<StartedRun>
  /** With a thread of its own. */
  createWithThread(request: ServiceRequest): Promise<StartedRun>
}

export function createRunMaker(parts: RunRoutesParts): CreateRun {
  const { table, engine, tools, now, makeId } = parts

  async function findAssistant(owner: string, id: string): Promise<AssistantRow> {
    const assistant = await table.getAssistant(owner, id)
    if (assistant) return assistant
    throw notFound('assistant', id)
  }

  /** The tools of the server say what they cannot do before there is a run. */
  async function checkTools(owner: string, { request }: AskedRun): Promise<void> {
    for (const [index, config] of objectsOf(request.tools).entries()) {
      const type = String(config.type)
      if (type === 'function') continue
      const tool = tools.get(type)
      if (!tool) {
        throw new Fault(
          'invalid-request',
          `Invalid value for 'tools[${index}].type': ${JSON.stringify(type)} is not available on this server. Its operator may turn it on.`,
          {
            param: `tools[${index}].type`,
          },
        )
      }
      await tool.check(config, `tools[${index}]`, owner)
    }
  }

  async function start(
    owner: string,
    thread: ThreadRow,
    assistant: AssistantRow,
    asked: AskedRun,
    metadata: JsonObject,
    more: Pick<NewRun, 'items' | 'events'> & { readonly id: string },
  ): Promise<RunRow> {
    await checkTools(owner, asked)
    const createdAt = now()
    const run: RunRow = {
      id: more.id,
      owner,
      kind: 'run',
      threadId: thread.id,
      assistantId: assistant.id,
      status: 'queued',
      request: asked.request,
      state: asked.state,
      metadata,
      createdAt,
      expiresAt: createdAt + lifetimeMs,
    }
    await engine.start({ run, items: more.items, events: more.events, isDurable: true })
    return run
  }

  /** The active run of the thread, if there is one, is cancelled, and its end waited for. */
  async function makeRoom(owner: string, threadId: string, signal: AbortSignal): Promise<void> {
    const [last] = await table.listRuns(owner, threadId, { limit: 1, order: 'desc' })
    if (!last || !activeStatuses.includes(last.status)) return
    try {
      await engine.cancel(owner, last.id)
    } catch (error) {
      // It has ended meanwhile.
      if (!(error instanceof Fault && error.code === 'invalid-request')) throw error
    }
    const over = new AbortController()
    const end = (): void => over.abort()
    signal.addEventListener('abort', end, { once: true })
    const timer = setTimeout(end, longestReplaceMs)
    try {
      await engine.wait(last.id, over.signal)
    } finally {
      clearTimeout(timer)
      signal.removeEventListener('abort', end)
    }
  }

  return {
    async create({ params, body, caller, header, signal }) {
      const owner = ownerOf(caller)
      const read = readRunBody(body)
      const { thread_id: threadId = '' } = params
      const found = await table.getThread(owner, threadId)
      if (found?.kind !== 'thread') throw notFound('thread', threadId)
      const assistant = await findAssistant(owner, read.assistant_id)
      const id = makeId('run_')
      const items: ItemRow[] = objectsOf(body.additional_messages).map((message, index) =>
        readMessage(message, { id: makeId('msg_'), owner, homeId: threadId, runId: id, createdAt: now() }, [
          'additional_messages',
          index,
        ]),
      )
      const thread = (items.length > 0 && (await parts.attachFiles?.(found, items))) || found
      if (header(replaceHeader) === 'true') await makeRoom(owner, threadId, signal)
      const asked = toRequest(assistant, thread, read)
      const run = await start(owner, thread, assistant, asked, (read.metadata ?? {}) as JsonObject, { id, items })
      return { run, stream: read.stream ?? false }
    },

    async createWithThread({ body, caller }) {
      const owner = ownerOf(caller)
      const read = readThreadAndRunBody(body)
      const assistant = await findAssistant(owner, read.assistant_id)
      const prepared = await parts.prepareThread(owner, (read.thread ?? {}) as JsonObject, ['thread'])
      const { items } = prepared
      const asked = toRequest(assistant, prepared.thread, read)
      await checkTools(owner, asked)
      await table.addThread(prepared.thread, items)
      const thread = (await parts.attachFiles?.(prepared.thread, items)) ?? prepared.thread
      const events = [{ name: 'thread.created', data: JSON.stringify(parts.writeThread(thread)) }]
      const run = await start(
        owner,
        thread,
        assistant,
        toRequest(assistant, thread, read),
        (read.metadata ?? {}) as JsonObject,
        {
          id: makeId('run_'),
          items: [],
          events,
        },
      )
      return { run, stream: read.stream ?? false }
    },
  }
}

/** UNCONFIRMED for Azure, and decided as OpenAI behaves. */
export function notFound(what: 'assistant' | 'thread' | 'run', id: string): Fault {
  return new Fault('not-found', `No ${what} found with id '${id.slice(0, 100)}'.`)
}
