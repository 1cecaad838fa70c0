import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { describe, test } from 'node:test'
import { CognitiveServicesManagementClient } from '@azure/arm-cognitiveservices'
import { ClientSecretCredential } from '@azure/identity'
import { management, nameClient, rootUrl } from './surroundings.mjs'

/** The vendor's management client, unmodified, against the management API at the root of the host. */

const subscription = '00000000-0000-0000-0000-000000000000'
const group = 'default'
const model = { format: 'Ponto', name: 'builtin-nano', version: '1' }

const fixed = (token) => ({ getToken: async () => ({ token, expiresOnTimestamp: Date.now() + 3_600_000 }) })
const open = (credential, options = {}) =>
  new CognitiveServicesManagementClient(credential, subscription, { endpoint: rootUrl, ...options })

async function collect(pages) {
  const all = []
  for await (const item of pages) all.push(item)
  return all
}

const newName = () => `js-${randomUUID().slice(0, 13)}`
const codeOf = (error) => error.code
const refusal = (promise) =>
  promise.then(
    () => assert.fail('it was to be refused'),
    (error) => error,
  )

/** Who asks, and how he shows who he is; undefined where the server knows nobody of that kind. */
const credentials = {
  'management credential': () => fixed(management.credential),
  'own token': () =>
    management.clientId &&
    new ClientSecretCredential(management.tenantId, management.clientId, management.clientSecret, {
      authorityHost: rootUrl,
      disableInstanceDiscovery: true,
    }),
  'token of an issuer': () => management.issuerToken && fixed(management.issuerToken),
}

for (const [title, makeCredential] of Object.entries(credentials)) {
  const client = nameClient('@azure/arm-cognitiveservices', `@azure/arm-cognitiveservices, ${title},`)
  describe(client, { skip: !makeCredential() && 'the server knows nobody of that kind' }, () => {
    const arm = open(makeCredential())
    let account
    const own = async () => {
      account ??= (await collect(arm.accounts.list())).find(({ id }) => id.split('/')[4] === group).name
      return account
    }
    const body = (capacity, properties = {}) => ({
      sku: { name: 'Standard', capacity },
      properties: { model, ...properties },
    })
    const deploy = async (name, capacity = 5, properties = {}) =>
      arm.deployments.beginCreateOrUpdateAndWait(group, await own(), name, body(capacity, properties))
    const drop = async (name) => arm.deployments.beginDeleteAndWait(group, await own(), name)

    test('an account is made, changed, deleted, restored and purged', async () => {
      const [place, name] = [newName(), newName()]
      const token = await makeCredential().getToken(`${rootUrl}/.default`)
      const url = `${rootUrl}/subscriptions/${subscription}/resourcegroups/${place}?api-version=2022-09-01`
      const headers = { authorization: `Bearer ${token.token}`, 'content-type': 'application/json' }
      const made = await fetch(url, { method: 'PUT', headers, body: JSON.stringify({ location: 'westeurope' }) })
      assert.equal(made.status, 201)
      const input = {
        location: 'West Europe',
        kind: 'OpenAI',
        sku: { name: 'S0' },
        tags: { team: 'a' },
        properties: { disableLocalAuth: false },
      }
      const created = await arm.accounts.beginCreateAndWait(place, name, input)
      assert.deepEqual([created.location, created.kind, created.tags], ['westeurope', 'OpenAI', { team: 'a' }])
      assert.equal(created.properties.provisioningState, 'Succeeded')
      assert.ok(created.systemData.createdAt instanceof Date)
      const updated = await arm.accounts.beginUpdateAndWait(place, name, { tags: { team: 'b' } })
      assert.deepEqual(updated.tags, { team: 'b' })
      const { key1, key2 } = await arm.accounts.listKeys(place, name)
      const again = await arm.accounts.regenerateKey(place, name, 'Key2')
      assert.deepEqual([again.key1, again.key2 === key2], [key1, false])
      assert.deepEqual(
        (await collect(arm.accounts.listByResourceGroup(place))).map((one) => one.name),
        [name],
      )
      await arm.accounts.beginDeleteAndWait(place, name)
      assert.equal(codeOf(await refusal(arm.accounts.get(place, name))), 'ResourceNotFound')
      assert.ok((await collect(arm.deletedAccounts.list())).some((one) => one.name === name))
      await arm.accounts.beginCreateAndWait(place, name, { location: 'westeurope', properties: { restore: true } })
      assert.equal((await arm.accounts.listKeys(place, name)).key1, key1)
      await arm.accounts.beginDeleteAndWait(place, name)
      await arm.deletedAccounts.beginPurgeAndWait('westeurope', place, name)
      assert.equal(codeOf(await refusal(arm.deletedAccounts.get('westeurope', place, name))), 'ResourceNotFound')
      assert.equal((await fetch(url, { method: 'DELETE', headers })).status, 202)
    })

    test('a deployment is made, read, listed, changed and deleted', async () => {
      const name = newName()
      const made = await deploy(name, 5, { versionUpgradeOption: 'NoAutoUpgrade' })
      assert.deepEqual([made.name, made.sku.capacity, made.properties.model], [name, 5, model])
      assert.equal(made.properties.provisioningState, 'Succeeded')
      const read = await arm.deployments.get(group, (await own()).toUpperCase(), name.toUpperCase())
      assert.equal(read.etag, made.etag)
      assert.ok((await collect(arm.deployments.list(group, await own()))).some((one) => one.name === name))
      const patch = { sku: { name: 'Standard', capacity: 2 }, tags: { a: 'b' } }
      const patched = await arm.deployments.beginUpdateAndWait(group, await own(), name, patch)
      assert.deepEqual([patched.sku.capacity, patched.tags], [2, { a: 'b' }])
      assert.equal((await deploy(name, 3)).sku.capacity, 3)
      const skus = await collect(arm.deployments.listSkus(group, await own(), name))
      assert.ok(skus.some(({ sku }) => sku.name === 'Standard'))
      await drop(name)
      assert.equal(codeOf(await refusal(arm.deployments.get(group, await own(), name))), 'ResourceNotFound')
    })

    test('an operation is polled to its end', async () => {
      const name = newName()
      const poller = await arm.deployments.beginCreateOrUpdate(group, await own(), name, body(1))
      const made = await poller.pollUntilDone()
      assert.equal(made.name, name)
      assert.equal(poller.getOperationState().status, 'succeeded')
      await drop(name)
    })

    test('deployments that come at once are all made', async () => {
      const names = [newName(), newName(), newName()]
      const made = await Promise.all(names.map((name) => deploy(name, 1)))
      assert.deepEqual(
        made.map((one) => one.name),
        names,
      )
      await Promise.all(names.map(drop))
    })

    test('policies, blocklists and topics', async () => {
      const [policy, list, topic, place] = [newName(), newName(), newName(), await own()]
      await arm.raiBlocklists.createOrUpdate(group, place, list, { properties: { description: 'ours' } })
      const item = { properties: { pattern: 'plumbus', isRegex: false } }
      await arm.raiBlocklistItems.createOrUpdate(group, place, list, 'one', item)
      await arm.raiBlocklistItems.batchAdd(group, place, list, [{ name: 'two', ...item }])
      assert.equal((await collect(arm.raiBlocklistItems.list(group, place, list))).length, 2)
      await arm.raiBlocklistItems.batchDelete(group, place, list, ['two'])
      await arm.raiBlocklistItems.beginDeleteAndWait(group, place, list, 'one')
      assert.deepEqual(await collect(arm.raiBlocklistItems.list(group, place, list)), [])
      const contentFilters = [
        { name: 'Hate', source: 'Completion', severityThreshold: 'High', enabled: true, blocking: true },
      ]
      const customBlocklists = [{ blocklistName: list, blocking: true, source: 'Prompt' }]
      const written = await arm.raiPolicies.createOrUpdate(group, place, policy, {
        properties: { basePolicyName: 'Microsoft.DefaultV2', mode: 'Blocking', contentFilters, customBlocklists },
      })
      assert.deepEqual(written.properties.contentFilters, contentFilters)
      assert.deepEqual(written.properties.customBlocklists, customBlocklists)
      assert.equal(codeOf(await refusal(arm.raiBlocklists.beginDeleteAndWait(group, place, list))), 'InUse')
      await arm.raiPolicies.beginDeleteAndWait(group, place, policy)
      await arm.raiBlocklists.beginDeleteAndWait(group, place, list)
      const made = await arm.raiTopics.createOrUpdate(group, place, topic, { properties: { description: 'weather' } })
      assert.equal(made.properties.topicName, topic)
      await arm.raiTopics.beginDeleteAndWait(group, place, topic)
    })

    test('catalog, usages and checks', async () => {
      const place = await own()
      const models = await collect(arm.models.list('local'))
      assert.ok(models.some((one) => one.model.name === 'gpt-4o' && one.model.isDefaultVersion))
      assert.ok((await collect(arm.accounts.listModels(group, place))).some(({ name }) => name === 'builtin-nano'))
      const usages = await collect(arm.usages.list('local'))
      assert.ok(
        usages.some(({ name, limit }) => name.value === 'OpenAI.GlobalStandard.conformance-quota' && limit === 3),
      )
      assert.ok((await collect(arm.modelCapacities.list('OpenAI', 'gpt-4o', '2024-08-06'))).length > 0)
      assert.ok(
        (await collect(arm.raiContentFilters.list('local'))).some(({ properties }) => properties.name === 'Hate'),
      )
      assert.ok((await collect(arm.resourceSkus.list())).some(({ kind }) => kind === 'AIServices'))
      const type = 'Microsoft.CognitiveServices/accounts'
      const { value } = await arm.checkSkuAvailability('local', ['S0'], 'OpenAI', type)
      assert.deepEqual(
        value.map(({ skuAvailable }) => skuAvailable),
        [true],
      )
      assert.equal((await arm.checkDomainAvailability(place, type)).isSubdomainAvailable, false)
    })

    test('what is refused is refused with the code of the vendor', async () => {
      const place = await own()
      const begin = (input) => arm.deployments.beginCreateOrUpdateAndWait(group, place, newName(), input)
      const unknown = await refusal(begin({ properties: { model: { name: 'gpt-4o' } } }))
      assert.deepEqual([unknown.statusCode, unknown.code], [400, 'InvalidModel'])
      assert.equal(codeOf(await refusal(begin(body(0)))), 'InvalidResourceProperties')
      assert.equal(codeOf(await refusal(arm.accounts.get('no-such-group', 'none'))), 'ResourceGroupNotFound')
      const future = open(makeCredential(), { apiVersion: '2099-01-01' })
      assert.equal(codeOf(await refusal(collect(future.accounts.list()))), 'InvalidApiVersionParameter')
    })
  })
}

describe(nameClient('@azure/arm-cognitiveservices', '@azure/arm-cognitiveservices, strangers,'), () => {
  test('are refused', async () => {
    assert.equal((await refusal(collect(open(fixed('wrong')).accounts.list()))).statusCode, 401)
    assert.equal((await refusal(collect(open(fixed(management.key)).accounts.list()))).statusCode, 403)
  })
})
