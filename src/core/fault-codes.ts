/**
 * Every way a request can end badly, in one table.
 *
 * - `status`: HTTP status towards the caller
 * - `log`: level at which it is logged
 * - `retryable`: another backend may be tried (only before the first byte)
 * - `unhealthy`: counts against the health of the backend that raised it
 * - `exposure`: `safe` messages reach the caller as written; `generic` ones are replaced by `publicText` and the request id
 */
type FaultRow = {
  readonly status: number
  readonly log: 'debug' | 'info' | 'warn' | 'error'
  readonly retryable: boolean
  readonly unhealthy: boolean
  readonly exposure: 'safe' | 'generic'
  readonly publicText?: string
}

const caller = (status: number): FaultRow => ({
  status,
  log: 'info',
  retryable: false,
  unhealthy: false,
  exposure: 'safe',
})

const upstream = (status: number, retryable: boolean, unhealthy: boolean): FaultRow => ({
  status,
  log: 'warn',
  retryable,
  unhealthy,
  exposure: 'safe',
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
  'api-version-missing': caller(404),
  'api-version-invalid': caller(400),
  'not-found': caller(404),
  'method-not-allowed': caller(405),
  'body-too-large': caller(413),
  unauthorized: caller(401),
  forbidden: caller(403),
  conflict: caller(409),

  // Where it is answered
  'rate-limited': upstream(429, true, false),
  'upstream-rejected': upstream(400, false, false),
  'upstream-misconfigured': upstream(502, true, true),
  'upstream-failed': upstream(502, true, true),
  'upstream-unavailable': upstream(503, true, true),
  'upstream-timeout': upstream(504, true, true),
  'engine-busy': upstream(429, true, false),
  'engine-unavailable': upstream(503, true, true),
  'client-gone': { status: 499, log: 'debug', retryable: false, unhealthy: false, exposure: 'safe' },

  // Ours
  /** What is kept on disk cannot be used: the database, or a secret in it. Seen at start and by the management API only. */
  'state-unusable': { status: 500, log: 'error', retryable: false, unhealthy: false, exposure: 'safe' },
  internal: {
    status: 500,
    log: 'error',
    retryable: false,
    unhealthy: false,
    exposure: 'generic',
    publicText: 'The server had an error while processing your request.',
  },
} as const satisfies Record<string, FaultRow>

export type FaultCode = keyof typeof faultCodes
