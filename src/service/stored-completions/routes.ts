import { z } from 'zod'
import { openaiAction } from '../../core/access/data-actions.ts'
import { Fault } from '../../core/fault.ts'
import type { JsonObject } from '../../core/json.ts'
import type { ServiceAnswer, ServiceRequest, ServiceRoute } from '../../core/service-route.ts'
import type {
  StoredCompletion,
  StoredCompletionFilter,
  StoredCompletionsTable,
} from '../../port/tables/stored-completions/port.ts'
import { metadataSchema } from '../../wire/openai-chat/extras.ts'
import { readBody } from '../../wire/read-body.ts'
import { readPage, refuseParameter, writePage } from '../read-page.ts'
import { canBeId } from './can-be-id.ts'
import { writeMessages } from './item.ts'
import { ownerOf } from './owner.ts'

export type StoredCompletionRoutesOptions = {
  readonly table: StoredCompletionsTable
  /** Resolves when every answer that had ended before is in the table, or could not be stored. */
  settle(): Promise<void>
}

const surfaces = [
  { base: '/openai/chat/completions', apiVersion: 'required' },
  { base: '/openai/v1/chat/completions', apiVersion: 'optional' },
] as const

/** The routes under which callers find what they had stored. */
export function createStoredCompletionRoutes({ table, settle }: StoredCompletionRoutesOptions): ServiceRoute[] {
  const list = async ({ caller, query }: ServiceRequest): Promise<JsonObject> => {
    const page = readPage(query, 'asc')
    if (page.after !== undefined && !canBeId(page.after)) throw refuseAfter(page.after)
    const found = await table.list(ownerOf(caller), readFilter(query), page)
    if (!found) throw refuseAfter(page.after ?? '')
    return writePage(found.rows.map(writeStored), found.hasMore)
  }
  const listCounted = async (request: ServiceRequest): Promise<JsonObject> => ({
    ...(await list(request)),
    total: await table.count(ownerOf(request.caller), readFilter(request.query)),
  })
  const get = async ({ caller, params }: ServiceRequest): Promise<JsonObject> => {
    const id = idOf(params)
    return writeStored((await table.get(ownerOf(caller), id)) ?? refuseUnknown(id))
  }
  const update = async ({ caller, params, body }: ServiceRequest): Promise<JsonObject> => {
    const id = idOf(params)
    const { metadata } = readBody(updateSchema, body)
    return writeStored((await table.replaceMetadata(ownerOf(caller), id, metadata ?? {})) ?? refuseUnknown(id))
  }
  const remove = async ({ caller, params }: ServiceRequest): Promise<JsonObject> => {
    const id = idOf(params)
    if (!(await table.delete(ownerOf(caller), id))) refuseUnknown(id)
    return { object: 'chat.completion.deleted', id, deleted: true }
  }
  const listMessages = async ({ caller, params, query }: ServiceRequest): Promise<JsonObject> => {
    const id = idOf(params)
    const { after, limit, order } = readPage(query, 'asc')
    const messages = writeMessages(id, (await table.getMessages(ownerOf(caller), id)) ?? refuseUnknown(id))
    if (order === 'desc') messages.reverse()
    const start = after === undefined ? 0 : messages.findIndex((message) => message.id === after) + 1
    if (after !== undefined && start === 0) throw refuseAfter(after)
    return writePage(messages.slice(start, start + limit), messages.length > start + limit)
  }

  /** Whoever has seen an answer end finds it. */
  const settled = (answer: (request: ServiceRequest) => Promise<JsonObject>) => {
    return async (request: ServiceRequest): Promise<ServiceAnswer> => {
      await settle()
      return { status: 200, body: await answer(request) }
    }
  }
  return surfaces.flatMap(({ base, apiVersion }): ServiceRoute[] => {
    const one = `${base}/{completion_id}`
    return [
      {
        method: 'GET',
        path: base,
        action: actions.read,
        apiVersion,
        answer: settled(apiVersion === 'required' ? listCounted : list),
      },
      { method: 'GET', path: one, action: actions.read, apiVersion, answer: settled(get) },
      { method: 'POST', path: one, action: actions.write, apiVersion, answer: settled(update) },
      { method: 'DELETE', path: one, action: actions.delete, apiVersion, answer: settled(remove) },
      { method: 'GET', path: `${one}/messages`, action: actions.read, apiVersion, answer: settled(listMessages) },
    ]
  })
}

const actions = {
  read: openaiAction('stored-completions/read'),
  write: openaiAction('stored-completions/write'),
  delete: openaiAction('stored-completions/delete'),
} as const

const updateSchema = z.strictObject({ metadata: metadataSchema.nullable() })

function idOf(params: ServiceRequest['params']): string {
  const id = params.completion_id as string
  return canBeId(id) ? id : refuseUnknown(id)
}

function writeStored({ id, completion, metadata }: StoredCompletion): JsonObject & { id: string } {
  return { ...completion, id, metadata: { ...metadata } }
}

/** `metadata[key]=value`, as often as there are pairs to be held. */
function readFilter(query: URLSearchParams): StoredCompletionFilter {
  const pairs: [string, string][] = []
  for (const [name, value] of query) {
    const key = /^metadata\[([\s\S]*)\]$/.exec(name)?.[1]
    if (key !== undefined) pairs.push([key, value])
  }
  return {
    model: query.get('model') || undefined,
    metadata: readBody(metadataSchema, Object.fromEntries(pairs), ['metadata']),
  }
}

function refuseAfter(after: string): Fault {
  return refuseParameter('after', after, 'an id of this list')
}

function refuseUnknown(id: string): never {
  throw new Fault(
    'not-found',
    `No stored completion has the id ${JSON.stringify(id.slice(0, 64))}. Only answers to requests with "store": true are stored, ` +
      'and a key finds its own only.',
  )
}
