import { z } from 'zod'
import { parseDocument } from '../../../core/text/parse-document.ts'
import type { Answer } from '../../http/answer.ts'
import { refuseDocument } from '../../http/errors.ts'
import { readJsonBody } from '../../http/read-body.ts'
import { type FindOptions, findAccount } from '../accounts/find-account.ts'
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
import { refuseMissing } from '../http/errors.ts'
import { listLocations } from '../subscriptions/locations.ts'

const kinds = ['AIServices', 'OpenAI'] as const
const sku = { name: 'S0', tier: 'Standard' } as const
const accountType = `${provider}/accounts`

/** What accounts there can be, whether a name is free, and quota tiers, of which there is one. */
export function listOfferRoutes(options: FindOptions): readonly ArmRoute[] {
  const { accounts } = options
  return [
    route('GET', `${ofProvider}/skus`, 'skus/read', async () => ({
      status: 200,
      body: {
        value: kinds.map((kind) => ({
          resourceType: 'accounts',
          ...sku,
          kind,
          locations: listLocations(accounts),
          restrictions: [],
        })),
      },
    })),
    route('GET', `${ofAccount}/skus`, 'accounts/skus/read', async (_, visit) => {
      await findAccount(options, visit)
      return { status: 200, body: { value: [{ resourceType: accountType, sku }] } }
    }),
    route('POST', `${ofLocation}/checkSkuAvailability`, 'locations/checkSkuAvailability/action', async (request) =>
      checkSkus(await readJsonBody(request)),
    ),
    route('POST', `${ofProvider}/checkDomainAvailability`, 'checkDomainAvailability/action', async (request) =>
      checkDomain(options, await readJsonBody(request)),
    ),
    ...listTierRoutes(),
  ]
}

const words = z.string().min(1).max(200)
const checkSkusSchema = z.object({ skus: z.array(words).max(100), kind: words, type: words })

function checkSkus(body: unknown): Answer {
  const parsed = parseDocument(checkSkusSchema, body)
  if ('problems' in parsed) throw refuseDocument(parsed.problems)
  const { skus, kind, type } = parsed.data
  const why = isSameName(type.replace(`${provider}/`, ''), 'accounts')
    ? kinds.some((known) => isSameName(known, kind))
      ? undefined
      : `The kinds there are: ${kinds.join(', ')}.`
    : `The only type is ${accountType}.`
  const value = skus.map((skuName) => {
    const isAvailable = why === undefined && isSameName(skuName, sku.name)
    const refusal = { reason: 'NotAvailableForSubscription', message: why ?? `The only SKU is ${sku.name}.` }
    return { kind, type, skuName, skuAvailable: isAvailable, ...(isAvailable ? {} : refusal) }
  })
  return { status: 200, body: { value } }
}

const checkDomainSchema = z.object({ subdomainName: words, type: words, kind: words.nullish() })

function checkDomain({ accounts }: FindOptions, body: unknown): Answer {
  const parsed = parseDocument(checkDomainSchema, body)
  if ('problems' in parsed) throw refuseDocument(parsed.problems)
  const { subdomainName, type, kind } = parsed.data
  const taken = [...accounts.list(), ...accounts.listDeleted()].some(
    ({ spec }) =>
      isSameName(spec.name, subdomainName) || isSameName(spec.properties.customSubDomainName ?? '', subdomainName),
  )
  const isName = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/i.test(subdomainName)
  const reason = taken
    ? `Sub domain name '${subdomainName}' already exists. Please pick a different name.`
    : isName
      ? undefined
      : 'A subdomain is 1 to 63 letters, digits and hyphens, none of these at its ends.'
  const result = { isSubdomainAvailable: reason === undefined, subdomainName, type }
  return { status: 200, body: { ...result, ...(kind && { kind }), ...(reason && { reason }) } }
}

const noTiers =
  'Quota is what the operator gives: set pools with "ponto quota set" or under "quota" of the configuration file.'

/** Quota does not grow by itself here: what can be set is what is so already. */
function listTierRoutes(): readonly ArmRoute[] {
  const one = `${ofProvider}/quotaTiers/{tier}`
  const write = async (request: Request, visit: ArmVisit): Promise<Answer> => {
    const tier = requireTier(visit)
    const { properties } = (await readJsonBody(request)) as { properties?: { tierUpgradePolicy?: unknown } }
    const wanted = properties?.tierUpgradePolicy
    if (wanted === undefined || wanted === null || wanted === 'NoAutoUpgrade') return { status: 200, body: tier }
    const path = ['properties', 'tierUpgradePolicy']
    throw refuseDocument([{ path, text: `expected "NoAutoUpgrade". ${noTiers}` }])
  }
  return [
    route('GET', `${ofProvider}/quotaTiers`, 'quotaTiers/read', async (_, visit) => ({
      status: 200,
      body: { value: [viewTier(visit)] },
    })),
    route('GET', one, 'quotaTiers/read', async (_, visit) => ({ status: 200, body: requireTier(visit) })),
    route('PUT', one, 'quotaTiers/write', write),
    route('PATCH', one, 'quotaTiers/write', write),
  ]
}

function requireTier(visit: ArmVisit): object {
  const name = paramOf(visit, 'tier')
  return isSameName(name, 'default') ? viewTier(visit) : refuseMissing('quotaTiers', name)
}

function viewTier(visit: ArmVisit): object {
  return {
    id: `/subscriptions/${paramOf(visit, 'subscription')}/providers/${provider}/quotaTiers/default`,
    name: 'default',
    type: `${provider}/quotaTiers`,
    properties: {
      currentTierName: 'Operator',
      tierUpgradePolicy: 'NoAutoUpgrade',
      tierUpgradeEligibilityInfo: { upgradeAvailabilityStatus: 'NotAvailable', upgradeUnavailabilityReason: noTiers },
    },
  }
}
