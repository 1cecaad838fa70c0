import { X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { type ClientRequest, type IncomingMessage, request as requestHttp } from 'node:http'
import { Agent, request as requestHttps } from 'node:https'
import { connect, rootCertificates, type TLSSocket } from 'node:tls'
import type { DataFolder, ServerRecord } from '../../boot/folder/data-folder.ts'
import type { ErrorBody } from '../../control/api.ts'
import { Fault } from '../../core/fault.ts'
import type { FaultCode } from '../../core/fault-codes.ts'
import { drained } from '../terminal/drained.ts'

/** The server of a data folder. */
export type Peer = { readonly server: ServerRecord; readonly folder: DataFolder }

export type OutgoingRequest = {
  readonly method: string
  readonly headers: Readonly<Record<string, string>>
  /** What comes in pieces is sent at the pace at which the server takes it. */
  readonly body?: string | AsyncIterable<Uint8Array> | undefined
  /** How long nothing may move, in milliseconds. */
  readonly silentMs: number
  readonly signal?: AbortSignal | undefined
}

export type IncomingAnswer = {
  readonly status: number
  readonly headers: IncomingMessage['headers']
  /** To be read to its end or left, which closes the connection. Rejects with Fault `upstream-unavailable` when it is cut off. */
  readonly pieces: AsyncGenerator<Uint8Array, undefined>
}

/** Throws Fault `not-found` when the server has no address. */
export function baseOf({ httpsUrl, httpUrl }: ServerRecord, folder: DataFolder): string {
  const base = httpsUrl ?? httpUrl
  if (base === undefined) throw notRunning(folder)
  return base
}

export function notRunning(folder: DataFolder): Fault {
  return new Fault('not-found', `No server runs on the data folder ${folder.path}. Start it with: npm start`)
}

/**
 * Sends one request and resolves to the head of its answer, which may come before the body was sent. Rejects with Fault `not-found` when no
 * server runs, `upstream-unavailable` when it does not answer, `forbidden` when it is another one, and with what the body rejects with.
 */
export async function sendRequest(
  url: URL,
  { server, folder }: Peer,
  outgoing: OutgoingRequest,
): Promise<IncomingAnswer> {
  const { method, headers, body, silentMs, signal } = outgoing
  const isTls = url.protocol === 'https:'
  const agent = isTls ? makeAgent(url, server) : undefined
  const send = isTls ? requestHttps : requestHttp
  const request = send(url, { method, headers: { ...headers }, ...(agent ? { agent } : {}) })
  const end = (error?: Error): void => void request.destroy(error)
  const silence = watchSilence(silentMs, () => end(new Error(`no answer within ${silentMs / 1000} s`)))
  const stop = (): void => end(new Error('given up'))
  const close = (): void => {
    silence.stop()
    signal?.removeEventListener('abort', stop)
    agent?.destroy()
  }
  try {
    if (signal?.aborted) stop()
    else signal?.addEventListener('abort', stop, { once: true })
    const response = await new Promise<IncomingMessage>((settle, fail) => {
      let hasAnswer = false
      request.on('error', fail)
      request.once('response', (answer) => {
        hasAnswer = true
        settle(answer)
      })
      if (typeof body !== 'object') request.end(body)
      else {
        const write = writeBody(request, body, () => hasAnswer, silence.note)
        write.catch((error) => {
          fail(error)
          end()
        })
      }
    })
    const pieces = readPieces(response, url, folder, silence.note, close)
    return { status: response.statusCode ?? 0, headers: response.headers, pieces }
  } catch (error) {
    close()
    throw explainConnection(error, url, folder)
  }
}

/** A server that has answered already reads no more. */
async function writeBody(
  request: ClientRequest,
  body: AsyncIterable<Uint8Array>,
  hasAnswer: () => boolean,
  note: () => void,
): Promise<void> {
  for await (const bytes of body) {
    if (request.destroyed || hasAnswer()) return
    if (!request.write(bytes)) await drained(request, 'response')
    note()
  }
  request.end()
}

async function* readPieces(
  response: IncomingMessage,
  url: URL,
  folder: DataFolder,
  note: () => void,
  close: () => void,
): AsyncGenerator<Uint8Array, undefined> {
  try {
    for await (const bytes of response) {
      note()
      yield bytes
    }
    if (!response.complete) throw new Error('the answer was cut off')
  } catch (error) {
    throw explainConnection(error, url, folder)
  } finally {
    response.destroy()
    close()
  }
}

export async function readText({ pieces }: Pick<IncomingAnswer, 'pieces'>): Promise<string> {
  const read: Uint8Array[] = []
  for await (const bytes of pieces) read.push(bytes)
  return Buffer.concat(read).toString('utf8')
}

/** Rings when nothing was noted for so long. */
function watchSilence(silentMs: number, ring: () => void) {
  let timer = setTimeout(ring, silentMs)
  let isOver = false
  return {
    note() {
      if (isOver) return
      clearTimeout(timer)
      timer = setTimeout(ring, silentMs)
    },
    stop() {
      isOver = true
      clearTimeout(timer)
    },
  }
}

function explainConnection(error: unknown, url: URL, folder: DataFolder): Fault {
  if (error instanceof Fault) return error
  const { code = '', message } = error as NodeJS.ErrnoException
  // A server that was killed leaves its record behind.
  if (code === 'ECONNREFUSED' || code === 'ConnectionRefused') return notRunning(folder)
  return new Fault('upstream-unavailable', `The server at ${url.origin} does not answer: ${message}.`)
}

/** Our authority for our certificate; for an operator's own, which may be for any name, exactly the one in its file. */
function makeAgent(url: URL, server: ServerRecord): Agent {
  const pem = readFileSync(server.trust.file, 'utf8')
  if (server.trust.kind === 'authority') return new Agent({ ca: [pem, ...rootCertificates] })
  const expected = new X509Certificate(pem).fingerprint256
  const agent = new Agent()
  // Pinned before anything is written: the credential must not reach whoever else has taken the port.
  agent.createConnection = (_options, callback): TLSSocket => {
    const socket = connect(
      { host: stripBrackets(url.hostname), port: Number(url.port || 443), rejectUnauthorized: false },
      () => {
        if (socket.getPeerCertificate().fingerprint256 === expected) return callback?.(null, socket)
        socket.destroy()
        const message = `${url.origin} shows another certificate than the one in ${server.trust.file}. Is it the right server?`
        callback?.(new Fault('forbidden', message), socket)
      },
    )
    socket.once('error', (error) => callback?.(error, socket))
    return undefined as unknown as TLSSocket
  }
  return agent
}

const stripBrackets = (host: string): string => host.replace(/^\[|\]$/g, '')

/** The JSON of an answer. Throws a Fault with a line for each problem the server names. */
export function readAnswer(status: number, text: string): unknown {
  const body = parseJson(text)
  if (status >= 200 && status < 300) return body
  throw new Fault(codeOf(status), describeError(body, status), { status })
}

function parseJson(text: string): unknown {
  if (text === '') return undefined
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function codeOf(status: number): FaultCode {
  if (status === 401) return 'unauthorized'
  if (status === 403) return 'forbidden'
  if (status === 404) return 'not-found'
  if (status === 409 || status === 412) return 'conflict'
  return status < 500 ? 'invalid-request' : 'upstream-failed'
}

/** One line for each problem; the summary alone when no problem is named. */
function describeError(body: unknown, status: number): string {
  if (!isErrorBody(body)) return `The server answered with status ${status} and no explanation.`
  const { message, target, details } = body.error
  const problems = details?.length ? details : [{ message, target }]
  return problems
    .map(({ target, message: text }) => (target && !text.startsWith(`${target}: `) ? `${target}: ${text}` : text))
    .join('\n')
}

function isErrorBody(body: unknown): body is ErrorBody {
  if (typeof body !== 'object' || body === null || !('error' in body)) return false
  const { error } = body
  return typeof error === 'object' && error !== null && 'message' in error && typeof error.message === 'string'
}
