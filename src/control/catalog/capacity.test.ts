import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import type { Deployment } from '../../core/deployment.ts'
import { makeDeployment } from '../../core/exchange.fixture.ts'
import { plainRules } from '../../snapshot/capacity/capacity-rules.fixture.ts'
import type { CapacityRules } from '../../snapshot/capacity/judge-capacity.ts'
import type { CatalogModel } from '../../snapshot/catalog/catalog.ts'
import { createCatalog } from '../../snapshot/catalog/create-catalog.ts'
import { deploymentSpecSchema } from '../../snapshot/deployment-spec.ts'
import type { DeploymentView, ErrorBody } from '../api.ts'
import { type ControlFixture, startControl } from '../control.fixture.ts'

let control: ControlFixture
let rules: CapacityRules = plainRules
let compiled: Deployment | undefined

beforeAll(async () => {
  control = await startControl({ capacityRules: () => rules, findCompiled: () => compiled })
})
afterAll(() => control.stop())

async function send(
  method: string,
  path: string,
  body?: unknown,
): Promise<{ status: number; body: DeploymentView & ErrorBody }> {
  const sent = await control.send(method, path, { body })
  return { status: sent.status, body: sent.text === '' ? ({} as DeploymentView & ErrorBody) : sent.json() }
}

const model = { name: 'gpt-4o' }
const backends = [{ url: 'https://api.example/v1' }]
const spec = (more: object) => ({ model, backends, ...more })
const put = (name: string, more: object, query = '') => send('PUT', `/deployments/${name}${query}`, spec(more))

describe('what is refused, and how', () => {
  test.each<[string, object, string]>([
    ['an unknown SKU', { sku: { name: 'Gold' } }, 'sku.name: got "Gold", expected one of "Standard", "GlobalStandard"'],
    [
      'a SKU that the model is not offered with',
      { model: { name: 'o1' }, sku: { name: 'GlobalBatch' } },
      'sku.name: got "GlobalBatch", expected one that o1 is offered with: "GlobalStandard", "DataZoneStandard", "Standard"',
    ],
    [
      'provisioned units of a model that nobody knows',
      { model: { name: 'mine' }, sku: { name: 'ProvisionedManaged', capacity: 50 } },
      'tell it under "models"',
    ],
    [
      'units below the least',
      { sku: { name: 'ProvisionedManaged', capacity: 20 } },
      'sku.capacity: got 20, expected 50 to 100000 in steps of 50; the nearest is 50',
    ],
    ['units between the steps', { sku: { name: 'GlobalProvisionedManaged', capacity: 17 } }, 'the nearest is 20'],
    ['units of a half', { sku: { name: 'Standard', capacity: 1.5 } }, 'sku.capacity: got 1.5'],
    [
      'calls at once without provisioned units',
      { concurrency: 3 },
      'concurrency: got 3, expected nothing: only provisioned SKUs',
    ],
    [
      'spilling over without them',
      { spilloverDeploymentName: 'other' },
      'spilloverDeploymentName: got "other", expected nothing',
    ],
    [
      'spilling over to itself',
      { sku: { name: 'ProvisionedManaged', capacity: 50 }, spilloverDeploymentName: 'BAD' },
      'expected another deployment than itself',
    ],
    [
      'spilling over to nobody',
      { sku: { name: 'ProvisionedManaged', capacity: 50 }, spilloverDeploymentName: 'nobody' },
      'but there is no such deployment',
    ],
    [
      'borrowing without a pool',
      { sku: { name: 'Standard' }, dynamicThrottlingEnabled: true },
      'there is no quota pool for Standard to borrow from',
    ],
    [
      'priority where there is none',
      { sku: { name: 'Standard' }, serviceTier: 'Priority' },
      'only GlobalStandard and DataZoneStandard have priority',
    ],
    [
      'a limit told twice',
      { rateLimits: [1, 2].map((count) => ({ key: 'token', renewalPeriod: 60, count })) },
      'got two of key "token"',
    ],
    [
      'limits beside provisioned units',
      {
        sku: { name: 'ProvisionedManaged', capacity: 50 },
        rateLimits: [{ key: 'token', renewalPeriod: 60, count: 1 }],
      },
      'rateLimits: got limits beside ProvisionedManaged',
    ],
    [
      'an unknown upgrade option',
      { versionUpgradeOption: 'Never' },
      '"OnceNewDefaultVersionAvailable", "OnceCurrentVersionExpired", "NoAutoUpgrade"',
    ],
    ['a price below nothing', { price: { inputPerMillion: -1 } }, 'price.inputPerMillion: got -1'],
  ])('%s', async (_what, more, text) => {
    const { status, body } = await put('bad', more)
    expect([status, body.error.message]).toEqual([400, expect.stringContaining(text)])
  })
})

describe('a deployment with capacity', () => {
  test('keeps what it was made with, and shows what comes of it', async () => {
    compiled = makeDeployment({
      model: { format: 'OpenAI', name: 'gpt-4o', version: '2024-11-20' },
      limits: {
        kind: 'rate',
        tokens: { limit: 10_000, windowMs: 60_000 },
        requests: { limit: 10, windowMs: 10_000 },
        settles: true,
        pool: undefined,
      },
    })
    const more = {
      sku: { name: 'GlobalStandard', capacity: 10 },
      versionUpgradeOption: 'NoAutoUpgrade',
      price: { inputPerMillion: 2.5 },
    }
    const { status, body } = await put('gpt', more)
    expect(status).toBe(201)
    expect(body).toMatchObject({
      sku: more.sku,
      versionUpgradeOption: 'NoAutoUpgrade',
      price: { inputPerMillion: 2.5, outputPerMillion: 0, perRequest: 0 },
      model: { name: 'gpt-4o', version: '2024-11-20' },
      servedVersion: '2024-11-20',
      effectiveLimits: {
        kind: 'rate',
        tokenAccounting: 'settle',
        rateLimits: [
          { key: 'request', renewalPeriod: 10, count: 10 },
          { key: 'token', renewalPeriod: 60, count: 10_000 },
        ],
      },
      lifecycle: { status: 'GenerallyAvailable' },
    })
    // What was read can be written again.
    expect((await send('PUT', '/deployments/gpt', body)).status).toBe(200)
    expect((await send('PATCH', '/deployments/gpt', { sku: { capacity: 20 } })).body.sku).toEqual({
      name: 'GlobalStandard',
      capacity: 20,
    })
  })

  test('is paused and resumed, again and again', async () => {
    for (const [action, state] of [
      ['pause', 'Paused'],
      ['pause', 'Paused'],
      ['resume', 'Running'],
      ['resume', 'Running'],
    ] as const) {
      const { status, body } = await send('POST', `/deployments/gpt/${action}`)
      expect([status, body.deploymentState]).toEqual([200, state])
    }
    expect((await send('POST', '/deployments/nobody/pause')).status).toBe(404)
  })

  test('only the standard family can be paused', async () => {
    await put('ptu', { sku: { name: 'ProvisionedManaged', capacity: 50 } })
    const { status, body } = await send('POST', '/deployments/ptu/pause')
    expect([status, body.error.message]).toEqual([
      400,
      expect.stringContaining('only the standard family can be paused'),
    ])
  })

  test('a dry run judges and writes nothing', async () => {
    expect((await put('dry', { sku: { name: 'Standard', capacity: 5 } }, '?dryRun=true')).status).toBe(201)
    expect((await put('dry', { sku: { name: 'Gold' } }, '?dryRun=true')).status).toBe(400)
    expect((await send('GET', '/deployments/dry')).status).toBe(404)
    expect((await send('PATCH', '/deployments/gpt?dryRun=true', { sku: { capacity: 77 } })).body.sku?.capacity).toBe(77)
    expect((await send('GET', '/deployments/gpt')).body.sku?.capacity).toBe(20)
    expect((await send('DELETE', '/deployments/gpt?dryRun=true')).status).toBe(204)
    expect((await send('DELETE', '/deployments/gpt?dryRun=maybe')).status).toBe(400)
    expect((await send('DELETE', '/deployments/nobody?dryRun=true')).status).toBe(404)
    expect((await send('GET', '/deployments/gpt')).status).toBe(200)
  })
})

describe('a dry run', () => {
  const declared = deploymentSpecSchema.parse({ ...spec({}), name: 'from-file' })
  beforeAll(() =>
    control.state.declare({
      file: 'ponto.yaml',
      modifiedAt: 1,
      deployments: [{ spec: declared, file: 'ponto.yaml', line: 3 }],
    }),
  )
  afterAll(() => control.state.declare({ file: 'ponto.yaml', modifiedAt: 2, deployments: [] }))

  test('answers what would be, also of what is not yet there', async () => {
    const { body } = await put('planned', { sku: { name: 'GlobalStandard', capacity: 80 } }, '?dryRun=true')
    expect(body).toMatchObject({
      servedVersion: body.model.version,
      effectiveLimits: {
        rateLimits: [
          { key: 'request', count: 80 },
          { key: 'token', count: 80_000 },
        ],
      },
      lifecycle: { status: 'GenerallyAvailable' },
    })
    const patched = await send('PATCH', '/deployments/gpt?dryRun=true', { sku: { capacity: 5 } })
    expect(patched.body.effectiveLimits).toMatchObject({ rateLimits: [{}, { key: 'token', count: 5_000 }] })
  })

  test.each(['PUT', 'PATCH', 'DELETE'])('of a %s refuses what the file declares', async (method) => {
    const { status, body } = await send(
      method,
      '/deployments/from-file?dryRun=true',
      method === 'DELETE' ? undefined : spec({}),
    )
    expect([status, body.error.code]).toEqual([409, 'DeclaredInFile'])
  })
})

describe('the age of a model', () => {
  const entry = (version: string, lifecycle: Partial<CatalogModel['lifecycle']>): CatalogModel => ({
    ...(plainRules.catalog.versionsOf('gpt-4o')[0] as CatalogModel),
    name: 'aged',
    version,
    isDefaultVersion: version === '3',
    lifecycle: { status: 'GenerallyAvailable', retiresAt: undefined, replacement: undefined, ...lifecycle },
  })
  const aged = (lifecycle: Partial<CatalogModel['lifecycle']>) => {
    rules = { ...plainRules, catalog: createCatalog([], [entry('3', {}), entry('1', lifecycle)]) }
  }
  const model = { name: 'aged', version: '1' }
  afterAll(() => {
    rules = plainRules
  })

  test('keeps it from being deployed anew, and says what to take', async () => {
    aged({ retiresAt: rules.now })
    const { status, body } = await put('old', { model })
    expect([status, body.error.code, body.error.message]).toEqual([
      400,
      'DeploymentModelNotSupported',
      expect.stringContaining('it is retired. Use version 3'),
    ])
    expect((await put('old', { model: { name: 'aged' } })).body.model.version).toBe('3')
    expect((await send('PATCH', '/deployments/old', { model: { version: '1' } })).status).toBe(400)
    await send('DELETE', '/deployments/old')
  })

  test('does not touch what runs already', async () => {
    aged({})
    expect((await put('old', { model, sku: { name: 'GlobalStandard', capacity: 5 } })).status).toBe(201)
    aged({ status: 'Deprecated' })
    expect((await send('PATCH', '/deployments/old', { sku: { capacity: 6 } })).body.sku?.capacity).toBe(6)
    expect((await send('POST', '/deployments/old/pause')).status).toBe(200)
    expect((await send('PATCH', '/deployments/old', { model: { version: '3' } })).body.model.version).toBe('3')
    await send('DELETE', '/deployments/old')
  })

  test('lets only those make another who have one, while it is on its way out', async () => {
    aged({ status: 'Deprecating' })
    const refused = await put('first', { model })
    expect([refused.status, refused.body.error.message]).toEqual([
      400,
      expect.stringContaining('only who has a deployment of it may make another. Use version 3'),
    ])
    expect((await put('first', { model: { ...model, version: '3' } })).status).toBe(201)
    expect((await put('second', { model })).status).toBe(201)
    await send('DELETE', '/deployments/first')
    await send('DELETE', '/deployments/second')
  })

  test('a patch that names another model pins its default version', async () => {
    aged({})
    await put('moved', { model: { name: 'gpt-4o', version: '2024-05-13' } })
    const { body } = await send('PATCH', '/deployments/moved', { model: { name: 'AGED' } })
    expect(body.model).toMatchObject({ version: '3' })
    await send('DELETE', '/deployments/moved')
  })
})

describe('a deployment for trying things out', () => {
  test('says when it ends', async () => {
    const { body } = await put('trial', { sku: { name: 'DeveloperTier' }, model: { name: 'mine' } })
    expect(Date.parse(body.expiresAt as string) - Date.parse(body.createdAt)).toBe(24 * 3_600_000)
    expect((await put('trial', body)).status).toBe(200)
    await send('DELETE', '/deployments/trial')
  })

  test('is made, and never made of another', async () => {
    await put('long', { model: { name: 'mine' } })
    const { status, body } = await send('PATCH', '/deployments/long', { sku: { name: 'DeveloperTier' } })
    expect([status, body.error.message]).toEqual([400, expect.stringContaining('ends 24 hours after it was made')])
    await send('DELETE', '/deployments/long')
  })
})

describe('pausing', () => {
  test('is for what cannot be made any more, too', async () => {
    await put('heavy', { sku: { name: 'Standard', capacity: 5 }, backends: [{ url: 'https://api.example/v1' }] })
    rules = { ...plainRules, placement: { regional: ['eu-west'] } }
    expect((await send('PATCH', '/deployments/heavy', { sku: { capacity: 6 } })).status).toBe(400)
    expect((await send('POST', '/deployments/heavy/pause')).body.deploymentState).toBe('Paused')
    rules = plainRules
    await send('DELETE', '/deployments/heavy')
  })

  test('again changes nothing', async () => {
    await put('idle', {})
    const first = await send('POST', '/deployments/idle/pause')
    expect((await send('POST', '/deployments/idle/pause')).body.etag).toBe(first.body.etag)
    await send('DELETE', '/deployments/idle')
  })
})

describe('a quota pool', () => {
  const standard = (capacity: number) => ({ sku: { name: 'Standard', capacity } })

  test('gives what it has, once', async () => {
    rules = { ...plainRules, pools: [{ model: 'GPT-4o', sku: 'Standard', limit: 100 }] }
    expect((await put('a1', standard(60))).status).toBe(201)
    const { status, body } = await put('a2', standard(50))
    expect([status, body.error.code]).toEqual([400, 'InsufficientQuota'])
    expect(body.error.message).toContain(
      'requires 50 new capacity in quota Tokens Per Minute (thousands) - Standard - GPT-4o',
    )
    expect(body.error.message).toContain('current available capacity 40')
    expect((await put('a2', standard(40))).status).toBe(201)
  })

  test('does not refuse the same thing again, nor less, also when the pool has shrunk', async () => {
    rules = { ...plainRules, pools: [{ model: 'gpt-4o', sku: 'Standard', limit: 10 }] }
    expect((await put('a1', standard(60))).status).toBe(200)
    expect((await put('a1', standard(59))).status).toBe(200)
    expect((await put('a1', standard(60))).status).toBe(400)
    rules = { ...plainRules, pools: [{ model: 'gpt-4o', sku: 'Standard', limit: 100 }] }
  })

  test('has back at once what is deleted', async () => {
    expect((await send('DELETE', '/deployments/a2')).status).toBe(204)
    expect((await put('a3', standard(41))).status).toBe(201)
    expect((await put('a4', standard(1))).status).toBe(400)
  })

  test('lends to those who may go over', async () => {
    expect((await put('a3', { ...standard(41), dynamicThrottlingEnabled: true })).status).toBe(200)
    rules = plainRules
  })
})

describe('placement', () => {
  test('keeps a SKU where the operator says it may be', async () => {
    rules = { ...plainRules, placement: { regional: ['eu-west'], 'data-zone': ['eu-west', 'eu-north'] } }
    const at = (...labels: string[]) => ({
      sku: { name: 'Standard' },
      backends: [{ url: 'https://api.example/v1', labels }],
    })
    const refused = await put('placed', at('us-east'))
    expect([refused.status, refused.body.error.message]).toEqual([
      400,
      'backends[0].labels: has us-east, expected one of eu-west: Standard is regional, and "placement" says where that is',
    ])
    expect((await put('placed', at('us-east', 'eu-west'))).status).toBe(201)
    expect((await put('anywhere', { sku: { name: 'GlobalStandard' } })).status).toBe(201)
    rules = plainRules
  })
})
