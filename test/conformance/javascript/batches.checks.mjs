import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import * as openai from 'openai'
import { checkBatches } from './batches.mjs'
import { key, nameClient, rootUrl } from './surroundings.mjs'

describe(nameClient('openai', 'openai OpenAI'), () => {
  checkBatches(openai, (options) => new openai.OpenAI({ baseURL: `${rootUrl}/openai/v1/`, apiKey: key, ...options }))
})

describe(nameClient('openai', 'openai AzureOpenAI'), () => {
  const open = (options) => new openai.AzureOpenAI({ apiVersion: '2025-04-01-preview', ...options })
  const { submit, waitFor, writeLine } = checkBatches(openai, open)

  // This class makes a deployment of the path of what it finds in this field.
  test('a batch that names the deployment', async () => {
    const ended = await waitFor(await submit([writeLine('a')], { model: 'relay-chat' }))
    assert.deepEqual([ended.status, ended.request_counts.completed], ['completed', 1])
    await assert.rejects(submit([writeLine('a')], { model: 'nothing-like-it' }), openai.NotFoundError)
  })

  test('a client that is set to one deployment', async () => {
    const { files, batches } = open({ deployment: 'relay-chat' })
    const file = await openai.toFile(Buffer.from(`${writeLine('a')}\n`), 'a.jsonl')
    const { id } = await files.create({ file, purpose: 'batch' })
    const asked = { input_file_id: id, endpoint: '/chat/completions', completion_window: '24h' }
    const ended = await waitFor(await batches.create(asked))
    assert.deepEqual([ended.status, ended.request_counts.completed], ['completed', 1])
  })
})
