import { randomBytes } from 'node:crypto'
import type { TraceContext } from '../../core/usage/request-record.ts'

/** W3C Trace Context, level 1: https://www.w3.org/TR/trace-context/ */

const pattern = /^([\da-f]{2})-([\da-f]{32})-([\da-f]{16})-([\da-f]{2})(-.*)?$/
const nothing = /^0+$/
export const sampledFlag = 0x01
/** Vendors may cut it off there, and no one has to pass on more. */
const maxStateChars = 512

/** What the caller says of the trace that its request belongs to; undefined where it says nothing, or nothing that can be read. */
export function readTraceContext(traceparent: string | null, tracestate: string | null): TraceContext | undefined {
  const found = traceparent === null ? null : pattern.exec(traceparent)
  if (!found) return undefined
  const [, version, traceId, spanId, flags, more] = found as unknown as [
    string,
    string,
    string,
    string,
    string,
    string?,
  ]
  if (version === 'ff' || (version === '00' && more !== undefined) || nothing.test(traceId) || nothing.test(spanId)) {
    return undefined
  }
  return {
    traceId,
    spanId,
    flags: Number.parseInt(flags, 16),
    state: tracestate !== null && tracestate.length <= maxStateChars ? tracestate : undefined,
  }
}

/** The headers with which the trace goes on to the next server. */
export function writeTraceHeaders({ traceId, spanId, flags, state }: TraceContext): Record<string, string> {
  const traceparent = `00-${traceId}-${spanId}-${flags < 16 ? '0' : ''}${flags.toString(16)}`
  return state === undefined ? { traceparent } : { traceparent, tracestate: state }
}

export const makeTraceId = (): string => makeId(16)
export const makeSpanId = (): string => makeId(8)

/** From a supply: a call of the generator for each would cost more than all that is done with them. */
let supply = Buffer.alloc(0)
let taken = 0

function makeId(length: number): string {
  if (taken + length > supply.length) {
    supply = randomBytes(4096)
    taken = 0
  }
  taken += length
  const id = supply.toString('hex', taken - length, taken)
  return nothing.test(id) ? makeId(length) : id
}
