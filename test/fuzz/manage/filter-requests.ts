import type { Random } from '../random.ts'
import { oddNames } from './documents.ts'
import {
  analyzeDocument,
  type FilterKind,
  filterDocument,
  filterKinds,
  filterNames,
  itemNames,
  itemsDocument,
  patternText,
} from './filter-documents.ts'

/** A request about content filters, before it is changed. `query` begins without a question mark. */
export type FilterRequest = {
  readonly method: string
  readonly path: string
  readonly query?: string
  readonly value?: unknown
}

export function pickFilterRequest(random: Random): FilterRequest {
  const kind = random.pick(filterKinds)
  const pick = (names: readonly string[]): string => random.pick(random.chance(0.92) ? names : oddNames)
  const path = `/management/${kind}/${pick(filterNames[kind])}`
  const items = `/management/rai-blocklists/${pick(filterNames['rai-blocklists'])}/items`
  const item = `${items}/${pick(itemNames)}`
  const draw = random.next()
  if (draw < 0.42) return { method: 'PUT', path, value: filterDocument(kind, random) }
  if (draw < 0.52) return { method: 'POST', path: items, value: itemsDocument(random) }
  if (draw < 0.57) {
    const names = random.pick<unknown>([['one'], ['ONE', 'none'], [], itemNames, Array(10_001).fill('x')])
    return { method: 'POST', path: `${items}/delete`, value: names }
  }
  if (draw < 0.66) {
    const pattern = random.pick([patternText(random), 'berry', ' '])
    return { method: 'PUT', path: item, value: { pattern, isRegex: random.chance(0.7) } }
  }
  if (draw < 0.7) return { method: 'DELETE', path: item }
  if (draw < 0.78) return { method: 'DELETE', path }
  if (draw < 0.88) return { method: 'POST', path: '/management/filters/analyze', value: analyzeDocument(random) }
  if (draw < 0.91) return { method: 'GET', path: items, query: pageQuery(random) }
  return { method: random.chance(0.9) ? 'GET' : 'PATCH', path: pickRead(path, kind, item, random) }
}

function pickRead(path: string, kind: FilterKind, item: string, random: Random): string {
  return random.pick([
    path,
    path,
    item,
    `/management/${kind}`,
    '/management/filters',
    '/management/filter-engines/base-http/probe',
    '/management/filter-engines/base-guard/probe',
    '/management/filters/analyze',
  ])
}

function pageQuery(random: Random): string {
  const top = random.pick(['1', '100', '1000', '0', '1001', '-1', '', 'x', '1e2'])
  const after = random.pick(['', 'one', 'ONE', '%00', '%ff', 'zzz', '%F0%9F%98%80'])
  return random.pick([`top=${top}`, `after=${after}`, `top=${top}&after=${after}`, ''])
}
