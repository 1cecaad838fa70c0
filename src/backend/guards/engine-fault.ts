import { Fault, toFault } from '../../core/fault.ts'
import type { FaultCode } from '../../core/fault-codes.ts'

/** What an engine's failure is, in words of ours: what others say of it may quote the text or the secret. */
const reasons: Readonly<Partial<Record<FaultCode, string>>> = {
  'upstream-timeout': 'it did not answer in time',
  'upstream-unavailable': 'it cannot be reached',
  'upstream-busy': 'all connections to it are in use',
  'upstream-misconfigured': 'it refuses the credential or does not know the address',
  'upstream-rejected': 'it refuses the request',
  'rate-limited': 'it is asked too often',
  'deployment-not-found': 'there is no such deployment',
  'deployment-paused': 'its deployment was paused',
  'model-retired': 'the model of its deployment has been retired',
  'operation-not-supported': 'its deployment does not chat',
  'unsupported-value':
    'the backend of its deployment cannot take what the profile sends, such as arguments of the chat template',
  'context-length-exceeded': 'the text is longer than its model takes',
  'budget-exhausted': 'its allowance is used up',
  'breakers-open': 'its deployment is being left alone after failures',
  'content-filtered': 'it filters the text that it shall judge',
  'client-gone': 'nobody waits for its verdict any more',
}

/** A failure of the engine as its caller gets it: named, and with nothing in it of what the engine or its transport said. */
export function engineFault(name: string, error: unknown, signal: AbortSignal): Fault {
  const { code, detail } = endedBy(signal) ?? toFault(error)
  const kept: FaultCode = code === 'internal' || reasons[code] === undefined ? 'upstream-failed' : code
  return namedFault(name, kept, reasons[kept] ?? 'it gave no usable answer', detail.retryAfterMs)
}

/** A failure that our own code found and put in words. */
export function namedFault(name: string, code: FaultCode, text: string, retryAfterMs?: number): Fault {
  return new Fault(code, `The filter engine "${name}" could not judge: ${text}.`, { retryAfterMs })
}

/** An abort is a deadline unless somebody says otherwise: `AbortSignal.timeout` ends with a TimeoutError. */
function endedBy(signal: AbortSignal): Fault | undefined {
  if (!signal.aborted) return undefined
  const { reason } = signal
  if (reason instanceof Fault) return reason
  const isDeadline = reason instanceof Error && reason.name === 'TimeoutError'
  return new Fault(isDeadline ? 'upstream-timeout' : 'client-gone', 'aborted')
}
