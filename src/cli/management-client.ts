import { X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { type IncomingMessage, request as requestHttp } from 'node:http'
import { Agent, type RequestOptions, request as requestHttps } from 'node:https'
import { connect, rootCertificates, type TLSSocket } from 'node:tls'
import { type DataFolder, readServerRecord, type ServerRecord } from '../boot/folder/data-folder.ts'
import { readManagementCredential } from '../boot/secrets.ts'
import type { ErrorBody } from '../control/api.ts'
import { Fault } from '../core/fault.ts'
import type { FaultCode } from '../core/fault-codes.ts'

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
  const base = server?.httpsUrl ?? server?.httpUrl
  if (!server || !base || credential === undefined) throw notRunning(folder)
  const headers = { authorization: `Bearer ${credential}`, accept: 'application/json' }
  return {
    server,
    call: async <T>(path: string, request: ManagementRequest = {}): Promise<T> => {
      const body = request.body === undefined ? undefined : JSON.stringify(request.body)
      const type = request.method === 'PATCH' ? 'application/merge-patch+json' : 'application/json'
      const answer = await exchange(new URL(`/management/${path}`, base), server, folder, body, {
        method: request.method ?? 'GET',
        headers: { ...headers, ...(body === undefined ? {} : { 'content-type': type }), ...request.headers },
        timeout: request.answerWithinMs ?? usualAnswerWithinMs,
      })
      return readAnswer(answer.status, answer.text) as T
    },
  }
}

function notRunning(folder: DataFolder): Fault {
  return new Fault('not-found', `No server runs on the data folder ${folder.path}. Start it with: npm start`)
}

async function exchange(
  url: URL,
  server: ServerRecord,
  folder: DataFolder,
  body: string | undefined,
  options: RequestOptions,
): Promise<{ status: number; text: string }> {
  const isTls = url.protocol === 'https:'
  const agent = isTls ? makeAgent(url, server) : undefined
  try {
    const response = await new Promise<IncomingMessage>((settle, fail) => {
      const send = isTls ? requestHttps : requestHttp
      const request = send(url, { ...options, ...(agent ? { agent } : {}) }, settle)
      request.once('error', fail)
      request.once('timeout', () => request.destroy(new Error(`no answer within ${(options.timeout ?? 0) / 1000} s`)))
      request.end(body)
    })
    const chunks: Buffer[] = []
    for await (const chunk of response) chunks.push(chunk as Buffer)
    return { status: response.statusCode ?? 0, text: Buffer.concat(chunks).toString('utf8') }
  } catch (error) {
    throw explainConnection(error, url, folder)
  } finally {
    agent?.destroy()
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

function readAnswer(status: number, text: string): unknown {
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
