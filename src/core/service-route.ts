import type { Caller } from './exchange.ts'
import type { JsonObject } from './json.ts'

/** A request to a stateful API, authenticated and read. */
export type ServiceRequest = {
  /** The path's parameters by name, decoded. */
  readonly params: Readonly<Record<string, string>>
  readonly query: URLSearchParams
  /** Of a POST or PATCH; empty where none was sent. */
  readonly body: JsonObject
  readonly caller: Caller
  readonly requestId: string
  /** As the caller wrote it, for the addresses of further pages. */
  readonly url: string
  /** Aborted when the caller goes away. */
  readonly signal: AbortSignal
}

export type ServiceAnswer = {
  readonly status: number
  /** Absent where there is nothing to say, as with status 204. */
  readonly body?: JsonObject | undefined
  readonly headers?: Readonly<Record<string, string>> | undefined
}

/** A route of the data plane that a stateful API answers, without a deployment or a model. */
export type ServiceRoute = {
  readonly method: 'GET' | 'POST' | 'PATCH' | 'DELETE'
  /** May hold `{name}` segments, also with a verb behind them: `{name}:cancel`. */
  readonly path: string
  /** Whether the surface insists on `api-version`. */
  readonly apiVersion: 'required' | 'optional'
  /**
   * Where models are asked on the same path: whether the route answers in place of a deployment of that name, when there is none.
   * Without it the path is the route's alone.
   */
  standsInFor?(deployment: string): boolean
  /** Rejects with a Fault. */
  answer(request: ServiceRequest): Promise<ServiceAnswer>
}
