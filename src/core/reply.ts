import type { Call, CallKind } from './call.ts'
import type { Event } from './event.ts'
import type { Result } from './result.ts'
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
   * `stream` also where bytes could have been passed on.
   */
  send(call: Call, signal: AbortSignal, tally: Tally, needsEvents?: boolean): Promise<Reply>
  /** Answers whether the backend can be reached, and why not. Used by `ponto doctor` and readiness; costs no tokens. */
  probe(signal: AbortSignal): Promise<{ readonly ok: boolean; readonly detail: string }>
}
