import type { Fault } from '../../core/fault.ts'
import type { FaultCode } from '../../core/fault-codes.ts'
import type { Json, JsonObject } from '../../core/json.ts'
import { writeFilterError } from '../faults/filter-fault.ts'
import { isHeaderValue, retryHeaders } from '../faults/retry-headers.ts'
import type { FaultBody } from '../wire.ts'
import { chatKeys, embeddingKeys } from './schema.ts'

/** Faults in the shapes of the Azure AI Model Inference API. `x-ms-error-code` repeats `error.code`. */

const codes: Record<FaultCode, string> = {
  'invalid-json': 'invalid_json',
  'invalid-request': 'invalid_request',
  'extra-parameters': 'extra_parameters',
  'unsupported-value': 'parameter_not_supported',
  'no-model': 'no_model_name',
  'deployment-not-found': 'unknown_model',
  'operation-not-supported': 'OperationNotSupported',
  'context-length-exceeded': 'context_length_exceeded',
  'content-filtered': 'content_filter',
  'unknown-policy': 'InvalidContentFilterPolicy',
  'api-version-missing': 'MissingApiVersionParameter',
  'api-version-invalid': 'BadRequest',
  'not-found': '404',
  'method-not-allowed': 'MethodNotAllowed',
  'body-too-large': 'RequestBodyTooLarge',
  unauthorized: '401',
  forbidden: 'Forbidden',
  conflict: 'Conflict',
  'deployment-paused': 'DeploymentPaused',
  'model-retired': 'ModelDeprecated',
  'exceeds-capacity': 'RequestExceedsCapacity',
  'budget-exhausted': 'insufficient_quota',
  'insufficient-quota': 'InsufficientQuota',
  'rate-limited': '429',
  'engine-busy': '429',
  'upstream-rejected': 'invalid_request',
  'upstream-misconfigured': 'BadGateway',
  'upstream-failed': 'BadGateway',
  'upstream-unavailable': 'ServiceUnavailable',
  'upstream-timeout': 'Timeout',
  'upstream-busy': 'ServiceUnavailable',
  'breakers-open': 'ServiceUnavailable',
  'filter-unavailable': 'ServiceUnavailable',
  'identity-unavailable': 'ServiceUnavailable',
  'engine-unavailable': 'ServiceUnavailable',
  'storage-unavailable': 'ServiceUnavailable',
  'client-gone': 'ClientClosedRequest',
  'state-unusable': 'InternalServerError',
  internal: 'InternalServerError',
}

/** Where this API answers with another status than the rest. */
const statuses: Partial<Record<FaultCode, number>> = { 'deployment-not-found': 400, 'api-version-missing': 400 }

export function writeInferenceFault(fault: Fault, requestId: string): FaultBody {
  const status = statuses[fault.code] ?? fault.status
  const { upstream } = fault.detail
  if (upstream?.wire.startsWith('azure-inference')) return faultBody(fault, status, upstream.body)
  const message = fault.publicMessage(requestId)
  // The service answers refused extra keys with this body and no `error` object; clients test for its text.
  if (fault.code === 'extra-parameters') return faultBody(fault, status, { detail: message })
  const error = writeError(fault, message)
  // Documented with these fields at the top, seen with OpenAI's models as they answer everywhere: readers of both exist.
  if (fault.code === 'content-filtered') {
    const { code = null, message: text = null } = error
    return faultBody(fault, status, { error, status, code, message: text, param: 'messages', type: null })
  }
  if (fault.code !== 'unsupported-value') return faultBody(fault, status, { error })
  // Documented readers look for `code` and `detail` beside `error`, one of them looping over `detail`.
  return faultBody(fault, status, { error, status, code: codes[fault.code], detail: writeDetail(fault), message })
}

/** Keys that were passed through and not taken are told in the words of the servers behind this API: clients look for them. */
function writeDetail({ detail: { param, input, keys } }: Fault): Json {
  const extra = keys?.filter((key) => !chatKeys.has(key) && !embeddingKeys.has(key)) ?? []
  if (extra.length > 0) {
    return extra.map((key) => ({
      type: 'extra_forbidden',
      loc: ['body', key],
      msg: 'Extra inputs are not permitted',
      input: key === param ? ((input ?? null) as Json) : null,
    }))
  }
  return [{ loc: param === undefined ? ['body'] : ['body', param], input: (input ?? null) as Json }]
}

export function writeInferenceStreamFault(fault: Fault, requestId: string): string {
  return `data: ${JSON.stringify({ error: writeError(fault, fault.publicMessage(requestId)) })}\n\n`
}

function writeError(fault: Fault, message: string): JsonObject {
  if (fault.code === 'content-filtered') return writeFilterError(fault)
  const error: JsonObject = { code: fault.detail.vendorCode ?? codes[fault.code], message }
  if (fault.detail.param !== undefined) error.target = fault.detail.param
  // Here `details` is a string and says the same once more.
  if (fault.code === 'no-model' || fault.code === 'deployment-not-found') error.details = message
  return error
}

function faultBody(fault: Fault, status: number, body: JsonObject): FaultBody {
  const { vendorCode } = fault.detail
  return {
    status,
    headers: { ...retryHeaders(fault), 'x-ms-error-code': isHeaderValue(vendorCode) ? vendorCode : codes[fault.code] },
    body: JSON.stringify(body),
  }
}
