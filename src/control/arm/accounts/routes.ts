import { Fault } from '../../../core/fault.ts'
import type { JsonObject } from '../../../core/json.ts'
import type { ResourceSpec } from '../../../core/resource.ts'
import { readResource } from '../../../snapshot/resources/resource-spec.ts'
import type { KeyView } from '../../api.ts'
import type { Answer } from '../../http/answer.ts'
import { isDryRun } from '../../http/dry-run.ts'
import { refuseDocument } from '../../http/errors.ts'
import { checkPreconditions } from '../../http/preconditions.ts'
import { readJsonBody } from '../../http/read-body.ts'
import type { Account, DeletedAccount } from '../../resources/accounts.ts'
import {
  type ArmRoute,
  type ArmVisit,
  isSameName,
  ofAccount,
  ofAccounts,
  ofLocation,
  ofProvider,
  paramOf,
  route,
} from '../http/arm-route.ts'
import { refuseMissing } from '../http/errors.ts'
import { pageOf } from '../http/page.ts'
import { normalizeLocation } from '../subscriptions/locations.ts'
import { accountDocument } from './account-document.ts'
import { describeEndpoints, viewArmAccount, viewDeletedAccount } from './account-view.ts'
import { type FindOptions, findAccount, handlersOf, liesIn, requireGroup } from './find-account.ts'

const noun = 'account'

/** Accounts, their keys, and those that were deleted and not yet purged. */
export function listAccountRoutes(options: FindOptions): readonly ArmRoute[] {
  const { accounts } = options
  const listIn = (visit: ArmVisit) =>
    pageOf(
      visit,
      accounts.list().filter((account) => liesIn(account, visit)),
      ({ spec }) => spec.name,
      (account) => viewArmAccount(account, describeEndpoints(account, visit.url)),
    )
  return [
    route('GET', `${ofProvider}/accounts`, 'accounts/read', async (_, visit) => listIn(visit)),
    route('GET', ofAccounts, 'accounts/read', async (_, visit) => {
      await requireGroup(options, visit)
      return listIn(visit)
    }),
    route('GET', ofAccount, 'accounts/read', async (_, visit) =>
      answerWith(200, await findAccount(options, visit), visit),
    ),
    route('PUT', ofAccount, 'accounts/write', (request, visit) => put(options, request, visit), { isLong: true }),
    route('PATCH', ofAccount, 'accounts/write', (request, visit) => patch(options, request, visit)),
    route('DELETE', ofAccount, 'accounts/delete', (request, visit) => remove(options, request, visit), {
      isLong: true,
    }),
    route('POST', `${ofAccount}/listKeys`, 'accounts/listKeys/action', async (_, visit) => {
      const account = await findAccount(options, visit)
      if (account.spec.properties.disableLocalAuth) {
        throw new Fault('invalid-request', 'Failed to list key. disableLocalAuth is set to be true')
      }
      return listKeys(account)
    }),
    route('POST', `${ofAccount}/regenerateKey`, 'accounts/regenerateKey/action', regenerateKey(options)),
    ...listDeletedRoutes(options),
  ]
}

function answerWith(status: number, account: Account, visit: ArmVisit): Answer {
  const body = viewArmAccount(account, describeEndpoints(account, visit.url))
  return { status, body, headers: { etag: `"${account.etag}"` } }
}

async function put(options: FindOptions, request: Request, visit: ArmVisit): Promise<Answer> {
  const body = await readJsonBody(request)
  const group = await requireGroup(options, visit)
  const name = paramOf(visit, 'account')
  const place = { name, subscriptionId: paramOf(visit, 'subscription'), resourceGroup: group }
  const edit = (current: Account | undefined): ResourceSpec => {
    requirePlace(current, visit)
    checkPreconditions(request.headers, current && { etag: current.etag, name: current.spec.name }, noun)
    requireSameLocation(body, current)
    return accept(accountDocument(body, place, current?.spec).document)
  }
  const { isRestore } = accountDocument(body, place, undefined)
  if (isRestore) return restore(options, request, body, visit)
  if (isDryRun(request)) {
    const current = options.accounts.find(name)
    const spec = edit(current)
    options.accounts.check(spec)
    return { status: current ? 200 : 201, body: tryOut(spec, current, visit) }
  }
  const { account, isNew } = await options.accounts.put(name, edit)
  return answerWith(isNew ? 201 : 200, account, visit)
}

async function patch(options: FindOptions, request: Request, visit: ArmVisit): Promise<Answer> {
  const body = await readJsonBody(request)
  const { spec } = await findAccount(options, visit)
  const edit = (current: Account | undefined): ResourceSpec => {
    if (!current) return refuseMissing('accounts', spec.name, spec.resourceGroup)
    checkPreconditions(request.headers, { etag: current.etag, name: current.spec.name }, noun)
    requireSameLocation(body, current)
    return accept(accountDocument(body, placeOf(current.spec), current.spec, { isPatch: true }).document)
  }
  if (isDryRun(request)) {
    const current = options.accounts.find(spec.name)
    const next = edit(current)
    options.accounts.check(next)
    return { status: 200, body: tryOut(next, current, visit) }
  }
  const { account } = await options.accounts.put(spec.name, edit)
  return answerWith(200, account, visit)
}

/** What a write would make. Where it would answer is known only of one that is there. */
function tryOut(spec: ResourceSpec, current: Account | undefined, { url }: ArmVisit): object {
  const now = 0
  const record = current ?? { etag: '', createdAt: now, updatedAt: now, id: '', isDefault: false }
  const endpoints = current ? describeEndpoints(current, url) : { endpoint: '', endpoints: {} }
  return viewArmAccount({ ...record, source: { kind: 'stored' }, spec }, endpoints)
}

function placeOf({ name, subscriptionId, resourceGroup }: ResourceSpec) {
  return { name, subscriptionId, resourceGroup }
}

function accept(document: JsonObject): ResourceSpec {
  const reading = readResource(document)
  if ('problems' in reading) throw refuseDocument(reading.problems)
  return reading.spec
}

/** Names are those of hosts, so there is one of each on a server, whatever the group. */
function requirePlace(current: Account | undefined, visit: ArmVisit): void {
  if (!current || liesIn(current, visit)) return
  const { name, resourceGroup } = current.spec
  throw new Fault(
    'conflict',
    `The name '${name}' is that of an account in the resource group '${resourceGroup}'. Names of accounts are unique on a server.`,
    { vendorCode: 'CustomDomainInUse' },
  )
}

function requireSameLocation({ location }: JsonObject, current: Account | undefined): void {
  if (typeof location !== 'string') {
    if (current) return
    throw new Fault('invalid-request', 'The location property is required for this definition.', {
      vendorCode: 'LocationRequired',
      param: 'location',
    })
  }
  const place = normalizeLocation(location)
  if (!current || place === current.spec.location) return
  throw new Fault(
    'conflict',
    `The resource '${current.spec.name}' already exists in location '${current.spec.location}'. A resource with the same name cannot be created in location '${place.slice(0, 64)}'.`,
    { vendorCode: 'InvalidResourceLocation' },
  )
}

async function remove({ accounts }: FindOptions, request: Request, visit: ArmVisit): Promise<Answer> {
  const found = accounts.find(paramOf(visit, 'account'))
  if (!found || !liesIn(found, visit)) {
    checkPreconditions(request.headers, undefined, noun)
    return { status: 204 }
  }
  const check = (current: Account | undefined) =>
    checkPreconditions(request.headers, current && { etag: current.etag, name: current.spec.name }, noun)
  if (isDryRun(request)) {
    check(found)
    accounts.requireRemovable(found.spec.name)
    return { status: 204 }
  }
  return { status: (await accounts.remove(found.spec.name, check)) ? 202 : 204 }
}

/** Brings a deleted account back; what the request says besides is changed then. */
async function restore(options: FindOptions, request: Request, body: JsonObject, visit: ArmVisit): Promise<Answer> {
  const { accounts } = options
  const name = paramOf(visit, 'account')
  const deleted = accounts.findDeleted(name)
  if (!deleted || !liesIn(deleted, visit)) {
    if (accounts.find(name)) {
      throw new Fault('conflict', `The account '${name}' is not deleted, so there is nothing to restore.`, {
        vendorCode: 'CanNotRestoreANonExistingResource',
      })
    }
    return refuseMissing('deletedAccounts', name)
  }
  if (isDryRun(request)) return { status: 201, body: viewDeletedAccount(deleted) }
  const restored = await accounts.restore(deleted.spec.name, (current) =>
    checkPreconditions(request.headers, current && { etag: current.etag, name: current.spec.name }, noun),
  )
  if (!restored) return refuseMissing('deletedAccounts', name)
  const { account } = await accounts.put(restored.spec.name, (current) =>
    accept(accountDocument(body, placeOf(restored.spec), current?.spec ?? restored.spec, { isPatch: true }).document),
  )
  return answerWith(201, account, visit)
}

async function listKeys(account: Account): Promise<Answer> {
  const { body } = await handlersOf(account).keys.list()
  const { value } = body as { value: readonly KeyView[] }
  return { status: 200, body: Object.fromEntries(value.map((key) => [key.name, key.value])) }
}

function regenerateKey(options: FindOptions): ArmRoute['handle'] {
  return async (request, visit) => {
    const { keyName } = await readJsonBody(request)
    const account = await findAccount(options, visit)
    if (keyName !== 'Key1' && keyName !== 'Key2') {
      throw refuseDocument([{ path: ['keyName'], text: 'expected "Key1" or "Key2"' }])
    }
    await handlersOf(account).keys.regenerate(request, keyName.toLowerCase())
    return listKeys(account)
  }
}

function listDeletedRoutes(options: FindOptions): readonly ArmRoute[] {
  const { accounts } = options
  const one = `${ofLocation}/resourceGroups/{group}/deletedAccounts/{account}`
  const find = (visit: ArmVisit): DeletedAccount | undefined => {
    const found = accounts.findDeleted(paramOf(visit, 'account'))
    const place = normalizeLocation(paramOf(visit, 'location'))
    return found && liesIn(found, visit) && isSameName(found.spec.location, place) ? found : undefined
  }
  return [
    route('GET', `${ofProvider}/deletedAccounts`, 'deletedAccounts/read', async (_, visit) =>
      pageOf(
        visit,
        accounts.listDeleted().filter((account) => liesIn(account, visit)),
        ({ spec }) => spec.name,
        viewDeletedAccount,
      ),
    ),
    route('GET', one, 'locations/resourceGroups/deletedAccounts/read', async (_, visit) => {
      const found = find(visit)
      if (!found) return refuseMissing('deletedAccounts', paramOf(visit, 'account'), paramOf(visit, 'group'))
      return { status: 200, body: viewDeletedAccount(found) }
    }),
    route(
      'DELETE',
      one,
      'locations/resourceGroups/deletedAccounts/delete',
      async (request, visit) => {
        const found = find(visit)
        if (!found || isDryRun(request)) return { status: 204 }
        return { status: (await accounts.purge(found.spec.name)) ? 202 : 204 }
      },
      { isLong: true },
    ),
  ]
}
