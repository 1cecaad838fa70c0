import type { Caller } from './exchange.ts'
import type { JsonObject } from './json.ts'

/** A request to a stateful API, authenticated and read. */
export type ServiceRequest = {
  /** The path's parameters by name, decoded. */
  readonly params: Readonly<Record<string, string>>
  readonly query: URLSearchParams
  /** Of a POST; empty where none was sent. */
  readonly body: JsonObject
  readonly caller: Caller
  readonly requestId: string
}

export type ServiceAnswer = {
  readonly status: number
  readonly body: JsonObject
  readonly headers?: Readonly<Record<string, string>> | undefined
}

/** A route of the data plane that a stateful API answers, without a deployment or a model. */
export type ServiceRoute = {
  readonly method: 'GET' | 'POST' | 'DELETE'
  /** May hold `{name}` segments. */
  readonly path: string
  /** Whether the surface insists on `api-version`. */
  readonly apiVersion: 'required' | 'optional'
  /** Rejects with a Fault. */
  answer(request: ServiceRequest): Promise<ServiceAnswer>
}
