import { setTimeout as sleep } from 'node:timers/promises'
import type { Fault } from '../../../core/fault.ts'
import { storageUnavailable } from '../blob-faults.ts'

export type RemoteRequest = {
  readonly method: 'DELETE' | 'GET' | 'HEAD' | 'POST' | 'PUT'
  /** As it goes out, percent encoded, without host. */
  readonly path: string
  /** Name and value of each parameter, not encoded. */
  readonly query?: Readonly<Record<string, string>> | undefined
  readonly headers?: Readonly<Record<string, string>> | undefined
  readonly body?: Uint8Array | undefined
}

export type RemoteAnswer = {
  readonly status: number
  readonly headers: Headers
  readonly body: Uint8Array
}

/**
 * Sends a request, again where that may help, and gives the answer if its status is one of those `expected`. All our requests may be
 * sent twice. Throws Fault `storage-unavailable`.
 */
export type Sender = (request: RemoteRequest, expected: readonly number[]) => Promise<RemoteAnswer>

export type SenderOptions = {
  /** URL and headers of a request, signed as of now. */
  readonly sign: (request: RemoteRequest) => {
    readonly url: string
    readonly headers: Readonly<Record<string, string>>
  }
  /** The code of a failure that an answer tells, also one of status 200. It is logged, so it holds no secret. */
  readonly errorCodeOf: (answer: RemoteAnswer) => string | undefined
  readonly signal?: AbortSignal | undefined
  readonly attempts?: number | undefined
  /** For one attempt, from connecting to the last byte. */
  readonly timeoutMs?: number | undefined
  readonly firstDelayMs?: number | undefined
}

const repeatedStatuses = new Set([408, 425, 429, 500, 502, 503, 504])
const longestDelayMs = 10_000
/** More than any answer that we ask for. */
const mostAnswerBytes = 16 * 1024 * 1024

type Outcome =
  | { readonly answer: RemoteAnswer }
  | { readonly failure: string; readonly retryAfterMs?: number | undefined }

export function createSender(options: SenderOptions): Sender {
  const { attempts = 5, firstDelayMs = 100 } = options
  return async (request, expected) => {
    for (let attempt = 1; ; attempt++) {
      const outcome = await sendOnce(options, request, expected)
      if ('answer' in outcome) return outcome.answer
      if (attempt >= attempts || options.signal?.aborted) throw unavailable(request, outcome.failure)
      // Those that were turned away together do not come again together.
      const delayMs = firstDelayMs * 2 ** (attempt - 1) * (0.5 + Math.random())
      const waitMs = Math.min(Math.max(delayMs, outcome.retryAfterMs ?? 0), longestDelayMs)
      await sleep(waitMs, undefined, options.signal && { signal: options.signal }).catch(() => {})
    }
  }
}

/** An answer, or why it is worth another try. Throws a Fault where it is not. */
async function sendOnce(options: SenderOptions, request: RemoteRequest, expected: readonly number[]): Promise<Outcome> {
  const { url, headers } = options.sign(request)
  const timeout = AbortSignal.timeout(options.timeoutMs ?? 60_000)
  let answer: RemoteAnswer
  try {
    const response = await fetch(url, {
      method: request.method,
      headers,
      body: request.body as Uint8Array<ArrayBuffer> | undefined,
      redirect: 'manual',
      signal: options.signal === undefined ? timeout : AbortSignal.any([options.signal, timeout]),
    })
    const body = await readBody(response)
    answer = { status: response.status, headers: response.headers, body }
  } catch (error) {
    // The error holds the URL, and that may hold a signature that opens the store.
    const { code, name } = error as NodeJS.ErrnoException
    return { failure: typeof code === 'string' ? code : name }
  }
  const errorCode = options.errorCodeOf(answer)
  if (expected.includes(answer.status) && (errorCode === undefined || answer.status >= 300)) return { answer }
  const failure = `${answer.status} ${errorCode ?? ''}`.trimEnd()
  // Some failures come after a status of 200 that was sent to keep the connection alive.
  if (!repeatedStatuses.has(answer.status) && answer.status !== 200) throw unavailable(request, failure)
  return { failure, retryAfterMs: readRetryAfterMs(answer.headers) }
}

async function readBody(response: Response): Promise<Uint8Array> {
  const chunks: Uint8Array[] = []
  let bytes = 0
  for await (const chunk of response.body ?? []) {
    bytes += chunk.byteLength
    if (bytes > mostAnswerBytes) throw new RangeError('an answer that is too long')
    chunks.push(chunk)
  }
  return chunks.length === 1 ? (chunks[0] as Uint8Array) : Buffer.concat(chunks, bytes)
}

function readRetryAfterMs(headers: Headers): number | undefined {
  const seconds = Number(headers.get('retry-after') ?? Number.NaN)
  return Number.isFinite(seconds) && seconds >= 0 ? seconds * 1000 : undefined
}

function unavailable({ method }: RemoteRequest, failure: string): Fault {
  return storageUnavailable(new Error(`the store of blobs answered ${method} with ${failure}`))
}
