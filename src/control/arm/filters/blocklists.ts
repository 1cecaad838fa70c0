import { isJsonObject, type Json, type JsonObject } from '../../../core/json.ts'
import type { DocumentProblem } from '../../../core/text/parse-document.ts'
import type { BlocklistItem, BlocklistSpec } from '../../../snapshot/filter/blocklist-spec.ts'
import type { Held } from '../../../snapshot/filter/collection.ts'
import { maxDocumentBytes } from '../../filters/collection-handlers.ts'
import type { Answer } from '../../http/answer.ts'
import { isDryRun } from '../../http/dry-run.ts'
import { refuseDocument } from '../../http/errors.ts'
import { readJsonBody, readJsonList } from '../../http/read-body.ts'
import type { Account } from '../../resources/accounts.ts'
import { type FindOptions, findAccount, handlersOf } from '../accounts/find-account.ts'
import { type ArmRoute, type ArmVisit, isSameName, ofAccount, paramOf, route } from '../http/arm-route.ts'
import { refuseMissing, tellInArmWords } from '../http/errors.ts'
import { pageOf } from '../http/page.ts'
import { childHead } from '../http/resource-id.ts'
import { removeHeld, timesOf } from './policies.ts'

const path = `${ofAccount}/raiBlocklists`
const one = `${path}/{list}`
const items = `${one}/raiBlocklistItems`
const item = `${items}/{item}`
const actions = 'accounts/raiBlocklists'
const itemActions = `${actions}/raiBlocklistItems`

/** Blocklists and what stands in them. */
export function listBlocklistRoutes(options: FindOptions): readonly ArmRoute[] {
  const find = (visit: ArmVisit) => findAccount(options, visit)
  return [
    route('GET', path, `${actions}/read`, async (_, visit) => {
      const account = await find(visit)
      return pageOf(
        visit,
        account.routes.filters.blocklists.list(),
        ({ spec }) => spec.name,
        (held) => viewList(account, held),
      )
    }),
    route('GET', one, `${actions}/read`, async (_, visit) => {
      const account = await find(visit)
      return answerWith(account, 200, requireList(account, visit))
    }),
    route('PUT', one, `${actions}/write`, async (request, visit) => {
      const document = readEnvelope(await readJsonBody(request), ['description'])
      const account = await find(visit)
      const { blocklists } = handlersOf(account).filters
      const { status, body } = await tellInArmWords(nameOfField, () =>
        blocklists.change(request, paramOf(visit, 'list'), () => document),
      )
      if (isDryRun(request)) return { status, body }
      return answerWith(account, status, requireList(account, visit))
    }),
    route(
      'DELETE',
      one,
      `${actions}/delete`,
      async (request, visit) => {
        const account = await find(visit)
        const name = paramOf(visit, 'list')
        const { blocklists } = handlersOf(account).filters
        return removeHeld(request, account.routes.filters.blocklists.get(name), () =>
          blocklists.remove(request, name, ''),
        )
      },
      { isLong: true },
    ),
    ...listItemRoutes(find),
  ]
}

type Find = (visit: ArmVisit) => Promise<Account>

function listItemRoutes(find: Find): readonly ArmRoute[] {
  return [
    route('GET', items, `${itemActions}/read`, async (_, visit) => {
      const account = await find(visit)
      const list = requireList(account, visit)
      return pageOf(
        visit,
        list.spec.items,
        ({ name }) => name,
        (one) => viewItem(account, list, one),
      )
    }),
    route('GET', item, `${itemActions}/read`, async (_, visit) => {
      const account = await find(visit)
      const list = requireList(account, visit)
      return { status: 200, body: viewItem(account, list, requireItem(account, list, paramOf(visit, 'item'))) }
    }),
    route('PUT', item, `${itemActions}/write`, async (request, visit) => {
      const document = readEnvelope(await readJsonBody(request), ['pattern', 'isRegex'])
      const account = await find(visit)
      requireList(account, visit)
      const name = paramOf(visit, 'item')
      const { status } = await tellInArmWords(nameOfField, () =>
        handlersOf(account).filters.items.put(withBody(request, document), paramOf(visit, 'list'), name),
      )
      const list = requireList(account, visit)
      const written = { name, isRegex: false, ...document } as unknown as BlocklistItem
      return { status, body: viewItem(account, list, findItem(list, name) ?? written) }
    }),
    route('DELETE', item, `${itemActions}/delete`, (request, visit) => removeItem(find, request, visit), {
      isLong: true,
    }),
    route('POST', `${one}/addRaiBlocklistItems`, `${itemActions}/write`, async (request, visit) => {
      const given = await readJsonList(request, maxDocumentBytes)
      const account = await find(visit)
      requireList(account, visit)
      const list = readBulk(given)
      await tellInArmWords(nameOfBulkField, () =>
        handlersOf(account).filters.items.add(withBody(request, list), paramOf(visit, 'list'), ''),
      )
      return answerWith(account, 200, requireList(account, visit))
    }),
    route('POST', `${one}/deleteRaiBlocklistItems`, `${itemActions}/delete`, async (request, visit) => {
      const names = await readJsonList(request, maxDocumentBytes)
      const account = await find(visit)
      requireList(account, visit)
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

function requireList(account: Account, visit: ArmVisit): Held<BlocklistSpec> {
  const name = paramOf(visit, 'list')
  const found = account.routes.filters.blocklists.get(name)
  return found ?? refuseMissing('accounts/raiBlocklists', `${account.spec.name}/${name}`, account.spec.resourceGroup)
}

function findItem({ spec }: Held<BlocklistSpec>, name: string): BlocklistItem | undefined {
  return spec.items.find((one) => isSameName(one.name, name))
}

function requireItem({ spec }: Account, list: Held<BlocklistSpec>, name: string): BlocklistItem {
  const type = 'accounts/raiBlocklists/raiBlocklistItems'
  return findItem(list, name) ?? refuseMissing(type, `${spec.name}/${list.spec.name}/${name}`, spec.resourceGroup)
}

function answerWith(account: Account, status: number, held: Held<BlocklistSpec>): Answer {
  return { status, body: viewList(account, held), headers: { etag: `"${held.etag}"` } }
}

function viewList(account: Account, held: Held<BlocklistSpec>): object {
  const { description, tags } = held.spec
  return {
    ...childHead(account.spec, 'raiBlocklists', timesOf(held)),
    ...(tags && { tags }),
    properties: { ...(description !== undefined && { description }) },
  }
}

/** An item has the times and the etag of its list: that is what is written. */
function viewItem(account: Account, list: Held<BlocklistSpec>, { name, pattern, isRegex }: BlocklistItem): object {
  const type = `raiBlocklists/${list.spec.name}/raiBlocklistItems`
  return { ...childHead(account.spec, type, { ...timesOf(list), name }), properties: { pattern, isRegex } }
}

/** Properties and tags of a document, flat as our own API has them. Throws Fault `invalid-request` for fields it has not. */
export function readEnvelope(body: JsonObject, fields: readonly string[]): JsonObject {
  const { properties = {}, tags, ...rest } = body
  for (const name of ['id', 'name', 'type', 'etag', 'systemData']) delete rest[name]
  const problems: DocumentProblem[] = Object.keys(rest).map((name) => refuseField([], name, ['properties', 'tags']))
  const document: JsonObject = tags === undefined || tags === null ? {} : { tags }
  if (!isJsonObject(properties)) problems.push({ path: ['properties'], text: 'expected an object' })
  else {
    for (const [name, value] of Object.entries(properties)) {
      if (!fields.includes(name)) problems.push(refuseField(['properties'], name, fields))
      else if (value !== null) document[name] = value
    }
  }
  if (problems.length > 0) throw refuseDocument(problems)
  return document
}

function refuseField(path: readonly string[], name: string, allowed: readonly string[]): DocumentProblem {
  const shown = /^[\w.-]{1,40}$/.test(name) ? [...path, name] : path
  return { path: shown, text: `unknown field, allowed are ${allowed.join(', ')}` }
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
