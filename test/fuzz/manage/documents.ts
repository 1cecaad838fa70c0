import type { Random } from '../random.ts'

/** What an operator sends to the management API, to begin from, and what it is sent to. */

/** Stands in credentials that are sent to be stored, and must be found in no answer. */
export const plantedSecret = 'sk-planted-stored-91c4e7'

export type Document = Readonly<Record<string, unknown>>

const unit = { inputPerMillion: 2.5, cachedInputPerMillion: 1.25, outputPerMillion: 10, perRequest: 0.001 }

function backend(port: number, random: Random): Document {
  return {
    url: `http://127.0.0.1:${port}/good00/openai`,
    protocol: 'openai',
    auth: 'bearer',
    credential: random.pick([{ value: plantedSecret }, { env: 'PONTO_SECRET_FUZZ' }, { stored: true }, null]),
    model: 'model-openai',
    streamUsage: true,
    labels: ['eu', 'site-1'],
    priority: 1,
    weight: 2,
    timeouts: { connectMs: 2000, firstByteMs: 5000, idleMs: 5000, totalMs: 5000 },
  }
}

/** One of each family, with every field there is for it. */
export function deploymentDocument(port: number, random: Random): Document {
  const backends = [backend(port, random), ...(random.chance(0.2) ? [backend(port, random)] : [])]
  const model = { format: 'Acme', name: 'acme-large', version: '2', type: 'chat' }
  return random.pick<Document>([
    {
      model,
      sku: { name: 'GlobalStandard', capacity: 3 },
      tokenAccounting: 'estimate',
      versionUpgradeOption: 'OnceCurrentVersionExpired',
      dynamicThrottlingEnabled: true,
      serviceTier: 'Priority',
      deploymentState: 'Paused',
      price: unit,
      backends,
    },
    {
      model: { ...model, version: '3' },
      sku: { name: 'ProvisionedManaged', capacity: 10 },
      concurrency: 4,
      spilloverDeploymentName: 'base-plain',
      versionUpgradeOption: 'NoAutoUpgrade',
      raiPolicyName: 'base-policy',
      price: { inputPerMillion: 1 },
      backends,
    },
    {
      model: { name: 'anything' },
      rateLimits: [
        { key: 'request', renewalPeriod: 10, count: 5 },
        { key: 'token', renewalPeriod: 60, count: 1000 },
      ],
      backends,
    },
    { model, sku: { name: 'Standard', capacity: 2 }, dynamicThrottlingEnabled: false, backends },
    { model, sku: { name: 'DeveloperTier' }, backends },
    { model, sku: { name: 'GlobalBatch', capacity: 7 }, backends },
    { model: { name: 'gpt-4o' }, sku: { name: 'DataZoneStandard', capacity: 1 }, backends },
    { model: { name: 'builtin-nano' } },
  ])
}

export function keyDocument(random: Random): Document {
  return random.pick<Document>([
    {
      owner: 'Ann',
      deployments: ['base-plain', 'BASE-BOUGHT'],
      tokensPerMinute: 1000,
      requestsPerMinute: 10,
      budgets: [
        { unit: 'tokens', period: 'day', limit: 10_000 },
        { unit: 'cost', period: 'month', limit: 12.5 },
      ],
      expiresAt: '2030-01-01T01:00:00+01:00',
    },
    { deployments: 'all', expiresAt: random.pick(['9999-12-31T23:59:59Z', '9999-12-31T23:59:59-23:59']) },
    {},
  ])
}

export const quotaDocument = { limit: 100 }

export function resourceDocument(random: Random): Document {
  return random.pick<Document>([
    {
      location: 'East US',
      kind: 'OpenAI',
      sku: { name: 'S0' },
      tags: { team: 'a', größe: '東京' },
      subscriptionId: '11111111-2222-3333-4444-555555555555',
      resourceGroup: 'rg-1',
      properties: {
        customSubDomainName: random.pick(['fuzz-sub', 'base-team', 'ponto', 'other']),
        disableLocalAuth: true,
        publicNetworkAccess: 'Disabled',
        networkAcls: { defaultAction: 'Deny', ipRules: [{ value: '127.0.0.0/8' }, { value: '::1' }], bypass: 'None' },
        restrictOutboundNetworkAccess: true,
        allowedFqdnList: ['127.0.0.1', 'api.example.com'],
        carried: { userOwnedStorage: [{ resourceId: '/x' }] },
      },
    },
    { tags: {}, properties: {} },
    {},
  ])
}

/** `ponto` is the server's own. */
export const resourceNames = ['base-team', 'BASE-team', 'new-team', 'new_team.1', 'fuzz-sub', 'file-team', 'gone-team']

/** Values that mean something, for a field drawn at random. */
export const knownFields: readonly (readonly [string, unknown])[] = [
  ['sku', { name: 'ProvisionedManaged', capacity: 5 }],
  ['sku', { name: 'GlobalStandard', capacity: 1_000_000 }],
  ['sku', { name: 'DeveloperTier', capacity: 1 }],
  ['sku', null],
  ['rateLimits', [{ key: 'token', renewalPeriod: 1, count: 1e12 }]],
  ['rateLimits', [{ key: 'request', renewalPeriod: 60, count: 1 }]],
  ['rateLimits', null],
  ['concurrency', 1],
  ['concurrency', null],
  ['spilloverDeploymentName', 'BASE-BOUGHT'],
  ['spilloverDeploymentName', 'in-file'],
  ['spilloverDeploymentName', null],
  ['serviceTier', 'Default'],
  ['deploymentState', 'Running'],
  ['deploymentState', 'Paused'],
  ['dynamicThrottlingEnabled', true],
  ['price', { inputPerMillion: 1e9, perRequest: 1e-9 }],
  ['versionUpgradeOption', 'OnceNewDefaultVersionAvailable'],
  ['model', { name: 'ACME-LARGE' }],
  ['model', { name: 'gpt-4o' }],
  ['model', { name: 'x', version: '1', format: 'y' }],
  ['raiPolicyName', 'base-policy'],
  ['raiPolicyName', 'microsoft.nil'],
  ['raiPolicyName', 'none'],
  ['raiPolicyName', null],
  ['backends', null],
  ['backends', [{ url: 'http://127.0.0.1:1', credential: { stored: true } }]],
  ['backends', [{ url: 'HTTP://EXAMPLE.com:80/v1/../v1?', protocol: 'azure-openai' }]],
  ['name', 'base-plain'],
  ['etag', 'x'],
  ['effectiveLimits', 5],
  ['owner', 'x'.repeat(256)],
  ['owner', 'k\0y'],
  ['deployments', 'all'],
  ['deployments', ['in-file']],
  ['budgets', [{ unit: 'cost', period: 'day', limit: 1e-9 }]],
  ['budgets', null],
  ['tokensPerMinute', 1e12],
  ['expiresAt', '2020-01-01T00:00:00Z'],
  ['expiresAt', '2030-02-28T23:59:59.999999999Z'],
  ['expiresAt', null],
  ['secret', 'x'],
  ['location', 'West Europe'],
  ['kind', 'AIServices'],
  ['tags', { a: 'b' }],
  ['properties', { customSubDomainName: 'base-plain' }],
  ['properties', { networkAcls: { defaultAction: 'Allow', ipRules: [] } }],
  ['properties', { networkAcls: null, allowedFqdnList: null }],
  ['properties', { restrictOutboundNetworkAccess: true }],
  ['properties', null],
  ['isDefault', true],
  ['deletedAt', 'x'],
  ['limit', 0],
  ['limit', 1e9],
]

export const deploymentNames = ['base-plain', 'base-bought', 'BASE-plain', 'new-one', 'new.two', 'in-file']
export const keyNames = ['base-key', 'BASE-KEY', 'new-key', 'key1']
export const poolNames = [
  'Standard.acme-large',
  'standard.ACME-large',
  'Acme.GlobalStandard.acme-large',
  'GlobalBatch',
  'globalbatch.other',
  'Standard.a.Standard.b',
  'A.B.Standard.c',
  'Standard.%C4%B0x',
  'Standard.i%CC%87X',
  'Standard.%C3%89',
  'Standard.%C3%A9',
  'Standard.%00',
  'Standard.a%0Ab',
  'Standard.%20',
  'Standard.a%2Fb',
  'ProvisionedManaged.acme-large',
]
/** In a path, where a name should be. */
export const oddNames = [
  '%2e%2e',
  '..%2fstatus',
  'a%2fb',
  '%00',
  'a%00b',
  '%',
  '%zz',
  '%ff',
  '%C0%AF',
  '%F0%9F%98%80',
  '%ED%A0%80',
  '__proto__',
  'constructor',
  'a',
  'x'.repeat(64),
  'x'.repeat(65),
  'x'.repeat(4000),
  'a%20b',
  'a+b',
  'a%0d%0ab',
  "a'b",
  'a;b',
  '%22',
  'base-plain%20',
  '%62ase-plain',
  '',
]
