import { beforeEach, describe, expect, test } from 'bun:test'
import type { Transport, UpstreamRequest } from '../backend/transport/transport.ts'
import type { Deployment } from '../core/deployment.ts'
import { makeChatCall } from '../core/exchange.fixture.ts'
import { openTally } from '../core/usage/tally.ts'
import type { FilterPlan } from '../policy/filter/plan.ts'
import { createCatalog, genericSkus } from './catalog/create-catalog.ts'
import { makeModel } from './catalog/model.fixture.ts'
import { type Compiler, createCompiler } from './compile.ts'
import { type DeploymentInput, type DeploymentSpec, deploymentSpecSchema } from './deployment-spec.ts'
import type { PoolShare } from './plan/limits.ts'

const day = 86_400_000
const start = Date.UTC(2026, 10, 24)

let now: number
let catalog = createCatalog([])
let pool: PoolShare | undefined
let compiler: Compiler
/** What reached an upstream, and which origins are open. */
let sent: UpstreamRequest[]
let open: string[]

beforeEach(() => {
  now = start
  catalog = createCatalog([])
  pool = undefined
  sent = []
  open = []
  compiler = createCompiler({
    findBuiltin: () => undefined,
    openTransport,
    readCredential: () => undefined,
    catalog: () => catalog,
    poolOf: () => pool,
    now: () => now,
  })
})

function openTransport({ origin }: URL): Transport {
  open.push(origin)
  return {
    async request(request) {
      sent.push(request)
      return { status: 200, headers: { 'content-type': 'application/json' }, body: answer() }
    },
    close() {
      open = open.filter((other) => other !== origin)
    },
  }
}

async function* answer() {
  const message = { role: 'assistant', content: 'hi' }
  yield Buffer.from(JSON.stringify({ choices: [{ index: 0, message, finish_reason: 'stop' }] }))
}

function specOf(more: Partial<DeploymentInput> = {}): DeploymentSpec {
  return deploymentSpecSchema.parse({
    name: 'd1',
    model: { format: 'Acme', name: 'acme', version: '1' },
    backends: [{ url: 'https://api.example/v1', model: 'acme-{version}-{version}' }],
    ...more,
  })
}

function compile(...specs: DeploymentSpec[]): Deployment {
  const { deployments } = compiler.compile(
    specs.map((spec) => ({ spec, createdAt: start })),
    new Map(),
  )
  return deployments.get('d1') as Deployment
}

const retiring = makeModel('1', { lifecycle: { status: 'Legacy', retiresAt: start + day, replacement: undefined } })

describe('a version', () => {
  test('is asked of the upstream that is served, on the day it changes', async () => {
    catalog = createCatalog([], [makeModel('2', { isDefaultVersion: true }), retiring])
    const spec = specOf()
    const before = compile(spec)
    expect(compiler.nextChangeAt()).toBe(start + day)
    await before.routes[0]?.backend.send(makeChatCall(), new AbortController().signal, openTally())

    now = start + day
    const after = compile(spec)
    expect([before.model.version, after.model.version]).toEqual(['1', '2'])
    expect([before.servedModel, after.servedModel]).toEqual(['acme-1', 'acme-2'])
    expect(compiler.nextChangeAt()).toBeUndefined()
    await after.routes[0]?.backend.send(makeChatCall(), new AbortController().signal, openTally())
    expect(sent.map(({ body }) => JSON.parse(body as string).model)).toEqual(['acme-1-1', 'acme-2-2'])
    expect(open).toEqual(['https://api.example'])
  })

  test('comes to the same end as that of another deployment: the nearest counts', () => {
    const late = makeModel('1', { name: 'late', lifecycle: { ...retiring.lifecycle, retiresAt: start + 9 * day } })
    catalog = createCatalog([], [retiring, late])
    compile(specOf(), specOf({ name: 'd2', model: { format: 'Acme', name: 'late', version: '1' } }))
    expect(compiler.nextChangeAt()).toBe(start + day)
  })
})

describe('the content filter policy', () => {
  test('is that of the deployment, else the default one; plans come with the snapshot', () => {
    const plan = { policy: 'house' } as FilterPlan
    const filtering = createCompiler({
      findBuiltin: () => undefined,
      openTransport,
      readCredential: () => undefined,
      catalog: () => catalog,
      poolOf: () => undefined,
      defaultPolicy: 'house',
      filters: () => ({ find: (name) => (name === 'house' ? plan : undefined) }),
      now: () => now,
    })
    const { deployments, filters } = filtering.compile(
      [specOf(), specOf({ name: 'd2', raiPolicyName: 'Strict' })].map((spec) => ({ spec, createdAt: start })),
      new Map(),
    )
    expect([...deployments.values()].map(({ filterPolicy }) => filterPolicy)).toEqual(['house', 'Strict'])
    expect(filters.find('house')).toBe(plan)
    expect(compile(specOf()).filterPolicy).toBe('Microsoft.Nil')
  })
})

describe('a deployment', () => {
  test('is the same object as long as nothing about it changes', () => {
    const spec = specOf({ sku: { name: 'Standard', capacity: 5 } })
    const first = compile(spec)
    now += day
    catalog = createCatalog([], [makeModel('3', { name: 'another' })])
    expect(compile(spec)).toBe(first)
  })

  test('is made anew, on the backend it had, when a unit is worth something else', () => {
    const spec = specOf({ sku: { name: 'Standard', capacity: 5 } })
    const first = compile(spec)
    const skus = genericSkus.map((sku) => ({
      ...sku,
      perUnit: { kind: 'rate', tokensPerMinute: 10, requestsPerMinute: undefined } as const,
    }))
    catalog = createCatalog([], [makeModel('1', { skus, maxOutputTokens: 99 })])
    const second = compile(spec)
    expect(first.limits).toMatchObject({ tokens: { limit: 5_000 }, requests: { limit: 5 } })
    expect(second.limits).toMatchObject({ tokens: { limit: 50 }, requests: undefined })
    expect(second.maxOutputTokens).toBe(99)
    expect(second.routes[0]?.backend).toBe(first.routes[0]?.backend as never)
  })

  test('is made anew when its pool has more', () => {
    const spec = specOf({ sku: { name: 'Standard', capacity: 5 }, dynamicThrottlingEnabled: true })
    pool = { key: 'p', limit: 10, allocated: 4 }
    const first = compile(spec)
    pool = { ...pool, limit: 20 }
    const second = compile(spec)
    expect(first.limits).toMatchObject({ pool: { key: 'p', tokensPerMinute: 6_000 } })
    expect(second.limits).toMatchObject({ pool: { key: 'p', tokensPerMinute: 16_000 } })
  })

  test('takes its connections along when it goes', () => {
    compile(specOf(), specOf({ name: 'd2', backends: [{ url: 'https://other.example/v1' }] }))
    expect(open).toEqual(['https://api.example', 'https://other.example'])
    compile(specOf())
    expect(open).toEqual(['https://api.example'])
    compiler.close()
    expect(open).toEqual([])
  })
})
