import { Fault } from '../../../core/fault.ts'
import { filterCategories } from '../../../core/filter/categories.ts'
import type { Held } from '../../../snapshot/filter/collection.ts'
import { namedCategories, type PolicySpec } from '../../../snapshot/filter/policy-spec.ts'
import { isSystemPolicy, systemPolicies } from '../../../snapshot/filter/system-policies.ts'
import { maxDocumentBytes } from '../../filters/collection-handlers.ts'
import type { Answer } from '../../http/answer.ts'
import { isDryRun } from '../../http/dry-run.ts'
import { checkPreconditions } from '../../http/preconditions.ts'
import { readJsonBody } from '../../http/read-body.ts'
import type { Account } from '../../resources/accounts.ts'
import { type FindOptions, findAccount, handlersOf } from '../accounts/find-account.ts'
import {
  type ArmRoute,
  type ArmVisit,
  isSameName,
  ofAccount,
  ofLocation,
  ofProvider,
  paramOf,
  provider,
  route,
} from '../http/arm-route.ts'
import { refuseMissing, tellInArmWords } from '../http/errors.ts'
import { pageOf } from '../http/page.ts'
import { childHead, systemData } from '../http/resource-id.ts'
import { nameOfPolicyField, policyDocument, viewPolicyProperties } from './policy-document.ts'

const path = `${ofAccount}/raiPolicies`
const one = `${path}/{policy}`
const ofAll = `${ofProvider}/raiPolicy/{policy}`

/** Content filter policies, and the filters that may stand in them. */
export function listPolicyRoutes(options: FindOptions): readonly ArmRoute[] {
  const find = (visit: ArmVisit) => findAccount(options, visit)
  return [
    route('GET', path, 'accounts/raiPolicies/read', async (_, visit) => {
      const account = await find(visit)
      const items = account.routes.filters.policies.list()
      return pageOf(
        visit,
        items,
        ({ spec }) => spec.name,
        (held) => viewPolicy(account, held, visit),
      )
    }),
    route('GET', one, 'accounts/raiPolicies/read', async (_, visit) => {
      const account = await find(visit)
      return answerWith(account, 200, requirePolicy(account, visit), visit)
    }),
    route('PUT', one, 'accounts/raiPolicies/write', async (request, visit) => {
      const body = await readJsonBody(request, maxDocumentBytes)
      const account = await find(visit)
      const name = paramOf(visit, 'policy')
      const { policies } = handlersOf(account).filters
      const { status, body: written } = await tellInArmWords(nameOfPolicyField, () =>
        policies.change(request, name, (current) => policyDocument(body, current)),
      )
      // Of a trial nothing can be found.
      if (isDryRun(request)) return { status, body: written }
      return answerWith(account, status, requirePolicy(account, visit), visit)
    }),
    route(
      'DELETE',
      one,
      'accounts/raiPolicies/delete',
      async (request, visit) => {
        const account = await find(visit)
        const { policies } = handlersOf(account).filters
        return removeHeld(request, account.routes.filters.policies.get(paramOf(visit, 'policy')), () =>
          policies.remove(request, paramOf(visit, 'policy'), ''),
        )
      },
      { isLong: true },
    ),
    route('GET', ofAll, 'raiPolicy/read', async (_, visit) => showSubscriptionPolicy(visit)),
    route('PUT', ofAll, 'raiPolicy/write', async () => refuseSubscriptionPolicy()),
    route('DELETE', ofAll, 'raiPolicy/delete', async () => refuseSubscriptionPolicy()),
    ...listContentFilterRoutes(),
  ]
}

/** What is not there is deleted already; a trial tells what our own API tells of one. */
export async function removeHeld(
  request: Request,
  held: { readonly etag: string; readonly spec: { readonly name: string } } | undefined,
  remove: () => Promise<Answer>,
): Promise<Answer> {
  if (!held) {
    checkPreconditions(request.headers, undefined, 'resource')
    return { status: 204 }
  }
  const { status } = await remove()
  return { status: isDryRun(request) ? status : 202 }
}

function requirePolicy(account: Account, visit: ArmVisit): Held<PolicySpec> {
  const name = paramOf(visit, 'policy')
  const found = account.routes.filters.policies.get(name)
  return found ?? refuseMissing('accounts/raiPolicies', `${account.spec.name}/${name}`, account.spec.resourceGroup)
}

function answerWith(account: Account, status: number, held: Held<PolicySpec>, visit: ArmVisit): Answer {
  return { status, body: viewPolicy(account, held, visit), headers: { etag: `"${held.etag}"` } }
}

function viewPolicy(account: Account, held: Held<PolicySpec>, { apiVersion }: ArmVisit): object {
  const { spec } = held
  return {
    ...childHead(account.spec, 'raiPolicies', timesOf(held)),
    ...(spec.tags && { tags: spec.tags }),
    properties: viewPolicyProperties(spec, isSystemPolicy(spec.name), apiVersion),
  }
}

/** As every resource shows them. */
export function timesOf({ spec, etag, createdAt, updatedAt }: Held<{ readonly name: string }>) {
  return {
    name: spec.name,
    etag,
    createdAt: new Date(createdAt).toISOString(),
    updatedAt: new Date(updatedAt).toISOString(),
  }
}

/** Policies that hold in every account are those that come with Ponto; others belong to an account. */
function showSubscriptionPolicy(visit: ArmVisit): Answer {
  const name = paramOf(visit, 'policy')
  const spec = Object.values(systemPolicies).find((policy) => isSameName(policy.name, name))
  if (!spec) return refuseMissing('raiPolicy', name)
  const id = `/subscriptions/${paramOf(visit, 'subscription')}/providers/${provider}/raiPolicy/${spec.name}`
  const made = new Date(0).toISOString()
  return {
    status: 200,
    body: {
      id,
      name: spec.name,
      type: `${provider}/raiPolicy`,
      systemData: systemData(made, made),
      properties: viewPolicyProperties(spec, true, visit.apiVersion),
    },
  }
}

function refuseSubscriptionPolicy(): never {
  throw new Fault(
    'invalid-request',
    'Content filter policies belong to an account here: write it under accounts/{accountName}/raiPolicies of each that needs it.',
    { vendorCode: 'SubscriptionRaiPolicyNotSupported' },
  )
}

type ContentFilter = {
  readonly name: string
  readonly title: string
  readonly isMultiLevel: boolean
  readonly source: string
}

/** One for each side that a filter is for. */
const contentFilters: readonly ContentFilter[] = namedCategories
  .flatMap((category): ContentFilter[] => {
    const { title, kind, sources } = filterCategories[category]
    return sources.map((source) => ({
      name: title.replaceAll(' ', '') + (sources.length > 1 ? source : ''),
      title,
      isMultiLevel: kind === 'severity',
      source,
    }))
  })
  .sort((a, b) => (a.name.toLowerCase() < b.name.toLowerCase() ? -1 : 1))

function listContentFilterRoutes(): readonly ArmRoute[] {
  const list = `${ofLocation}/raiContentFilters`
  return [
    route('GET', list, 'locations/raiContentFilters/read', async (_, visit) =>
      pageOf(
        visit,
        contentFilters,
        ({ name }) => name,
        (filter) => viewContentFilter(filter, visit),
      ),
    ),
    route('GET', `${list}/{filter}`, 'locations/raiContentFilters/read', async (_, visit) => {
      const name = paramOf(visit, 'filter')
      // The name alone is enough where the side makes no difference.
      const found =
        contentFilters.find((filter) => isSameName(filter.name, name)) ??
        contentFilters.find(({ title }) => isSameName(title.replaceAll(' ', ''), name))
      if (!found) return refuseMissing('locations/raiContentFilters', `${paramOf(visit, 'location')}/${name}`)
      return { status: 200, body: viewContentFilter(found, visit) }
    }),
  ]
}

function viewContentFilter({ name, title, isMultiLevel, source }: ContentFilter, { params }: ArmVisit): object {
  const { subscription, location } = params
  return {
    id: `/subscriptions/${subscription}/providers/${provider}/locations/${location}/raiContentFilters/${name}`,
    name,
    type: `${provider}/locations/raiContentFilters`,
    properties: { name: title, isMultiLevelFilter: isMultiLevel, source },
  }
}
