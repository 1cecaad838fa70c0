import type { Fault } from '../../core/fault.ts'
import type { FaultCode } from '../../core/fault-codes.ts'
import { isJsonObject, type JsonObject } from '../../core/json.ts'
import { retryHeaders } from '../faults/retry-headers.ts'
import { nameFiltered } from '../filter/filtered-names.ts'
import type { FaultBody } from '../wire.ts'
import { writeEvent } from './answer/write-stream.ts'
import { wireName } from './schema.ts'

/** Faults in the shape of the Messages API: `{"type":"error","error":{"type","message"},"request_id"}`. */

type Shape = { readonly type: string; readonly status?: number }

const invalid: Shape = { type: 'invalid_request_error' }
const server: Shape = { type: 'api_error' }

const shapes: Record<FaultCode, Shape> = {
  'invalid-json': invalid,
  'invalid-request': invalid,
  'extra-parameters': invalid,
  'unsupported-value': { ...invalid, status: 400 },
  'no-model': invalid,
  'deployment-not-found': { type: 'not_found_error' },
  'operation-not-supported': invalid,
  'context-length-exceeded': invalid,
  'content-filtered': invalid,
  'unknown-policy': invalid,
  'api-version-missing': { ...invalid, status: 400 },
  'api-version-invalid': invalid,
  'not-found': { type: 'not_found_error' },
  'method-not-allowed': invalid,
  'body-too-large': { type: 'request_too_large' },
  unauthorized: { type: 'authentication_error' },
  forbidden: { type: 'permission_error' },
  conflict: { type: 'conflict_error' },
  'deployment-paused': { type: 'permission_error', status: 423 },
  'model-retired': { type: 'not_found_error', status: 410 },
  'exceeds-capacity': invalid,
  'budget-exhausted': { type: 'rate_limit_error' },
  'insufficient-quota': invalid,
  'rate-limited': { type: 'rate_limit_error' },
  'engine-busy': { type: 'rate_limit_error' },
  'upstream-rejected': invalid,
  'upstream-misconfigured': server,
  'upstream-failed': server,
  'upstream-unavailable': server,
  'upstream-timeout': { type: 'timeout_error' },
  'upstream-busy': server,
  'breakers-open': server,
  'filter-unavailable': server,
  'identity-unavailable': server,
  'engine-unavailable': server,
  'storage-unavailable': server,
  'client-gone': server,
  'state-unusable': server,
  internal: server,
}

/** The status of an upstream that is overloaded, which no other protocol has. */
const overloadedStatus = 529

export function writeMessagesFault(fault: Fault, requestId: string): FaultBody {
  const body = writeError(fault, requestId)
  const isOverloaded = isJsonObject(body.error) && body.error.type === 'overloaded_error'
  return {
    status: isOverloaded ? overloadedStatus : (shapes[fault.code].status ?? fault.status),
    headers: retryHeaders(fault),
    body: JSON.stringify(body),
  }
}

export function writeMessagesStreamFault(fault: Fault, requestId: string): string {
  const { type: _type, ...fields } = writeError(fault, requestId)
  return writeEvent('error', fields)
}

function writeError(fault: Fault, requestId: string): JsonObject {
  const { upstream } = fault.detail
  if (upstream?.wire === wireName) return upstream.body
  const error = { type: shapes[fault.code].type, message: describeFiltered(fault) ?? fault.publicMessage(requestId) }
  return { type: 'error', error, request_id: requestId }
}

/** This protocol has no fields for what was filtered, only words. */
function describeFiltered({ code, detail: { filter } }: Fault): string | undefined {
  if (code !== 'content-filtered') return undefined
  const names = filter ? nameFiltered(filter.results) : ''
  return `The request was kept back by the content filter of this deployment${names && `: ${names}`}. Change its text and send it again.`
}
