import { z } from 'zod'
import { Fault } from '../../core/fault.ts'
import { parseDocument } from '../../core/text/parse-document.ts'
import {
  type BlocklistItem,
  type BlocklistSpec,
  describeTooMany,
  isSameItem,
  itemSchema,
  maxItems,
  mergeItems,
  readItems,
} from '../../snapshot/filter/blocklist-spec.ts'
import type { Collection, Held } from '../../snapshot/filter/collection.ts'
import type { ItemsChanged } from '../api.ts'
import { isDryRun } from '../http/dry-run.ts'
import { refuseDocument } from '../http/errors.ts'
import { checkPreconditions } from '../http/preconditions.ts'
import { readJsonBody, readJsonList } from '../http/read-body.ts'
import { type Handler, maxDocumentBytes, requireValid } from './collection-handlers.ts'

const pageItems = 100
const maxPageItems = 1_000

const itemsSchema = z.array(itemSchema).max(maxItems)
const namesSchema = z.array(z.string().max(1_000)).max(maxItems)

/** The items of blocklists. `find` throws Fault `not-found` for a list that is none. */
export function createItems(
  collection: Collection<BlocklistSpec>,
  find: (name: string) => Held<BlocklistSpec>,
): Record<'list' | 'add' | 'removeSome' | 'show' | 'put' | 'remove', Handler> {
  /** Runs inside the write, so that nothing changes between looking and writing. */
  async function change(
    request: Request,
    name: string,
    edit: (items: readonly BlocklistItem[]) => readonly BlocklistItem[],
  ): Promise<ItemsChanged> {
    let before: readonly BlocklistItem[] = []
    let after: readonly BlocklistItem[] = []
    const apply = (current: Held<BlocklistSpec> | undefined): BlocklistSpec => {
      const held = current ?? find(name)
      checkPreconditions(request.headers, { etag: held.etag, name: held.spec.name }, 'blocklist')
      before = held.spec.items
      after = edit(before)
      if (after.length > maxItems) throw refuseDocument([{ path: [], text: describeTooMany(after.length) }])
      return { ...held.spec, items: after }
    }
    if (isDryRun(request)) {
      collection.requireWritable(name)
      apply(collection.get(name))
    } else await collection.write(name, apply)
    return compare(before, after)
  }

  return {
    async list(request, name) {
      const { items } = find(name).spec
      const { top, after } = readPage(request)
      const from = after === undefined ? 0 : firstAfter(items, after.toLowerCase())
      const value = items.slice(from, from + top)
      const last = value.at(-1)
      const hasMore = last !== undefined && from + top < items.length
      const nextLink = `/management/rai-blocklists/${encodeURIComponent(name)}/items?top=${top}&after=${encodeURIComponent(last?.name ?? '')}`
      return { status: 200, body: { count: items.length, value, ...(hasMore && { nextLink }) } }
    },
    async add(request, name) {
      const list = requireValid(parseDocument(itemsSchema, await readJsonList(request, maxDocumentBytes)))
      const { items } = requireValid(readItems(list.data.map((item, index) => ({ item, path: [index] }))))
      return { status: 200, body: await change(request, name, (before) => mergeItems(before, items)) }
    },
    async removeSome(request, name) {
      const { data } = requireValid(parseDocument(namesSchema, await readJsonList(request, maxDocumentBytes)))
      const gone = new Set(data.map((item) => item.toLowerCase()))
      const body = await change(request, name, (before) => before.filter((item) => !gone.has(item.name.toLowerCase())))
      return { status: 200, body }
    },
    async show(_request, name, item) {
      return { status: 200, body: findItem(find(name).spec, item) }
    },
    async put(request, name, item) {
      const document = { ...(await readJsonBody(request)), name: item }
      const { data } = requireValid(parseDocument(itemSchema, document))
      const { items } = requireValid(readItems([{ item: data, path: [] }]))
      const { added } = await change(request, name, (before) => mergeItems(before, items))
      return { status: added > 0 ? 201 : 200, body: items[0] }
    },
    async remove(request, name, item) {
      await change(request, name, (before) => {
        const found = findItem(find(name).spec, item)
        return before.filter((other) => other.name !== found.name)
      })
      return { status: 204 }
    },
  }
}

function findItem({ items, name: list }: BlocklistSpec, name: string): BlocklistItem {
  const found = items.find((item) => item.name.toLowerCase() === name.toLowerCase())
  if (found) return found
  throw new Fault('not-found', `The blocklist "${list}" has no item ${JSON.stringify(name)}.`)
}

function compare(before: readonly BlocklistItem[], after: readonly BlocklistItem[]): ItemsChanged {
  const known = new Map(before.map((item) => [item.name.toLowerCase(), item]))
  let added = 0
  let changed = 0
  for (const item of after) {
    const same = known.get(item.name.toLowerCase())
    if (!same) added++
    else if (!isSameItem(same, item)) changed++
    known.delete(item.name.toLowerCase())
  }
  return { added, changed, removed: known.size, count: after.length }
}

/** Items are in the order of their names, so that a page begins where the last one ended whatever came in between. */
function firstAfter(items: readonly BlocklistItem[], key: string): number {
  const index = items.findIndex((item) => item.name.toLowerCase() > key)
  return index < 0 ? items.length : index
}

function readPage(request: Request): { readonly top: number; readonly after: string | undefined } {
  const { searchParams } = new URL(request.url)
  const text = searchParams.get('top') ?? String(pageItems)
  const top = Number(text)
  if (!/^\d{1,4}$/.test(text) || top < 1 || top > maxPageItems) {
    throw new Fault(
      'invalid-request',
      `top: got ${JSON.stringify(text)}, expected a whole number from 1 to ${maxPageItems}`,
      { param: 'top' },
    )
  }
  return { top, after: searchParams.get('after') ?? undefined }
}
