import type { Fault } from '../../core/fault.ts'
import type { FaultCode } from '../../core/fault-codes.ts'
import { isJsonObject, type JsonObject } from '../../core/json.ts'
import type { FaultBody } from '../wire.ts'
import { writeFilterError, writeImageFilterError } from './filter-fault.ts'
import { isHeaderValue, retryHeaders } from './retry-headers.ts'

/** Faults in the shape of the Azure OpenAI surfaces: `{"error":{"code","message","param","type"}}`. */

type Shape = { readonly code: string | null; readonly type: string | null; readonly status?: number }

const invalid = (code: string | null): Shape => ({ code, type: 'invalid_request_error' })
const server = (code: string): Shape => ({ code, type: 'server_error' })

const shapes: Record<FaultCode, Shape> = {
  'invalid-json': invalid('BadRequest'),
  'invalid-request': invalid(null),
  'extra-parameters': invalid(null),
  'unsupported-value': { ...invalid('unsupported_value'), status: 400 },
  'no-model': invalid(null),
  'deployment-not-found': invalid('DeploymentNotFound'),
  'operation-not-supported': invalid('OperationNotSupported'),
  'context-length-exceeded': invalid('context_length_exceeded'),
  // Written in a shape of its own.
  'content-filtered': invalid('content_filter'),
  'unknown-policy': invalid('InvalidContentFilterPolicy'),
  'api-version-missing': invalid('404'),
  'api-version-invalid': invalid('BadRequest'),
  'not-found': invalid('404'),
  'method-not-allowed': invalid('MethodNotAllowed'),
  'body-too-large': invalid('RequestBodyTooLarge'),
  unauthorized: invalid('401'),
  forbidden: invalid('Forbidden'),
  conflict: invalid('conflict'),
  'deployment-paused': invalid('DeploymentPaused'),
  'model-retired': invalid('ModelDeprecated'),
  'exceeds-capacity': invalid('RequestExceedsCapacity'),
  'budget-exhausted': { code: 'insufficient_quota', type: 'insufficient_quota' },
  'insufficient-quota': invalid('InsufficientQuota'),
  'rate-limited': { code: '429', type: 'too_many_requests' },
  'engine-busy': { code: '429', type: 'too_many_requests' },
  'upstream-rejected': invalid(null),
  'upstream-misconfigured': server('BadGateway'),
  'upstream-failed': server('BadGateway'),
  'upstream-unavailable': server('ServiceUnavailable'),
  'upstream-timeout': server('Timeout'),
  'upstream-busy': server('ServiceUnavailable'),
  'breakers-open': server('ServiceUnavailable'),
  'filter-unavailable': server('ServiceUnavailable'),
  'identity-unavailable': server('ServiceUnavailable'),
  'engine-unavailable': server('ServiceUnavailable'),
  'storage-unavailable': server('serviceUnavailable'),
  'client-gone': server('ClientClosedRequest'),
  'state-unusable': server('InternalServerError'),
  internal: server('InternalServerError'),
}

export function writeOpenAIFault(fault: Fault, requestId: string): FaultBody {
  return writeBody(fault, writeError(fault, requestId))
}

export function writeOpenAIStreamFault(fault: Fault, requestId: string): string {
  return writeStream(writeError(fault, requestId))
}

/** Of routes that make images, whose prompts are kept back in other words. */
export function writeOpenAIImageFault(fault: Fault, requestId: string): FaultBody {
  return writeBody(fault, writeImageError(fault, requestId))
}

export function writeOpenAIImageStreamFault(fault: Fault, requestId: string): string {
  return writeStream(writeImageError(fault, requestId))
}

function writeBody(fault: Fault, error: JsonObject): FaultBody {
  const upstream = fault.detail.upstream
  const body = upstream?.wire.startsWith('openai-') ? upstream.body : { error }
  const code = isJsonObject(body.error) ? body.error.code : null
  return {
    status: shapes[fault.code].status ?? fault.status,
    headers: { ...retryHeaders(fault), ...(isHeaderValue(code) && { 'x-ms-error-code': code }) },
    body: JSON.stringify(body),
  }
}

function writeStream(error: JsonObject): string {
  return `data: ${JSON.stringify({ error })}\n\n`
}

function writeImageError(fault: Fault, requestId: string): JsonObject {
  return fault.code === 'content-filtered' ? writeImageFilterError(fault) : writeError(fault, requestId)
}

function writeError(fault: Fault, requestId: string): JsonObject {
  if (fault.code === 'content-filtered') return writeFilterError(fault)
  const { code, type } = shapes[fault.code]
  return {
    code:
      fault.detail.vendorCode ?? (fault.detail.keys && code === 'unsupported_value' ? 'unsupported_parameter' : code),
    message: fault.publicMessage(requestId),
    param: fault.detail.param ?? null,
    type,
  }
}
