import type { Fault } from '../../../core/fault.ts'
import type { LineResult, NewLine } from '../../../port/tables/batches/port.ts'
import type { LineAnswer } from '../parts.ts'

/** What files say of a line that has no answer of its own. */
export type LineError = { readonly code: string; readonly message: string }

export const expiredError: LineError = {
  code: 'batch_expired',
  message: 'This request could not be executed before the completion window expired.',
}

export const modifiedError: LineError = {
  code: 'input_modified',
  message: 'The input file was changed or deleted before this request was executed.',
}

/** The answer, whatever its status, as a line of the output or the error file. */
export function recordAnswer(batchId: string, line: NewLine, answer: LineAnswer): LineResult {
  const body = toOneLine(answer.body)
  if (body === undefined) {
    const message = `The deployment answered with status ${answer.status} and a body that is not JSON.`
    return recordError(batchId, line, { code: 'invalid_response', message })
  }
  const { status, requestId } = answer
  const response = `{"status_code":${status},"request_id":${JSON.stringify(requestId)},"body":${body}}`
  return write(batchId, line, status === 200 ? 'done' : 'failed', response, 'null')
}

export function recordError(batchId: string, line: NewLine, error: LineError): LineResult {
  return write(batchId, line, 'failed', 'null', JSON.stringify(error))
}

/** What a caller may know of a Fault that ended a line. */
export function describeFault(fault: Fault, requestId: string): LineError {
  return { code: fault.code.replaceAll('-', '_'), message: fault.publicMessage(requestId) }
}

function write(
  batchId: string,
  { line, customId }: NewLine,
  state: LineResult['state'],
  response: string,
  error: string,
): LineResult {
  const id = JSON.stringify(`batch_req_${batchId.replace(/^batch_/, '')}_${line}`)
  return {
    line,
    state,
    record: `{"id":${id},"custom_id":${JSON.stringify(customId)},"response":${response},"error":${error}}`,
  }
}

/** undefined for what is no JSON. Within JSON a line break can only stand between values. */
function toOneLine(text: string): string | undefined {
  try {
    JSON.parse(text)
  } catch {
    return undefined
  }
  return /[\r\n]/.test(text) ? text.replace(/[\r\n]+/g, ' ') : text
}
