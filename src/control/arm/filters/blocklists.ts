import { isJsonObject, type Json, type JsonObject } from '../../../core/json.ts'
import type { BlocklistItem, BlocklistSpec } from '../../../snapshot/filter/blocklist-spec.ts'
import type { Held } from '../../../snapshot/filter/collection.ts'
import { maxDocumentBytes } from '../../filters/collection-handlers.ts'
import type { Answer } from '../../http/answer.ts'
import { isDryRun } from '../../http/dry-run.ts'
import { readJsonBody, readJsonList } from '../../http/read-body.ts'
import type { Account } from '../../resources/accounts.ts'
import { type FindOptions, findAccount, handlersOf } from '../accounts/find-account.ts'
import { type ArmRoute, type ArmVisit, isSameName, ofAccount, paramOf, route } from '../http/arm-route.ts'
import { refuseMissing, tellInArmWords } from '../http/errors.ts'
import { pageOf } from '../http/page.ts'
import { childHead } from '../http/resource-id.ts'
import { answerHeld, type HeldResource, heldRoutes, requireHeld, timesOf } from './held-routes.ts'
import { readEnvelope } from './read-envelope.ts'

const resource: HeldResource<BlocklistSpec> = {
  word: 'raiBlocklists',
  param: 'list',
  collection: ({ routes }) => routes.filters.blocklists,
  handlers: (account) => handlersOf(account).filters.blocklists,
  readDocument(body) {
    const document = readEnvelope(body, ['description'])
    return () => document
  },
  nameOfField,
  view: ({ spec: { description, tags } }) => ({
    ...(tags && { tags }),
    properties: { ...(description !== undefined && { description }) },
  }),
}

const one = `${ofAccount}/raiBlocklists/{list}`
const items = `${one}/raiBlocklistItems`
const item = `${items}/{item}`
const itemActions = 'accounts/raiBlocklists/raiBlocklistItems'

/** Blocklists and what stands in them. */
export function listBlocklistRoutes(options: FindOptions): readonly ArmRoute[] {
  return [...heldRoutes(options, resource), ...listItemRoutes((visit) => findAccount(options, visit))]
}

type Find = (visit: ArmVisit) => Promise<Account>

function listItemRoutes(find: Find): readonly ArmRoute[] {
  return [
    route('GET', items, `${itemActions}/read`, async (_, visit) => {
      const account = await find(visit)
      const list = requireHeld(resource, account, visit)
      return pageOf(
        visit,
        list.spec.items,
        ({ name }) => name,
        (one) => viewItem(account, list, one),
      )
    }),
    route('GET', item, `${itemActions}/read`, async (_, visit) => {
      const account = await find(visit)
      const list = requireHeld(resource, account, visit)
      return { status: 200, body: viewItem(account, list, requireItem(account, list, paramOf(visit, 'item'))) }
    }),
    route('PUT', item, `${itemActions}/write`, async (request, visit) => {
      const document = readEnvelope(await readJsonBody(request), ['pattern', 'isRegex'])
      const account = await find(visit)
      requireHeld(resource, account, visit)
      const name = paramOf(visit, 'item')
      const { status } = await tellInArmWords(nameOfField, () =>
        handlersOf(account).filters.items.put(withBody(request, document), paramOf(visit, 'list'), name),
      )
      const list = requireHeld(resource, account, visit)
      const written = { name, isRegex: false, ...document } as unknown as BlocklistItem
      return { status, body: viewItem(account, list, findItem(list, name) ?? written) }
    }),
    route('DELETE', item, `${itemActions}/delete`, (request, visit) => removeItem(find, request, visit), {
      isLong: true,
    }),
    route('POST', `${one}/addRaiBlocklistItems`, `${itemActions}/write`, async (request, visit) => {
      const given = await readJsonList(request, maxDocumentBytes)
      const account = await find(visit)
      requireHeld(resource, account, visit)
      const list = readBulk(given)
      await tellInArmWords(nameOfBulkField, () =>
        handlersOf(account).filters.items.add(withBody(request, list), paramOf(visit, 'list'), ''),
      )
      return answerHeld(resource, account, visit, 200)
    }),
    route('POST', `${one}/deleteRaiBlocklistItems`, `${itemActions}/delete`, async (request, visit) => {
      const names = await readJsonList(request, maxDocumentBytes)
      const account = await find(visit)
      requireHeld(resource, account, visit)
      await handlersOf(account).filters.items.removeSome(withBody(request, names), paramOf(visit, 'list'), '')
      return { status: 204 }
    }),
  ]
}

async function removeItem(find: Find, request: Request, visit: ArmVisit): Promise<Answer> {
  const account = await find(visit)
  const list = account.routes.filters.blocklists.get(paramOf(visit, 'list'))
  const name = paramOf(visit, 'item')
  if (!list || !findItem(list, name)) return { status: 204 }
  const { status } = await handlersOf(account).filters.items.remove(request, list.spec.name, name)
  return { status: isDryRun(request) ? status : 202 }
}

/** The same request with another body: what our own API takes. */
function withBody(request: Request, body: unknown): Request {
  const { url, headers } = request
  // What is only tried out with the copy is so with the request.
  isDryRun(request)
  const kept = ['if-match', 'if-none-match'].flatMap((name) => {
    const value = headers.get(name)
    return value === null ? [] : [[name, value] as [string, string]]
  })
  return new Request(url, {
    method: 'POST',
    headers: [['content-type', 'application/json'], ...kept],
    body: JSON.stringify(body),
  })
}

function findItem({ spec }: Held<BlocklistSpec>, name: string): BlocklistItem | undefined {
  return spec.items.find((one) => isSameName(one.name, name))
}

function requireItem({ spec }: Account, list: Held<BlocklistSpec>, name: string): BlocklistItem {
  const type = 'accounts/raiBlocklists/raiBlocklistItems'
  return findItem(list, name) ?? refuseMissing(type, `${spec.name}/${list.spec.name}/${name}`, spec.resourceGroup)
}

/** An item has the times and the etag of its list: that is what is written. */
function viewItem(account: Account, list: Held<BlocklistSpec>, { name, pattern, isRegex }: BlocklistItem): object {
  const type = `raiBlocklists/${list.spec.name}/raiBlocklistItems`
  return { ...childHead(account.spec, type, { ...timesOf(list), name }), properties: { pattern, isRegex } }
}

function readBulk(given: readonly Json[]): Json[] {
  return given.map((entry) => {
    if (!isJsonObject(entry)) return entry
    const { name, properties = {}, ...rest } = entry
    const named: JsonObject = name === undefined || name === null ? {} : { name }
    return isJsonObject(properties) ? { ...named, ...properties, ...rest } : entry
  })
}

function nameOfField(field: string): string {
  return /^(tags|name|properties|If-None-Match|dryRun)\b/.test(field) ? field : `properties.${field}`
}

function nameOfBulkField(field: string): string {
  return field.replace(/^(\[\d+\])\.(pattern|isRegex)/, '$1.properties.$2')
}
