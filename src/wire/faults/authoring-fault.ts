import type { Fault } from '../../core/fault.ts'
import type { FaultCode } from '../../core/fault-codes.ts'
import type { FaultBody } from '../wire.ts'
import { isHeaderValue, retryHeaders } from './retry-headers.ts'

/** The words of Azure OpenAI's authoring API, by status. */
const codes: Readonly<Record<number, string>> = {
  401: 'unauthorized',
  403: 'forbidden',
  404: 'notFound',
  409: 'conflict',
  429: 'tooManyRequests',
  503: 'serviceUnavailable',
  507: 'serviceUnavailable',
}
const codesOfTheirOwn: Partial<Record<FaultCode, string>> = {
  'insufficient-quota': 'quotaExceeded',
  'content-filtered': 'contentFilter',
}

/** Faults in the shape of Azure OpenAI's authoring API of files, uploads and batches: `{"error":{"code","message","target"?}}`. */
export function writeAuthoringFault(fault: Fault, requestId: string): FaultBody {
  const { vendorCode, param } = fault.detail
  const code = isHeaderValue(vendorCode)
    ? vendorCode
    : (codesOfTheirOwn[fault.code] ??
      codes[fault.status] ??
      (fault.status < 500 ? 'invalidPayload' : 'internalFailure'))
  const error = { code, message: fault.publicMessage(requestId), ...(param !== undefined && { target: param }) }
  return {
    status: fault.status,
    headers: { ...retryHeaders(fault), 'x-ms-error-code': code },
    body: JSON.stringify({ error }),
  }
}
