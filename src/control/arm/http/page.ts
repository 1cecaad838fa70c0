import { Fault } from '../../../core/fault.ts'
import type { Answer } from '../../http/answer.ts'
import type { ArmVisit } from './arm-route.ts'

/** Of a page, unless `$top` asks for fewer. */
const pageItems = 200

/**
 * A page of a list, which is in the order of the names, and the link to what comes after. A page begins where the last one ended, whatever
 * came in between. `nameOf` gives what the items are found by. Throws Fault `invalid-request` for a `$skiptoken` or `$top` that is none.
 */
export function pageOf<T>(
  visit: Pick<ArmVisit, 'url'>,
  items: readonly T[],
  nameOf: (item: T) => string,
  view: (item: T) => unknown,
): Answer {
  const { url } = visit
  const top = readTop(url)
  const after = readToken(url)
  const found = after === undefined ? 0 : items.findIndex((item) => nameOf(item).toLowerCase() > after)
  const from = found < 0 ? items.length : found
  const page = items.slice(from, from + top)
  const last = page.at(-1)
  const value = page.map(view)
  if (last === undefined || from + top >= items.length) return { status: 200, body: { value } }
  const next = new URL(url)
  next.searchParams.set('$skiptoken', Buffer.from(nameOf(last).toLowerCase()).toString('base64url'))
  return { status: 200, body: { value, nextLink: next.href } }
}

function readToken(url: URL): string | undefined {
  const text = url.searchParams.get('$skiptoken')
  if (text === null) return undefined
  if (text.length > 4096 || !/^[\w-]+$/.test(text)) refuse('$skiptoken', text, 'that of a nextLink')
  return Buffer.from(text, 'base64url').toString()
}

function readTop(url: URL): number {
  const text = url.searchParams.get('$top')
  if (text === null) return pageItems
  if (!/^[1-9]\d{0,8}$/.test(text)) refuse('$top', text, 'a whole number from 1')
  return Math.min(Number(text), pageItems)
}

function refuse(param: string, text: string, expected: string): never {
  const message = `${param}: got ${JSON.stringify(text.slice(0, 40))}, expected ${expected}`
  throw new Fault('invalid-request', message, { param, vendorCode: 'InvalidParameter' })
}
