import { type DataFolder, readServerRecord, type ServerRecord } from '../boot/folder/data-folder.ts'
import { readManagementCredential } from '../boot/secrets.ts'
import { baseOf, notRunning, readAnswer, readText, sendRequest } from './server/send-request.ts'

const usualAnswerWithinMs = 30_000

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
   * Calls `/management/<path>` and resolves to the JSON of the answer (undefined for 204).
   *
   * @throws Fault with a line for each problem the server names.
   */
  call<T>(path: string, request?: ManagementRequest): Promise<T>
}

/**
 * A client of the server that runs on this data folder.
 *
 * @throws Fault `not-found` when none runs, `forbidden` when the credential's file is open to others.
 */
export function openManagementClient(folder: DataFolder): ManagementClient {
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
        new URL(`/management/${path}`, base),
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
  }
}
