import type { ErrorBody } from '../../src/control/api.ts'

/** What the server refused, in its own words. */
export class ApiError extends Error {
  readonly status: number
  readonly code: string
  readonly details: readonly { readonly message: string; readonly target?: string }[]

  constructor(status: number, error: ErrorBody['error']) {
    super(error.message)
    this.status = status
    this.code = error.code
    this.details = error.details ?? []
  }
}

export type Method = 'GET' | 'PUT' | 'PATCH' | 'POST' | 'DELETE'

/** Every request of a session has to bring it. */
export const portalHeaders = { 'x-ponto-portal': '1' }

let whenSessionEnds: () => void = () => {}

/** Called when the server says that nobody is signed in any more. */
export function onSessionEnd(call: () => void): void {
  whenSessionEnds = call
}

/** Asks the server. `path` is below the origin. Rejects with ApiError for a refusal, also where no server answers. */
export async function request<T>(
  method: Method,
  path: string,
  body?: unknown,
  headers: Readonly<Record<string, string>> = {},
): Promise<T> {
  const answer = await send(method, path, body, headers)
  if (answer.ok) return (answer.status === 204 ? undefined : await answer.json()) as T
  throw await readError(answer)
}

async function send(
  method: Method,
  path: string,
  body: unknown,
  headers: Readonly<Record<string, string>>,
): Promise<Response> {
  const type = method === 'PATCH' ? 'application/merge-patch+json' : 'application/json'
  try {
    return await fetch(path, {
      method,
      headers: { ...portalHeaders, ...(body !== undefined && { 'content-type': type }), ...headers },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    })
  } catch {
    throw new ApiError(0, { code: 'Unreachable', message: '' })
  }
}

/** The error that an answer holds, whoever wrote it. */
export async function readError(answer: Response): Promise<ApiError> {
  const text = await answer.text()
  const error = parseError(text) ?? { code: String(answer.status), message: text.slice(0, 500) || answer.statusText }
  // Management says no more than that nobody is known where the cookie has gone too.
  const isOfManagement = new URL(answer.url).pathname.startsWith('/management')
  if (answer.status === 401 && (isOfManagement || error.code === 'SessionEnded')) whenSessionEnds()
  return new ApiError(answer.status, error)
}

function parseError(text: string): ErrorBody['error'] | undefined {
  try {
    const { error } = JSON.parse(text) as Partial<ErrorBody>
    return typeof error?.message === 'string' ? { ...error, code: String(error.code ?? '') } : undefined
  } catch {
    return undefined
  }
}

/** A path of the management API; its parts are encoded. */
export function managementPath(...parts: readonly string[]): string {
  return `/management/${parts.map(encodeURIComponent).join('/')}`
}
