import { z } from 'zod'
import { Fault } from '../../../core/fault.ts'
import { parseDocument } from '../../../core/text/parse-document.ts'
import type { GroupRow } from '../../../port/tables/resources/groups/port.ts'
import { tagsSchema } from '../../../snapshot/filter/policy-spec.ts'
import type { Answer } from '../../http/answer.ts'
import { isDryRun } from '../../http/dry-run.ts'
import { refuseDocument } from '../../http/errors.ts'
import { readJsonBody } from '../../http/read-body.ts'
import type { Account } from '../../resources/accounts.ts'
import type { FindOptions } from '../accounts/find-account.ts'
import { type ArmRoute, type ArmVisit, isSameName, ofGroup, ofSubscription, paramOf, route } from '../http/arm-route.ts'
import { refuseMissingGroup } from '../http/errors.ts'
import { pageOf } from '../http/page.ts'
import { normalizeLocation } from './locations.ts'

export type GroupsOptions = FindOptions & {
  /** Unix milliseconds. */
  now(): number
}

type Group = Pick<GroupRow, 'subscription' | 'name' | 'location' | 'tags'>

const type = 'Microsoft.Resources/resourceGroups'
const actions = 'Microsoft.Resources/subscriptions/resourceGroups'

/** Groups: names under which accounts lie. One is there when it was made, and as long as an account lies in it. */
export function listGroupRoutes(options: GroupsOptions): readonly ArmRoute[] {
  return [
    route('GET', `${ofSubscription}/resourceGroups`, `${actions}/read`, async (_, visit) =>
      pageOf(visit, await listGroups(options, paramOf(visit, 'subscription')), ({ name }) => name, viewGroup),
    ),
    route('GET', ofGroup, `${actions}/read`, async (_, visit) => ({
      status: 200,
      body: viewGroup(await findGroup(options, visit)),
    })),
    route('HEAD', ofGroup, `${actions}/read`, async (_, visit) => {
      await findGroup(options, visit)
      return { status: 204 }
    }),
    route('PUT', ofGroup, `${actions}/write`, (request, visit) => put(options, request, visit)),
    route('PATCH', ofGroup, `${actions}/write`, (request, visit) => patch(options, request, visit)),
    route('DELETE', ofGroup, `${actions}/delete`, (request, visit) => remove(options, request, visit), {
      isLong: true,
    }),
  ]
}

/** Of a subscription, ordered by name. */
export async function listGroups({ accounts, groups }: FindOptions, subscription: string): Promise<readonly Group[]> {
  const found = new Map<string, Group>()
  for (const { spec } of accounts.list()) {
    if (!isSameName(spec.subscriptionId, subscription)) continue
    const key = spec.resourceGroup.toLowerCase()
    if (!found.has(key)) found.set(key, asGroup(spec))
  }
  for (const row of await groups.list()) {
    if (isSameName(row.subscription, subscription)) found.set(row.name.toLowerCase(), row)
  }
  return [...found].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, group]) => group)
}

async function findGroup(options: FindOptions, visit: ArmVisit): Promise<Group> {
  return (await lookForGroup(options, visit)) ?? refuseMissingGroup(paramOf(visit, 'group'))
}

async function lookForGroup(options: FindOptions, visit: ArmVisit): Promise<Group | undefined> {
  const name = paramOf(visit, 'group')
  const made = await options.groups.get(paramOf(visit, 'subscription').toLowerCase(), name)
  const [account] = accountsIn(options, visit)
  return made ?? (account && asGroup(account.spec))
}

function accountsIn({ accounts }: FindOptions, visit: ArmVisit): Account[] {
  const [subscription, group] = [paramOf(visit, 'subscription'), paramOf(visit, 'group')]
  return accounts
    .list()
    .filter(({ spec }) => isSameName(spec.subscriptionId, subscription) && isSameName(spec.resourceGroup, group))
}

/** One that nobody made is where its first account is. */
function asGroup({ subscriptionId, resourceGroup, location }: Account['spec']): Group {
  return { subscription: subscriptionId, name: resourceGroup, location, tags: {} }
}

function viewGroup({ subscription, name, location, tags }: Group): object {
  return {
    id: `/subscriptions/${subscription}/resourceGroups/${name}`,
    name,
    type,
    location,
    tags,
    properties: { provisioningState: 'Succeeded' },
  }
}

const ignored = z.unknown().optional()
const groupSchema = z.strictObject({
  location: z.string().min(1).max(64).nullish(),
  tags: tagsSchema.nullish(),
  id: ignored,
  name: ignored,
  type: ignored,
  properties: ignored,
  managedBy: z.null().optional(),
})
const namePattern = /^[\w.()-]{0,89}[\w()-]$/

async function readGroup(request: Request): Promise<z.output<typeof groupSchema>> {
  const parsed = parseDocument(groupSchema, await readJsonBody(request))
  if ('problems' in parsed) throw refuseDocument(parsed.problems)
  return parsed.data
}

async function put(options: GroupsOptions, request: Request, visit: ArmVisit): Promise<Answer> {
  const { location, tags } = await readGroup(request)
  const current = await lookForGroup(options, visit)
  const name = current?.name ?? paramOf(visit, 'group')
  const place = location ? normalizeLocation(location) : current?.location
  if (place === undefined) throw refuseDocument([{ path: ['location'], text: 'missing, expected a string' }])
  if (current && place !== current.location) {
    throw new Fault(
      'conflict',
      `Invalid resource group location '${place}'. The Resource group already exists in location '${current.location}'.`,
      { vendorCode: 'InvalidResourceGroupLocation' },
    )
  }
  if (!namePattern.test(name)) {
    const text = `The resource group name ${JSON.stringify(name.slice(0, 90))} is not valid: 1 to 90 letters, digits, "-", "_", ".", "(" or ")", no "." at the end.`
    throw new Fault('invalid-request', text, { vendorCode: 'InvalidResourceGroup' })
  }
  const subscription = paramOf(visit, 'subscription').toLowerCase()
  if (isDryRun(request)) {
    return { status: current ? 200 : 201, body: viewGroup({ subscription, name, location: place, tags: tags ?? {} }) }
  }
  const row = await options.groups.put({ subscription, name, location: place, tags: tags ?? {} }, options.now())
  return { status: current ? 200 : 201, body: viewGroup(row) }
}

async function patch(options: GroupsOptions, request: Request, visit: ArmVisit): Promise<Answer> {
  const { tags } = await readGroup(request)
  const current = await findGroup(options, visit)
  if (!tags || isDryRun(request)) {
    return { status: 200, body: viewGroup({ ...current, tags: tags ?? current.tags }) }
  }
  const { subscription, name, location } = current
  return {
    status: 200,
    body: viewGroup(await options.groups.put({ subscription, name, location, tags }, options.now())),
  }
}

/** With all accounts that lie in it, or none where one of them cannot be deleted. */
async function remove(options: GroupsOptions, request: Request, visit: ArmVisit): Promise<Answer> {
  const group = await lookForGroup(options, visit)
  if (!group) return refuseMissingGroup(paramOf(visit, 'group'))
  const held = accountsIn(options, visit).map(({ spec }) => spec.name)
  for (const name of held) options.accounts.requireRemovable(name)
  if (isDryRun(request)) return { status: 204 }
  for (const name of held) await options.accounts.remove(name)
  await options.groups.delete(group.subscription, group.name)
  return { status: 202 }
}
