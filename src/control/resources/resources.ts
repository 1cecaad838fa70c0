import { Fault } from '../../core/fault.ts'
import type { JsonObject } from '../../core/json.ts'
import { type ResourceSpec, resourceKey } from '../../core/resource.ts'
import { nearestNames } from '../../core/text/nearest-names.ts'
import { documentOf, readResource } from '../../snapshot/resources/resource-spec.ts'
import type { Answer } from '../http/answer.ts'
import { isDryRun } from '../http/dry-run.ts'
import { refuseDocument } from '../http/errors.ts'
import { mergePatch } from '../http/merge-patch.ts'
import { checkPreconditions } from '../http/preconditions.ts'
import { readJsonBody } from '../http/read-body.ts'
import type { ControlRoute, Handler } from '../http/route.ts'
import type { Account, Accounts, DeletedAccount, ResourceRecord } from './accounts.ts'
import { shownFields, viewResource } from './resource-view.ts'

type Edit = (current: Account | undefined) => ResourceSpec

/** The resources of the server themselves; what is in each of them has routes of its own. */
export function listResourceRoutes(accounts: Accounts): readonly ControlRoute[] {
  const now = Date.now

  function answer(status: number, record: ResourceRecord | DeletedAccount): Answer {
    return { status, body: viewResource(record), headers: { etag: `"${record.etag}"` } }
  }

  /** Judges the write, makes none of it, and answers what would be. */
  function tryOut(name: string, edit: Edit): Answer {
    accounts.requireWritable(name)
    const current = accounts.find(name)
    const spec = { ...edit(current), name: current?.spec.name ?? name }
    accounts.check(spec)
    const time = now()
    const made = { id: '', source: { kind: 'stored' } as const, etag: '', createdAt: time, isDefault: false }
    return answer(current ? 200 : 201, { ...made, ...(current && pickRecord(current)), spec, updatedAt: time })
  }

  async function write(request: Request, name: string, edit: Edit): Promise<Answer> {
    if (isDryRun(request)) return tryOut(name, edit)
    const { account, isNew } = await accounts.put(name, edit)
    return answer(isNew ? 201 : 200, account)
  }

  const put: Handler = async (request, name) => {
    const document = await readJsonBody(request)
    return write(request, name, (current) => {
      checkPreconditions(request.headers, stateOf(current), 'resource')
      return accept(document, name)
    })
  }

  const patch: Handler = async (request, name) => {
    const changes = await readJsonBody(request)
    return write(request, name, (current) => {
      if (!current) return refuseUnknown(accounts, name)
      checkPreconditions(request.headers, stateOf(current), 'resource')
      return accept(mergePatch(documentOf(current.spec), changes), name)
    })
  }

  const remove: Handler = async (request, name) => {
    const check = (current: Account | undefined) => checkPreconditions(request.headers, stateOf(current), 'resource')
    if (isDryRun(request)) {
      accounts.requireRemovable(name)
      check(accounts.find(name))
      return accounts.find(name) ? { status: 204 } : refuseUnknown(accounts, name)
    }
    return (await accounts.remove(name, check)) ? { status: 204 } : refuseUnknown(accounts, name)
  }

  const restore: Handler = async (request, name) => {
    const check = (deleted: DeletedAccount | undefined) =>
      checkPreconditions(request.headers, stateOf(deleted), 'deleted resource')
    if (isDryRun(request)) {
      const deleted = accounts.findDeleted(name)
      check(deleted)
      if (!deleted) return refuseUnknownDeleted(name)
      await accounts.requireRestorable(name)
      return answer(200, pickRecord(deleted))
    }
    return answer(200, (await accounts.restore(name, check)) ?? refuseUnknownDeleted(name))
  }

  const purge: Handler = async (request, name) => {
    const check = (deleted: DeletedAccount | undefined) =>
      checkPreconditions(request.headers, stateOf(deleted), 'deleted resource')
    if (isDryRun(request)) {
      check(accounts.findDeleted(name))
      return accounts.findDeleted(name) ? { status: 204 } : refuseUnknownDeleted(name)
    }
    return (await accounts.purge(name, check)) ? { status: 204 } : refuseUnknownDeleted(name)
  }

  const deleted = 'locations/resourceGroups/deletedAccounts'
  return [
    route('GET', '/resources', 'accounts/read', async () => ({
      status: 200,
      body: { value: accounts.list().map(viewResource) },
    })),
    route('GET', '/resources/{name}', 'accounts/read', async (_request, name) =>
      answer(200, accounts.find(name) ?? refuseUnknown(accounts, name)),
    ),
    route('PUT', '/resources/{name}', 'accounts/write', put),
    route('PATCH', '/resources/{name}', 'accounts/write', patch),
    route('DELETE', '/resources/{name}', 'accounts/delete', remove),
    route('GET', '/deleted-resources', `${deleted}/read`, async () => ({
      status: 200,
      body: { value: accounts.listDeleted().map(viewResource) },
    })),
    route('GET', '/deleted-resources/{name}', `${deleted}/read`, async (_request, name) =>
      answer(200, accounts.findDeleted(name) ?? refuseUnknownDeleted(name)),
    ),
    route('DELETE', '/deleted-resources/{name}', `${deleted}/delete`, purge),
    route('POST', '/deleted-resources/{name}/restore', `${deleted}/restore/action`, restore),
  ]
}

/** Throws Fault `not-found` that tells which resources have names like it. */
export function refuseUnknown(accounts: Accounts, name: string): never {
  if (accounts.findDeleted(name)) {
    throw new Fault(
      'not-found',
      `The resource ${JSON.stringify(name)} was deleted. POST /management/deleted-resources/${encodeURIComponent(name)}/restore brings it back.`,
    )
  }
  const nearest = nearestNames(
    name,
    accounts.list().map(({ spec }) => spec.name),
  )
  const hint = nearest.length > 0 ? ` Did you mean ${nearest.map((near) => JSON.stringify(near)).join(' or ')}?` : ''
  throw new Fault(
    'not-found',
    `There is no resource ${JSON.stringify(name)}.${hint} GET /management/resources lists those there are.`,
  )
}

function refuseUnknownDeleted(name: string): never {
  throw new Fault(
    'not-found',
    `There is no deleted resource ${JSON.stringify(name)}. GET /management/deleted-resources lists those there are.`,
  )
}

function route(method: ControlRoute['method'], path: string, action: string, handle: Handler): ControlRoute {
  // Who may see or change one of them may not see all, nor those that are gone.
  const isOfOne = path === '/resources/{name}'
  return { method, path, action, ...(!isOfOne && { scope: 'server' }), handle }
}

/** The document as it will be stored. Throws Fault `invalid-request` with every field at fault. */
function accept(document: JsonObject, name: string): ResourceSpec {
  const given = document.name
  if (given !== undefined && (typeof given !== 'string' || resourceKey(given) !== resourceKey(name))) {
    const shown = typeof given === 'string' ? JSON.stringify(given) : 'another type'
    const text = `got ${shown}, expected ${JSON.stringify(name)} as in the path (a resource cannot be renamed), or nothing`
    throw refuseDocument([{ path: ['name'], text }])
  }
  const rest = { ...document }
  for (const field of shownFields) delete rest[field]
  const reading = readResource({ ...rest, name })
  if ('problems' in reading) throw refuseDocument(reading.problems)
  return reading.spec
}

function stateOf(current: ResourceRecord | undefined): { etag: string; name: string } | undefined {
  return current && { etag: current.etag, name: current.spec.name }
}

function pickRecord({ id, spec, source, etag, createdAt, updatedAt, isDefault }: ResourceRecord): ResourceRecord {
  return { id, spec, source, etag, createdAt, updatedAt, isDefault }
}
