import { readFileSync } from 'node:fs'
import { basename } from 'node:path'
import type { ServerProcess } from '../server-process.ts'

/** What the API shows of a batch, as far as it is looked at here. */
export type BatchView = {
  readonly id: string
  readonly status: string
  readonly errors: { readonly data: readonly unknown[] } | null
  readonly output_file_id: string | null
  readonly error_file_id: string | null
  readonly request_counts: { readonly total: number; readonly completed: number; readonly failed: number }
}

export type FileView = { readonly id: string; readonly purpose: string; readonly bytes: number }

/** The files and batches of one key of a server, over HTTP. Rejects unless the status is 200. */
export type BatchClient = {
  upload(path: string): Promise<FileView>
  create(inputFileId: string): Promise<BatchView>
  get(id: string): Promise<BatchView>
  cancel(id: string): Promise<BatchView>
  listFiles(): Promise<readonly FileView[]>
  readContent(fileId: string): Promise<string>
}

/** Asks whatever server `current` is at the time of the call, so that it may be another one after a restart. */
export function createBatchClient(current: () => Pick<ServerProcess, 'httpUrl' | 'key'>): BatchClient {
  async function ask(path: string, init: RequestInit = {}): Promise<Response> {
    const { httpUrl, key } = current()
    const headers = { 'api-key': key, ...init.headers }
    const response = await fetch(`${httpUrl}/openai/v1/${path}`, { ...init, headers })
    if (response.status === 200) return response
    throw new Error(`${init.method ?? 'GET'} ${path} was answered with ${response.status}: ${await response.text()}`)
  }
  const read = async <T>(path: string, init?: RequestInit): Promise<T> => (await ask(path, init)).json() as Promise<T>
  return {
    upload(path) {
      const body = new FormData()
      body.set('purpose', 'batch')
      body.set('file', new Blob([readFileSync(path)]), basename(path))
      return read('files', { method: 'POST', body })
    },
    create(inputFileId) {
      const asked = { input_file_id: inputFileId, endpoint: '/v1/chat/completions', completion_window: '24h' }
      const headers = { 'content-type': 'application/json' }
      return read('batches', { method: 'POST', headers, body: JSON.stringify(asked) })
    },
    get: (id) => read(`batches/${id}`),
    cancel: (id) => read(`batches/${id}/cancel`, { method: 'POST' }),
    listFiles: async () => (await read<{ data: FileView[] }>('files')).data,
    readContent: async (fileId) => (await ask(`files/${fileId}/content`)).text(),
  }
}

const endings = new Set(['completed', 'failed', 'expired', 'cancelled'])

export const hasEnded = ({ status }: BatchView): boolean => endings.has(status)

/** Asks for the batch until it is so; rejects when it is not within `limitMs`. Answers that do not come are asked for again. */
export async function waitForBatch(
  client: BatchClient,
  id: string,
  isSo: (batch: BatchView) => boolean,
  limitMs = 150_000,
  everyMs = 20,
): Promise<BatchView> {
  const endAt = performance.now() + limitMs
  let last: unknown
  while (performance.now() < endAt) {
    const batch = await client.get(id).catch((error) => {
      last = error
      return undefined
    })
    if (batch && isSo(batch)) return batch
    if (batch) last = batch
    await Bun.sleep(everyMs)
  }
  const shown = last instanceof Error ? last.message : JSON.stringify(last)
  throw new Error(`the batch ${id} did not come that far within ${limitMs} ms: ${shown}`)
}
