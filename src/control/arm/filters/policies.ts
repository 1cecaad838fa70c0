import { Fault } from '../../../core/fault.ts'
import { filterCategories } from '../../../core/filter/categories.ts'
import { namedCategories, type PolicySpec } from '../../../snapshot/filter/policy-spec.ts'
import { isSystemPolicy, systemPolicies } from '../../../snapshot/filter/system-policies.ts'
import { maxDocumentBytes } from '../../filters/collection-handlers.ts'
import type { Answer } from '../../http/answer.ts'
import { type FindOptions, handlersOf } from '../accounts/find-account.ts'
import {
  type ArmRoute,
  type ArmVisit,
  isSameName,
  ofLocation,
  ofProvider,
  paramOf,
  provider,
  route,
} from '../http/arm-route.ts'
import { refuseMissing } from '../http/errors.ts'
import { pageOf } from '../http/page.ts'
import { systemData } from '../http/resource-id.ts'
import { heldRoutes } from './held-routes.ts'
import { nameOfPolicyField, readPolicyDocument, viewPolicyProperties } from './policy-document.ts'

const ofAll = `${ofProvider}/raiPolicy/{policy}`

/** Content filter policies, and the filters that may stand in them. */
export function listPolicyRoutes(options: FindOptions): readonly ArmRoute[] {
  return [
    ...heldRoutes<PolicySpec>(options, {
      word: 'raiPolicies',
      param: 'policy',
      maxBodyBytes: maxDocumentBytes,
      collection: ({ routes }) => routes.filters.policies,
      handlers: (account) => handlersOf(account).filters.policies,
      readDocument: readPolicyDocument,
      nameOfField: nameOfPolicyField,
      view: ({ spec }, { apiVersion }) => ({
        ...(spec.tags && { tags: spec.tags }),
        properties: viewPolicyProperties(spec, isSystemPolicy(spec.name), apiVersion),
      }),
    }),
    route('GET', ofAll, 'raiPolicy/read', async (_, visit) => showSubscriptionPolicy(visit)),
    route('PUT', ofAll, 'raiPolicy/write', async () => refuseSubscriptionPolicy()),
    route('DELETE', ofAll, 'raiPolicy/delete', async () => refuseSubscriptionPolicy()),
    ...listContentFilterRoutes(),
  ]
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
