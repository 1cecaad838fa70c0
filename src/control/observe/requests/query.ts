import { z } from 'zod'
import { callKinds } from '../../../core/call.ts'
import { Fault } from '../../../core/fault.ts'
import { faultCodes } from '../../../core/fault-codes.ts'
import type { RequestDocument, RequestQuery } from '../../../port/requests/port.ts'
import { readQuery, timeSchema, topSchema } from '../../http/read-query.ts'

const name = z.string().min(1).max(128)
const flag = z.enum(['true', 'false']).transform((text) => text === 'true')

const filterFields = {
  resource: name.optional(),
  deployment: name.optional(),
  key: name.optional(),
  status: z
    .string()
    .regex(/^[1-5](\d\d|xx)$/, 'a status such as 429, or 4xx')
    .optional(),
  code: z.enum(Object.keys(faultCodes) as [string, ...string[]]).optional(),
  model: name.optional(),
  operation: z.enum(callKinds).optional(),
  minMs: z
    .string()
    .regex(/^\d{1,9}$/, 'whole milliseconds')
    .optional(),
  filtered: flag.optional(),
  limited: flag.optional(),
  text: z.string().min(1).max(256).optional(),
}

const filterSchema = z.strictObject(filterFields)
const querySchema = z.strictObject({
  ...filterFields,
  from: timeSchema.optional(),
  to: timeSchema.optional(),
  top: topSchema,
  after: z
    .string()
    .regex(/^\d{1,15}(\.\d{1,4})?$/, 'the "after" of a nextLink')
    .optional(),
})

type Filter = Omit<RequestQuery, 'fromMs' | 'toMs' | 'top' | 'after'>

/** What the address asks for. Throws Fault `invalid-request` naming what is wrong with it. */
export function readRequestQuery(url: URL): RequestQuery {
  const { from, to, top, after, ...filter } = readQuery(querySchema, url)
  const fromMs = from === undefined ? 0 : Date.parse(from)
  const toMs = to === undefined ? Number.MAX_SAFE_INTEGER : Date.parse(to)
  if (fromMs > toMs) {
    const text = `from: got ${from}, expected a time before "to", ${to}`
    throw new Fault('invalid-request', text, { param: 'from' })
  }
  return {
    ...readFilter(filter),
    ...{ fromMs, toMs, top: Number(top) },
    ...(after !== undefined && { after: Number(after) }),
  }
}

/** Whether a request that has just ended is one of those the address asks for. Throws as `readRequestQuery`. */
export function readRequestFilter(url: URL): (document: RequestDocument) => boolean {
  const filter = readFilter(readQuery(filterSchema, url))
  const { status, minMs = 0, isFiltered, isLimited, deployment } = filter
  const text = filter.text?.toLowerCase()
  const isSame = (wanted: string | undefined, is = '') =>
    wanted === undefined || wanted.toLowerCase() === is.toLowerCase()
  return (document) =>
    isSame(filter.resource, document.resource) &&
    (isSame(deployment, document.deployment) || isSame(deployment, document.asked)) &&
    isSame(filter.caller, document.caller) &&
    isSame(filter.model, document.model) &&
    isSame(filter.operation, document.operation) &&
    isSame(filter.code, document.code) &&
    (!status || (document.status >= status[0] && document.status < status[1])) &&
    document.timings.totalMs >= minMs &&
    (isFiltered === undefined || (document.isFiltered ?? false) === isFiltered) &&
    (isLimited === undefined || (document.isLimited ?? false) === isLimited) &&
    (text === undefined || JSON.stringify(document).toLowerCase().includes(text))
}

function readFilter({ key, status, minMs, filtered, limited, ...words }: z.output<typeof filterSchema>): Filter {
  return {
    ...words,
    caller: key,
    status: status === undefined ? undefined : readStatus(status),
    minMs: minMs === undefined ? undefined : Number(minMs),
    isFiltered: filtered,
    isLimited: limited,
  }
}

function readStatus(text: string): readonly [number, number] {
  const first = Number(text.replace('xx', '00'))
  return [first, first + (text.endsWith('xx') ? 100 : 1)]
}
