import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import {
  ClientSecretCredential,
  DefaultAzureCredential,
  getBearerTokenProvider,
  ManagedIdentityCredential,
} from '@azure/identity'
import ModelClient from '@azure-rest/ai-inference'
import { AzureOpenAI } from 'openai'
import { inferenceUrl, key, management, nameClient, question, rootUrl, user } from './surroundings.mjs'

const scope = 'https://cognitiveservices.azure.com/.default'
const { tenantId, clientId, clientSecret } = management
const options = { authorityHost: rootUrl, disableInstanceDiscovery: true }
const managedIdentity = { IDENTITY_ENDPOINT: `${rootUrl}/msi/token`, IDENTITY_HEADER: clientSecret }

const waysIn = {
  ClientSecretCredential: () => new ClientSecretCredential(tenantId, clientId, clientSecret, options),
  ManagedIdentityCredential: () => new ManagedIdentityCredential(),
  DefaultAzureCredential: () => new DefaultAzureCredential(),
}

for (const [name, open] of Object.entries(waysIn)) {
  describe(nameClient('@azure/identity', `@azure/identity ${name}`), () => {
    let credential
    before(() => {
      Object.assign(process.env, managedIdentity)
      credential = open()
    })
    after(() => {
      for (const variable of Object.keys(managedIdentity)) delete process.env[variable]
    })

    test('token', async () => {
      const { token, expiresOnTimestamp } = await credential.getToken(scope)
      assert.equal(token.split('.').length, 3)
      assert.ok(expiresOnTimestamp > 0)
    })

    test('openai AzureOpenAI', async () => {
      const azureADTokenProvider = getBearerTokenProvider(credential, scope)
      const client = new AzureOpenAI({
        endpoint: rootUrl,
        apiKey: null,
        azureADTokenProvider,
        apiVersion: '2024-10-21',
      })
      const answer = await client.chat.completions.create({ model: 'Relay-Chat', messages: [user(question)] })
      assert.equal(answer.choices[0].message.content, `Echo: ${question}`)
    })

    for (const credentials of [{ scopes: [scope] }, undefined]) {
      test(`@azure-rest/ai-inference, ${credentials ? 'scope of Cognitive Services' : 'its own scope'}`, async () => {
        const client = ModelClient(inferenceUrl, credential, credentials && { credentials })
        const body = { model: 'Relay-Chat', messages: [user(question)] }
        const answer = await client.path('/chat/completions').post({ body })
        assert.equal(answer.status, '200')
        assert.equal(answer.body.choices[0].message.content, `Echo: ${question}`)
      })
    }

    test('a scope that nobody serves is refused', async () => {
      await assert.rejects(credential.getToken('https://graph.example/.default'))
    })
  })
}

describe(nameClient('@azure/identity', '@azure/identity ClientSecretCredential, refused'), () => {
  for (const [what, secret] of [
    ['a wrong secret', 'wrong'],
    ['a resource key', key],
  ]) {
    test(what, async () => {
      const credential = new ClientSecretCredential(tenantId, clientId, secret, options)
      await assert.rejects(credential.getToken(scope), /7000215/)
    })
  }
})
