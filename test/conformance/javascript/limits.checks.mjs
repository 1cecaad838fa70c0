import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { AzureKeyCredential } from '@azure/core-auth'
import createModelClient, { isUnexpected } from '@azure-rest/ai-inference'
import * as openai from 'openai'
import { inferenceUrl, key, nameClient, question, rootUrl, user } from './surroundings.mjs'

/** Limits, spillover and pauses of deployments, as the clients of `openai` meet them. `open(options)` makes one. */
function checkLimits(open) {
  const ask = (model, { maxRetries = 0, ...options } = {}, request = {}) =>
    open({ maxRetries }).chat.completions.create(
      { model, messages: [user(question)], max_tokens: 5, ...options },
      request,
    )
  const twice = async (...asked) => {
    await ask(...asked).withResponse()
    return ask(...asked).withResponse()
  }

  test('a refused call is repeated in time', async () => {
    for (let i = 0; i < 3; i++) assert.ok((await ask('paced-JS', { maxRetries: 4 })).choices.length > 0)
  })

  test('a refusal says when to come back, and why', async () => {
    const calls = async () => {
      for (let i = 0; i < 3; i++) await ask('paced-js')
    }
    await assert.rejects(calls, (error) => {
      assert.ok(error instanceof openai.RateLimitError)
      assert.ok(Number(error.headers.get('retry-after-ms')) <= 1000)
      assert.equal(error.headers.get('x-ratelimit-limit-requests'), '60')
      assert.match(error.message, /call rate limit.*Paced-js/)
      return true
    })
  })

  test('what never fits is not repeated', async () => {
    await assert.rejects(ask('narrow-js', { maxRetries: 4, max_tokens: 1000 }), (error) => {
      assert.deepEqual([error.status, error.code], [400, 'RequestExceedsCapacity'])
      return true
    })
  })

  test('a full deployment spills over, as its own property says', async () => {
    const { data, response } = await twice('spilling-js')
    assert.equal(response.headers.get('x-ms-spillover-from-deployment'), 'Spilling-js')
    assert.equal(response.headers.get('x-ms-deployment-name'), 'Relay-Chat')
    assert.ok(data.choices.length > 0)
  })

  test('and as the request says', async () => {
    const { response } = await twice('full-js', {}, { headers: { 'x-ms-spillover-deployment': 'relay-chat' } })
    assert.equal(response.headers.get('x-ms-spillover-from-deployment'), 'Full-js')
  })

  test('a full deployment without one refuses and tells its utilisation', async () => {
    await assert.rejects(twice('full-js'), (error) => {
      assert.equal(error.status, 429)
      assert.ok(Number.parseFloat(error.headers.get('azure-openai-deployment-utilization')) > 100)
      return true
    })
  })

  test('a paused deployment', async () => {
    await assert.rejects(ask('paused-js'), (error) => error.status === 423)
  })
}

describe(nameClient('openai', 'openai OpenAI limits'), () => {
  checkLimits((options) => new openai.OpenAI({ baseURL: `${rootUrl}/openai/v1/`, apiKey: key, ...options }))
})

describe(nameClient('openai', 'openai AzureOpenAI limits'), () => {
  checkLimits((options) => new openai.AzureOpenAI({ apiVersion: '2024-10-21', ...options }))
})

describe(nameClient('@azure-rest/ai-inference', '@azure-rest/ai-inference limits'), () => {
  const client = createModelClient(inferenceUrl, new AzureKeyCredential(key), { retryOptions: { maxRetries: 4 } })
  const hasty = createModelClient(inferenceUrl, new AzureKeyCredential(key), { retryOptions: { maxRetries: 0 } })
  const ask = (model, by = client) =>
    by.path('/chat/completions').post({ body: { model, messages: [user(question)], max_tokens: 5 } })

  test('a refused call is repeated in time', async () => {
    for (let i = 0; i < 3; i++) {
      const response = await ask('paced-js')
      assert.ok(!isUnexpected(response), response.body.error?.message)
    }
  })

  test('a full deployment spills over', async () => {
    await ask('spilling-js', hasty)
    const response = await ask('spilling-js', hasty)
    assert.equal(response.status, '200')
    assert.equal(response.headers['x-ms-spillover-from-deployment'], 'Spilling-js')
  })

  test('a full deployment without one refuses', async () => {
    await ask('full-js', hasty)
    const response = await ask('full-js', hasty)
    assert.equal(response.status, '429')
    assert.ok(Number(response.headers['retry-after-ms']) > 0)
  })
})
