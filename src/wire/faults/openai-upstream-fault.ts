import { Fault } from '../../core/fault.ts'
import { isJsonObject, type Json, type JsonObject, parseJsonObject } from '../../core/json.ts'

/**
 * What an OpenAI-shaped upstream's error means for our caller. 4xx about the request itself are handed on; those about our own
 * standing with the upstream (credential, model name) are ours to answer for, and must not make a caller doubt its own key.
 */
export function readOpenAIFault(status: number, retryAfterMs: number | undefined, text: string): Fault {
  const error = readError(text)
  const message = error.message ?? `The backend answered ${status}.`
  if (status === 429) return new Fault('rate-limited', message, { retryAfterMs: retryAfterMs ?? 1000 })
  if (status === 401 || status === 403) {
    return new Fault('upstream-misconfigured', `The backend refused the credential configured for it (${status}).`)
  }
  if (status === 404) {
    return new Fault('upstream-misconfigured', 'The backend does not know the model or path configured for it (404).')
  }
  if (status === 408 || status === 504) return new Fault('upstream-timeout', 'The backend did not answer in time.')
  if (status === 503) {
    return new Fault('upstream-unavailable', 'The backend is not able to answer at the moment (503).', { retryAfterMs })
  }
  if (status >= 400 && status < 500) {
    return new Fault('upstream-rejected', message, {
      status,
      param: error.param,
      vendorCode: error.code,
      upstream: error.body && { wire: 'openai-', body: error.body },
    })
  }
  return new Fault('upstream-failed', `The backend failed with status ${status}.`)
}

type UpstreamError = { message?: string; param?: string; code?: string; body?: JsonObject }

function readError(text: string): UpstreamError {
  const body = parseJsonObject(text)
  if (!body) return {}
  if (!isJsonObject(body.error)) return typeof body.message === 'string' ? { message: body.message } : {}
  const { message = noMessage } = body.error
  if (typeof message !== 'string') return {}
  const [param, code, type] = [asText(body.error.param), asText(body.error.code), asText(body.error.type)]
  return {
    message,
    ...(param !== null && { param }),
    ...(code !== null && { code }),
    // Clients of typed languages count on all four; servers leave some out, or give a number for a code.
    body: { ...body, error: { ...body.error, message, param, code, type } },
  }
}

const noMessage = 'The backend gave no message.'

function asText(value: Json | undefined): string | null {
  if (typeof value === 'number') return String(value)
  return typeof value === 'string' ? value : null
}
