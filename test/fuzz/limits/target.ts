import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { makeTempFolder, removeFolder, type ServerProcess, startServer } from '../../support/server-process.ts'
import { upstreamSecret } from '../upstream/draft.ts'
import { type FuzzUpstream, startFuzzUpstream } from '../upstream/server.ts'

/** What is tight about each; every lane has one of each. The names tell cases what to expect. */
export const tightDeployments = [
  'tiny',
  'estimate',
  'standard',
  'tiered',
  'borrower',
  'bought',
  'open',
  'slot',
  'loop-a',
  'loop-b',
  'to-paused',
  'paused',
  'developer',
  'batch',
  'priced',
  'spare',
  'hidden',
] as const
export type TightName = (typeof tightDeployments)[number]

export const nameTight = (kind: TightName, lane: number): string => `${kind}${String(lane).padStart(2, '0')}`

export const keyKinds = ['narrow', 'tokens', 'requests', 'budget', 'cost', 'rotated', 'revoked'] as const
export type KeyKind = (typeof keyKinds)[number]

export type LimitsTarget = {
  readonly port: number
  readonly upstream: FuzzUpstream
  /** The resource's own. */
  readonly key: string
  readonly managementCredential: string
  /** Secrets of the named keys; two of `rotated`, both of which are taken. */
  readonly namedKeys: Readonly<Record<KeyKind, readonly string[]>>
  errors(): string
  isAlive(): boolean
  /** What the management API shows. */
  show(path: string): Promise<unknown>
  stop(): Promise<void>
}

const price = { inputPerMillion: 1_000, cachedInputPerMillion: 100, outputPerMillion: 4_000, perRequest: 0.01 }

/** A fast one, so that the windows of minutes are not all that there is. */
const tightOf: Readonly<Record<TightName, (lane: number) => object>> = {
  tiny: () => ({ rateLimits: [limit('request', 1, 4), limit('token', 1, 300)] }),
  estimate: () => ({ rateLimits: [limit('token', 1, 90)], tokenAccounting: 'estimate' }),
  standard: () => ({ sku: { name: 'Standard', capacity: 1 } }),
  tiered: () => ({ sku: { name: 'GlobalStandard', capacity: 5 }, serviceTier: 'Priority' }),
  borrower: () => ({ sku: { name: 'DataZoneStandard', capacity: 1 }, dynamicThrottlingEnabled: true }),
  bought: (lane) => ({
    sku: { name: 'ProvisionedManaged', capacity: 1 },
    concurrency: 2,
    spilloverDeploymentName: nameTight('spare', lane),
  }),
  open: () => ({ sku: { name: 'GlobalProvisionedManaged', capacity: 1 }, concurrency: 1 }),
  slot: () => ({ sku: { name: 'DataZoneProvisionedManaged', capacity: 1000 }, concurrency: 1 }),
  'loop-a': (lane) => ({
    sku: { name: 'ProvisionedManaged', capacity: 1 },
    spilloverDeploymentName: nameTight('loop-b', lane),
  }),
  'loop-b': (lane) => ({
    sku: { name: 'ProvisionedManaged', capacity: 1 },
    concurrency: 1,
    spilloverDeploymentName: nameTight('loop-a', lane),
  }),
  'to-paused': (lane) => ({
    sku: { name: 'ProvisionedManaged', capacity: 1 },
    spilloverDeploymentName: nameTight('paused', lane),
  }),
  paused: () => ({ sku: { name: 'Standard', capacity: 1 }, deploymentState: 'Paused' }),
  developer: () => ({ sku: { name: 'DeveloperTier', capacity: 2 } }),
  batch: () => ({ sku: { name: 'GlobalBatch', capacity: 1 } }),
  priced: () => ({ price }),
  spare: () => ({ rateLimits: [limit('request', 10, 20)], price }),
  hidden: () => ({}),
}

function limit(key: 'request' | 'token', renewalPeriod: number, count: number) {
  return { key, renewalPeriod, count }
}

const provisioned = (name: string) => ({ name, inputTokensPerMinute: 3000, outputWeight: 4 })
const standard = (name: string) => ({ name, tokensPerMinute: 1000, requestsPerMinute: 60 })

const model = {
  name: 'model-openai',
  version: '2024-11-20',
  maxContextTokens: 100_000,
  maxOutputTokens: 5000,
  skus: [
    ...['Standard', 'GlobalStandard', 'DataZoneStandard', 'DeveloperTier'].map(standard),
    ...['ProvisionedManaged', 'GlobalProvisionedManaged', 'DataZoneProvisionedManaged'].map(provisioned),
    { name: 'GlobalBatch', enqueuedTokens: 1000 },
  ],
}

/** Short, so that a stalled answer ends soon. */
const timeouts = { connectMs: 2000, firstByteMs: 700, idleMs: 500, totalMs: 2000 }

/** A server whose deployments and keys are all short of something. */
export async function startLimitsTarget(lanes: number): Promise<LimitsTarget> {
  const upstream = await startFuzzUpstream()
  const folder = makeTempFolder()
  const config = join(folder, 'ponto.yaml')
  const deployments = Array.from({ length: lanes }, (_, lane) =>
    tightDeployments.map((kind) => {
      const url = `http://127.0.0.1:${upstream.port}/plan${String(lane).padStart(2, '0')}/openai`
      const backends = [{ url, protocol: 'openai', credential: { env: 'PONTO_SECRET_FUZZ' }, timeouts }]
      return {
        name: nameTight(kind, lane),
        model: { name: model.name, version: model.version },
        backends,
        ...tightOf[kind](lane),
      }
    }),
  ).flat()
  const quota = [{ model: model.name, sku: 'DataZoneStandard', limit: lanes + 3 }]
  writeFileSync(config, JSON.stringify({ models: [model], quota, deployments }))
  const server = await startServer({
    dataFolder: join(folder, 'data'),
    args: ['--config', config],
    env: { PONTO_SECRET_FUZZ: upstreamSecret },
  })
  const managementCredential = readFileSync(join(server.dataFolder, 'management.key'), 'utf8').trim()
  const namedKeys = await makeKeys(server, managementCredential, lanes)
  return {
    port: Number(new URL(server.httpUrl).port),
    upstream,
    key: server.key,
    managementCredential,
    namedKeys,
    errors: server.errors,
    isAlive: () => isAlive(server.pid),
    show: (path) => ask(server, managementCredential, 'GET', path),
    async stop() {
      if (isAlive(server.pid)) await server.stop()
      await upstream.stop()
      removeFolder(folder)
    },
  }
}

async function makeKeys(server: ServerProcess, credential: string, lanes: number): Promise<LimitsTarget['namedKeys']> {
  const visible = Array.from({ length: lanes }, (_, lane) =>
    tightDeployments.filter((kind) => kind !== 'hidden').map((kind) => nameTight(kind, lane)),
  ).flat()
  const terms: Record<KeyKind, object> = {
    narrow: { deployments: visible },
    tokens: { tokensPerMinute: 3000 },
    requests: { requestsPerMinute: 200 },
    budget: { budgets: [{ unit: 'tokens', period: 'day', limit: 20_000 }] },
    cost: { budgets: [{ unit: 'cost', period: 'month', limit: 1.5 }], tokensPerMinute: 100_000 },
    rotated: {},
    revoked: {},
  }
  const secrets: Partial<Record<KeyKind, readonly string[]>> = {}
  for (const kind of keyKinds) {
    const made = (await ask(server, credential, 'PUT', `/management/named-keys/${kind}`, terms[kind])) as {
      secret: string
    }
    secrets[kind] = [made.secret]
  }
  const rotated = await ask(server, credential, 'POST', '/management/named-keys/rotated/rotate', {
    overlapSeconds: 86_400,
  })
  secrets.rotated = [...(secrets.rotated ?? []), (rotated as { secret: string }).secret]
  await ask(server, credential, 'POST', '/management/named-keys/revoked/revoke')
  return secrets as LimitsTarget['namedKeys']
}

async function ask(
  server: ServerProcess,
  credential: string,
  method: string,
  path: string,
  body?: object,
): Promise<unknown> {
  const headers = { authorization: `Bearer ${credential}`, ...(body && { 'content-type': 'application/json' }) }
  const response = await fetch(`${server.httpUrl}${path}`, {
    method,
    headers,
    ...(body && { body: JSON.stringify(body) }),
  })
  const text = await response.text()
  if (!response.ok) throw new Error(`${method} ${path} was to succeed: ${response.status} ${text}`)
  return JSON.parse(text)
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}
