import type { Fault } from '../../core/fault.ts'
import type { FaultBody } from '../wire.ts'
import { isHeaderValue, retryHeaders } from './retry-headers.ts'

/** The words that the service documents, by status. */
const codes: Readonly<Record<number, string>> = {
  400: 'InvalidRequestBody',
  401: '401',
  403: 'Forbidden',
  404: 'ResourceNotFound',
  405: 'MethodNotAllowed',
  409: 'Conflict',
  413: 'RequestBodyTooLarge',
  429: 'TooManyRequests',
  503: 'ServerBusy',
}

/** Faults in the shape of Azure AI Content Safety: `{"error":{"code","message","target"?,"details"}}`, of which clients count on `details`. */
export function writeContentSafetyFault(fault: Fault, requestId: string): FaultBody {
  const { vendorCode, param } = fault.detail
  const code = isHeaderValue(vendorCode) ? vendorCode : (codes[fault.status] ?? 'InternalError')
  const error = {
    code,
    message: fault.publicMessage(requestId),
    ...(param !== undefined && { target: param }),
    details: [],
  }
  return {
    status: fault.status,
    headers: { ...retryHeaders(fault), 'x-ms-error-code': code },
    body: JSON.stringify({ error }),
  }
}
