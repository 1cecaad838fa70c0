/**
 * Every way a request can end badly, in one table.
 *
 * - `status`: HTTP status towards the caller
 * - `log`: level at which it is logged
 * - `retryable`: another backend may be tried (only before the first byte)
 * - `repeatable`: the caller may send the same request again later; all others would end the same way, and clients are told so
 * - `unhealthy`: counts against the health of the backend that raised it
 * - `exposure`: `safe` messages reach the caller as written; `generic` ones are replaced by `publicText` and the request id
 */
type FaultRow = {
  readonly status: number
  readonly log: 'debug' | 'info' | 'warn' | 'error'
  readonly retryable: boolean
  readonly repeatable: boolean
  readonly unhealthy: boolean
  readonly exposure: 'safe' | 'generic'
  readonly publicText?: string | undefined
}

const caller = (status: number): FaultRow => ({
  status,
  log: 'info',
  retryable: false,
  repeatable: false,
  unhealthy: false,
  exposure: 'safe',
})

/** A backend answered, and what it said is for the caller. */
const answered = (status: number, can: Pick<FaultRow, 'retryable' | 'repeatable'>): FaultRow => ({
  ...can,
  status,
  log: 'warn',
  unhealthy: false,
  exposure: 'safe',
})

/** A backend did not answer as it should. Why, with addresses, is for the operator's log. */
const broken = (status: number, publicText: string): FaultRow => ({
  status,
  log: 'warn',
  retryable: true,
  repeatable: true,
  unhealthy: true,
  exposure: 'generic',
  publicText,
})

export const faultCodes = {
  // The request
  'invalid-json': caller(400),
  'invalid-request': caller(400),
  'extra-parameters': caller(400),
  'unsupported-value': caller(422),
  'no-model': caller(400),
  'deployment-not-found': caller(404),
  'operation-not-supported': caller(400),
  'context-length-exceeded': caller(400),
  /** A content filter keeps the prompt back. `detail.filter` says which. */
  'content-filtered': caller(400),
  /** `x-policy-id` names no policy that a call may choose. */
  'unknown-policy': caller(400),
  'api-version-missing': caller(404),
  'api-version-invalid': caller(400),
  'not-found': caller(404),
  'method-not-allowed': caller(405),
  'body-too-large': caller(413),
  unauthorized: caller(401),
  forbidden: caller(403),
  conflict: caller(409),
  /** The deployment was paused by its operator. */
  'deployment-paused': caller(423),
  /** The model version has been retired. */
  'model-retired': caller(410),
  /** More than the limit would ever let through at once: waiting does not help. */
  'exceeds-capacity': caller(400),
  /** The key's allowance for the day or month is used up. */
  'budget-exhausted': caller(429),
  /** A deployment asks for more capacity than its quota pool has left, which the management API tells; or a key has as many files as it may. */
  'insufficient-quota': caller(400),

  // Where it is answered
  'rate-limited': answered(429, { retryable: true, repeatable: true }),
  'upstream-rejected': answered(400, { retryable: false, repeatable: false }),
  /** Another backend may be configured better, but this one stays as it is until somebody mends it. */
  'upstream-misconfigured': {
    ...broken(502, 'The backend of this deployment is not configured correctly.'),
    repeatable: false,
  },
  'upstream-failed': broken(502, 'The backend of this deployment gave no usable answer.'),
  'upstream-unavailable': broken(503, 'The backend of this deployment cannot be reached at the moment.'),
  'upstream-timeout': broken(504, 'The backend of this deployment did not answer in time.'),
  /** All connections to the backend are in use: says nothing about its health. */
  'upstream-busy': {
    ...broken(503, 'All connections to the backend of this deployment are in use.'),
    unhealthy: false,
  },
  /** Every backend has failed repeatedly and is being left alone for a while. */
  'breakers-open': answered(503, { retryable: false, repeatable: true }),
  /** A content filter could not run, and its policy lets nothing pass unfiltered. */
  'filter-unavailable': answered(503, { retryable: false, repeatable: true }),
  /** A token cannot be verified, since its issuer does not answer. */
  'identity-unavailable': answered(503, { retryable: false, repeatable: true }),
  'engine-busy': answered(429, { retryable: true, repeatable: true }),
  'engine-unavailable': broken(503, 'The built-in model is not available at the moment.'),
  /** Where files are kept cannot be used at the moment, or is full. */
  'storage-unavailable': answered(503, { retryable: false, repeatable: true }),
  'client-gone': { ...caller(499), log: 'debug' },

  // Ours
  /** What is kept on disk cannot be used: the database, or a secret in it. Seen at start and by the management API only. */
  'state-unusable': { ...caller(500), log: 'error' },
  internal: {
    status: 500,
    log: 'error',
    retryable: false,
    repeatable: true,
    unhealthy: false,
    exposure: 'generic',
    publicText: 'The server had an error while processing your request.',
  },
} as const satisfies Record<string, FaultRow>

export type FaultCode = keyof typeof faultCodes
