import { type FaultCode, faultCodes } from './fault-codes.ts'
import type { Explanation, FilterResults } from './filter/results.ts'
import type { JsonObject } from './json.ts'

export type FaultDetail = {
  /** The request field at fault, as the caller wrote it: `messages[0].role`. */
  readonly param?: string | undefined
  /** The vendor's own error code where one protocol needs a particular one. */
  readonly vendorCode?: string | undefined
  /** Overrides the table's status: an upstream's 4xx keeps its own. */
  readonly status?: number | undefined
  /** Milliseconds after which a retry makes sense. */
  readonly retryAfterMs?: number | undefined
  /** The error body of an upstream, for a caller that speaks the same protocol. */
  readonly upstream?: { readonly wire: string; readonly body: JsonObject } | undefined
  /** The model or deployment name asked for, and the nearest ones that exist. */
  readonly model?: string | undefined
  readonly nearest?: readonly string[] | undefined
  /** Body keys that are refused. */
  readonly keys?: readonly string[] | undefined
  /** What was given, for a value that is not supported. */
  readonly input?: unknown
  /** What a content filter says of the prompt that it keeps back, and why for callers who may know. */
  readonly filter?: { readonly results: FilterResults; readonly explanations?: readonly Explanation[] | undefined }
  /** Every field at fault, where several are told at once. `code` is the vendor's own word for one. */
  readonly problems?: readonly { readonly field: string; readonly text: string; readonly code?: string | undefined }[]
  /** Comes by the thousand and is counted elsewhere: no line in the log, but for `debug`. */
  readonly isRoutine?: boolean
  readonly cause?: unknown
}

/** The only error class that crosses a layer. Expected failures carry no stack: they are answers, not bugs. */
export class Fault extends Error {
  readonly code: FaultCode
  readonly detail: FaultDetail

  constructor(code: FaultCode, message: string, detail: FaultDetail = {}) {
    const limit = Error.stackTraceLimit
    if (code !== 'internal') Error.stackTraceLimit = 0
    super(message, detail.cause === undefined ? undefined : { cause: detail.cause })
    Error.stackTraceLimit = limit
    this.name = 'Fault'
    this.code = code
    this.detail = detail
  }

  get status(): number {
    return this.detail.status ?? faultCodes[this.code].status
  }

  get isRetryable(): boolean {
    return faultCodes[this.code].retryable
  }

  get isUnhealthy(): boolean {
    return faultCodes[this.code].unhealthy
  }

  /** The text a caller may read. */
  publicMessage(requestId: string): string {
    const row = faultCodes[this.code]
    return row.exposure === 'safe' ? this.message : `${row.publicText} Request id: ${requestId}`
  }
}

/** Turns anything thrown into a Fault. The one place where unknown errors become `internal`. */
export function toFault(error: unknown): Fault {
  if (error instanceof Fault) return error
  const message = error instanceof Error ? error.message : String(error)
  return new Fault('internal', message, { cause: error })
}
