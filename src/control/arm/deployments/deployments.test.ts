import { afterEach, beforeEach, describe, expect, test } from 'bun:test'
import type { JsonObject } from '../../../core/json.ts'
import { type ArmFixture, codeOf, messageOf, planted, propertiesOf, startArm } from '../arm.fixture.ts'

let arm: ArmFixture
beforeEach(async () => {
  arm = await startArm()
})
afterEach(async () => {
  for (const text of arm.answers) expect(text).not.toContain(planted)
  await arm.stop()
})

const account = '/resourceGroups/default/providers/Microsoft.CognitiveServices/accounts/main'
const path = (name: string) => `${account}/deployments/${name}`
const model = { format: 'Ponto', name: 'builtin-nano', version: '1' }
const sku = { name: 'Standard', capacity: 80 }
const remote = {
  backends: [{ url: 'https://api.example/v1', credential: { value: planted }, weight: 3 }],
  price: { inputPerMillion: 2 },
}

const make = (name: string, body: JsonObject = { sku, properties: { model } }) => arm.send('PUT', path(name), body)

describe('a deployment', () => {
  test('is made as an operation that has run, and is read as it was written', async () => {
    const made = await make('Chat')
    expect(made.status).toBe(201)
    expect(made.headers.get('retry-after')).toBe('1')
    expect((await arm.settle(made)).body).toMatchObject({
      status: 'Succeeded',
      name: expect.stringMatching(/^create\./),
    })
    const read = await arm.send('GET', path('CHAT'))
    expect(read.body).toEqual(made.body)
    expect(read.body).toMatchObject({
      id: `/subscriptions/00000000-0000-0000-0000-000000000000${path('Chat')}`,
      name: 'Chat',
      type: 'Microsoft.CognitiveServices/accounts/deployments',
      sku,
      etag: read.headers.get('etag'),
      properties: {
        model,
        provisioningState: 'Succeeded',
        raiPolicyName: 'Microsoft.DefaultV2',
        currentCapacity: 80,
        capabilities: { chatCompletion: 'true' },
        rateLimits: [
          { key: 'request', renewalPeriod: 10, count: 80 },
          { key: 'token', renewalPeriod: 60, count: 80_000 },
        ],
      },
    })
    expect(propertiesOf(read).ponto).toBeUndefined()
  })

  test('is found in any case of the path, and in the list', async () => {
    await make('aa')
    await make('bb')
    const upper = await arm.send('GET', `${account.toUpperCase()}/DEPLOYMENTS`)
    expect((upper.body.value as JsonObject[]).map(({ name }) => name)).toEqual(['aa', 'bb'])
    const first = await arm.send('GET', `${account}/deployments?$top=1`)
    const next = new URL(first.body.nextLink as string)
    const second = await arm.send('GET', `/${next.pathname}${next.search}`)
    expect((second.body.value as JsonObject[]).map(({ name }) => name)).toEqual(['bb'])
    expect(second.body.nextLink).toBeUndefined()
  })

  test('changed in place is answered at once, without an operation', async () => {
    await make('aa')
    const changed = await make('aa', {
      sku: { ...sku, capacity: 5 },
      properties: { model, versionUpgradeOption: 'NoAutoUpgrade' },
    })
    expect([changed.status, changed.headers.get('azure-asyncoperation')]).toEqual([200, null])
    expect(changed.body).toMatchObject({ sku: { capacity: 5 }, properties: { versionUpgradeOption: 'NoAutoUpgrade' } })
    const same = await make('aa', changed.body)
    expect(same.status).toBe(200)
    expect(propertiesOf(same)).toEqual(propertiesOf(changed))
  })

  test('without a SKU is a Standard one of one unit; version and policy are those of the server', async () => {
    const made = await make('aa', { properties: { model: { name: 'builtin-nano' } } })
    expect(made.body).toMatchObject({ sku: { name: 'Standard', capacity: 1 }, properties: { model } })
    expect(arm.accounts.own().routes.state.get('aa')?.spec.raiPolicyName).toBeUndefined()
    // What was read does not pin the default when it comes back.
    await make('aa', made.body)
    expect(arm.accounts.own().routes.state.get('aa')?.spec.raiPolicyName).toBeUndefined()
  })

  test('keeps what only Ponto has when the vendor way does not speak of it', async () => {
    const gpt = { format: 'OpenAI', name: 'gpt-4o', version: '2024-08-06' }
    const made = await make('gpt', {
      sku: { name: 'GlobalStandard', capacity: 1 },
      properties: { model: gpt, ponto: remote },
    })
    expect(made.status).toBe(201)
    expect(propertiesOf(made).ponto).toMatchObject({
      backends: [{ url: 'https://api.example/v1', weight: 3, credential: { stored: true } }],
      price: { inputPerMillion: 2 },
    })
    const changed = await make('gpt', { sku: { name: 'GlobalStandard', capacity: 9 }, properties: { model: gpt } })
    expect(propertiesOf(changed).ponto).toEqual(propertiesOf(made).ponto as JsonObject)
    const { state, sealer } = arm.accounts.own().routes
    const credential = state.get('gpt')?.spec.backends?.[0]?.credential
    expect(credential).toMatchObject({ sealed: expect.any(String) })
    expect(sealer).toBeDefined()
    // Said anew it is what is said.
    const said = await make('gpt', {
      sku: { name: 'GlobalStandard', capacity: 9 },
      properties: { model: gpt, ponto: { backends: [{ url: 'https://other.example/v1' }] } },
    })
    expect(propertiesOf(said).ponto).toMatchObject({ backends: [{ url: 'https://other.example/v1' }] })
    expect(propertiesOf(said).ponto).not.toHaveProperty('price')
  })

  test('of a model that runs nowhere is refused, with the ways there are', async () => {
    const refused = await make('gpt', { properties: { model: { format: 'OpenAI', name: 'gpt-4o' } } })
    expect([refused.status, codeOf(refused)]).toEqual([400, 'InvalidModel'])
    expect(messageOf(refused)).toContain('backends')
  })

  test('is patched by tags, SKU and more', async () => {
    await make('aa', { sku, tags: { team: 'x', cost: '1' }, properties: { model } })
    const patched = await arm.send('PATCH', path('aa'), { tags: { team: 'y' }, sku: { name: 'Standard', capacity: 3 } })
    expect(patched.status).toBe(200)
    expect(patched.body).toMatchObject({ tags: { team: 'y' }, sku: { name: 'Standard', capacity: 3 } })
    expect(patched.body.tags).toEqual({ team: 'y' })
    const more = await arm.send('PATCH', path('aa'), {
      properties: { versionUpgradeOption: 'OnceCurrentVersionExpired' },
    })
    expect(propertiesOf(more).versionUpgradeOption).toBe('OnceCurrentVersionExpired')
    expect(codeOf(await arm.send('PATCH', path('none'), { tags: {} }))).toBe('ResourceNotFound')
  })

  test('is deleted as an operation; one that is not there is deleted already', async () => {
    await make('aa')
    const gone = await arm.send('DELETE', path('aa'))
    expect(gone.status).toBe(202)
    expect((await arm.settle(gone)).body.status).toBe('Succeeded')
    const result = new URL(gone.headers.get('location') as string)
    expect((await arm.send('GET', `/${result.pathname}`)).status).toBe(204)
    const again = await arm.send('DELETE', path('aa'))
    expect([again.status, again.headers.get('location')]).toEqual([204, null])
    expect(codeOf(await arm.send('GET', path('aa')))).toBe('ResourceNotFound')
  })

  test('is paused and resumed, and no PUT resumes it', async () => {
    await make('aa')
    const paused = await arm.send('POST', `${path('aa')}/pause`, undefined, { version: '2026-07-01' })
    expect([paused.status, propertiesOf(paused).deploymentState]).toEqual([200, 'Paused'])
    await make('aa')
    expect(arm.accounts.own().routes.state.get('aa')?.spec.deploymentState).toBe('Paused')
    await arm.send('POST', `${path('aa')}/resume`)
    expect(arm.accounts.own().routes.state.get('aa')?.spec.deploymentState).toBe('Running')
    expect((await arm.send('POST', `${path('no')}/pause`)).status).toBe(404)
  })

  test('lists the SKUs of its model', async () => {
    await make('aa')
    const { body } = await arm.send('GET', `${path('aa')}/skus`)
    expect(body.value).toContainEqual({
      resourceType: 'Microsoft.CognitiveServices/accounts/deployments',
      sku: { name: 'Standard' },
      capacity: { minimum: 1, maximum: 1_000_000, step: 1, default: 1 },
    })
  })

  test('many at once are all made: changes wait for each other', async () => {
    const made = await Promise.all(Array.from({ length: 12 }, (_, i) => make(`d${i}`)))
    expect(made.map(({ status }) => status)).toEqual(made.map(() => 201))
  })
})

describe('versions of the API', () => {
  test('before SKUs a deployment has scale settings, and they are taken', async () => {
    const asked = { version: '2022-12-01' }
    const body = { properties: { model, scaleSettings: { scaleType: 'Standard', capacity: 7 } } }
    const made = await arm.send('PUT', path('old'), body, asked)
    expect(propertiesOf(made).scaleSettings).toEqual({ scaleType: 'Standard', capacity: 7 })
    expect(made.body).not.toHaveProperty('sku')
    expect((await arm.send('GET', path('old'))).body.sku).toEqual({ name: 'Standard', capacity: 7 })
  })

  test('one that does not know a setting leaves it alone; one that does takes it away', async () => {
    const priority = { name: 'GlobalStandard', capacity: 1 }
    await arm.send(
      'PUT',
      path('aa'),
      { sku: priority, properties: { model, serviceTier: 'Priority' } },
      { version: '2026-07-01' },
    )
    const tier = () => arm.accounts.own().routes.state.get('aa')?.spec.serviceTier
    await arm.send('PUT', path('aa'), { sku: priority, properties: { model } }, { version: '2024-10-01' })
    expect(tier()).toBe('Priority')
    await arm.send('PUT', path('aa'), { sku: priority, properties: { model } }, { version: '2026-07-01' })
    expect(tier()).toBeUndefined()
  })
})

describe('what is wrong is told in the words of the document', () => {
  test.each([
    [{ properties: { model, routing: { mode: 'cost' } } }, 'properties.routing', 'InvalidResourceProperties'],
    [{ properties: { model: { ...model, source: '/x' } } }, 'model.source', 'InvalidResourceProperties'],
    [{ properties: { model, colour: 'red' } }, 'properties.colour', 'InvalidResourceProperties'],
    [{ colour: 'red', properties: { model } }, 'colour', 'InvalidResourceProperties'],
    [{ sku: { name: 'Nope' }, properties: { model } }, 'sku.name', 'InvalidResourceProperties'],
    [{ sku: { name: 'ProvisionedManaged', capacity: 1 }, properties: { model } }, 'sku.name', 'InvalidSku'],
    [{ sku: { name: 'Standard', capacity: 0 }, properties: { model } }, 'sku.capacity', 'InvalidResourceProperties'],
    [{ properties: { model, raiPolicyName: 'none' } }, 'properties.raiPolicyName', 'InvalidRaiPolicy'],
    [
      { properties: { model, ponto: { backends: [{ url: 'no' }] } } },
      'properties.ponto.backends[0].url',
      'InvalidResourceProperties',
    ],
    [{ properties: { model, ponto: { price: 3 } } }, 'properties.ponto.price', 'InvalidResourceProperties'],
    [{ properties: { model, ponto: 3 } }, 'properties.ponto', 'InvalidResourceProperties'],
    [{ properties: 'x' }, 'properties', 'InvalidResourceProperties'],
    [{ properties: { model: 'x' } }, 'properties.model', 'InvalidResourceProperties'],
  ])('%j', async (body, target, code) => {
    const refused = await arm.send('PUT', path('aa'), body)
    expect([refused.status, codeOf(refused)]).toEqual([400, code])
    expect(JSON.stringify(refused.body)).toContain(target)
    expect(arm.accounts.own().routes.state.get('aa')).toBeUndefined()
  })

  test('conditions', async () => {
    const made = await make('aa')
    const only = { headers: { 'if-none-match': '*' } }
    expect(codeOf(await arm.send('PUT', path('aa'), { properties: { model } }, only))).toBe('PreconditionFailed')
    const stale = { headers: { 'if-match': '"stale"' } }
    for (const [method, body] of [
      ['PUT', { properties: { model } }],
      ['PATCH', { tags: {} }],
      ['DELETE', undefined],
    ] as const)
      expect([method, (await arm.send(method, path('aa'), body, stale)).status]).toEqual([method, 412])
    const fresh = { headers: { 'if-match': made.body.etag as string } }
    expect((await arm.send('DELETE', path('aa'), undefined, fresh)).status).toBe(202)
  })

  test('deployments that are described are judged and not made', async () => {
    const { body } = await arm.send(
      'POST',
      `${account}/evaluateDeploymentPolicies`,
      {
        deployments: [
          { name: 'good', properties: { model } },
          { name: 'bad', properties: { model: { name: 'x' } } },
        ],
      },
      { version: '2026-05-15-preview' },
    )
    expect(body.results).toMatchObject({
      good: { evaluationResult: 'Compliant' },
      bad: { evaluationResult: 'NonCompliant', error: { code: 'InvalidModel' } },
    })
    expect(arm.accounts.own().routes.state.list()).toEqual([])
  })
})
