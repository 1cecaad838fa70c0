import { readServerRecord, type ServerRecord } from '../boot/folder/data-folder.ts'
import { readManagementCredential } from '../boot/secrets.ts'
import type { JsonObject } from '../core/json.ts'
import type { CommandContext } from './context.ts'
import { readEvents } from './server/read-events.ts'
import { baseOf, notRunning, readAnswer, readText, sendRequest } from './server/send-request.ts'

const usualAnswerWithinMs = 30_000
/** Streams say something every ten seconds. */
const streamSilenceMs = 60_000

export type ManagementRequest = {
  readonly method?: 'GET' | 'PUT' | 'PATCH' | 'POST' | 'DELETE'
  readonly body?: unknown
  readonly headers?: Readonly<Record<string, string>>
  /** How long the server may be silent, in milliseconds. */
  readonly answerWithinMs?: number
}

export type ManagementClient = {
  readonly server: ServerRecord
  /**
   * Calls `/management/<path>`, of the resource where there is one, and resolves to the JSON of the answer (undefined for 204).
   *
   * @throws Fault with a line for each problem the server names.
   */
  call<T>(path: string, request?: ManagementRequest): Promise<T>
  /** The events of a stream; ends with it. Rejects as `call`. */
  listen(path: string, signal: AbortSignal): AsyncGenerator<JsonObject, undefined>
}

/** Which server, and which of its resources; its own when absent. */
export type ManagementPlace = Pick<CommandContext, 'folder'> & Partial<Pick<CommandContext, 'resource'>>

/** `/resources/<name>` of another resource than the server's own, to stand before what is asked of it. */
export function pathOfResource(name: string | undefined): string {
  return name === undefined ? '' : `/resources/${encodeURIComponent(name)}`
}

/**
 * A client of the server that runs on this data folder.
 *
 * @throws Fault `not-found` when none runs, `forbidden` when the credential's file is open to others.
 */
export function openManagementClient(place: ManagementPlace): ManagementClient {
  const folder = place.folder()
  const root = `/management${pathOfResource(place.resource?.())}`
  const server = readServerRecord(folder)
  const credential = readManagementCredential(folder)
  if (!server || credential === undefined) throw notRunning(folder)
  const base = baseOf(server, folder)
  const headers = { authorization: `Bearer ${credential}`, accept: 'application/json' }
  return {
    server,
    call: async <T>(path: string, request: ManagementRequest = {}): Promise<T> => {
      const body = request.body === undefined ? undefined : JSON.stringify(request.body)
      const type = request.method === 'PATCH' ? 'application/merge-patch+json' : 'application/json'
      const answer = await sendRequest(
        new URL(`${root}/${path}`, base),
        { server, folder },
        {
          method: request.method ?? 'GET',
          headers: { ...headers, ...(body === undefined ? {} : { 'content-type': type }), ...request.headers },
          body,
          silentMs: request.answerWithinMs ?? usualAnswerWithinMs,
        },
      )
      return readAnswer(answer.status, await readText(answer)) as T
    },
    async *listen(path, signal): AsyncGenerator<JsonObject, undefined> {
      const answer = await sendRequest(
        new URL(`${root}/${path}`, base),
        { server, folder },
        { method: 'GET', headers: { ...headers, accept: 'text/event-stream' }, silentMs: streamSilenceMs, signal },
      )
      if (answer.status !== 200) readAnswer(answer.status, await readText(answer))
      yield* readEvents(answer.pieces)
    },
  }
}
