import { Fault } from '../../core/fault.ts'
import type { Watched } from './deadlines.ts'
import type { UpstreamResponse } from './transport.ts'

/** Whoever is working on a request: the pool until it has a connection, then the connection. */
export type Holder = {
  /** Gives the request up: whatever is done for it is ended, and it fails with `fault`. */
  drop(pending: PendingRequest, fault: Fault): void
  /** What it means that the request's deadline has passed. */
  explainLate(pending: PendingRequest): Fault
}

/** A request between `request()` and the end of its answer's body. It is its own abort listener: one object, no closures. */
export class PendingRequest implements Watched {
  /** Head and body, written at once. */
  readonly text: string
  /** A body that comes in pieces, after the text. */
  readonly pieces: AsyncIterable<Uint8Array> | undefined
  /** The moment of `performance.now()` at which everything must be over. */
  readonly totalAtMs: number
  deadlineMs: number
  isQueued = false
  holder: Holder | undefined
  /** Ends the attempt to connect, while there is one. */
  dialing: AbortController | undefined
  readonly #signal: AbortSignal
  readonly #resolve: (response: UpstreamResponse) => void
  readonly #reject: (fault: Fault) => void

  constructor(
    text: string,
    pieces: AsyncIterable<Uint8Array> | undefined,
    totalAtMs: number,
    signal: AbortSignal,
    resolve: (response: UpstreamResponse) => void,
    reject: (fault: Fault) => void,
  ) {
    this.text = text
    this.pieces = pieces
    this.totalAtMs = totalAtMs
    this.deadlineMs = totalAtMs
    this.#signal = signal
    this.#resolve = resolve
    this.#reject = reject
    signal.addEventListener('abort', this)
  }

  handleEvent(): void {
    this.holder?.drop(this, new Fault('client-gone', 'the caller went away'))
  }

  expire(): void {
    const { holder } = this
    holder?.drop(this, holder.explainLate(this))
  }

  answer(response: UpstreamResponse): void {
    this.#resolve(response)
  }

  fail(fault: Fault): void {
    this.release()
    this.#reject(fault)
  }

  /** Nothing more will happen to it. */
  release(): void {
    this.#signal.removeEventListener('abort', this)
    this.holder = undefined
  }
}
