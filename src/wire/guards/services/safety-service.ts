import type { Question, Segment } from '../../../core/filter/engine.ts'
import type { JsonObject } from '../../../core/json.ts'
import type { Reading } from '../reading.ts'

/** One request of a safety service. `read` throws Fault `upstream-failed` for what says nothing reliable. */
export type ServiceAsk = {
  /** Below the root of the service's address, with query. */
  readonly path: string
  readonly body: JsonObject
  read(answer: JsonObject): Reading
}

/** How the credential is shown: in a header, as a signature over the request, or traded for a token first. */
export type ServiceAuth =
  | { readonly kind: 'none' }
  | { readonly kind: 'header'; readonly name: string; readonly prefix: string }
  | { readonly kind: 'signature'; readonly region: string; readonly service: string }
  | { readonly kind: 'token'; readonly scope: string }

/** A hosted safety service as a pure codec. */
export type SafetyService = {
  /** Scheme and host; paths of requests hold everything else. */
  readonly origin: string
  /** For answers and logs: kind, and version or model where there is one. */
  readonly label: string
  readonly auth: ServiceAuth
  buildRequests(segments: readonly Segment[], question: Question, maxChars: number): readonly ServiceAsk[]
}

export type ServiceAddress = { readonly origin: string; readonly path: string }

/** The address in its parts; the path without a slash at its end. */
export function readAddress(url: string): ServiceAddress {
  const { origin, pathname } = new URL(url)
  return { origin, path: pathname.replace(/\/+$/, '') }
}

export const bearer: ServiceAuth = { kind: 'header', name: 'authorization', prefix: 'Bearer ' }
