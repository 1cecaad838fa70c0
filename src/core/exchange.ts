import type { Call } from './call.ts'
import type { Deployment } from './deployment.ts'

/** Who calls: the key that was presented. */
export type Caller = { readonly keyName: string }

/** One request on its way through the pipeline. Always made with every field, so that it keeps one shape. */
export type Exchange = {
  readonly id: string
  readonly caller: Caller
  readonly call: Call
  readonly deployment: Deployment
  readonly signal: AbortSignal
  /** Backends tried, in order, for logs. */
  readonly attempts: string[]
}
