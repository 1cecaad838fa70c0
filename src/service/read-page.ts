import { Fault } from '../core/fault.ts'

/** How the lists of the stateful APIs are asked for. */
export type PageQuery = {
  /** The id after which the page begins. */
  readonly after: string | undefined
  readonly limit: number
  readonly order: 'asc' | 'desc'
}

/** How many items a page may have, and has when nothing is said. */
export type PageSizes = { readonly most: number; readonly usual: number }

const pageSizes: PageSizes = { most: 100, usual: 20 }

/** Throws Fault `invalid-request` naming the parameter. */
export function readPage(
  query: URLSearchParams,
  defaultOrder: PageQuery['order'],
  { most, usual }: PageSizes = pageSizes,
): PageQuery {
  const limit = query.get('limit') || `${usual}`
  if (!/^\d{1,9}$/.test(limit) || Number(limit) < 1 || Number(limit) > most) {
    throw refuseParameter('limit', limit, `a whole number, 1 to ${most}`)
  }
  const order = query.get('order') || defaultOrder
  if (order !== 'asc' && order !== 'desc') throw refuseParameter('order', order, '"asc" or "desc"')
  return { after: query.get('after') || undefined, limit: Number(limit), order }
}

/** What the answer says of a page, with its items. */
export function writePage<T extends { readonly id: string }>(data: readonly T[], hasMore: boolean) {
  const [first, last] = [data[0]?.id ?? null, data.at(-1)?.id ?? null]
  return { object: 'list', data: [...data], first_id: first, last_id: last, has_more: hasMore }
}

export function refuseParameter(param: string, got: string, expected: string): Fault {
  const shown = JSON.stringify(got.slice(0, 64))
  return new Fault('invalid-request', `Invalid value for '${param}': got ${shown}, expected ${expected}.`, { param })
}
