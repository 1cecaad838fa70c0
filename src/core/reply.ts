import type { Call, CallKind } from './call.ts'
import type { Event } from './event.ts'
import type { Result } from './result.ts'
import type { TraceContext } from './usage/request-record.ts'
import type { Tally } from './usage/tally.ts'

/**
 * What answers a Call. `bytes` is an upstream's own answer in the protocol the caller speaks: it is passed on as it came,
 * `body` being a whole text or the chunks of an event stream. `passed` is the answer to a call that is only passed on, whatever its
 * bytes are.
 */
export type Reply =
  | { readonly kind: 'whole'; readonly result: Result }
  | { readonly kind: 'stream'; readonly events: AsyncIterable<Event> }
  | { readonly kind: 'bytes'; readonly wire: string; readonly body: Uint8Array | AsyncIterable<Uint8Array> }
  | { readonly kind: 'passed'; readonly contentType: string; readonly body: AsyncIterable<Uint8Array> }

/** Where a Call is answered: the embedded engine, or a server spoken to over HTTP. */
export type Backend = {
  /** Stable across configuration reloads, so that health and connections outlive them. */
  readonly id: string
  readonly kinds: ReadonlySet<CallKind>
  /**
   * Answers the call. Rejects with a Fault before the first event; a stream rejects with a Fault afterwards.
   * Aborting the signal ends the work at the other side. What a `bytes` or `passed` reply says of its usage goes into `tally` as it
   * passes; that of the other two is in their results and events. `needsEvents`: the answer will be read, so it comes as `whole` or
   * `stream` also where bytes could have been passed on. `trace` goes along, so that what the other side does is seen as a part of it.
   */
  send(call: Call, signal: AbortSignal, tally: Tally, needsEvents?: boolean, trace?: TraceContext): Promise<Reply>
  /** Present where the upstream answers whole batches within a day, for less, and the operator wants them to go there. */
  readonly batches?: NativeBatches | undefined
  /** Answers whether the backend can be reached, and why not. Used by `ponto doctor` and readiness; costs no tokens. */
  probe(signal: AbortSignal): Promise<{ readonly ok: boolean; readonly detail: string }>
}

/** A batch as an upstream tells of it. */
export type UpstreamBatch = {
  readonly id: string
  /** `ended`: there are answers, be it not to every line. `failed`: there are none. */
  readonly state: 'running' | 'ended' | 'failed'
  /** Why it failed, in the upstream's words. */
  readonly reason?: string | undefined
  /** It failed because the upstream has too much to do: the same lines may be taken later. */
  readonly isLater?: boolean | undefined
  /** What its results are kept under, in the order in which they are to be read; complete once it has ended. */
  readonly results: readonly string[]
  /** Files of it that can be taken away when its results have been read. */
  readonly files: readonly string[]
}

/** What a batch is ordered with. `tag` is unlike every other: letters, digits, "_" and "-", 50 at most. */
export type BatchOrder = {
  readonly tag: string
  readonly kind: CallKind
  readonly count: number
  /** What the lines were staged as. */
  readonly staged: string | undefined
  /** Unix milliseconds, of before it was first sent. */
  readonly orderedAt: number
}

/** What an upstream says to one line. `status` is undefined where it gave no answer: cancelled, too late, failed on its side. */
export type UpstreamLine = { readonly name: string; readonly status: number | undefined; readonly body: string }

/** Batches that an upstream runs. All verbs reject with Faults, `rate-limited` and others with the time to wait. */
export type NativeBatches = {
  /** Where they are: the same for as long as batches ordered there can be found there. */
  readonly home: string
  readonly kinds: ReadonlySet<CallKind>
  /** Of one batch. Bytes are those of its lines. */
  readonly maxLines: number
  readonly maxBytes: number
  /** Whether lines are known there by their custom ids; else by names of letters, digits, "_" and "-", of at most 64. */
  readonly keepsCustomIds: boolean
  /** The call as a line, without a break. Throws Fault `unsupported-value` for what the upstream cannot be asked. */
  writeLine(name: string, call: Call): string | Promise<string>
  /** Brings lines to where a batch finds them, without making one; undefined where they go along with the order. */
  stage(tag: string, lines: readonly string[], signal: AbortSignal): Promise<string | undefined>
  /** Whether a batch may be made of what was staged. Rejects where that will never be so. */
  isStaged(staged: string, signal: AbortSignal): Promise<boolean>
  /** Orders the batch. Sent once: where it rejects with anything but a refusal, nobody knows whether it was made. */
  submitBatch(order: BatchOrder, lines: readonly string[], signal: AbortSignal): Promise<UpstreamBatch>
  /** The batches of that order, by its tag; `unsure` while one that may be it cannot be told from others. */
  findBatches(order: BatchOrder, signal: AbortSignal): Promise<readonly UpstreamBatch[] | 'unsure'>
  /** undefined where there is no such batch any more. */
  pollBatch(id: string, signal: AbortSignal): Promise<UpstreamBatch | undefined>
  /** Asks for its end, which comes later. What has ended stays as it is. */
  cancelBatch(id: string, signal: AbortSignal): Promise<void>
  /** A result file of a batch that has ended: lines, each for `readLine`. */
  readResults(name: string, signal: AbortSignal): AsyncIterable<Uint8Array>
  /** undefined for what is no result. */
  readLine(text: string): UpstreamLine | undefined
  /** The answer to the call, as `send` would have given it. Throws the Fault that it stands for. */
  readAnswer(call: Call, line: UpstreamLine, tally: Tally, needsEvents: boolean): Reply
  /** Takes a file away that is of no use any more. */
  discard(file: string, signal: AbortSignal): Promise<void>
}
