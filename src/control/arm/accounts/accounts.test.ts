import { afterEach, beforeEach, describe, expect, test } from 'bun:test'
import type { JsonObject } from '../../../core/json.ts'
import { type ArmFixture, codeOf, messageOf, propertiesOf, startArm, subscription } from '../arm.fixture.ts'

let arm: ArmFixture
beforeEach(async () => {
  arm = await startArm()
  await arm.send('PUT', '/resourcegroups/team', { location: 'East US' })
})
afterEach(() => arm.stop())

const accounts = '/resourceGroups/team/providers/Microsoft.CognitiveServices/accounts'
const path = (name: string) => `${accounts}/${name}`
const deletedPath = (name: string) =>
  `/providers/Microsoft.CognitiveServices/locations/eastus/resourceGroups/team/deletedAccounts/${name}`
const account = { location: 'eastus', kind: 'AIServices', sku: { name: 'S0' } }
const make = (name: string, more: object = {}) => arm.send('PUT', path(name), { ...account, ...more })
const names = ({ body }: { readonly body: JsonObject }) => (body.value as JsonObject[]).map(({ name }) => name)

describe('an account', () => {
  test('is made as an operation, and read as it was written', async () => {
    const made = await make('Shop', {
      tags: { team: 'a' },
      identity: { type: 'SystemAssigned' },
      properties: {
        customSubDomainName: 'shop',
        networkAcls: { defaultAction: 'Allow', ipRules: null },
        apiProperties: {},
      },
    })
    expect(made.status).toBe(201)
    expect((await arm.settle(made)).body.status).toBe('Succeeded')
    const read = await arm.send('GET', path('SHOP'))
    expect(read.body).toEqual(made.body)
    expect(read.body).toMatchObject({
      id: `/subscriptions/${subscription}${path('Shop')}`,
      type: 'Microsoft.CognitiveServices/accounts',
      name: 'Shop',
      location: 'eastus',
      kind: 'AIServices',
      sku: { name: 'S0' },
      tags: { team: 'a' },
      identity: { type: 'SystemAssigned' },
      properties: {
        provisioningState: 'Succeeded',
        customSubDomainName: 'shop',
        publicNetworkAccess: 'Enabled',
        endpoint: 'https://localhost:8443/resources/Shop/',
        networkAcls: { defaultAction: 'Allow', ipRules: [] },
      },
    })
    expect(propertiesOf(read)).not.toHaveProperty('carried')
    expect(propertiesOf(read)).not.toHaveProperty('identity')
  })

  test('written back as it was read it is as it was', async () => {
    const made = await make('shop', {
      identity: { type: 'SystemAssigned' },
      properties: { allowProjectManagement: true },
    })
    const again = await arm.send('PUT', path('shop'), made.body)
    expect(again.status).toBe(200)
    expect(propertiesOf(again)).toEqual(propertiesOf(made))
    expect(again.body.identity).toEqual({ type: 'SystemAssigned' })
  })

  test('a PUT takes away what it does not say, a PATCH keeps it', async () => {
    await make('shop', { tags: { a: '1' }, properties: { disableLocalAuth: true, customSubDomainName: 'shop' } })
    const patched = await arm.send('PATCH', path('shop'), { properties: { publicNetworkAccess: 'Disabled' } })
    expect(patched.body).toMatchObject({
      tags: { a: '1' },
      properties: { disableLocalAuth: true, publicNetworkAccess: 'Disabled', customSubDomainName: 'shop' },
    })
    const put = await make('shop')
    expect(put.body.tags).toEqual({})
    // The subdomain is where its clients are.
    expect(propertiesOf(put)).toMatchObject({ publicNetworkAccess: 'Enabled', customSubDomainName: 'shop' })
    expect(propertiesOf(put)).not.toHaveProperty('disableLocalAuth')
  })

  test('lies in its group only, and is listed there and in the subscription', async () => {
    await make('shop')
    expect(names(await arm.send('GET', accounts))).toEqual(['shop'])
    expect(names(await arm.send('GET', '/providers/Microsoft.CognitiveServices/accounts'))).toEqual(['main', 'shop'])
    const elsewhere = await arm.send('GET', path('shop').replace('team', 'default'))
    expect([elsewhere.status, codeOf(elsewhere)]).toEqual([404, 'ResourceNotFound'])
    const taken = await arm.send('PUT', path('shop').replace('team', 'default'), account)
    expect([taken.status, codeOf(taken)]).toEqual([409, 'CustomDomainInUse'])
    const other = await arm.send('GET', `//subscriptions/11111111-0000-0000-0000-000000000000${path('shop')}`)
    expect(codeOf(other)).toBe('ResourceGroupNotFound')
  })

  test('deleted it is kept, with its keys and deployments, until it is purged', async () => {
    await make('shop')
    const model = { format: 'Ponto', name: 'builtin-nano', version: '1' }
    await arm.send('PUT', `${path('shop')}/deployments/chat`, { properties: { model } })
    const { body: keys } = await arm.send('POST', `${path('shop')}/listKeys`)
    const gone = await arm.send('DELETE', path('shop'))
    expect([gone.status, (await arm.settle(gone)).body.status]).toEqual([202, 'Succeeded'])
    expect((await arm.send('GET', path('shop'))).status).toBe(404)
    expect((await arm.send('DELETE', path('shop'))).status).toBe(204)
    expect(names(await arm.send('GET', '/providers/Microsoft.CognitiveServices/deletedAccounts'))).toEqual(['shop'])
    const deleted = await arm.send('GET', deletedPath('shop'))
    expect(deleted.body).toMatchObject({
      id: `/subscriptions/${subscription}${deletedPath('shop')}`,
      type: 'Microsoft.CognitiveServices/locations/resourceGroups/deletedAccounts',
      properties: { deletionDate: expect.any(String) },
    })
    expect(codeOf(await make('shop'))).toBe('FlagMustBeSetForRestore')
    const back = await arm.send('PUT', path('shop'), { location: 'eastus', properties: { restore: true } })
    expect(back.status).toBe(201)
    expect((await arm.send('POST', `${path('shop')}/listKeys`)).body).toEqual(keys)
    expect((await arm.send('GET', `${path('shop')}/deployments/chat`)).status).toBe(200)
    await arm.send('DELETE', path('shop'))
    const purged = await arm.send('DELETE', deletedPath('shop'))
    expect([purged.status, (await arm.settle(purged)).body.status]).toEqual([202, 'Succeeded'])
    expect((await arm.send('DELETE', deletedPath('shop'))).status).toBe(204)
    const restore = { location: 'eastus', properties: { restore: true } }
    expect((await arm.send('PUT', path('shop'), restore)).status).toBe(404)
    expect((await make('shop')).status).toBe(201)
    expect((await arm.send('GET', `${path('shop')}/deployments/chat`)).status).toBe(404)
  })

  test('has two keys, of which one can be made anew', async () => {
    await make('shop')
    const first = await arm.send('POST', `${path('shop')}/listKeys`)
    expect(Object.keys(first.body)).toEqual(['key1', 'key2'])
    const next = await arm.send('POST', `${path('shop')}/regenerateKey`, { keyName: 'Key2' })
    expect([next.body.key1 === first.body.key1, next.body.key2 === first.body.key2]).toEqual([true, false])
    expect((await arm.send('POST', `${path('shop')}/regenerateKey`, { keyName: 'Key3' })).status).toBe(400)
    await arm.send('PATCH', path('shop'), { properties: { disableLocalAuth: true } })
    const refused = await arm.send('POST', `${path('shop')}/listKeys`)
    expect([refused.status, messageOf(refused)]).toEqual([
      400,
      'Failed to list key. disableLocalAuth is set to be true',
    ])
  })

  test('conditions, and trials that change nothing', async () => {
    const made = await make('shop')
    const stale = { headers: { 'if-match': '"stale"' } }
    for (const [method, body] of [
      ['PUT', account],
      ['PATCH', { tags: {} }],
      ['DELETE', undefined],
    ] as const) {
      expect([method, codeOf(await arm.send(method, path('shop'), body, stale))]).toEqual([
        method,
        'PreconditionFailed',
      ])
    }
    expect((await make('shop', {})).body.etag).not.toBe(made.body.etag)
    const etag = (await arm.send('GET', path('shop'))).body.etag
    expect((await arm.send('PATCH', `${path('shop')}?dryRun=true`, { tags: { a: 'b' } })).body.tags).toEqual({ a: 'b' })
    expect((await arm.send('PUT', `${path('other')}?dryRun=true`, account)).status).toBe(201)
    expect((await arm.send('DELETE', `${path('shop')}?dryRun=true`)).status).toBe(204)
    expect((await arm.send('GET', path('shop'))).body.etag).toBe(etag as string)
    expect((await arm.send('GET', path('other'))).status).toBe(404)
  })

  test.each([
    [{ kind: 'Face' }, 'kind'],
    [{ sku: { name: 'F0' } }, 'sku.name'],
    [{ properties: { encryption: { keySource: 'Microsoft.KeyVault' } } }, 'properties.encryption'],
    [{ properties: { storedCompletionsDisabled: true } }, 'properties.storedCompletionsDisabled'],
    [{ properties: { publicNetworkAccess: 'Maybe' } }, 'properties.publicNetworkAccess'],
    [
      { properties: { networkAcls: { defaultAction: 'Deny', ipRules: [{ value: 'x' }] } } },
      'properties.networkAcls.ipRules[0].value',
    ],
    [{ properties: { colour: 'red' } }, 'properties.colour'],
    [{ properties: { allowProjectManagement: 'yes' } }, 'properties.allowProjectManagement'],
    [{ colour: 'red' }, 'colour'],
    [{ identity: { type: 'Odd' } }, 'identity.type'],
    [{ tags: { a: 5 } }, 'tags.a'],
    [{ properties: 5 }, 'properties'],
  ])('%j is refused', async (more, target) => {
    const refused = await make('shop', more)
    expect(refused.status).toBe(400)
    expect(JSON.stringify(refused.body)).toContain(target)
    expect(arm.accounts.find('shop')).toBeUndefined()
  })

  test('however deep a document is', async () => {
    const deep = `${'{"a":'.repeat(5_000)}1${'}'.repeat(5_000)}`
    for (const field of ['encryption', 'defaultProject', 'networkAcls', 'apiProperties', 'restore', 'colour']) {
      const refused = await arm.send('PUT', path('shop'), `{"location":"x","properties":{"${field}":${deep}}}`)
      expect([field, refused.status < 500]).toEqual([field, true])
    }
    const tagged = await arm.send(
      'PUT',
      path('shop'),
      `{"location":"x","tags":${deep},"identity":${deep},"sku":${deep}}`,
    )
    expect(tagged.status).toBe(400)
  })

  test('the place of an account is needed, and does not change', async () => {
    expect(codeOf(await arm.send('PUT', path('shop'), { kind: 'OpenAI' }))).toBe('LocationRequired')
    await make('shop')
    expect(codeOf(await make('shop', { location: 'westus' }))).toBe('InvalidResourceLocation')
    expect((await make('shop', { location: 'East US' })).status).toBe(200)
  })

  test("the server's own cannot be deleted", async () => {
    const own = await arm.send('DELETE', '/resourceGroups/default/providers/Microsoft.CognitiveServices/accounts/main')
    expect([own.status, codeOf(own)]).toEqual([409, 'DefaultResource'])
  })
})

describe('groups', () => {
  test('are made, found in any case, tagged, listed and deleted with what lies in them', async () => {
    const made = await arm.send('PUT', '/resourcegroups/Other', { location: 'westus', tags: { a: 'b' } })
    expect(made.body).toMatchObject({
      id: `/subscriptions/${subscription}/resourceGroups/Other`,
      name: 'Other',
      type: 'Microsoft.Resources/resourceGroups',
      location: 'westus',
      tags: { a: 'b' },
      properties: { provisioningState: 'Succeeded' },
    })
    expect((await arm.send('HEAD', '/resourcegroups/OTHER')).status).toBe(204)
    expect((await arm.send('HEAD', '/resourcegroups/none')).status).toBe(404)
    expect((await arm.send('PATCH', '/resourcegroups/other', { tags: { c: 'd' } })).body.tags).toEqual({ c: 'd' })
    expect((await arm.send('PUT', '/resourcegroups/other', { location: 'westus' })).status).toBe(200)
    expect(codeOf(await arm.send('PUT', '/resourcegroups/other', { location: 'eastus' }))).toBe(
      'InvalidResourceGroupLocation',
    )
    expect(names(await arm.send('GET', '/resourcegroups'))).toEqual(['default', 'Other', 'team'])
    await make('shop')
    expect(names(await arm.send('GET', '/resourceGroups/team/resources'))).toEqual(['shop'])
    const gone = await arm.send('DELETE', '/resourcegroups/team')
    expect([gone.status, (await arm.settle(gone)).body.status]).toEqual([202, 'Succeeded'])
    expect(arm.accounts.find('shop')).toBeUndefined()
    expect(codeOf(await make('shop'))).toBe('ResourceGroupNotFound')
    expect(codeOf(await arm.send('DELETE', '/resourcegroups/team'))).toBe('ResourceGroupNotFound')
  })

  test("that of the server's own account stays, with all that is in it", async () => {
    const kept = await arm.send('DELETE', '/resourcegroups/default')
    expect([kept.status, codeOf(kept)]).toEqual([409, 'DefaultResource'])
  })

  test.each(['a.', 'a/b', 'x'.repeat(91), 'a b'])('%s is no name', async (name) => {
    expect((await arm.send('PUT', `/resourcegroups/${encodeURIComponent(name)}`, { location: 'x' })).status).toBe(400)
  })
})

describe('what tools ask around accounts', () => {
  test('tenants, subscriptions, places, resources and providers', async () => {
    await make('shop')
    expect((await arm.send('GET', '//tenants')).body.value).toMatchObject([{ tenantId: expect.any(String) }])
    expect((await arm.send('GET', '//subscriptions')).body.value).toMatchObject([
      { subscriptionId: subscription, state: 'Enabled' },
    ])
    expect((await arm.send('GET', '')).body).toMatchObject({ id: `/subscriptions/${subscription}`, state: 'Enabled' })
    expect(names(await arm.send('GET', '/locations'))).toEqual(['eastus', 'local'])
    const type = 'Microsoft.CognitiveServices/accounts'
    const filtered = `/resources?$filter=${encodeURIComponent(`resourceType eq '${type}' and name eq 'SHOP'`)}`
    expect((await arm.send('GET', filtered)).body.value).toMatchObject([{ name: 'shop', type, location: 'eastus' }])
    const other = `/resources?$filter=${encodeURIComponent("resourceType eq 'Microsoft.Storage/x'")}`
    expect((await arm.send('GET', other)).body.value).toEqual([])
    expect(codeOf(await arm.send('GET', '/resources?$filter=colour'))).toBe('InvalidFilterInQueryString')
    const shown = await arm.send('GET', '/providers/microsoft.cognitiveservices', undefined, { version: '2024-11-01' })
    expect(shown.body).toMatchObject({ namespace: 'Microsoft.CognitiveServices', registrationState: 'Registered' })
    const registered = await arm.send('POST', '/providers/Microsoft.CognitiveServices/register', undefined, {
      version: '2016-06-01',
    })
    expect(registered.body).toEqual(shown.body)
    expect(codeOf(await arm.send('GET', '/providers/Microsoft.Storage'))).toBe('InvalidResourceNamespace')
    const operations = await arm.send('GET', '//providers/Microsoft.CognitiveServices/operations')
    expect(names(operations)).toContain('Microsoft.CognitiveServices/accounts/deployments/write')
  })
})
