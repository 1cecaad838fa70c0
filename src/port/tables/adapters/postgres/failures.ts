import { DatabaseError } from 'pg'
import { Fault } from '../../../../core/fault.ts'

/** What is wrong, by SQLSTATE. The server's own texts name users, hosts and values, so they are not passed on. */
const stateReasons: Readonly<Record<string, string>> = {
  '28000': 'it refuses this user, or this way to connect',
  '28P01': 'it refuses the user or the password',
  '3D000': 'there is no database of that name',
  '25006': 'it is read-only, as a standby is',
  '25P03': 'a transaction was left alone for too long',
  '40001': "two writers stood in each other's way",
  '40P01': "two writers stood in each other's way",
  '42501': 'its user has not the rights; it must own the schema, or be allowed to make it',
  '53100': 'its disk is full',
  '53200': 'it is out of memory',
  '53300': 'it has no connection left: raise max_connections, or lower pool_size in the URL',
  '55P03': 'a lock was not free in time',
  '57014': 'a statement took too long',
  '57P01': 'it is shutting down',
  '57P02': 'it crashed and comes back',
  '57P03': 'it is starting up or shutting down',
}

/** Classes of SQLSTATE after which the same may go well later: what was asked was right. */
const passingClasses = new Set(['08', '25', '28', '3D', '40', '53', '55', '57', '58', 'XX'])

/** What is wrong, by the code of a failed connection. */
const connectionReasons: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'nothing listens at its address',
  ECONNRESET: 'the connection broke',
  EPIPE: 'the connection broke',
  EHOSTUNREACH: 'its address cannot be reached',
  ENETUNREACH: 'its address cannot be reached',
  ENOENT: 'there is no socket of its',
  ENOTFOUND: 'its name is not known',
  EAI_AGAIN: 'its name cannot be looked up at the moment',
  ETIMEDOUT: 'it does not answer',
  ERR_TLS_CERT_ALTNAME_INVALID: 'its certificate is for another name',
}

/** Those of a server that is not there yet: one that shows a wrong certificate stays as it is. */
const passingCodes = new Set([
  ...['ECONNREFUSED', 'ECONNRESET', 'EPIPE', 'EHOSTUNREACH', 'ENETUNREACH'],
  ...['ENOENT', 'ENOTFOUND', 'EAI_AGAIN', 'ETIMEDOUT'],
])

/** A failed connection or statement as a Fault: `storage-unavailable` where the same may go well later, else `state-unusable`. */
export function describeFailure(error: unknown): Fault {
  if (error instanceof Fault) return error
  if (error instanceof DatabaseError) return describeAnswer(error)
  return new Fault('storage-unavailable', `The database cannot be used at the moment: ${describeConnection(error)}.`)
}

/** The same where nothing but a change by somebody makes it go well: `state-unusable`. */
export function describeLastingFailure(error: unknown): Fault {
  return new Fault('state-unusable', describeFailure(error).message.replace(' at the moment', ''))
}

/** Whether a server that starts should ask again: the database, its network or its name may be on their way too. */
export function isPerhapsStarting(error: unknown): boolean {
  if (error instanceof DatabaseError) return /^(57P0|53300)/.test(error.code ?? '')
  const code = codeOf(error)
  if (code !== undefined) return passingCodes.has(code)
  return error instanceof Error && isTimeout(error)
}

/** Whether a connection is of no use after a failure: it broke, or the server has said good-bye. */
export function isConnectionLost(error: unknown): boolean {
  return !(error instanceof DatabaseError) || /^(08|57P|25P03|XX)/.test(error.code ?? '')
}

function describeAnswer({ code = '', constraint }: DatabaseError): Fault {
  const reason = stateReasons[code] ?? (constraint === undefined ? undefined : `the constraint ${constraint} is broken`)
  const text = reason === undefined ? `SQLSTATE ${code}` : `${reason} (SQLSTATE ${code})`
  if (passingClasses.has(code.slice(0, 2))) {
    return new Fault('storage-unavailable', `The database cannot be used at the moment: ${text}.`)
  }
  return new Fault('state-unusable', `The database refused a statement: ${text}.`)
}

function describeConnection(error: unknown): string {
  const code = codeOf(error)
  const message = error instanceof Error ? error.message : ''
  if (code !== undefined) {
    if (connectionReasons[code] !== undefined) return connectionReasons[code]
    if (/CERT|SIGNATURE|ISSUER/.test(code)) return `its certificate is not trusted (${code})`
    return `the connection failed (${code})`
  }
  if (message.includes('does not support SSL')) return 'it does not speak TLS'
  if (error instanceof Error && isTimeout(error)) return 'it does not answer, or all connections are in use'
  if (message.includes('after calling end')) return 'it is closed'
  return 'the connection broke'
}

function isTimeout({ message }: Error): boolean {
  return /time(d )?out/i.test(message)
}

function codeOf(error: unknown): string | undefined {
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  return typeof code === 'string' && /^[A-Z][A-Z0-9_]*$/.test(code) ? code : undefined
}
