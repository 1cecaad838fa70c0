import type { Call, CallKind, Form } from '../core/call.ts'
import type { Event } from '../core/event.ts'
import type { Fault } from '../core/fault.ts'
import type { JsonObject } from '../core/json.ts'
import type { BatchOrder, UpstreamBatch, UpstreamLine } from '../core/reply.ts'
import type { Result } from '../core/result.ts'
import type { Tally } from '../core/usage/tally.ts'
import type { Usage } from '../core/usage/usage.ts'

/** What a server end needs of a request. The body is parsed once, before it gets here. */
export type CallInput = {
  /** The request body as it came and as it parsed; of a form, the fields that came before its files. */
  readonly text: string
  readonly body: JsonObject
  /** The request's form, where the end takes one and one came. */
  readonly form?: Form | undefined
  /** The deployment named by the path, when the path names one. */
  readonly pathDeployment?: string | undefined
  /** Header by lower-case name, or null. */
  header(name: string): string | null
}

export type AnswerHead = {
  readonly requestId: string
  /** Model name and version of the deployment, for answers whose upstream names none. */
  readonly servedModel: string
  /** Unix seconds. */
  readonly created: number
  /** The time in unix seconds, for answers that say when they were complete; `created` when absent. */
  now?(): number
  /** The service tier that was decided for the call, if one was. */
  readonly serviceTier?: string | undefined
}

export type FaultBody = {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

export type ServerRoute = {
  readonly method: 'GET' | 'POST'
  /** May hold one `{deployment}` segment. */
  readonly path: string
  /** Whether, and with which answer, the surface insists on `api-version`. */
  readonly apiVersion: 'required' | 'optional'
}

/** How a multipart form is judged, part by part as it passes. Names may end in brackets, as those of lists do (`image[]`). */
export type FormRules = {
  /** Bytes of one file. */
  readonly maxFileBytes: number
  /** Throws Fault `invalid-request`. */
  judgeField(name: string, value: string): void
  /** What is answered when a file has more than `maxFileBytes`, of which `readBytes` were read. */
  refuseFile(readBytes: number): Fault
  /** `names` are those of all parts. Throws Fault `invalid-request` for a part that is missing. */
  judgeEnd(names: ReadonlySet<string>): void
}

/** The end of a protocol at which we are spoken to. Pure. */
export type ServerEnd = {
  /** A ClientEnd of the same wire and kind takes this end's bytes as they are. */
  readonly wire: string
  readonly kind: CallKind
  readonly routes: readonly ServerRoute[]
  /** A further header under which the clients of this protocol look for the request id. */
  readonly requestIdHeader?: string
  /** Present where a multipart form is taken. */
  readonly form?: FormRules | undefined
  /** Throws Fault `invalid-request`, `extra-parameters`, `no-model`. */
  readCall(input: CallInput): Call
  writeResult(result: Result, call: Call, head: AnswerHead): string
  /** `write` gives ready SSE text, possibly empty; `end` the rest including the terminator. */
  openStream(call: Call, head: AnswerHead): EventWriter
  writeFault(fault: Fault, requestId: string): FaultBody
  /** The event that ends a stream which fails after its first byte. */
  writeStreamFault(fault: Fault, requestId: string): string
}

export type EventWriter = {
  write(event: Event): string
  end(): string
  /** The rest of a stream that fails, where that depends on what it has said; else `writeStreamFault` is asked. */
  fail?(fault: Fault, requestId: string): string
}

export type UpstreamBody = {
  readonly text: string
  readonly headers?: Readonly<Record<string, string>>
  /** The stream is asked for its usage though the caller did not: the event that brings it is not for the caller. */
  readonly isUsageOurs?: boolean
}

/** What is read of a stream while its bytes are passed on. */
export type RelayWatch = {
  readonly tally: Tally
  readonly readUsage: ((event: JsonObject, before?: Usage) => Usage | undefined) | undefined
  /** Whether an event that holds the usage and no part of the answer is kept from the caller. */
  readonly dropsUsage: boolean
}

/** The end of a protocol with which we speak to an upstream. Pure, and tolerant of what vendors really send. */
export type ClientEnd = {
  readonly wire: string
  readonly kind: CallKind
  /**
   * The request for `model` as the upstream names it. `asksUsage` is whether a stream may be asked for its usage, where the wire has to
   * ask; true when absent. Throws Fault `unsupported-value` for what the wire cannot say.
   */
  writeCall(call: Call, model: string, asksUsage?: boolean): UpstreamBody
  readResult(body: JsonObject, call: Call): Result
  /** `payloads` are the `data:` values of the stream, without the terminator. */
  readEvents(payloads: AsyncIterable<string>, call: Call): AsyncIterable<Event>
  /** Whether a caller of the same wire can take this whole answer as it is; true when absent. */
  canRelay?(body: Uint8Array, call: Call): boolean
  /** An upstream's stream for a caller of the same wire, in whole events; when absent, as `relaySse` gives it. */
  relayStream?(body: AsyncIterable<Uint8Array>, watch: RelayWatch): AsyncIterable<Uint8Array>
  /** The usage that a whole answer or an event of a stream tells; `before` is what earlier events told. */
  readUsage?(body: JsonObject, before?: Usage): Usage | undefined
  readFault(status: number, retryAfterMs: number | undefined, body: string): Fault
}

/** A batch with what tells it from others. */
export type ListedBatch = UpstreamBatch & {
  readonly tag: string | undefined
  readonly staged: string | undefined
  readonly count: number | undefined
  /** Unix milliseconds. */
  readonly createdAt: number | undefined
}

/** How whole batches are spoken of with an upstream. Pure; paths are below the place where the upstream has them. */
export type BatchEnd = {
  readonly kinds: ReadonlySet<CallKind>
  readonly maxLines: number
  readonly maxBytes: number
  readonly keepsCustomIds: boolean
  /** One line for a request that is JSON text. */
  writeLine(name: string, kind: CallKind, body: string): string
  /** Present where the lines are a file that is uploaded before the order. */
  readonly file?: {
    readonly path: string
    /** What stands before and after the lines. */
    writeForm(filename: string): { readonly contentType: string; readonly head: string; readonly tail: string }
    /** Throws Fault `upstream-failed` for what is no file, or one that can be used for nothing. */
    read(body: JsonObject): { readonly id: string; readonly isReady: boolean }
  }
  readonly path: string
  /** What stands before and after the lines, which are separated by commas; where they are a file there are none. */
  writeOrder(order: BatchOrder): { readonly head: string; readonly tail: string }
  /** undefined for what is no batch. */
  readBatch(body: JsonObject): ListedBatch | undefined
  listPath(after: string | undefined): string
  /** `maybe`: it may be the one of the order, which its first result will tell. */
  isOrdered(batch: ListedBatch, order: BatchOrder): 'yes' | 'no' | 'maybe'
  resultPath(name: string): string
  readResult(result: JsonObject): UpstreamLine | undefined
}
