import assert from 'node:assert/strict'
import { test } from 'node:test'
import { checkOpenAI } from './openai-shared.mjs'
import { key, question, rootUrl, user } from './surroundings.mjs'

/** What the AzureOpenAI class must see, whichever generation of the `openai` package `sdk` is. */
export function checkAzureOpenAI(sdk) {
  const { AzureOpenAI } = sdk
  checkOpenAI(sdk, (options) => new AzureOpenAI(options))

  test('a deployment set on the client, whatever the body says', async () => {
    const client = new AzureOpenAI({ deployment: 'RELAY-chat' })
    const answer = await client.chat.completions.create({ model: 'gpt-3.5-turbo', messages: [user(question)] })
    assert.equal(answer.choices[0].message.content, `Echo: ${question}`)
  })

  test('a token provider sends the key as Bearer', async () => {
    // Undefined would stand for the variable with the key.
    const options = { apiKey: null, azureADTokenProvider: async () => key, apiVersion: '2025-01-01-preview' }
    const client = new AzureOpenAI({ ...options, endpoint: rootUrl })
    const answer = await client.chat.completions.create({ model: 'relay-chat', messages: [user(question)] })
    assert.equal(answer.choices[0].message.content, `Echo: ${question}`)
  })

  test('an endpoint with a slash at its end', async () => {
    const client = new AzureOpenAI({ endpoint: `${rootUrl}/` })
    const answer = await client.chat.completions.create({ model: 'relay-chat', messages: [user(question)] })
    assert.equal(answer.choices[0].message.content, `Echo: ${question}`)
  })

  test('the base models are listed', async () => {
    const { data } = await new AzureOpenAI().models.list()
    assert.ok(data.some(({ id, capabilities }) => id === 'gpt-4o-2024-08-06' && capabilities.chat_completion))
  })
}
