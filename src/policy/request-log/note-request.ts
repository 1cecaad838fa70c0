import type { Caller } from '../../core/exchange.ts'
import type { Fault } from '../../core/fault.ts'
import type { RecordListener, RequestRecord } from '../../core/usage/request-record.ts'
import { readTraceContext } from '../../telemetry/traces/trace-context.ts'
import type { FaultBody, ServerEnd } from '../../wire/wire.ts'
import { closeRefusal, noteCaller } from './close-record.ts'

const maxPathChars = 256

/** Writes down what is known of a request before anything of it was judged. `headers` are those of the answer. */
export function noteArrival(
  record: RequestRecord,
  request: Request,
  path: string,
  headers: Readonly<Record<string, string>>,
  readAddress: () => string,
): void {
  record.method = request.method
  record.path = path.length > maxPathChars ? path.slice(0, maxPathChars) : path
  record.address = readAddress()
  const clientRequestId = headers['x-ms-client-request-id'] as string
  if (clientRequestId !== record.id) record.clientRequestId = clientRequestId
  const trace = request.headers.get('traceparent')
  if (trace === null) return
  record.trace = readTraceContext(trace, request.headers.get('tracestate'))
  record.traceId = record.trace?.traceId ?? ''
}

/**
 * Tells of a request that ended before it had a deployment: where a model was to be asked, or where somebody known asked for a path that
 * does not exist. Of strangers who try paths nobody is told.
 */
export function noteRefusal(
  record: RequestRecord,
  fault: Fault,
  { status, body }: FaultBody,
  endpoint: KnownEndpoint | undefined,
  findCaller: FindCaller,
  onRefused: RecordListener | undefined,
): void {
  const isTold = record.outcome === 'open' && isWorthTelling(record, endpoint, findCaller)
  if (isTold) closeRefusal(record, fault, performance.now())
  record.status = status
  record.responseBytes = Buffer.byteLength(body)
  if (isTold) onRefused?.(record)
}

/** Where a model is asked, with the end of the protocol that it is asked in. */
type KnownEndpoint = { readonly kind: string; readonly end?: Pick<ServerEnd, 'wire' | 'kind'> }

/** A promise where it takes waiting to find out, which nobody does for this; undefined where there is nobody. */
type FindCaller = () => Caller | Promise<Caller> | undefined

function isWorthTelling(record: RequestRecord, endpoint: KnownEndpoint | undefined, findCaller: FindCaller): boolean {
  if (endpoint) {
    if (!endpoint.end) return false
    record.surface = endpoint.end.wire
    record.operation = endpoint.end.kind
    return true
  }
  try {
    const caller = findCaller()
    if (caller instanceof Promise) caller.catch(() => {})
    if (!caller || caller instanceof Promise) return false
    noteCaller(record, caller)
    return true
  } catch {
    return false
  }
}
