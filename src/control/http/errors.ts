import { Fault } from '../../core/fault.ts'
import type { FaultCode } from '../../core/fault-codes.ts'
import { type DocumentProblem, formatPath, formatProblem } from '../../core/text/parse-document.ts'
import { disallowedCode } from '../../snapshot/policy/judge-deployment.ts'
import type { ErrorBody } from '../api.ts'
import type { Answer } from './answer.ts'

const codes: Partial<Record<FaultCode, string>> = {
  'invalid-json': 'InvalidJson',
  'invalid-request': 'InvalidRequest',
  'not-found': 'NotFound',
  'deployment-not-found': 'DeploymentNotFound',
  'method-not-allowed': 'MethodNotAllowed',
  'body-too-large': 'RequestTooLarge',
  unauthorized: 'Unauthorized',
  forbidden: 'Forbidden',
  conflict: 'Conflict',
  'insufficient-quota': 'InsufficientQuota',
  'filter-unavailable': 'FilterUnavailable',
  'identity-unavailable': 'IdentityUnavailable',
  'state-unusable': 'StateUnusable',
}

/** A Fault in the shape of the management API. */
export function describeFault(fault: Fault, requestId: string): Answer {
  const { param, problems, vendorCode } = fault.detail
  const code = vendorCode ?? codes[fault.code] ?? 'InternalServerError'
  const details = problems?.map(({ field, text, code: own }) => ({
    code: own ?? 'InvalidValue',
    message: text,
    ...(field ? { target: field } : {}),
  }))
  const body: ErrorBody = {
    error: {
      code,
      message: fault.publicMessage(requestId),
      ...(param ? { target: param } : {}),
      ...(details ? { details } : {}),
    },
  }
  return { status: fault.status, body }
}

/** The Fault for a document with these problems: its message tells all of them. */
export function refuseDocument(problems: readonly DocumentProblem[]): Fault {
  const [first] = problems
  const isOneKind = problems.every(({ code }) => code === first?.code)
  return new Fault(
    isOneKind && first?.code === disallowedCode ? 'forbidden' : 'invalid-request',
    problems.map(formatProblem).join('; '),
    {
      param: first && formatPath(first.path),
      vendorCode: isOneKind ? first?.code : undefined,
      problems: problems.map(({ path, text, code }) => ({ field: formatPath(path), text, code })),
    },
  )
}
