import { Fault } from '../../core/fault.ts'
import { isJsonObject, type JsonObject, parseJsonObject } from '../../core/json.ts'
import { wireName } from './schema.ts'

/**
 * What an upstream's error means for our caller. Errors about the request are handed on; those about our own standing with the
 * upstream (credential, credit, model name) are ours to answer for.
 */
export function readMessagesFault(status: number, retryAfterMs: number | undefined, text: string): Fault {
  const body = parseError(text)
  const message = body?.error.message ?? `The backend answered ${status}.`
  const upstream = body && { wire: wireName, body: body.whole }
  switch (status) {
    case 429:
      return new Fault('rate-limited', message, { retryAfterMs: retryAfterMs ?? 1000 })
    case 401:
    case 403:
      return new Fault('upstream-misconfigured', `The backend refused the credential configured for it (${status}).`)
    case 402:
      return new Fault('upstream-misconfigured', 'The account of the credential has a problem with its billing (402).')
    case 404:
      return new Fault('upstream-misconfigured', 'The backend does not know the model or path configured for it (404).')
    case 408:
    case 504:
      return new Fault('upstream-timeout', 'The backend did not answer in time.')
    case 503:
    case 529:
      return new Fault('upstream-unavailable', `The backend is not able to answer at the moment (${status}).`, {
        retryAfterMs,
        upstream: body?.error.type === 'overloaded_error' ? upstream : undefined,
      })
  }
  if (status < 400 || status >= 500) return new Fault('upstream-failed', `The backend failed with status ${status}.`)
  const vendorCode = tooLong.test(message) ? 'context_length_exceeded' : undefined
  return new Fault('upstream-rejected', message, { status, vendorCode, upstream })
}

/** Clients of other protocols shorten the conversation by the code that this one has only in words. */
const tooLong = /prompt is too long|exceeds? (the )?context (window|limit)/i

const statuses: ReadonlyMap<unknown, number> = new Map([
  ['invalid_request_error', 400],
  ['authentication_error', 401],
  ['billing_error', 402],
  ['permission_error', 403],
  ['not_found_error', 404],
  ['request_too_large', 413],
  ['rate_limit_error', 429],
  ['timeout_error', 504],
  ['overloaded_error', 529],
])

/** An error that came as an event of a stream, where its type stands for the status. */
export function readStreamFault(event: JsonObject): Fault {
  return readMessagesFault(statusOfError(event), undefined, JSON.stringify(event))
}

/** The status that an error would have come with which was told elsewhere than in an answer of its own. */
export function statusOfError(body: JsonObject): number {
  const type = isJsonObject(body.error) ? body.error.type : undefined
  return statuses.get(type) ?? 500
}

type UpstreamError = {
  readonly whole: JsonObject
  readonly error: { readonly type: string; readonly message: string }
}

/** Undefined for what clients of this protocol could not read. */
function parseError(text: string): UpstreamError | undefined {
  const whole = parseJsonObject(text)
  if (!whole || !isJsonObject(whole.error)) return undefined
  const { type, message } = whole.error
  if (typeof type !== 'string' || typeof message !== 'string') return undefined
  return { whole: { ...whole, type: 'error' }, error: { type, message } }
}
