import { afterEach, beforeEach, describe, expect, test } from 'bun:test'
import type { JsonObject } from '../../../core/json.ts'
import { type ArmFixture, codeOf, propertiesOf, startArm } from '../arm.fixture.ts'

let arm: ArmFixture
beforeEach(async () => {
  arm = await startArm()
})
afterEach(() => arm.stop())

const account = '/resourceGroups/default/providers/Microsoft.CognitiveServices/accounts/main'
const policyPath = (name: string) => `${account}/raiPolicies/${name}`
const listPath = (name: string) => `${account}/raiBlocklists/${name}`
const values = ({ body }: { readonly body: JsonObject }) => body.value as JsonObject[]
const policySpec = (name: string) => arm.accounts.own().routes.filters.policies.get(name)?.spec

const filter = { name: 'Violence', source: 'Prompt', severityThreshold: 'Low', enabled: true, blocking: true }

describe('policies', () => {
  test('are made, read, listed, changed and deleted', async () => {
    const properties = { mode: 'Asynchronous_filter', basePolicyName: 'Microsoft.DefaultV2', contentFilters: [filter] }
    const made = await arm.send('PUT', policyPath('Strict'), { tags: { a: 'b' }, properties })
    expect(made.status).toBe(201)
    expect(made.body).toMatchObject({
      name: 'Strict',
      type: 'Microsoft.CognitiveServices/accounts/raiPolicies',
      tags: { a: 'b' },
      properties: { ...properties, type: 'UserManaged', customBlocklists: [] },
    })
    expect((await arm.send('GET', policyPath('STRICT'))).body).toEqual(made.body)
    const again = await arm.send('PUT', policyPath('strict'), made.body)
    expect([again.status, propertiesOf(again)]).toEqual([200, propertiesOf(made)])
    expect(values(await arm.send('GET', `${account}/raiPolicies`)).map(({ name }) => name)).toEqual([
      'Microsoft.Default',
      'Microsoft.DefaultV2',
      'Microsoft.Nil',
      'Strict',
    ])
    const gone = await arm.send('DELETE', policyPath('strict'))
    expect([gone.status, (await arm.settle(gone)).body.status]).toEqual([202, 'Succeeded'])
    expect((await arm.send('DELETE', policyPath('strict'))).status).toBe(204)
    expect(codeOf(await arm.send('GET', policyPath('strict')))).toBe('ResourceNotFound')
  })

  test('have the fields and words of the version that asks', async () => {
    await arm.send('PUT', listPath('words'), { properties: {} })
    const old = { version: '2024-04-01-preview' }
    const body = {
      properties: {
        mode: 'Deferred',
        contentFilters: [{ ...filter, severityThreshold: undefined, allowedContentLevel: 'High' }],
        promptBlocklists: [{ blocklistName: 'words', blocking: true }],
      },
    }
    const made = await arm.send('PUT', policyPath('old'), body, old)
    expect(propertiesOf(made)).toMatchObject({
      policyType: 'UserManaged',
      mode: 'Deferred',
      contentFilters: [{ name: 'Violence', allowedContentLevel: 'High' }],
      promptBlocklists: [{ blocklistName: 'words', blocking: true }],
      completionBlocklists: [],
    })
    const read = await arm.send('GET', policyPath('old'), undefined, { version: '2026-07-01' })
    expect(propertiesOf(read)).toMatchObject({
      type: 'UserManaged',
      mode: 'Asynchronous_filter',
      contentFilters: [{ name: 'Violence', severityThreshold: 'High' }],
      customBlocklists: [{ blocklistName: 'words', blocking: true, source: 'Prompt' }],
    })
    expect(propertiesOf(read)).not.toHaveProperty('promptBlocklists')
    const between = await arm.send('GET', policyPath('old'), undefined, { version: '2024-10-01' })
    expect(propertiesOf(between).mode).toBe('Deferred')
  })

  test('keep what only Ponto has of them when the vendor way does not speak of it', async () => {
    const own = { selectable: false, scope: { messages: 'all', toolResults: true, exemptSystem: false } }
    const engines = { engines: ['builtin'], onError: 'closed' }
    await arm.send('PUT', policyPath('mine'), {
      properties: { contentFilters: [{ ...filter, ...engines }], ponto: { description: 'ours', ...own } },
    })
    const plain = await arm.send('PUT', policyPath('mine'), { properties: { contentFilters: [filter] } })
    expect(propertiesOf(plain).ponto).toEqual({ description: 'ours', ...own })
    expect(policySpec('mine')).toMatchObject({ ...own, contentFilters: [{ name: 'Violence', ...engines }] })
    const said = await arm.send('PUT', policyPath('mine'), { properties: { contentFilters: [filter], ponto: null } })
    expect(propertiesOf(said)).not.toHaveProperty('ponto')
    expect(policySpec('mine')).toMatchObject({ selectable: true })
  })

  test('spotlighting is a filter among the others', async () => {
    const spotlight = { name: 'Indirect Attack Spotlighting', source: 'Prompt', enabled: true }
    const made = await arm.send('PUT', policyPath('spot'), { properties: { contentFilters: [spotlight] } })
    expect(propertiesOf(made).contentFilters).toEqual([spotlight])
    expect(policySpec('spot')?.spotlighting).toBe(true)
    await arm.send('PUT', policyPath('spot'), { properties: { contentFilters: [] } })
    expect(policySpec('spot')?.spotlighting).toBe(false)
  })

  test('that come with the server are read, and not changed', async () => {
    expect(propertiesOf(await arm.send('GET', policyPath('microsoft.defaultv2')))).toMatchObject({
      type: 'SystemManaged',
    })
    const refused = await arm.send('PUT', policyPath('Microsoft.Default'), { properties: {} })
    expect([refused.status, codeOf(refused)]).toEqual([409, 'SystemManaged'])
    const all = '/providers/Microsoft.CognitiveServices/raiPolicy'
    expect((await arm.send('GET', `${all}/Microsoft.DefaultV2`)).body.type).toBe(
      'Microsoft.CognitiveServices/raiPolicy',
    )
    expect((await arm.send('GET', `${all}/mine`)).status).toBe(404)
    expect(codeOf(await arm.send('PUT', `${all}/mine`, {}))).toBe('SubscriptionRaiPolicyNotSupported')
  })

  test.each([
    [{ properties: { contentFilters: [{ ...filter, name: 'Mood' }] } }, 'properties.contentFilters[0].name'],
    [{ properties: { contentFilters: [filter, filter] } }, 'properties.contentFilters[1]'],
    [{ properties: { contentFilters: 'x' } }, 'properties.contentFilters'],
    [
      { properties: { customBlocklists: [{ blocklistName: 'none', source: 'Prompt' }] } },
      'properties.customBlocklists[0]',
    ],
    [{ properties: { safetyProviders: [{ safetyProviderName: 'x' }] } }, 'properties.safetyProviders'],
    [{ properties: { egressPolicy: { mode: 'Audit' } } }, 'properties.egressPolicy'],
    [{ properties: { ponto: { scope: 'x' } } }, 'properties.ponto.scope'],
    [{ properties: { ponto: { colour: 1 } } }, 'properties.ponto.colour'],
    [{ properties: { colour: 1 } }, 'properties.colour'],
    [{ colour: 1 }, 'colour'],
  ])('%j is refused', async (body, target) => {
    const refused = await arm.send('PUT', policyPath('bad'), body)
    expect(refused.status).toBe(400)
    expect(JSON.stringify(refused.body)).toContain(target)
    expect(policySpec('bad')).toBeUndefined()
  })

  test('in use stays', async () => {
    await arm.send('PUT', policyPath('used'), { properties: {} })
    const model = { format: 'Ponto', name: 'builtin-nano' }
    await arm.send('PUT', `${account}/deployments/chat`, { properties: { model, raiPolicyName: 'used' } })
    const refused = await arm.send('DELETE', policyPath('used'))
    expect([refused.status, codeOf(refused)]).toEqual([409, 'InUse'])
  })
})

describe('blocklists', () => {
  test('are made with a description, and keep their items when they are written again', async () => {
    const made = await arm.send('PUT', listPath('words'), { properties: { description: 'ours' } })
    expect([made.status, propertiesOf(made)]).toEqual([201, { description: 'ours' }])
    const item = await arm.send('PUT', `${listPath('words')}/raiBlocklistItems/one`, {
      properties: { pattern: 'plumbus' },
    })
    expect(item.status).toBe(201)
    expect(item.body).toMatchObject({
      id: expect.stringMatching(/raiBlocklists\/words\/raiBlocklistItems\/one$/),
      type: 'Microsoft.CognitiveServices/accounts/raiBlocklists/raiBlocklistItems',
      properties: { pattern: 'plumbus', isRegex: false },
    })
    await arm.send('PUT', listPath('words'), { tags: { a: 'b' }, properties: { description: 'changed' } })
    const read = await arm.send('GET', listPath('WORDS'))
    expect(read.body).toMatchObject({ tags: { a: 'b' }, properties: { description: 'changed' } })
    expect((await arm.send('GET', `${listPath('words')}/raiBlocklistItems/ONE`)).status).toBe(200)
  })

  test('many items at once, page by page', async () => {
    await arm.send('PUT', listPath('words'), { properties: {} })
    const many = Array.from({ length: 450 }, (_, i) => ({
      name: `n${String(i).padStart(3, '0')}`,
      properties: { pattern: `p${i}` },
    }))
    expect((await arm.send('POST', `${listPath('words')}/addRaiBlocklistItems`, many)).body).toMatchObject({
      name: 'words',
    })
    const names: unknown[] = []
    let next: string | undefined = `${listPath('words')}/raiBlocklistItems`
    while (next !== undefined) {
      const page = await arm.send('GET', next)
      names.push(...values(page).map(({ name }) => name))
      const link = page.body.nextLink as string | undefined
      next = link && `/${new URL(link).pathname}${new URL(link).search}`
    }
    expect(names).toEqual(many.map(({ name }) => name))
    const gone = await arm.send('POST', `${listPath('words')}/deleteRaiBlocklistItems`, ['n000', 'none'])
    expect(gone.status).toBe(204)
    expect((await arm.send('GET', `${listPath('words')}/raiBlocklistItems/n000`)).status).toBe(404)
    const one = await arm.send('DELETE', `${listPath('words')}/raiBlocklistItems/n001`)
    expect([one.status, (await arm.settle(one)).body.status]).toEqual([202, 'Succeeded'])
    expect((await arm.send('DELETE', `${listPath('words')}/raiBlocklistItems/n001`)).status).toBe(204)
  })

  test('what is wrong with an item is told by its place', async () => {
    await arm.send('PUT', listPath('words'), { properties: {} })
    const bad = await arm.send('POST', `${listPath('words')}/addRaiBlocklistItems`, [
      { name: 'a', properties: { pattern: '(a+)+$\\1', isRegex: true } },
    ])
    expect(bad.status).toBe(400)
    expect(JSON.stringify(bad.body)).toContain('[0].properties.pattern')
    expect((await arm.send('POST', `${listPath('none')}/addRaiBlocklistItems`, [])).status).toBe(404)
    expect((await arm.send('POST', `${listPath('words')}/addRaiBlocklistItems`, { a: 1 })).status).toBe(400)
    for (const entry of [5, null, { properties: 5 }, { pattern: 'x', colour: 'y' }]) {
      expect((await arm.send('POST', `${listPath('words')}/addRaiBlocklistItems`, [entry])).status).toBe(400)
    }
  })
})

describe('topics', () => {
  const topic = `${account}/raitopics/weather`

  test('have a description, and examples that a PUT keeps', async () => {
    const made = await arm.send('PUT', topic, {
      properties: { description: 'rain', ponto: { examples: ['It rains.'] } },
    })
    expect([made.status, propertiesOf(made).topicName]).toEqual([201, 'weather'])
    const again = await arm.send('PUT', topic, { properties: { topicName: 'WEATHER', description: 'sun' } })
    expect(propertiesOf(again)).toMatchObject({ description: 'sun', ponto: { examples: ['It rains.'] } })
    expect(values(await arm.send('GET', `${account}/raitopics`))).toHaveLength(1)
    expect((await arm.send('DELETE', topic)).status).toBe(202)
    expect((await arm.send('DELETE', topic)).status).toBe(204)
  })

  test.each([
    { description: 'x', sampleBlobUrl: 'https://blob.example/x' },
    { description: 'x', topicName: 'other' },
    { description: '' },
    { description: 'x', ponto: { examples: 5 } },
    {},
  ])('%j is refused', async (properties) => {
    expect((await arm.send('PUT', topic, { properties })).status).toBe(400)
  })
})

test('filters that may stand in policies', async () => {
  const path = '/providers/Microsoft.CognitiveServices/locations/eastus/raiContentFilters'
  const filters = values(await arm.send('GET', path)).map(({ properties }) => properties as JsonObject)
  expect(filters).toContainEqual({ name: 'Selfharm', isMultiLevelFilter: true, source: 'Completion' })
  expect(filters).toContainEqual({ name: 'Jailbreak', isMultiLevelFilter: false, source: 'Prompt' })
  expect(propertiesOf(await arm.send('GET', `${path}/protectedmaterialtext`))).toMatchObject({ source: 'Completion' })
  expect((await arm.send('GET', `${path}/none`)).status).toBe(404)
})

test.each(['raiPolicies', 'raiBlocklists', 'raiTopics'])(
  'a field that %s have not is named where it stands',
  async (word) => {
    for (const [body, target] of [
      [{ foo: 1, properties: {} }, 'foo'],
      [{ properties: { foo: 1 } }, 'properties.foo'],
    ] as const) {
      const refused = await arm.send('PUT', `${account}/${word}/some`, body)
      expect(refused.body).toMatchObject({ error: { target } })
      expect(refused.status).toBe(400)
    }
  },
)
