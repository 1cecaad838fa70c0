import { z } from 'zod'
import { Fault } from '../../../core/fault.ts'
import type { JsonObject } from '../../../core/json.ts'
import type { ServiceAnswer, ServiceRequest, ServiceRoute } from '../../../core/service-route.ts'
import { readBody } from '../../../wire/read-body.ts'
import { refuseParameter } from '../../read-page.ts'
import type { Blocklist, Blocklists, ListItem, NewListItem } from './blocklists.ts'
import { refuse, requireLength } from './limits.ts'
import { blocklistActions as actions, requireOwner } from './owner.ts'

const base = '/contentsafety/text/blocklists'
const one = `${base}/{blocklistName}`

const maxNameLength = 64
const maxItemPoints = 128
const maxDescriptionPoints = 1024
const maxItemsPerCall = 100
const defaultPageSize = 100

const listSchema = z.strictObject({
  blocklistName: z.string().nullish(),
  description: z.string().nullish(),
})
const addSchema = z.strictObject({
  blocklistItems: z
    .array(
      z.strictObject({
        blocklistItemId: z.string().nullish(),
        text: z.string(),
        description: z.string().nullish(),
        isRegex: z.boolean().nullish(),
      }),
    )
    .min(1)
    .max(maxItemsPerCall),
})
const removeSchema = z.strictObject({ blocklistItemIds: z.array(z.string()).min(1).max(maxItemsPerCall) })

/** Blocklists of Azure AI Content Safety: what they hold, filters of deployments look for as well. */
export function createListRoutes(blocklists: Blocklists): ServiceRoute[] {
  const find = ({ params }: ServiceRequest): Blocklist => {
    const name = params.blocklistName as string
    return blocklists.get(name) ?? refuseUnknownList(name)
  }

  const put = async ({ params, body }: ServiceRequest): Promise<ServiceAnswer> => {
    const name = readName(params.blocklistName as string)
    const { description, blocklistName } = readBody(listSchema, body)
    if (blocklistName && blocklistName.toLowerCase() !== name.toLowerCase()) {
      refuse('blocklistName', `got another name than the path, expected ${JSON.stringify(name)} or none`)
    }
    if (description) requireLength(description, 'description', maxDescriptionPoints)
    const { list, isNew } = await blocklists.write(name, (current) => ({
      // A merge: what is left out stays, and null takes it away.
      description: description === undefined ? current?.description : (description ?? undefined),
      items: current?.items ?? [],
    }))
    return { status: isNew ? 201 : 200, body: writeList(list) }
  }

  const remove = async ({ params }: ServiceRequest): Promise<ServiceAnswer> => {
    const name = params.blocklistName as string
    if (!(await blocklists.remove(name))) refuseUnknownList(name)
    return { status: 204 }
  }

  const addItems = async (request: ServiceRequest): Promise<ServiceAnswer> => {
    const { name } = find(request)
    const added = readBody(addSchema, request.body).blocklistItems
    for (const [index, { text, description }] of added.entries()) {
      requireLength(text, `blocklistItems[${index}].text`, maxItemPoints)
      if (text.trim() === '' || !text.isWellFormed()) {
        refuse(`blocklistItems[${index}].text`, 'expected a text with something in it, without half characters')
      }
      if (description) requireLength(description, `blocklistItems[${index}].description`, maxDescriptionPoints)
    }
    const keyOf = ({ text, isRegex }: { text: string; isRegex?: boolean | null | undefined }) =>
      `${isRegex ?? false}:${text}`
    const { list } = await blocklists.write(name, (current) => {
      if (!current) return refuseUnknownList(name)
      const items = new Map<string, NewListItem>(current.items.map((item) => [keyOf(item), item]))
      for (const [index, item] of added.entries()) {
        const known = items.get(keyOf(item))
        items.set(keyOf(item), {
          ...(known?.id !== undefined && { id: known.id }),
          text: item.text,
          isRegex: item.isRegex ?? false,
          description: item.description ?? known?.description,
          place: `blocklistItems[${index}].text`,
        })
      }
      return { description: current.description, items: [...items.values()] }
    })
    const written = new Map(list.items.map((item) => [keyOf(item), item]))
    return {
      status: 200,
      body: { blocklistItems: added.map((item) => writeItem(written.get(keyOf(item)) as ListItem)) },
    }
  }

  const removeItems = async (request: ServiceRequest): Promise<ServiceAnswer> => {
    const { name } = find(request)
    const ids = readBody(removeSchema, request.body).blocklistItemIds
    const gone = new Set(ids)
    await blocklists.write(name, (current) => {
      if (!current) return refuseUnknownList(name)
      const known = new Set(current.items.map(({ id }) => id))
      const index = ids.findIndex((id) => !known.has(id))
      if (index !== -1) refuseUnknownItem(ids[index] as string, current.name, `blocklistItemIds[${index}]`)
      return { description: current.description, items: current.items.filter(({ id }) => !gone.has(id)) }
    })
    return { status: 204 }
  }

  const getItem = async (request: ServiceRequest): Promise<ServiceAnswer> => {
    const list = find(request)
    const id = request.params.blocklistItemId as string
    const item = list.items.find((known) => known.id === id) ?? refuseUnknownItem(id, list.name)
    return { status: 200, body: writeItem(item) }
  }

  const routes: readonly Omit<ServiceRoute, 'apiVersion'>[] = [
    {
      method: 'GET',
      path: base,
      action: actions.read,
      answer: async (request) => page(request, blocklists.list(), writeList),
    },
    {
      method: 'GET',
      path: one,
      action: actions.read,
      answer: async (request) => ({ status: 200, body: writeList(find(request)) }),
    },
    { method: 'PATCH', path: one, action: actions.write, answer: put },
    { method: 'DELETE', path: one, action: actions.delete, answer: remove },
    { method: 'POST', path: `${one}:addOrUpdateBlocklistItems`, action: actions.write, answer: addItems },
    { method: 'POST', path: `${one}:removeBlocklistItems`, action: actions.write, answer: removeItems },
    {
      method: 'GET',
      path: `${one}/blocklistItems`,
      action: actions.read,
      answer: async (request) => page(request, find(request).items, writeItem),
    },
    { method: 'GET', path: `${one}/blocklistItems/{blocklistItemId}`, action: actions.read, answer: getItem },
  ]
  return routes.map((route) => ({
    ...route,
    apiVersion: 'required',
    answer: async (request) => {
      requireOwner(request.caller)
      return route.answer(request)
    },
  }))
}

function readName(name: string): string {
  if (name.length <= maxNameLength && /^[0-9A-Za-z._~-]+$/.test(name)) return name
  throw new Fault(
    'invalid-request',
    `Invalid value for 'blocklistName': got ${JSON.stringify(name.slice(0, maxNameLength))}, expected 1 to ${maxNameLength} letters, digits and any of ._~-`,
    { param: 'blocklistName', vendorCode: 'InvalidResourceName' },
  )
}

function writeList({ name, description }: Blocklist): JsonObject {
  return { blocklistName: name, ...(description !== undefined && { description }) }
}

function writeItem({ id, text, isRegex, description }: ListItem): JsonObject {
  return {
    blocklistItemId: id,
    ...(description !== undefined && { description }),
    text,
    ...(isRegex && { isRegex }),
  }
}

/** `top` items after the first `skip`, in pages of `maxpagesize`. */
function page<T>({ query, url }: ServiceRequest, all: readonly T[], write: (item: T) => JsonObject): ServiceAnswer {
  const skip = readCount(query, 'skip') ?? 0
  const top = readCount(query, 'top') ?? all.length
  const size = Math.min(readCount(query, 'maxpagesize') || defaultPageSize, top)
  const value = all.slice(skip, skip + size).map(write)
  const hasMore = size < top && skip + size < all.length
  return { status: 200, body: { value, ...(hasMore && { nextLink: writeNext(url, skip + size, top - size) }) } }
}

function writeNext(url: string, skip: number, top: number): string {
  const next = new URL(url)
  next.searchParams.set('skip', String(skip))
  if (next.searchParams.has('top')) next.searchParams.set('top', String(top))
  return next.href
}

function readCount(query: URLSearchParams, name: string): number | undefined {
  const given = query.get(name)
  if (given === null || given === '') return undefined
  if (!/^\d{1,9}$/.test(given)) throw refuseParameter(name, given, 'a whole number')
  return Number(given)
}

function refuseUnknownList(name: string): never {
  throw new Fault('not-found', `There is no blocklist ${JSON.stringify(name.slice(0, maxNameLength))}.`, {
    param: 'blocklistName',
  })
}

function refuseUnknownItem(id: string, list: string, param = 'blocklistItemId'): never {
  throw new Fault('not-found', `The blocklist "${list}" has no item ${JSON.stringify(id.slice(0, 64))}.`, { param })
}
