import { type Fault, toFault } from '../../../core/fault.ts'
import type { FaultCode } from '../../../core/fault-codes.ts'
import type { JsonObject } from '../../../core/json.ts'

/** What a run that failed says of it. `fault` is for APIs that would have refused the request so, had they known. */
export type RunFailure = { readonly lastError: JsonObject; readonly fault: JsonObject }

const busy: ReadonlySet<FaultCode> = new Set(['rate-limited', 'budget-exhausted', 'engine-busy', 'exceeds-capacity'])

/** `{code, message}` with a code of both APIs: `server_error`, `rate_limit_exceeded`, `invalid_prompt`. */
export function describeRunFailure(error: unknown, runId: string): RunFailure {
  const fault = toFault(error)
  const code = busy.has(fault.code) ? 'rate_limit_exceeded' : isCallersOwn(fault) ? 'invalid_prompt' : 'server_error'
  return {
    lastError: { code, message: fault.publicMessage(runId) },
    fault: { code: fault.code, ...(fault.detail.param !== undefined && { param: fault.detail.param }) },
  }
}

/** What would end the same way for the same request. */
function isCallersOwn(fault: Fault): boolean {
  return fault.status >= 400 && fault.status < 500 && fault.code !== 'client-gone'
}
