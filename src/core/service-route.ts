import type { Caller } from './exchange.ts'
import type { JsonObject } from './json.ts'

/** A part of a multipart form. */
export type FormPart = {
  readonly name: string
  /** As the client wrote it: any text, and never a path. undefined for a field. */
  readonly filename: string | undefined
  /** The text of a field that is not too long to be held. */
  readonly value: string | undefined
  /** To be read once, at the reader's pace, before the next part is asked for; what is left of it then is passed over. */
  readonly content: AsyncIterable<Uint8Array>
}

/** A request to a stateful API, authenticated and read. */
export type ServiceRequest = {
  /** The path's parameters by name, decoded. */
  readonly params: Readonly<Record<string, string>>
  readonly query: URLSearchParams
  /** Of a POST or PATCH; empty where none was sent, or a form. */
  readonly body: JsonObject
  /**
   * The parts of the form in their order, where the route takes one. Read as they arrive: asking for them rejects with Faults
   * `invalid-request` for what is no form, `body-too-large`, and `client-gone` when the connection ends first.
   */
  readonly form?: AsyncIterable<FormPart> | undefined
  readonly caller: Caller
  readonly requestId: string
  /** As the caller wrote it, for the addresses of further pages. */
  readonly url: string
  /** A header by lower-case name, or null. */
  readonly header: (name: string) => string | null
  /** Aborted when the caller goes away. */
  readonly signal: AbortSignal
}

/** An event of a stream. `data` is JSON, or a text that stands there as it is: `[DONE]`. */
export type ServiceEvent = {
  /** Its `event:` line; absent where the protocol has none. */
  readonly name?: string | undefined
  /** Its `id:` line, with which a client may ask to go on from there. */
  readonly id?: string | undefined
  readonly data: JsonObject | string
}

/** Bytes for an answer, of which a caller may ask for a range. */
export type ServiceContent = {
  readonly length: number
  readonly type: string
  /** Names these bytes and no others. */
  readonly etag: string
  /** From `start` up to before `end`. Read at the caller's pace, and closed when he goes. */
  open(start: number, end: number): AsyncIterable<Uint8Array>
}

export type ServiceAnswer = {
  readonly status: number
  /** Absent where there is nothing to say, as with status 204. */
  readonly body?: JsonObject | undefined
  /** In place of a body. */
  readonly content?: ServiceContent | undefined
  /**
   * In place of a body: an event stream. Asked for the next one when the caller has taken the last; one that rejects cuts the answer off.
   * It has to end soon after the signal of the request was aborted.
   */
  readonly events?: AsyncIterable<ServiceEvent> | undefined
  readonly headers?: Readonly<Record<string, string>> | undefined
}

/** A route of the data plane that a stateful API answers, without a deployment or a model. */
export type ServiceRoute = {
  readonly method: 'GET' | 'POST' | 'PATCH' | 'DELETE'
  /** May hold `{name}` segments, also with a verb behind them: `{name}:cancel`. */
  readonly path: string
  /** What a caller that comes with a token must be allowed to do: `openaiAction('files/read')`. */
  readonly action: string
  /** Whether the surface insists on `api-version`. */
  readonly apiVersion: 'required' | 'optional'
  /** Present where the body is a multipart form and not JSON; `maxBytes` is how large it may be as a whole. */
  readonly form?: { readonly maxBytes: number } | undefined
  /**
   * Where models are asked on the same path: whether the route answers in place of a deployment of that name, when there is none.
   * Without it the path is the route's alone.
   */
  standsInFor?(deployment: string): boolean
  /** Rejects with a Fault. */
  answer(request: ServiceRequest): Promise<ServiceAnswer>
}
