import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { createAzure } from '@ai-sdk/azure'
import { APICallError, embed, embedMany, generateText, isStepCount, RetryError, streamText, tool } from 'ai'
import { z } from 'zod'
import {
  key,
  listSeen,
  models,
  nameClient,
  newMark,
  question,
  release,
  retryAfterMs,
  rootUrl,
} from './surroundings.mjs'

/**
 * By both kinds of addresses that the provider knows. What `azure('name')` itself makes, a model of the Responses API, has checks
 * of its own.
 */
const addresses = {
  'v1 addresses': { baseURL: `${rootUrl}/openai/v1` },
  'addresses of deployments': { baseURL: `${rootUrl}/openai`, useDeploymentBasedUrls: true },
}

for (const [title, settings] of Object.entries(addresses)) {
  const open = (apiKey = key) => createAzure({ ...settings, apiKey })
  const azure = open()
  const prompt = question
  const weather = tool({
    description: 'The weather in a city',
    inputSchema: z.object({ city: z.string() }),
    execute: async ({ city }) => `sunny in ${city}`,
  })

  describe(nameClient('@ai-sdk/azure', `@ai-sdk/azure, ${title}`), { timeout: 60_000 }, () => {
    for (const name of models) {
      test(`chat, ${name}`, async () => {
        const { text, finishReason, usage, response } = await generateText({ model: azure.chat(name), prompt })
        assert.equal(text, `Echo: ${question}`)
        assert.equal(finishReason, 'stop')
        assert.deepEqual([usage.inputTokens, usage.outputTokens], [7, 5])
        assert.equal(response.modelId, 'served-2024-08-06')
      })

      test(`stream, ${name}`, async () => {
        const result = streamText({ model: azure.chat(name), prompt, onError: () => {} })
        assert.equal(await readText(result), `Echo: ${question}`)
        assert.equal(await result.finishReason, 'stop')
        assert.equal((await result.usage).totalTokens, 12)
      })
    }

    test('a stream is passed on while the upstream still writes', async () => {
      const mark = newMark()
      let text = ''
      for await (const piece of streamText({ model: azure.chat('relay-gated'), prompt: mark }).textStream) {
        text += piece
        await release(mark)
      }
      assert.equal(text, `Echo: ${mark}`)
    })

    test('tools are called and their results handed back', async () => {
      const ask = {
        model: azure.chat('relay-tools'),
        prompt,
        tools: { get_weather: weather },
        stopWhen: isStepCount(2),
      }
      const { text, steps } = await generateText(ask)
      assert.deepEqual(steps[0].toolCalls[0].input, { city: 'Paris' })
      assert.equal(steps[0].finishReason, 'tool-calls')
      assert.equal(text, 'Echo: sunny in Paris')
    })

    test('tools, streamed', async () => {
      const ask = {
        model: azure.chat('relay-tools'),
        prompt,
        tools: { get_weather: weather },
        stopWhen: isStepCount(2),
      }
      const result = streamText(ask)
      assert.equal(await readText(result), 'Echo: sunny in Paris')
      assert.deepEqual((await result.steps)[0].toolCalls[0].input, { city: 'Paris' })
    })

    test('settings reach the upstream', async () => {
      const mark = newMark()
      const settings = { maxOutputTokens: 9, temperature: 0.5, seed: 3, stopSequences: ['END'] }
      await generateText({ model: azure.chat('relay-chat'), prompt: mark, ...settings })
      const [{ body }] = await listSeen(mark)
      assert.deepEqual([body.temperature, body.seed, body.stop], [0.5, 3, ['END']])
      assert.equal(body.max_completion_tokens ?? body.max_tokens, 9)
    })

    test('completion', async () => {
      const { text } = await generateText({ model: azure.completion('relay-chat'), prompt })
      assert.ok(text.startsWith('Echo: ') && text.includes(question))
    })

    test('completion, streamed', async () => {
      const text = await readText(streamText({ model: azure.completion('relay-chat'), prompt }))
      assert.ok(text.startsWith('Echo: ') && text.includes(question))
    })

    test('embeddings', async () => {
      const model = azure.embedding('relay-chat')
      assert.deepEqual((await embed({ model, value: 'one' })).embedding, [3, 0, 0.25, -1.5])
      const { embeddings, usage } = await embedMany({ model, values: ['one', 'three'] })
      assert.deepEqual(embeddings[1], [5, 1, 0.25, -1.5])
      assert.equal(usage.tokens, 7)
    })

    test('wrong key', async () => {
      const error = await catchError(generateText({ model: open('wrong').chat('relay-chat'), prompt }))
      assert.ok(APICallError.isInstance(error))
      assert.deepEqual([error.statusCode, error.isRetryable], [401, false])
    })

    test('unknown deployment, with the nearest name', async () => {
      const error = await catchError(generateText({ model: azure.chat('relay-chatt'), prompt }))
      assert.equal(error.statusCode, 404)
      assert.match(error.message, /deployment.*not found|does not exist/i)
      assert.match(error.message, /'Relay-Chat'/)
      assert.equal(error.data.error.code, 'DeploymentNotFound')
    })

    test('unknown deployment, streamed', async () => {
      const errors = []
      const result = streamText({
        model: azure.chat('relay-chatt'),
        prompt,
        onError: ({ error }) => void errors.push(error),
      })
      await readText(result)
      assert.deepEqual(
        errors.map(({ statusCode }) => statusCode),
        [404],
      )
    })

    test("the upstream's refusal keeps its code", async () => {
      const error = await catchError(generateText({ model: azure.chat('relay-refusing'), prompt }))
      assert.deepEqual([error.statusCode, error.data.error.code], [400, 'context_length_exceeded'])
    })

    test('429 is waited for by the client', async () => {
      const mark = newMark()
      const { text } = await generateText({ model: azure.chat('relay-limited'), prompt: mark })
      assert.equal(text, `Echo: ${mark}`)
      const [first, second, ...more] = await listSeen(mark)
      assert.ok(second.receivedAtMs - first.receivedAtMs >= retryAfterMs)
      assert.deepEqual(more, [])
    })

    test('429 without another try', async () => {
      const ask = { model: azure.chat('relay-limited'), prompt: newMark(), maxRetries: 0 }
      const error = await catchError(generateText(ask))
      assert.deepEqual([error.statusCode, error.isRetryable], [429, true])
      assert.equal(error.responseHeaders['retry-after-ms'], String(retryAfterMs))
    })

    test('a stream that is cut off is an error, not an end', async () => {
      const errors = []
      const onError = ({ error }) => void errors.push(error)
      const result = streamText({ model: azure.chat('relay-cut'), prompt: newMark(), onError })
      assert.equal(await readText(result), 'Echo:')
      assert.equal(errors.length, 1)
      assert.ok(!RetryError.isInstance(errors[0]))
    })

    test('a signal ends the request of the upstream', async () => {
      const mark = newMark()
      const controller = new AbortController()
      const ask = { model: azure.chat('relay-endless'), prompt: mark, abortSignal: controller.signal }
      for await (const _piece of streamText(ask).textStream) controller.abort()
      assert.equal((await listSeen(mark))[0].isWhole, false)
    })

    test('the built-in model, whole and streamed the same', { timeout: 120_000 }, async () => {
      const ask = { model: azure.chat('mistral-large'), prompt: 'Hello!', maxOutputTokens: 40, temperature: 0 }
      const { text } = await generateText(ask)
      assert.ok(text.length > 5)
      assert.equal(await readText(streamText(ask)), text)
    })
  })
}

async function readText({ textStream }) {
  let text = ''
  for await (const piece of textStream) text += piece
  return text
}

async function catchError(attempt) {
  const [{ reason, status }] = await Promise.allSettled([attempt])
  assert.equal(status, 'rejected')
  return reason
}
