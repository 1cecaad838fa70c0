import type { CallKind } from '../call.ts'
import type { Event } from '../event.ts'
import type { ServedTier } from '../exchange.ts'
import type { FaultCode } from '../fault-codes.ts'
import type { Explanation } from '../filter/results.ts'
import type { AnswerResult } from '../result.ts'

/**
 * What is written down of a request, for the request log, metrics and traces: one object of one shape for each, made when the request comes,
 * filled as it passes, and told of once, when its last byte has gone out. It never holds a secret, nor anything of a prompt or an answer
 * but in `captured`.
 *
 * Times named `...Ms` are milliseconds with fractions: spans, or -1 for what did not happen.
 */
export type RequestRecord = {
  /** As the caller reads it in `x-request-id`. The first 48 bits are `startedAt`, so ids are in the order of time. */
  readonly id: string
  /** Unix milliseconds. */
  readonly startedAt: number
  /** The same on a clock that never jumps, for spans. */
  readonly startedMs: number
  /** `open` until it has ended; `refused` before any backend was tried, `aborted` by the caller. */
  outcome: 'open' | 'done' | 'failed' | 'refused' | 'aborted'

  /** The name of the resource that was asked; empty where there is only one. */
  resource: string
  /** The name of the key, or of whom a token names; empty where nobody was known. */
  caller: string
  callerKind: 'key' | 'token' | 'none'
  /** Whence the request came; empty for lines of batches. */
  address: string
  method: string
  /** Without the query. */
  path: string
  /** The protocol that was spoken, by the name of its wire; empty where no route was found. */
  surface: string
  operation: CallKind | ''
  isBatch: boolean
  isStream: boolean
  /** As the client named it in `x-ms-client-request-id`; empty when it did not. */
  clientRequestId: string
  /** 32 hexadecimal digits of the W3C trace context; empty without one. */
  traceId: string
  /** Where in the trace what comes next happens: at the caller, or in a span of this request's own where it is traced. */
  trace: TraceContext | undefined
  /** The caller's span, where this request has one of its own. */
  parentSpanId: string
  /** Whether spans of it are kept. */
  isTraced: boolean

  /** The deployment as the caller wrote it. */
  asked: string
  /** The deployment that served, or would have; empty where none was found. */
  deployment: string
  /** The one that was asked and could not take the call, where another one served. */
  spilledFrom: string
  model: string
  modelVersion: string
  tier: ServedTier | ''
  /** Backends tried, in order; the last one answered, if any did. */
  readonly attempts: Attempt[]
  /** What the last of them was sent, and of its body the length and the names of its fields; undefined where they are not known. */
  sent: SentHead | undefined
  sentBytes: number
  sentFields: readonly string[] | undefined

  promptTokens: number
  /** Of the prompt's. */
  cachedTokens: number
  completionTokens: number
  /** Of the completion's. */
  reasoningTokens: number
  /** Nobody has counted: the numbers are a guess. */
  isEstimated: boolean

  /** When it began to wait for a slot or a place, since it came, and for how long it did. */
  queuedMs: number
  queueMs: number
  /** From when it came until the backend that answered had begun to. */
  upstreamMs: number
  /** From when it came until the first piece of a streamed answer went out. */
  firstTokenMs: number
  totalMs: number

  /** What each limiter decided, in order: two where a call has spilled over. */
  readonly limits: LimitDecision[]
  /** A limit or a budget refused it. */
  isLimited: boolean
  /** The content filter policy that judged it; empty where none did. When that began, since it came, and until the prompt was judged. */
  filterPolicy: string
  filterFromMs: number
  filterMs: number
  /** What filters found; bounded by `maxFindings`. */
  readonly findings: Explanation[]
  /** A filter kept something back. */
  isFiltered: boolean
  /** A filter could not run and its policy went on without it. */
  hasFilterError: boolean

  /** As the answer said; a stream that failed on its way had said 200. */
  status: number
  /** Why it ended badly; empty where it did not. */
  code: FaultCode | ''
  /** The request field at fault. */
  param: string
  /** What the caller was told, where that cannot quote a prompt. */
  message: string
  /** Milliseconds after which it said to come again; 0 where it did not. */
  retryAfterMs: number
  requestBytes: number
  responseBytes: number

  /** Where the deployment captures prompts or answers. */
  captured: Captured | undefined
}

/** Where in a trace something happens, as W3C Trace Context has it: the span that comes next is a child of `spanId`. */
export type TraceContext = {
  /** 32 and 16 hexadecimal digits in lower case. */
  readonly traceId: string
  readonly spanId: string
  /** The lowest bit says that the spans of the trace are kept. */
  readonly flags: number
  /** What vendors keep of theirs in `tracestate`, to be passed on. */
  readonly state: string | undefined
}

/** A backend that was tried. */
export type Attempt = {
  readonly backend: string
  /** Its span; empty where it has none. */
  readonly spanId: string
  /** Since the request came. */
  readonly startedMs: number
  /** Until its answer began, or it failed; -1 while it is being asked. */
  ms: number
  /** What it answered: 0 where it did not. */
  status: number
  /** Why it was left; empty for the one that answered. */
  code: FaultCode | ''
}

/** The request that a backend was sent, but for its body. */
export type SentHead = {
  readonly method: string
  /** With scheme, host and path. */
  readonly url: string
  /** As sent: whoever writes them down masks the secrets. */
  readonly headers: Readonly<Record<string, string>>
}

/** `text` is undefined for a form, which is not held. */
export type SentRequest = SentHead & { readonly text: string | undefined }

export type LimitCounter = {
  readonly owner: 'deployment' | 'key' | 'pool'
  readonly measure: 'tokens' | 'requests' | 'units' | 'slots'
  /** What it lets through at once or in a window; of units the depth. */
  readonly limit: number
  /** What was taken, this call included when it was let in. */
  readonly used: number
  /** What this call was charged. */
  readonly cost: number
  /** Until the window ends or the level is empty; 0 for slots. */
  readonly resetMs: number
}

export type LimitDecision = {
  readonly action: 'admitted' | 'refused'
  readonly deployment: string
  /** Estimated, in tokens. */
  readonly promptTokens: number
  readonly completionTokens: number
  /** The caller set no bound, so that the completion is what answers here are usually like. */
  readonly isGuess: boolean
  readonly counters: readonly LimitCounter[]
  /** Which of them refused; -1 when none did. */
  readonly refusedBy: number
}

/** What was said, as the operator has it kept; bounded by whoever writes it here. */
export type Captured = {
  readonly hasPrompt: boolean
  readonly isRedacted: boolean
  /** Whole days. */
  readonly retentionDays: number
  /** The body of the request; empty where prompts are not captured, or it was a form. */
  prompt: string
  /** The answer in canonical form, as the caller got it, whole or as it was streamed; undefined where answers are not captured. */
  answer: AnswerResult | readonly Event[] | undefined
  /** The body that the backend was sent; empty where prompts are not captured. */
  sent: string
  /** More was said than is kept. */
  isCut: boolean
}

/** Told of every request, once, when it has ended. It must not keep the caller waiting, and not throw. */
export type RecordListener = (record: RequestRecord) => void

/** More findings of one request say nothing new. */
export const maxFindings = 20

/** `startedMs` is of `performance.now()`. */
export function openRecord(id: string, startedAt: number, startedMs: number): RequestRecord {
  return {
    id,
    startedAt,
    startedMs,
    outcome: 'open',
    resource: '',
    caller: '',
    callerKind: 'none',
    address: '',
    method: '',
    path: '',
    surface: '',
    operation: '',
    isBatch: false,
    isStream: false,
    clientRequestId: '',
    traceId: '',
    trace: undefined,
    parentSpanId: '',
    isTraced: false,
    asked: '',
    deployment: '',
    spilledFrom: '',
    model: '',
    modelVersion: '',
    tier: '',
    attempts: [],
    sent: undefined,
    sentBytes: 0,
    sentFields: undefined,
    promptTokens: 0,
    cachedTokens: 0,
    completionTokens: 0,
    reasoningTokens: 0,
    isEstimated: false,
    queuedMs: -1,
    queueMs: 0,
    upstreamMs: -1,
    firstTokenMs: -1,
    totalMs: -1,
    limits: [],
    isLimited: false,
    filterPolicy: '',
    filterFromMs: -1,
    filterMs: -1,
    findings: [],
    isFiltered: false,
    hasFilterError: false,
    status: 0,
    code: '',
    param: '',
    message: '',
    retryAfterMs: 0,
    requestBytes: 0,
    responseBytes: 0,
    captured: undefined,
  }
}
