import { Fault } from '../../../core/fault.ts'
import type { Account } from '../../resources/accounts.ts'
import type { FindOptions } from '../accounts/find-account.ts'
import { apiVersions } from '../http/api-versions.ts'
import {
  type ArmRoute,
  type ArmVisit,
  isSameName,
  ofGroup,
  ofSubscription,
  paramOf,
  provider,
  route,
} from '../http/arm-route.ts'
import { refuseMissingGroup } from '../http/errors.ts'
import { pageOf } from '../http/page.ts'
import { accountId } from '../http/resource-id.ts'
import { type GroupsOptions, listGroupRoutes, listGroups } from './groups.ts'
import { listLocations } from './locations.ts'

export type SubscriptionsOptions = GroupsOptions & {
  /** The tenant that tokens of this server are of: a GUID. */
  readonly tenantId: string
  /** All routes there are, for the list of operations. */
  listRoutes(): readonly ArmRoute[]
}

/** What tools ask around the provider: tenants, subscriptions, places, groups, and what is registered. */
export function listSubscriptionRoutes(options: SubscriptionsOptions): readonly ArmRoute[] {
  const { tenantId, accounts } = options
  const read = 'Microsoft.Resources/subscriptions/read'
  return [
    route('GET', '/tenants', 'Microsoft.Resources/tenants/read', async () => ({
      status: 200,
      body: { value: [{ id: `/tenants/${tenantId}`, tenantId, displayName: 'Ponto', tenantCategory: 'Home' }] },
    })),
    route('GET', '/subscriptions', read, async (_, visit) =>
      pageOf(
        visit,
        await listSubscriptions(options),
        (id) => id,
        (id) => viewSubscription(id, tenantId),
      ),
    ),
    route('GET', ofSubscription, read, async (_, visit) => ({
      status: 200,
      body: viewSubscription(paramOf(visit, 'subscription').toLowerCase(), tenantId),
    })),
    route(
      'GET',
      `${ofSubscription}/locations`,
      'Microsoft.Resources/subscriptions/locations/read',
      async (_, visit) => ({
        status: 200,
        body: { value: listLocations(accounts).map((name) => viewLocation(paramOf(visit, 'subscription'), name)) },
      }),
    ),
    ...listGroupRoutes(options),
    ...listResourceRoutes(options),
    ...listProviderRoutes(options),
  ]
}

/** Subscriptions are names under which groups lie: any GUID is one, and those that something lies in are listed. */
async function listSubscriptions({ accounts, groups }: FindOptions): Promise<readonly string[]> {
  const ids = [
    ...accounts.list().map(({ spec }) => spec.subscriptionId),
    ...(await groups.list()).map((row) => row.subscription),
  ]
  return [...new Set(ids.map((id) => id.toLowerCase()))].sort()
}

function viewSubscription(subscriptionId: string, tenantId: string): object {
  return {
    id: `/subscriptions/${subscriptionId}`,
    subscriptionId,
    tenantId,
    displayName: 'Ponto',
    state: 'Enabled',
    authorizationSource: 'RoleBased',
    subscriptionPolicies: { locationPlacementId: 'Public_2014-09-01', quotaId: 'Ponto', spendingLimit: 'Off' },
  }
}

function viewLocation(subscription: string, name: string): object {
  return {
    id: `/subscriptions/${subscription}/locations/${name}`,
    name,
    type: 'Region',
    displayName: name,
    regionalDisplayName: name,
    metadata: { regionType: 'Physical' },
  }
}

const accountType = `${provider}/accounts`

/** Accounts are the only resources that lists of resources show. */
function listResourceRoutes(options: FindOptions): readonly ArmRoute[] {
  const list = (visit: ArmVisit) => {
    const isWanted = readFilter(visit.url)
    const { subscription = '', group } = visit.params
    const found = options.accounts
      .list()
      .filter(
        ({ spec }) =>
          isSameName(spec.subscriptionId, subscription) &&
          (group === undefined || isSameName(spec.resourceGroup, group)) &&
          isWanted(spec),
      )
    return pageOf(visit, found, ({ spec }) => spec.name, viewResource)
  }
  return [
    route('GET', `${ofSubscription}/resources`, 'Microsoft.Resources/subscriptions/resources/read', async (_, visit) =>
      list(visit),
    ),
    route('GET', `${ofGroup}/resources`, 'Microsoft.Resources/subscriptions/resources/read', async (_, visit) => {
      const name = paramOf(visit, 'group')
      const groups = await listGroups(options, paramOf(visit, 'subscription'))
      if (!groups.some((group) => isSameName(group.name, name))) refuseMissingGroup(name)
      return list(visit)
    }),
  ]
}

function viewResource({ spec }: Account): object {
  const { name, kind, location, sku, tags } = spec
  return { id: accountId(spec), name, type: accountType, kind, location, sku, tags }
}

/** `resourceType eq 'X'`, `name eq 'X'` and `location eq 'X'`, also several. Throws Fault `invalid-request` for others. */
function readFilter(url: URL): (spec: Account['spec']) => boolean {
  const filter = url.searchParams.get('$filter') ?? ''
  if (filter.trim() === '') return () => true
  const terms = filter.split(/\s+and\s+/i).map((term) => {
    const [, field = '', value = ''] = /^\s*(resourceType|name|location)\s+eq\s+'([^']{0,200})'\s*$/i.exec(term) ?? []
    if (field === '') {
      const text = `$filter: got ${JSON.stringify(term.slice(0, 80))}, expected resourceType, name or location eq 'TEXT'`
      throw new Fault('invalid-request', text, { param: '$filter', vendorCode: 'InvalidFilterInQueryString' })
    }
    return { field: field.toLowerCase(), value }
  })
  return ({ name, location }) =>
    terms.every(({ field, value }) =>
      isSameName(value, field === 'resourcetype' ? accountType : field === 'name' ? name : location),
    )
}

function listProviderRoutes({ accounts, listRoutes }: SubscriptionsOptions): readonly ArmRoute[] {
  const ofProviders = `${ofSubscription}/providers`
  const read = 'Microsoft.Resources/subscriptions/providers/read'
  const view = (namespace: string, { params }: ArmVisit) => {
    const prefix = params.subscription === undefined ? '' : `/subscriptions/${params.subscription}`
    return viewProvider(`${prefix}/providers/${namespace}`, namespace, listLocations(accounts))
  }
  const list = async (_: Request, visit: ArmVisit) => ({
    status: 200,
    body: { value: Object.keys(providers).map((namespace) => view(namespace, visit)) },
  })
  const show = async (_: Request, visit: ArmVisit) => ({
    status: 200,
    body: view(requireProvider(paramOf(visit, 'namespace')), visit),
  })
  return [
    route('GET', ofProviders, read, list),
    route('GET', `${ofProviders}/{namespace}`, read, show),
    route('POST', `${ofProviders}/{namespace}/register`, `${provider}/register/action`, show, { isVersionless: true }),
    route('GET', '/providers', 'Microsoft.Resources/providers/read', list),
    route('GET', '/providers/{namespace}', 'Microsoft.Resources/providers/read', show),
    route('GET', `/providers/${provider}/operations`, 'operations/read', async () => ({
      status: 200,
      body: { value: describeOperations(listRoutes()) },
    })),
  ]
}

const resourceVersions = ['2021-04-01', '2022-09-01', '2022-12-01', '2024-03-01', '2025-04-01']

/** Types by namespace, and the versions of each. */
const providers: Readonly<Record<string, { readonly types: readonly string[]; readonly versions: readonly string[] }>> =
  {
    [provider]: {
      types: [
        'accounts',
        'accounts/deployments',
        'accounts/raiPolicies',
        'accounts/raiBlocklists',
        'accounts/raiBlocklists/raiBlocklistItems',
        'accounts/raitopics',
        'deletedAccounts',
        'locations',
        'locations/models',
        'locations/usages',
        'operations',
        'skus',
      ],
      versions: apiVersions.toReversed(),
    },
    'Microsoft.Resources': {
      types: ['subscriptions', 'resourceGroups', 'providers', 'resources', 'tenants'],
      versions: resourceVersions.toReversed(),
    },
  }

function requireProvider(given: string): string {
  const namespace = Object.keys(providers).find((known) => isSameName(known, given))
  if (namespace !== undefined) return namespace
  const known = Object.keys(providers).join(' and ')
  const text = `The resource namespace ${JSON.stringify(given.slice(0, 60))} is invalid: there are ${known}.`
  throw new Fault('not-found', text, { vendorCode: 'InvalidResourceNamespace' })
}

function viewProvider(id: string, namespace: string, locations: readonly string[]): object {
  const { types = [], versions = [] } = providers[namespace] ?? {}
  return {
    id,
    namespace,
    registrationState: 'Registered',
    registrationPolicy: 'RegistrationFree',
    resourceTypes: types.map((resourceType) => ({
      resourceType,
      locations,
      apiVersions: versions,
      defaultApiVersion: versions[0],
      capabilities: 'None',
    })),
  }
}

const verbs: Readonly<Record<string, string>> = { read: 'Read', write: 'Write', delete: 'Delete', action: 'Do' }

/** One for each action that a route takes. */
function describeOperations(routes: readonly ArmRoute[]): readonly object[] {
  const actions = [...new Set(routes.map(({ action }) => action))].filter((action) => action.startsWith(`${provider}/`))
  return actions.sort().map((name) => {
    const words = name.split('/').slice(1)
    const verb = verbs[words.at(-1) ?? ''] ?? ''
    const resource = words.slice(0, -1).join('/')
    return {
      name,
      isDataAction: false,
      origin: 'user',
      display: { provider, resource, operation: `${verb} ${resource}`, description: `${verb} ${resource}` },
    }
  })
}
