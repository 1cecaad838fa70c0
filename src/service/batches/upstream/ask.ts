import { Fault } from '../../../core/fault.ts'
import { faultCodes } from '../../../core/fault-codes.ts'

/** What an upstream said, or the Fault it rejected with. Throws what ended the run, and what is no matter of the upstream. */
export async function ask<T>(signal: AbortSignal, question: () => Promise<T>): Promise<T | Fault> {
  signal.throwIfAborted()
  try {
    return await question()
  } catch (error) {
    signal.throwIfAborted()
    if (error instanceof Fault) return error
    throw error
  }
}

/** The upstream has understood, and will not do it however often it is asked. */
export function isRefusal({ code, status }: Fault): boolean {
  if (code === 'upstream-rejected') return status !== 408 && status !== 409 && status !== 425
  return code === 'upstream-misconfigured' || (!faultCodes[code].repeatable && status < 500)
}
