import { Fault } from '../../../core/fault.ts'
import type { FaultCode } from '../../../core/fault-codes.ts'
import type { ErrorBody } from '../../api.ts'
import type { Answer } from '../../http/answer.ts'
import { provider } from './arm-route.ts'

const codes: Partial<Record<FaultCode, string>> = {
  'invalid-json': 'InvalidRequestContent',
  'invalid-request': 'BadRequest',
  'not-found': 'ResourceNotFound',
  'deployment-not-found': 'ResourceNotFound',
  'method-not-allowed': 'MethodNotAllowed',
  'body-too-large': 'RequestEntityTooLarge',
  unauthorized: 'AuthenticationFailed',
  forbidden: 'AuthorizationFailed',
  conflict: 'Conflict',
  'insufficient-quota': 'InsufficientQuota',
  'filter-unavailable': 'ServiceUnavailable',
  'storage-unavailable': 'ServiceUnavailable',
  'identity-unavailable': 'ServiceUnavailable',
}

/** A Fault as the management clients of the vendor read it. */
export function describeArmFault(fault: Fault, requestId: string): Answer {
  return { status: fault.status, body: { error: describeError(fault, requestId) } satisfies ErrorBody }
}

export function describeError(fault: Fault, requestId: string): ErrorBody['error'] {
  const { param, problems, vendorCode } = fault.detail
  const usual = problems ? 'InvalidResourceProperties' : codes[fault.code]
  const details = problems?.map(({ field, text, code }) => ({
    code: code ?? 'InvalidResourceProperties',
    message: text,
    ...(field ? { target: field } : {}),
  }))
  return {
    code: vendorCode ?? usual ?? 'InternalServerError',
    message: fault.publicMessage(requestId),
    ...(param ? { target: param } : {}),
    ...(details ? { details } : {}),
  }
}

/**
 * Runs what judges a document in the words of our own API, and tells of its problems in those of the document that was sent: `rename`
 * gives for a field of ours the one the caller wrote.
 */
export async function tellInArmWords<T>(rename: (field: string) => string, run: () => Promise<T> | T): Promise<T> {
  try {
    return await run()
  } catch (error) {
    if (error instanceof Fault) throw renameFields(error, rename)
    throw error
  }
}

function renameFields(fault: Fault, rename: (field: string) => string): Fault {
  const { problems, param } = fault.detail
  if (!problems && !param) return fault
  const renamed = problems?.map((problem) => ({ ...problem, field: problem.field && rename(problem.field) }))
  const message = renamed?.map(({ field, text }) => (field ? `${field}: ${text}` : text)).join('; ')
  return new Fault(fault.code, message ?? fault.message, {
    ...fault.detail,
    ...(param && { param: rename(param) }),
    ...(renamed && { problems: renamed }),
  })
}

/** `type` is below the provider: `accounts/deployments`; `name` has a part for each of its words. */
export function refuseMissing(type: string, name: string, group?: string): never {
  const where = group === undefined ? '' : ` under resource group '${clip(group)}'`
  throw new Fault('not-found', `The Resource '${provider}/${nest(type, name)}'${where} was not found.`)
}

/** `accounts/a/deployments/b` */
function nest(type: string, name: string): string {
  const names = name.split('/')
  return type
    .split('/')
    .map((word, index) => `${word}/${clip(names[index] ?? '')}`)
    .join('/')
}

export function refuseMissingGroup(group: string): never {
  throw new Fault('not-found', `Resource group '${clip(group)}' could not be found.`, {
    vendorCode: 'ResourceGroupNotFound',
  })
}

/** Names in paths may be of any length. */
function clip(text: string): string {
  return text.length <= 90 ? text : `${text.slice(0, 87)}...`
}
