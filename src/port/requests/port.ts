import type { CallKind } from '../../core/call.ts'
import type { FaultCode } from '../../core/fault-codes.ts'
import type { Explanation } from '../../core/filter/results.ts'
import type { LimitDecision, RequestRecord } from '../../core/usage/request-record.ts'

/** A request as it is kept and shown: what a `RequestRecord` came to, without what is empty. Milliseconds have one decimal. */
export type RequestDocument = {
  readonly id: string
  /** When it came, ISO 8601. */
  readonly time: string
  /** When it had ended, in unix milliseconds; no two of one server have the same. Lists are in its order. */
  readonly at: number
  readonly outcome: Exclude<RequestRecord['outcome'], 'open'>
  readonly status: number
  readonly code?: FaultCode
  readonly param?: string
  readonly message?: string
  readonly retryAfterMs?: number
  readonly resource?: string
  readonly caller?: string
  readonly callerKind?: RequestRecord['callerKind']
  readonly address?: string
  readonly method: string
  readonly path: string
  readonly surface?: string
  readonly operation?: CallKind
  readonly isBatch?: true
  readonly isStream?: true
  readonly clientRequestId?: string
  readonly traceId?: string
  readonly asked?: string
  readonly deployment?: string
  readonly spilledFrom?: string
  readonly model?: string
  readonly modelVersion?: string
  readonly tier?: string
  /** The one that answered, or failed last. */
  readonly backend?: string
  readonly attempts?: readonly AttemptDocument[]
  readonly tokens?: {
    readonly prompt: number
    readonly cached: number
    readonly completion: number
    readonly reasoning: number
    readonly isEstimated?: true
  }
  readonly timings: {
    readonly queueMs?: number
    readonly upstreamMs?: number
    readonly firstTokenMs?: number
    readonly totalMs: number
  }
  readonly isLimited?: true
  readonly limits?: readonly LimitDecision[]
  readonly isFiltered?: true
  readonly hasFilterError?: true
  readonly findings?: readonly Explanation[]
  readonly requestBytes: number
  readonly responseBytes: number
  /** What the backend was sent; secrets are masked. `fields` are those of the body, whose content is in `RequestContent` or nowhere. */
  readonly sent?: {
    readonly method: string
    readonly url: string
    readonly headers: Readonly<Record<string, string>>
    readonly fields?: readonly string[]
  }
  /** The length of its body. */
  readonly sentBytes?: number
  readonly isCaptured?: true
}

/** A backend that was tried: since the request came, until its answer began or it failed; -1 where it was still being asked. */
export type AttemptDocument = {
  readonly backend: string
  readonly startedMs: number
  readonly ms: number
  /** As it answered; 0 where it did not, or where it is no server. */
  readonly status: number
  /** Why it was left. */
  readonly code?: FaultCode
}

/** Prompt and answer of a request, where they are captured. */
export type RequestContent = {
  readonly id: string
  readonly prompt?: string
  readonly answer?: string
  /** The body that the backend was sent. */
  readonly sent?: string
  readonly isCut?: true
  readonly isRedacted?: true
  /** Unix milliseconds after which it is deleted. */
  readonly expiresAt: number
}

export type RequestQuery = {
  /** Of `at`, in unix milliseconds, the second not included. */
  readonly fromMs: number
  readonly toMs: number
  readonly top: number
  /** The next ones after this `at`. */
  readonly after?: number | undefined
  /** Names are found without regard to case; the deployment is the one that served, or the one that was asked. */
  readonly resource?: string | undefined
  readonly deployment?: string | undefined
  readonly caller?: string | undefined
  readonly model?: string | undefined
  readonly operation?: string | undefined
  readonly code?: string | undefined
  /** From and to, the second not included. */
  readonly status?: readonly [number, number] | undefined
  readonly minMs?: number | undefined
  readonly isFiltered?: boolean | undefined
  readonly isLimited?: boolean | undefined
  /** Stands anywhere in the document, without regard to case. */
  readonly text?: string | undefined
}

export type RequestPage = {
  /** Newest first. */
  readonly documents: readonly RequestDocument[]
  /** Present where there may be more: the search goes on `after` this one. Also where its time was over before it had found enough. */
  readonly after?: number | undefined
}

export type RequestTotals = {
  readonly count: number
  readonly bytes: number
  /** Of the oldest, as `at`. */
  readonly oldestAt: number | undefined
}

export type Retention = {
  /** Records that had ended before are deleted; unix milliseconds. */
  readonly before: number
  /** The oldest are deleted until no more than these are left. */
  readonly maxBytes: number
  /** Unix milliseconds. */
  readonly now: number
}

/**
 * Lines of requests that have ended, as the log hands them over: documents as JSON in two parts. `own` is UTF-8, a line each, of what is the
 * request's own, behind the number of its end among `ends`, which is what it has in common with others: `0{"id":"...","responseBytes":7` and
 * `,"outcome":"done",...}`.
 */
export type RequestLines = { readonly ends: readonly string[]; readonly own: Uint8Array; readonly count: number }

/** Requests that have ended, by the million. Every adapter passes `contract.ts`. Methods reject with a Fault while the store cannot be used. */
export type RequestStore = {
  /** In the order of their `at`. All or none. */
  append(lots: readonly RequestLines[], contents: readonly RequestContent[]): Promise<void>
  /** Takes no longer than `searchMs`: then it says how far it has come. */
  search(query: RequestQuery): Promise<RequestPage>
  find(id: string): Promise<RequestDocument | undefined>
  findContent(id: string): Promise<RequestContent | undefined>
  totals(): Promise<RequestTotals>
  /** Deletes a little of what is to go. Whether there is more. */
  sweep(retention: Retention): Promise<boolean>
  close(): Promise<void>
}

/** How long a search may take, in milliseconds, before it tells what it has found so far. */
export const searchMs = 200
