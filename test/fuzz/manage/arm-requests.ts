import type { Random } from '../random.ts'
import { type Document, deploymentNames, plantedSecret, resourceNames } from './documents.ts'
import { filterNames, itemNames } from './filter-documents.ts'

/** What clients of the vendor send to the management API at the root of the host, to begin from. */

export type ArmRequest = {
  readonly method: string
  readonly path: string
  readonly query: string
  readonly value?: unknown
}

const subscription = '00000000-0000-0000-0000-000000000000'
const provider = 'providers/Microsoft.CognitiveServices'
const versions = ['2025-09-01', '2026-07-01', '2026-05-15-preview', '2024-04-01-preview', '2022-12-01', '2099-01-01']
const model = { format: 'Acme', name: 'acme-large', version: '2' }

export function pickArmRequest(random: Random, upstreamPort: number): ArmRequest {
  const subscriptionId = random.chance(0.95) ? subscription : random.pick(['x', '11111111-2222-3333-4444-555555555555'])
  const root = `/subscriptions/${subscriptionId}`
  const name = random.chance(0.7) ? 'ponto' : random.pick(resourceNames)
  const account = `${root}/resourceGroups/${random.pick(['default', 'DEFAULT', 'none'])}/${provider}/accounts/${name}`
  const query = `api-version=${random.pick(versions)}${random.chance(0.1) ? `&${random.pick(oddQueries)}` : ''}`
  const draw = random.next()
  const of = (method: string, path: string, value?: unknown): ArmRequest => ({ method, path, query, value })
  if (draw < 0.25) return of('PUT', deploymentPath(account, random), deploymentOf(random, upstreamPort))
  if (draw < 0.33) return of('PATCH', deploymentPath(account, random), patchOf(random, upstreamPort))
  if (draw < 0.4) return of('DELETE', random.pick([deploymentPath(account, random), ...filterPaths(account, random)]))
  if (draw < 0.52)
    return of('PUT', `${account}/raiPolicies/${random.pick(filterNames['rai-policies'])}`, policyOf(random))
  if (draw < 0.6) return pickItems(`${account}/raiBlocklists/${random.pick(filterNames['rai-blocklists'])}`, random, of)
  if (draw < 0.64) return of('PUT', `${account}/raitopics/${random.pick(filterNames['rai-topics'])}`, topicOf(random))
  if (draw < 0.76) return pickAccountRequest(account, root, random, of)
  if (draw < 0.8) return of('POST', `${deploymentPath(account, random)}/${random.pick(['pause', 'resume'])}`)
  if (draw < 0.84) return of('POST', random.pick(checkPaths(root)), checkOf(random))
  return of('GET', random.pick(readPaths(account, root, random)))
}

type Make = (method: string, path: string, value?: unknown) => ArmRequest

const deploymentPath = (account: string, random: Random): string =>
  `${account}/deployments/${random.pick(deploymentNames)}`

const filterPaths = (account: string, random: Random): string[] => [
  `${account}/raiPolicies/${random.pick(filterNames['rai-policies'])}`,
  `${account}/raiBlocklists/${random.pick(filterNames['rai-blocklists'])}`,
  `${account}/raitopics/${random.pick(filterNames['rai-topics'])}`,
]

function deploymentOf(random: Random, port: number): Document {
  const url = `http://127.0.0.1:${port}/good00/openai`
  const backends = [
    { url, credential: random.pick([{ value: plantedSecret }, { stored: true }, null]), labels: ['site-1'] },
  ]
  return {
    sku: random.pick([
      { name: 'Standard', capacity: 2 },
      { name: 'Standard', capacity: '3', tier: 'Standard' },
      { name: 'ProvisionedManaged', capacity: 10 },
      null,
    ]),
    tags: random.pick([{ a: 'b' }, null, { größe: '東京' }]),
    properties: {
      model: random.pick([
        model,
        { ...model, publisher: 'x', source: null },
        { format: 'Ponto', name: 'builtin-nano' },
      ]),
      provisioningState: 'Succeeded',
      rateLimits: [{ key: 'request', count: 1 }],
      raiPolicyName: random.pick(['base-policy', 'Microsoft.DefaultV2', null]),
      versionUpgradeOption: random.pick(['NoAutoUpgrade', null]),
      scaleSettings: random.pick([null, { scaleType: 'Standard', capacity: 1 }]),
      ponto: random.pick([{ backends }, { backends, price: { inputPerMillion: 1 } }, null, undefined]),
    },
  }
}

function patchOf(random: Random, port: number): Document {
  const { sku, tags, properties } = deploymentOf(random, port)
  return random.pick<Document>([{ sku }, { tags }, { properties }, { tags, sku }, {}])
}

function policyOf(random: Random): Document {
  const filter = {
    name: 'Hate',
    source: 'Prompt',
    severityThreshold: 'Low',
    allowedContentLevel: 'High',
    enabled: true,
  }
  const lists = [{ blocklistName: 'base-list', blocking: true }]
  return {
    properties: {
      type: 'UserManaged',
      mode: random.pick(['Default', 'Deferred', 'Asynchronous_filter']),
      basePolicyName: 'Microsoft.DefaultV2',
      contentFilters: random.pick([
        [filter],
        [filter, { ...filter, source: 'Completion', engines: ['base-http'] }],
        [],
        null,
      ]),
      customBlocklists: random.pick([[{ ...lists[0], source: 'Prompt' }], null]),
      promptBlocklists: random.pick([lists, null]),
      ponto: random.pick([{ customTopics: [{ topicName: 'base-topic', source: 'Prompt' }] }, null, undefined]),
    },
  }
}

const topicOf = (random: Random): Document => ({
  properties: { description: 'rain', ponto: random.pick([{ examples: ['wet'] }, null, undefined]) },
})

function pickItems(list: string, random: Random, of: Make): ArmRequest {
  const properties = { pattern: random.pick(['berry', 'a+b', '(x', '', 'x'.repeat(1001)]), isRegex: random.chance(0.5) }
  const item = `${list}/raiBlocklistItems/${random.pick(itemNames)}`
  return random.pick([
    () => of('PUT', list, { properties: { description: 'words' } }),
    () => of('PUT', item, { properties }),
    () => of('DELETE', item),
    () => of('POST', `${list}/addRaiBlocklistItems`, [{ name: 'two', properties }, { properties }]),
    () => of('POST', `${list}/deleteRaiBlocklistItems`, ['one', 'none']),
    () => of('GET', `${list}/raiBlocklistItems`),
  ])()
}

function pickAccountRequest(account: string, root: string, random: Random, of: Make): ArmRequest {
  const other = account.replace('/ponto', `/${random.pick(resourceNames)}`)
  const body = {
    location: random.pick(['local', 'East US', null]),
    kind: random.pick(['AIServices', 'OpenAI']),
    sku: { name: 'S0' },
    tags: { a: 'b' },
    identity: { type: 'SystemAssigned' },
    properties: {
      customSubDomainName: random.pick(['fuzz-sub', null]),
      networkAcls: { defaultAction: 'Allow', ipRules: [{ value: '127.0.0.1' }] },
      restore: random.pick([true, false, null]),
      encryption: { keySource: 'Microsoft.CognitiveServices' },
    },
  }
  return random.pick([
    () => of('PUT', other, body),
    () => of('PATCH', other, { tags: { c: 'd' } }),
    () => of('DELETE', other),
    () => of('DELETE', `${root}/${provider}/locations/local/resourceGroups/default/deletedAccounts/gone-team`),
    () => of('PUT', `${root}/resourcegroups/${random.pick(['fuzz', 'default', '%20'])}`, { location: 'local' }),
    () => of('DELETE', `${root}/resourcegroups/fuzz`),
  ])()
}

const checkPaths = (root: string): string[] => [
  `${root}/${provider}/calculateModelCapacity`,
  `${root}/${provider}/checkDomainAvailability`,
  `${root}/${provider}/locations/local/checkSkuAvailability`,
]

const checkOf = (random: Random): Document => ({
  model,
  skuName: random.pick(['Standard', 'ProvisionedManaged', 'none']),
  workloads: [{ requestPerMinute: random.pick([0, 1e9, 5]), requestParameters: { avgPromptTokens: 1e12 } }],
  subdomainName: 'fuzz',
  type: 'Microsoft.CognitiveServices/accounts',
  kind: 'OpenAI',
  skus: ['S0'],
})

const oddQueries = [
  '$top=1',
  '$top=0',
  '$skiptoken=YmFzZQ',
  '$skiptoken=%00',
  '$filter=name.value eq %27x%27',
  'api-version=x',
]

const readPaths = (account: string, root: string, random: Random): string[] => [
  account,
  `${account}/deployments`,
  deploymentPath(account, random),
  `${deploymentPath(account, random)}/skus`,
  ...filterPaths(account, random),
  `${account}/models`,
  `${account}/usages`,
  `${root}/${provider}/accounts`,
  `${root}/${provider}/deletedAccounts`,
  `${root}/${provider}/modelCapacities?modelFormat=Acme&modelName=acme-large&modelVersion=2`,
  `${root}/${provider}/locations/local/usages`,
  `${root}/${provider}/locations/local/raiContentFilters`,
  `${root}/${provider}/locations/x/operationStatuses/create.1.abcdefghijkl.${random.pick(['Lw', 'AAAA', 'L3N1YnNjcmlwdGlvbnM'])}`,
  `${root}/resources`,
  `${root}/resourcegroups`,
  '/subscriptions',
  '/tenants',
  '/providers/Microsoft.CognitiveServices/operations',
]
