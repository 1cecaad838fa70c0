import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createAccounts } from '../../boot/resources/accounts.ts'
import { createDescribeRoutes, type DescribeRoutesParts } from '../../boot/resources/describe-routes.ts'
import { openResource } from '../../boot/resources/open-resource.ts'
import { openBareResources } from '../../boot/resources/resources.fixture.ts'
import type { Principal } from '../../core/access/principal.ts'
import { createSealer } from '../../core/access/seal.ts'
import { Fault } from '../../core/fault.ts'
import type { JsonObject } from '../../core/json.ts'
import { randomId } from '../../core/text/id.ts'
import type { BuiltinModel } from '../../engine/builtin-models.ts'
import { openMeter } from '../../policy/meter/meter.ts'
import { openSqliteTables } from '../../port/tables/adapters/sqlite/open-sqlite-tables.ts'
import type { Tables } from '../../port/tables/port.ts'
import type { ErrorBody } from '../api.ts'
import type { Accounts } from '../resources/accounts.ts'
import { type ArmOptions, createArm } from './create-arm.ts'
import type { ArmRoute } from './http/arm-route.ts'

/** For tests: the vendor's management API over real resources and a real database, without a data plane. */

export const subscription = '00000000-0000-0000-0000-000000000000'
export const tenantId = '7c1b5b1e-0000-4000-8000-000000000001'
export const planted = 'sk-planted-arm-51c0'
const version = '2025-09-01'
const credential = 'ponto-management-credential'
const token = 'eyJ.a-token'

export type Sent = {
  readonly status: number
  readonly headers: Headers
  readonly text: string
  readonly body: JsonObject
}

export type ArmFixture = {
  readonly accounts: Accounts
  readonly tables: Tables
  readonly routes: readonly ArmRoute[]
  readonly faults: readonly Fault[]
  /** Every answer there was, but those that show keys. */
  readonly answers: readonly string[]
  /** Sends in the subscription of the server's own account; `path` is below it unless it begins with `//`. */
  send(
    method: string,
    path: string,
    body?: unknown,
    more?: { version?: string; headers?: Record<string, string> },
  ): Promise<Sent>
  /** Asks for the status of an operation until it is over. */
  settle(sent: Sent): Promise<Sent>
  /** Who sends from now on. */
  actAs(principal: Principal | undefined): void
  stop(): Promise<void>
}

const builtin = { format: 'Ponto', name: 'builtin-nano', version: '1', description: 'small' } as unknown as BuiltinModel

/** What none of the routes asks. */
const neverAsked = {} as Pick<DescribeRoutesParts['shared'], 'judgeText' | 'webhooks'>

export async function startArm(
  more: Partial<Pick<ArmOptions, 'settleMs' | 'now'>> & {
    readonly config?: object
    readonly tables?: (tables: Tables) => Tables
  } = {},
): Promise<ArmFixture> {
  const folder = mkdtempSync(join(tmpdir(), 'ponto-arm-'))
  const stored = await openSqliteTables(join(folder, 'ponto.db'))
  const tables = more.tables?.(stored) ?? stored
  const sealer = createSealer(new Uint8Array(32).fill(3))
  const config = join(folder, 'ponto.yaml')
  if (more.config) writeFileSync(config, JSON.stringify(more.config))
  await openResource(tables, sealer, undefined, 'main')
  const readSecret = (name: string) => (name === 'PONTO_SECRET_SET' ? `${planted}-env` : undefined)
  const defaultPolicy = 'Microsoft.DefaultV2'
  const builtins = { models: [builtin], find: () => undefined, stop: async () => {} }
  const resources = await openBareResources(tables, sealer, {
    builtins,
    config: more.config ? config : undefined,
    readSecret,
    defaultPolicy,
  })
  const meter = await openMeter({ table: tables.usage, now: Date.now, onProblem: () => {} })
  const accounts = createAccounts({
    resources,
    tables,
    sealer,
    now: Date.now,
    describeRoutes: createDescribeRoutes({
      shared: {
        quota: resources.quota,
        sealer,
        builtinModels: builtins.models,
        defaultPolicy,
        policyRules: () => ({ policies: resources.policies.list(), defaultRaiPolicy: defaultPolicy }),
        deploymentPolicies: resources.policies,
        readSecret,
        makeKey: () => `key-${randomId(20)}`,
        audit: tables.audit,
        now: Date.now,
        ...neverAsked,
      },
      usage: { table: tables.usage, meter, hourlyDays: 90 },
      readStatus: ({ record }) => ({
        name: record().spec.name,
        version: '0.1.0',
        pid: 1,
        startedAt: '2026-01-01T00:00:00.000Z',
        endpoints: [`https://localhost:1${record().isDefault ? '' : `/resources/${record().spec.name}`}`],
        dataFolder: folder,
        engine: { state: 'ready', detail: '' },
      }),
      listServerWarnings: () => [],
    }),
  })
  let bearer: string | undefined = credential
  const principals = new Map<string, Principal>()
  const faults: Fault[] = []
  const answers: string[] = []
  const arm = createArm({
    accounts,
    groups: tables.groups,
    tenantId,
    now: more.now ?? Date.now,
    ...(more.settleMs !== undefined && { settleMs: more.settleMs }),
    managementCredential: credential,
    isResourceKey: () => false,
    hostNames: () => [],
    judgeAddress: () => undefined,
    // Stands for a token of anybody.
    tokens: {
      async admit(token) {
        const principal = principals.get(token)
        if (principal) return { principal, expiresAt: Number.MAX_SAFE_INTEGER } as never
        throw new Fault('unauthorized', 'The token is not one of anybody.')
      },
    },
    audit: tables.audit,
    onAuditLost: (_, error) => faults.push(error as Fault),
    onFault: (fault) => faults.push(fault),
  })

  async function send(
    method: string,
    path: string,
    body?: unknown,
    { version: asked = version, headers = {} }: { version?: string; headers?: Record<string, string> } = {},
  ): Promise<Sent> {
    const url = new URL(
      path.startsWith('//') ? path.slice(1) : `/subscriptions/${subscription}${path}`,
      'https://localhost:8443',
    )
    if (asked !== '' && !url.searchParams.has('api-version')) url.searchParams.set('api-version', asked)
    const init = body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }
    const request = new Request(url, {
      method,
      headers: {
        host: url.host,
        ...(bearer && { authorization: `Bearer ${bearer}` }),
        'content-type': 'application/json',
        ...headers,
      },
      ...init,
    })
    const response = await arm.handle(request, () => '127.0.0.1')
    const text = await response.text()
    if (!/keys/i.test(path) && !/regenerate/i.test(path)) answers.push(text, JSON.stringify([...response.headers]))
    return {
      status: response.status,
      headers: response.headers,
      text,
      body: text === '' ? {} : JSON.parse(text),
    }
  }

  return {
    accounts,
    tables,
    routes: arm.routes,
    faults,
    answers,
    send,
    async settle(sent) {
      const link = sent.headers.get('azure-asyncoperation')
      if (link === null) throw new Error(`no operation: ${sent.status} ${sent.text}`)
      for (;;) {
        const status = await send('GET', `/${new URL(link).pathname}`)
        if (status.body.status !== 'InProgress') return status
        await Bun.sleep(5)
      }
    },
    actAs(principal) {
      bearer = principal && token
      if (principal) principals.set(token, principal)
    },
    async stop() {
      resources.close()
      await meter.flush()
      await tables.close()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

export function codeOf({ body }: Sent): string {
  return (body as unknown as ErrorBody).error?.code
}

export function messageOf({ body }: Sent): string {
  return (body as unknown as ErrorBody).error?.message
}

/** `properties` of a resource. */
export function propertiesOf({ body }: Sent): JsonObject {
  return body.properties as JsonObject
}
