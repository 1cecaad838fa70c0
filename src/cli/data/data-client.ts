import { randomBytes } from 'node:crypto'
import type { KeyView } from '../../control/api.ts'
import { Fault } from '../../core/fault.ts'
import type { JsonObject } from '../../core/json.ts'
import type { CommandContext } from '../context.ts'
import { openManagementClient, pathOfResource } from '../management-client.ts'
import { readEvents } from '../server/read-events.ts'
import { baseOf, type IncomingAnswer, readAnswer, readText, sendRequest } from '../server/send-request.ts'

/** A file for a form. */
export type FormFile = { readonly name: string; readonly content: AsyncIterable<Uint8Array> }

/**
 * A client of the data plane, on its `/openai/v1`, for files and what is made of them. All of it rejects with Faults, whose `detail.status` is
 * there when the server has answered.
 */
export type DataClient = {
  /** Resolves to the JSON of the answer. */
  call<T>(path: string, request?: { readonly method?: 'GET' | 'POST' | 'DELETE'; readonly body?: unknown }): Promise<T>
  /** A form with a file, which is sent while it is read. */
  upload<T>(path: string, fields: Readonly<Record<string, string>>, field: string, file: FormFile): Promise<T>
  /** The bytes of the answer; `length` where the server tells it. */
  download(path: string): Promise<{ readonly length: number | undefined; readonly pieces: IncomingAnswer['pieces'] }>
  /** The events of a stream; ends with it. */
  listen(path: string, signal: AbortSignal): AsyncGenerator<JsonObject, undefined>
}

const usualSilenceMs = 30_000
/** A server writes a large file to its end before it answers. */
const uploadSilenceMs = 10 * 60_000
/** Streams say something every 15 seconds. */
const streamSilenceMs = 60_000

/** The variable with the secret of a named key, for what belongs to that key. */
export const keyVariable = 'PONTO_API_KEY'

/**
 * As the key in PONTO_API_KEY, or as the resource's own. Rejects with Fault `not-found` when no server runs on the data folder.
 */
export async function openDataClient(context: CommandContext): Promise<DataClient> {
  const folder = context.folder()
  const management = openManagementClient(context)
  const { server } = management
  const base = baseOf(server, folder)
  const key =
    context.env[keyVariable] || (await management.call<{ value: KeyView[] }>('keys')).value.find(Boolean)?.value
  if (!key) throw new Fault('not-found', 'The server has no key. Run: ponto doctor')

  const send = (
    path: string,
    request: Partial<Parameters<typeof sendRequest>[2]> & { readonly headers?: Record<string, string> },
  ): Promise<IncomingAnswer> =>
    sendRequest(
      new URL(`${pathOfResource(context.resource())}/openai/v1/${path}`, base),
      { server, folder },
      { method: 'GET', silentMs: usualSilenceMs, ...request, headers: { 'api-key': key, ...request.headers } },
    )
  const requireDone = async (answer: IncomingAnswer): Promise<IncomingAnswer> => {
    if (answer.status !== 200) readAnswer(answer.status, await readText(answer))
    return answer
  }
  const readJson = async <T>(answer: IncomingAnswer): Promise<T> =>
    readAnswer(answer.status, await readText(answer)) as T

  return {
    async call<T>(path: string, { method = 'GET', body }: { method?: string; body?: unknown } = {}) {
      const headers: Record<string, string> = body === undefined ? {} : { 'content-type': 'application/json' }
      return readJson<T>(
        await send(path, { method, headers, body: body === undefined ? undefined : JSON.stringify(body) }),
      )
    },
    async upload<T>(path: string, fields: Readonly<Record<string, string>>, field: string, file: FormFile) {
      const boundary = `ponto-${randomBytes(16).toString('hex')}`
      const headers = { 'content-type': `multipart/form-data; boundary=${boundary}` }
      const body = writeForm(boundary, fields, field, file)
      return readJson<T>(await send(path, { method: 'POST', headers, body, silentMs: uploadSilenceMs }))
    },
    async download(path) {
      const { headers, pieces } = await requireDone(await send(path, {}))
      const length = headers['content-length']
      return { length: length === undefined ? undefined : Number(length), pieces }
    },
    async *listen(path: string, signal: AbortSignal): AsyncGenerator<JsonObject, undefined> {
      const headers = { accept: 'text/event-stream' }
      const { pieces } = await requireDone(await send(path, { headers, silentMs: streamSilenceMs, signal }))
      yield* readEvents(pieces)
    },
  }
}

async function* writeForm(
  boundary: string,
  fields: Readonly<Record<string, string>>,
  field: string,
  { name, content }: FormFile,
): AsyncGenerator<Uint8Array, undefined> {
  const head = Object.entries(fields).map(
    ([key, value]) => `--${boundary}\r\ncontent-disposition: form-data; name="${key}"\r\n\r\n${value}\r\n`,
  )
  const disposition = `content-disposition: form-data; name="${field}"; filename="${escapeName(name)}"`
  yield Buffer.from(`${head.join('')}--${boundary}\r\n${disposition}\r\ncontent-type: application/octet-stream\r\n\r\n`)
  yield* content
  yield Buffer.from(`\r\n--${boundary}--\r\n`)
}

/** As browsers write it. */
function escapeName(name: string): string {
  return name.replaceAll('"', '%22').replaceAll('\r', '%0D').replaceAll('\n', '%0A')
}
