import { afterAll, beforeAll, expect, test } from 'bun:test'
import type { JsonObject } from '../../../core/json.ts'
import { type ArmFixture, codeOf, startArm } from '../arm.fixture.ts'

let arm: ArmFixture
beforeAll(async () => {
  arm = await startArm({
    config: {
      quota: [
        { format: 'OpenAI', model: 'gpt-4o', sku: 'GlobalStandard', limit: 10 },
        { sku: 'Standard', limit: 5 },
      ],
      modelBackends: [{ format: 'OpenAI', backends: [{ url: 'https://models.example/v1' }] }],
      models: [
        {
          format: 'Acme',
          name: 'acme',
          version: '2',
          lifecycle: { status: 'Legacy', retiresAt: '2031-01-31', replacement: { name: 'acme', version: '3' } },
          skus: [
            {
              name: 'ProvisionedManaged',
              capacity: { minimum: 10, step: 5 },
              inputTokensPerMinute: 1000,
              outputWeight: 3,
            },
          ],
        },
      ],
    },
  })
})
afterAll(() => arm.stop())

const account = '/resourceGroups/default/providers/Microsoft.CognitiveServices/accounts/main'
const provider = '/providers/Microsoft.CognitiveServices'
const values = ({ body }: { readonly body: JsonObject }) => body.value as JsonObject[]

test('a model of which the file says where it runs is deployed by its name alone, and counted in its quota', async () => {
  const model = { format: 'OpenAI', name: 'gpt-4o', version: '2024-08-06' }
  const deploy = (capacity: number) =>
    arm.send('PUT', `${account}/deployments/gpt`, { sku: { name: 'GlobalStandard', capacity }, properties: { model } })
  const made = await deploy(4)
  expect(made.status).toBe(201)
  expect(arm.accounts.own().routes.state.get('gpt')?.spec.backends?.[0]?.url).toBe('https://models.example/v1')
  const wanted = 'OpenAI.GlobalStandard.gpt-4o'
  const usage = { currentValue: 4, limit: 10, unit: 'Count', status: 'Included' }
  const [found] = values(await arm.send('GET', `${provider}/locations/eastus/usages?$filter=name.value eq '${wanted}'`))
  expect(found).toMatchObject({
    ...usage,
    name: { value: wanted, localizedValue: 'Tokens Per Minute (thousands) - GlobalStandard - gpt-4o' },
  })
  expect(found).not.toHaveProperty('scopeType')
  expect(values(await arm.send('GET', `${account}/usages`))).toContainEqual(expect.objectContaining(usage))
  const scoped = await arm.send('GET', `${account}/usages`, undefined, { version: '2026-05-15-preview' })
  expect(values(scoped)[0]).toMatchObject({ scopeType: 'Subscription' })
  const capacities = await arm.send(
    'GET',
    `${provider}/modelCapacities?modelFormat=OpenAI&modelName=gpt-4o&modelVersion=2024-08-06`,
  )
  const standard = values(capacities).find(({ name }) => name === 'GlobalStandard')
  expect(standard).toMatchObject({ location: 'local', properties: { skuName: 'GlobalStandard', availableCapacity: 6 } })
  const refused = await deploy(11)
  expect([refused.status, codeOf(refused)]).toEqual([400, 'InsufficientQuota'])
  // What asks for no more than it has is never refused.
  expect((await deploy(4)).status).toBe(200)
})

test('models, of an account and of a place', async () => {
  const acme = {
    format: 'Acme',
    name: 'acme',
    version: '2',
    lifecycleStatus: 'Legacy',
    deprecation: { inference: '2031-01-31T00:00:00.000Z' },
    replacementConfig: { targetModelName: 'acme', targetModelVersion: '3' },
    skus: [
      { name: 'ProvisionedManaged', usageName: 'Acme.ProvisionedManaged.acme', capacity: { minimum: 10, step: 5 } },
    ],
  }
  const ofAccount = values(await arm.send('GET', `${account}/models`))
  expect(ofAccount.find(({ name }) => name === 'acme')).toMatchObject(acme)
  const everywhere = values(await arm.send('GET', `${provider}/locations/eastus/models`))
  expect(everywhere.find(({ model }) => (model as JsonObject).name === 'acme')).toMatchObject({
    model: acme,
    kind: 'AIServices',
  })
  const kinds = everywhere.filter(({ model }) => (model as JsonObject).name === 'gpt-4o').map(({ kind }) => kind)
  expect(new Set(kinds)).toEqual(new Set(['AIServices', 'OpenAI']))
})

test('an account of the kind OpenAI has the models of that publisher only', async () => {
  await arm.send('PUT', '/resourcegroups/team', { location: 'eastus' })
  const path = '/resourceGroups/team/providers/Microsoft.CognitiveServices/accounts/narrow'
  await arm.send('PUT', path, { location: 'eastus', kind: 'OpenAI' })
  const formats = values(await arm.send('GET', `${path}/models`)).map(({ format }) => format)
  expect(new Set(formats)).toEqual(new Set(['OpenAI']))
})

test('pages of a list have all of it, in order and once', async () => {
  const whole = values(await arm.send('GET', `${provider}/locations/eastus/models`))
  const seen: JsonObject[] = []
  let next: string | undefined = `${provider}/locations/eastus/models?$top=7`
  while (next !== undefined) {
    const page = await arm.send('GET', next)
    expect(values(page).length).toBeLessThanOrEqual(7)
    seen.push(...values(page))
    const link = page.body.nextLink as string | undefined
    next = link && `/${new URL(link).pathname}${new URL(link).search}`
  }
  expect(seen).toEqual(whole)
})

test.each([
  ['acme', 'ProvisionedManaged', { avgPromptTokens: 1000, avgGeneratedTokens: 100 }, 10, 15],
  ['acme', 'ProvisionedManaged', { avgPromptTokens: 1 }, 1, 10],
  ['builtin-nano', 'Standard', { avgPromptTokens: 900, avgGeneratedTokens: 100 }, 30, 30],
  ['builtin-nano', 'Standard', {}, 60, 10],
])(
  'capacity of %s under %s for %j, %i times a minute',
  async (name, skuName, requestParameters, requestPerMinute, units) => {
    const { body } = await arm.send('POST', `${provider}/calculateModelCapacity`, {
      model: { name },
      skuName,
      workloads: [{ requestPerMinute, requestParameters }],
    })
    expect(body.estimatedCapacity).toMatchObject({
      value: units,
      deployableValue: Math.min(units, skuName === 'Standard' ? 5 : units),
    })
  },
)

test.each([
  ['POST', 'calculateModelCapacity', { model: { name: 'none' }, skuName: 'Standard' }, 'model'],
  ['POST', 'calculateModelCapacity', { model: { name: 'acme' }, skuName: 'Standard' }, 'skuName'],
  ['POST', 'calculateModelCapacity', { model: { name: 'acme' }, skuName: 'Odd' }, 'skuName'],
  ['POST', 'calculateModelCapacity', {}, 'model'],
  ['POST', 'checkDomainAvailability', {}, 'subdomainName'],
  ['POST', 'locations/eastus/checkSkuAvailability', { skus: 'S0', kind: 'OpenAI', type: 'x' }, 'skus'],
  ['GET', 'modelCapacities', undefined, 'modelFormat'],
  ['GET', 'locations/eastus/usages?$filter=limit gt 5', undefined, '$filter'],
  ['GET', 'locations/eastus/models?$top=0', undefined, '$top'],
  ['GET', 'locations/eastus/models?$skiptoken=%21', undefined, '$skiptoken'],
  ['PUT', 'quotaTiers/default', { properties: { tierUpgradePolicy: 'OnceUpgradeIsAvailable' } }, 'tierUpgradePolicy'],
])('%s %s %j is refused', async (method, path, body, target) => {
  const refused = await arm.send(method, `${provider}/${path}`, body)
  expect(refused.status).toBe(400)
  expect(refused.text).toContain(target)
})

test('what there is of kinds, names and tiers', async () => {
  const type = 'Microsoft.CognitiveServices/accounts'
  const asked = { skus: ['S0', 'F0'], kind: 'OpenAI', type }
  const skus = values(await arm.send('POST', `${provider}/locations/eastus/checkSkuAvailability`, asked))
  expect(skus.map(({ skuName, skuAvailable }) => [skuName, skuAvailable])).toEqual([
    ['S0', true],
    ['F0', false],
  ])
  const isFree = async (subdomainName: string) =>
    (await arm.send('POST', `${provider}/checkDomainAvailability`, { subdomainName, type })).body.isSubdomainAvailable
  expect([await isFree('fresh'), await isFree('MAIN'), await isFree('-x')]).toEqual([true, false, false])
  expect(values(await arm.send('GET', `${provider}/skus`)).map(({ kind }) => kind)).toEqual(['AIServices', 'OpenAI'])
  expect(values(await arm.send('GET', `${account}/skus`))).toMatchObject([{ sku: { name: 'S0' } }])
  const tier = await arm.send('PATCH', `${provider}/quotaTiers/Default`, {
    properties: { tierUpgradePolicy: 'NoAutoUpgrade' },
  })
  expect(values(await arm.send('GET', `${provider}/quotaTiers`))).toEqual([tier.body])
  expect((await arm.send('GET', `${provider}/quotaTiers/other`)).status).toBe(404)
})
