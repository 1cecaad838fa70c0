import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Fault } from '../core/fault.ts'
import { randomId } from '../core/id.ts'
import { createSealer } from '../core/seal.ts'
import { openMeter } from '../policy/meter/meter.ts'
import type { Tables } from '../port/tables/port.ts'
import { openSqliteTables } from '../port/tables/sqlite.ts'
import { openQuotaState, type QuotaState } from '../snapshot/capacity/quota-state.ts'
import { createCatalog } from '../snapshot/catalog/create-catalog.ts'
import { createCredentialReader } from '../snapshot/credential.ts'
import { type DesiredState, openDesiredState } from '../snapshot/desired-state.ts'
import { type FiltersState, openFiltersState } from '../snapshot/filter/filters-state.ts'
import type { NamedKey } from '../snapshot/keys/named-key.ts'
import { createQueue } from '../snapshot/queue.ts'
import { type ResourceKey, storeResourceKey } from '../snapshot/resource-keys.ts'
import type { ErrorBody } from './api.ts'
import { type ControlOptions, createControl } from './create-control.ts'

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
  readonly faults: readonly Fault[]
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
      ControlOptions,
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
  const quota = await openQuotaState(tables.quota, () => 2_000)
  const sealer = createSealer(new Uint8Array(32).fill(3))
  const readSecret = (name: string) => (name === 'PONTO_SECRET_SET' ? `${planted}-env` : undefined)
  const faults: Fault[] = []
  const announced: (readonly ResourceKey[])[] = []
  const answers: string[] = []
  for (const name of ['key1', 'key2'] as const) {
    await storeResourceKey(tables, sealer, { name, value: resourceKey, createdAt: 1_000 })
  }
  const meter = await openMeter({ table: tables.usage, now: () => 2_000, onProblem: () => {} })
  let namedKeys: readonly NamedKey[] = []
  const handleManagement = createControl({
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
    managementCredential: credential,
    isResourceKey: (key) => key === resourceKey,
    hostNames: ['ponto.example', '::1:2'],
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
    usage: { table: tables.usage, meter, namedKeys: () => [] },
    onFault: (fault) => faults.push(fault),
    now: () => 2_000,
    ...more,
    listNamedKeys: () => namedKeys,
    onNamedKeysChanged(keys) {
      namedKeys = keys
      more.onNamedKeysChanged?.(keys)
    },
  })
  const server = Bun.serve({ port: 0, hostname: '127.0.0.1', fetch: handleManagement })
  const base = `http://127.0.0.1:${server.port}`

  return {
    base,
    state,
    quota,
    filters,
    tables,
    faults,
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
