import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Identity, openIdentity } from '../boot/stores/open-identity.ts'
import { createSealer } from '../core/access/seal.ts'
import type { Fault } from '../core/fault.ts'
import { randomId } from '../core/text/id.ts'
import { openMeter } from '../policy/meter/meter.ts'
import { openSqliteTables } from '../port/tables/adapters/sqlite/open-sqlite-tables.ts'
import type { AuditRow } from '../port/tables/audit/port.ts'
import type { Tables } from '../port/tables/port.ts'
import { openQuotaState, type QuotaState } from '../snapshot/capacity/quota-state.ts'
import { createCatalog } from '../snapshot/catalog/create-catalog.ts'
import { createCredentialReader } from '../snapshot/credential.ts'
import { type DesiredState, openDesiredState } from '../snapshot/desired-state.ts'
import { type FiltersState, openFiltersState } from '../snapshot/filter/filters-state.ts'
import type { NamedKey } from '../snapshot/keys/named-key.ts'
import { type ResourceKey, storeResourceKey } from '../snapshot/keys/resource-keys.ts'
import { openDeploymentPolicies } from '../snapshot/policy/policies-state.ts'
import { createQueue } from '../snapshot/queue.ts'
import type { ErrorBody } from './api.ts'
import { createControl } from './create-control.ts'
import { createSessionDoor } from './portal/session-door.ts'
import type { Sessions } from './portal/sessions.ts'
import { makeOwnAccounts } from './resources/accounts.fixture.ts'
import type { RoutesOptions } from './routes.ts'

/** For tests: a whole management API behind a real server, with a real database. */

export const credential = 'ponto-management-credential'
export const resourceKey = 'resource-key-one'
export const planted = 'sk-planted-secret'

export type Sent = {
  readonly status: number
  readonly headers: Headers
  readonly text: string
  json<T>(): T
}

export type SendOptions = { headers?: Record<string, string>; body?: unknown; type?: string }

export type ControlFixture = {
  readonly base: string
  readonly state: DesiredState
  readonly quota: QuotaState
  readonly filters: FiltersState
  readonly tables: Tables
  readonly identity: Identity
  readonly faults: readonly Fault[]
  /** Changes that could not be kept. */
  readonly lost: readonly AuditRow[]
  /** The keys as they were announced to the data plane, each time. */
  readonly announced: readonly (readonly ResourceKey[])[]
  /** Everything that was ever answered, but the answers about keys. */
  readonly answers: readonly string[]
  /** Sends with the management credential unless `headers` say otherwise; `path` is below `/management`. */
  send(method: string, path: string, options?: SendOptions): Promise<Sent>
  /** The secret that the data plane would send to a deployment's first backend. */
  readCredential(name: string): string | undefined
  stop(): Promise<void>
}

const builtinModels = [{ format: 'Ponto', name: 'builtin-nano', version: '1', description: 'small' }]

export async function startControl(
  more: Partial<
    Pick<
      RoutesOptions,
      | 'capacityRules'
      | 'findCompiled'
      | 'now'
      | 'onNamedKeysChanged'
      | 'usage'
      | 'findPlan'
      | 'judgeText'
      | 'probeEngine'
      | 'defaultPolicy'
    >
  > = {},
  sessions?: Sessions,
): Promise<ControlFixture> {
  const folder = mkdtempSync(join(tmpdir(), 'ponto-control-'))
  const tables = await openSqliteTables(join(folder, 'ponto.db'))
  const enqueue = createQueue()
  const state = await openDesiredState(tables, enqueue)
  const defaultPolicy = more.defaultPolicy ?? 'Microsoft.Nil'
  const filters = await openFiltersState({
    table: tables.filters,
    now: () => 2_000,
    enqueue,
    listDeployments: () => state.list().map(({ spec }) => spec),
    defaultPolicy,
  })
  const deploymentPolicies = await openDeploymentPolicies({ table: tables.filters, now: () => 2_000, enqueue })
  const quota = await openQuotaState(tables.quota, () => 2_000)
  const sealer = createSealer(new Uint8Array(32).fill(3))
  const readSecret = (name: string) => (name === 'PONTO_SECRET_SET' ? `${planted}-env` : undefined)
  const faults: Fault[] = []
  const lost: AuditRow[] = []
  const announced: (readonly ResourceKey[])[] = []
  const answers: string[] = []
  for (const name of ['key1', 'key2'] as const) {
    await storeResourceKey(tables, sealer, { name, value: resourceKey, createdAt: 1_000 })
  }
  const meter = await openMeter({ table: tables.usage, now: () => 2_000, onProblem: () => {} })
  let namedKeys: readonly NamedKey[] = []
  const identity = await openIdentity({
    tables,
    sealer,
    listNames: () => ['ponto.example'],
    findResource: () => undefined,
    openTransport: () => {
      throw new Error('no issuer is asked here')
    },
    log: { warn: () => {} },
    now: Date.now,
  })
  const routes: RoutesOptions = {
    state,
    quota,
    filters,
    defaultPolicy,
    findPlan: () => undefined,
    judgeText: () => Promise.reject(new Error('nothing is judged here')),
    probeEngine: async ({ name }) => ({ ok: true, detail: `${name}: it answers`, ms: 1 }),
    tables,
    sealer,
    readSecret,
    builtinModels,
    capacityRules: () => ({ catalog: createCatalog(builtinModels), pools: quota.list(), placement: {}, now: 2_000 }),
    findCompiled: () => undefined,
    makeKey: () => `new-${randomId(20)}`,
    onKeysChanged: (keys) => announced.push(keys),
    probeDeployment: async (name) => {
      if (name === 'broken') throw new Error('a bug')
      return [{ backend: name, ok: true, detail: 'it answers (200)' }]
    },
    readStatus: () => ({
      name: 'mine',
      version: '0.1.0',
      pid: 1,
      startedAt: '2026-01-01T00:00:00.000Z',
      endpoints: ['https://localhost:8443'],
      dataFolder: '/data',
      engine: { state: 'ready', detail: '' },
    }),
    listOwnWarnings: () => [],
    webhooks: { list: () => [], readSecret: () => undefined, test: async () => undefined },
    usage: { table: tables.usage, meter, namedKeys: () => [], resource: '', hourlyDays: 90 },
    policyRules: () => ({ policies: deploymentPolicies.list(), defaultRaiPolicy: defaultPolicy }),
    deploymentPolicies,
    audit: tables.audit,
    now: () => 2_000,
    ...more,
    listNamedKeys: () => namedKeys,
    onNamedKeysChanged(keys) {
      namedKeys = keys
      more.onNamedKeysChanged?.(keys)
    },
  }
  const handleManagement = createControl({
    accounts: makeOwnAccounts('mine', routes),
    tokens: identity.tokens,
    judgeAddress: identity.judgeManagementAddress,
    identity: {
      table: tables.identity,
      identity: identity.state,
      issuer: identity.issuer,
      judgeAudience: identity.judgeAudience,
      listResources: () => [{ id: '', name: 'mine' }],
      makeKey: () => `new-${randomId(20)}`,
      now: Date.now,
    },
    managementCredential: credential,
    isResourceKey: (key) => key === resourceKey,
    hostNames: () => ['ponto.example', '::1:2'],
    onAuditLost: (row) => lost.push(row),
    onFault: (fault) => faults.push(fault),
    audit: tables.audit,
    now: routes.now,
    sessions,
    findVisitor: sessions && createSessionDoor(sessions),
  })
  const server = Bun.serve({
    port: 0,
    hostname: '127.0.0.1',
    fetch: (request) => handleManagement(request, () => '127.0.0.1'),
  })
  const base = `http://127.0.0.1:${server.port}`

  return {
    base,
    state,
    quota,
    filters,
    tables,
    identity,
    faults,
    lost,
    announced,
    answers,
    async send(method, path, { headers = {}, body, type } = {}) {
      const response = await fetch(`${base}/management${path}`, {
        method,
        headers: {
          authorization: `Bearer ${credential}`,
          ...(body === undefined ? {} : { 'content-type': type ?? 'application/json' }),
          ...headers,
        },
        ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
      })
      const text = await response.text()
      if (!path.startsWith('/keys')) answers.push(text, JSON.stringify([...response.headers]))
      return { status: response.status, headers: response.headers, text, json: <T>() => JSON.parse(text) as T }
    },
    readCredential(name) {
      const spec = state.get(name)?.spec
      const backend = spec?.backends?.[0]
      return spec && backend && createCredentialReader(sealer, readSecret)(spec.name, backend)
    },
    async stop() {
      await server.stop(true)
      identity.close()
      await tables.close()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

export function errorOf(sent: Sent): ErrorBody['error'] {
  return sent.json<ErrorBody>().error
}

/** A deployment that runs elsewhere; `fields` are of its backend. */
export function remote(fields: object = {}) {
  return { model: { name: 'gpt-4o' }, backends: [{ url: 'https://api.example/v1', ...fields }] }
}
