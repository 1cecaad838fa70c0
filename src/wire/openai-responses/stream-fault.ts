import type { Fault } from '../../core/fault.ts'
import { isJsonObject, type JsonObject } from '../../core/json.ts'
import { writeOpenAIFault } from '../faults/openai-fault.ts'

/**
 * The event of a stream that fails. The description has the fields of the error beside its type, the service sends them as `error`: here
 * they are in both places. Clients that look for `error` throw, as they do for streams of chats.
 */
export function writeStreamError(fault: Fault, requestId: string, sequence: number): string {
  const error = readError(fault, requestId)
  const { code = null, message = '', param = null } = error
  const data = { type: 'error', code, message, param, error, sequence_number: sequence }
  return `event: error\ndata: ${JSON.stringify(data)}\n\n`
}

/** That of a stream whose events were passed on: how many they were nobody has counted. */
export function writeResponsesStreamFault(fault: Fault, requestId: string): string {
  return writeStreamError(fault, requestId, 0)
}

/** The error of a response that failed: its codes are a list of their own. */
export function failedError(fault: Fault, requestId: string): JsonObject {
  const { code, message = '' } = readError(fault, requestId)
  const isLimit = fault.code === 'rate-limited' || fault.code === 'engine-busy'
  const word = isLimit ? 'rate_limit_exceeded' : fault.status >= 500 ? 'server_error' : (code ?? 'invalid_prompt')
  return { code: word, message }
}

function readError(fault: Fault, requestId: string): JsonObject {
  const body: unknown = JSON.parse(writeOpenAIFault(fault, requestId).body)
  return isJsonObject(body) && isJsonObject(body.error) ? body.error : {}
}
