import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { createAzure } from '@ai-sdk/azure'
import { APICallError, generateObject, generateText, isStepCount, streamText, tool } from 'ai'
import { z } from 'zod'
import { key, listSeen, nameClient, newMark, question, release, rootUrl } from './surroundings.mjs'

/** What `azure('name')` makes: a model of the Responses API. Nothing is kept, which the provider has to be told for a second step. */

const azure = createAzure({ baseURL: `${rootUrl}/openai/v1`, apiKey: key })
const byDeployment = createAzure({ baseURL: `${rootUrl}/openai`, useDeploymentBasedUrls: true, apiKey: key })
const providerOptions = { azure: { store: false }, openai: { store: false } }
const models = ['Relay-Chat', 'relay-azure', 'RELAY-FOUNDRY', 'relay-anthropic', 'relay-responses']
const weather = tool({
  description: 'The weather in a city',
  inputSchema: z.object({ city: z.string() }),
  execute: async ({ city }) => `sunny in ${city}`,
})

describe(nameClient('@ai-sdk/azure', "@ai-sdk/azure, azure('name')"), { timeout: 60_000 }, () => {
  for (const name of models) {
    test(`whole, ${name}`, async () => {
      const { text, finishReason, usage } = await generateText({ model: azure(name), prompt: question })
      assert.deepEqual([text, finishReason], [`Echo: ${question}`, 'stop'])
      assert.deepEqual([usage.inputTokens, usage.outputTokens], [7, 5])
    })

    test(`stream, ${name}`, async () => {
      const result = streamText({ model: azure(name), prompt: question })
      assert.equal(await readText(result), `Echo: ${question}`)
      assert.equal(await result.finishReason, 'stop')
      assert.equal((await result.usage).totalTokens, 12)
    })
  }

  test('by the address of a deployment', async () => {
    const { text } = await generateText({ model: byDeployment('relay-chat'), prompt: question })
    assert.equal(text, `Echo: ${question}`)
  })

  test('a stream is passed on while the upstream still writes', async () => {
    const mark = newMark()
    let text = ''
    for await (const piece of streamText({ model: azure('relay-gated'), prompt: mark }).textStream) {
      text += piece
      await release(mark)
    }
    assert.equal(text, `Echo: ${mark}`)
  })

  const loop = { prompt: question, tools: { get_weather: weather }, stopWhen: isStepCount(2), providerOptions }
  const answers = { 'relay-tools': 'Echo: sunny in Paris', 'relay-responses': 'Echo: sunny in Paris' }
  for (const [name, expected] of Object.entries(answers)) {
    test(`tools are called and their results handed back, ${name}`, async () => {
      const { text, steps } = await generateText({ ...loop, model: azure(name) })
      assert.deepEqual(steps[0].toolCalls[0].input, { city: 'Paris' })
      assert.equal(steps[0].finishReason, 'tool-calls')
      assert.equal(text, expected)
    })

    test(`tools, streamed, ${name}`, async () => {
      const result = streamText({ ...loop, model: azure(name) })
      assert.equal(await readText(result), expected)
      assert.deepEqual((await result.steps)[0].toolCalls[0].input, { city: 'Paris' })
    })
  }

  test('an object by its schema', async () => {
    const schema = z.object({ name: z.string() })
    const { object } = await generateObject({ model: azure('relay-literal'), schema, prompt: '{"name":"Paris"}' })
    assert.deepEqual(object, { name: 'Paris' })
  })

  test('settings reach the upstream', async () => {
    const mark = newMark()
    await generateText({ model: azure('relay-chat'), prompt: mark, maxOutputTokens: 20, temperature: 0.5 })
    const [{ body }] = await listSeen(mark)
    assert.deepEqual([body.temperature, body.max_tokens], [0.5, 20])
  })

  test('unknown deployment, with the nearest name', async () => {
    const [{ reason }] = await Promise.allSettled([generateText({ model: azure('relay-chatt'), prompt: question })])
    assert.ok(APICallError.isInstance(reason))
    assert.equal(reason.statusCode, 404)
    assert.match(reason.message, /'Relay-Chat'/)
  })

  test('a stream that is cut off is an error, not an end', async () => {
    const errors = []
    const onError = ({ error }) => void errors.push(error)
    await readText(streamText({ model: azure('relay-cut'), prompt: newMark(), onError }))
    assert.ok(errors.length > 0)
  })

  test('the built-in model, whole and streamed the same', { timeout: 120_000 }, async () => {
    const ask = { model: azure('mistral-large'), prompt: 'Hello!', maxOutputTokens: 40, temperature: 0 }
    const { text } = await generateText(ask)
    assert.ok(text.length > 5)
    assert.equal(await readText(streamText(ask)), text)
  })
})

async function readText({ textStream }) {
  let text = ''
  for await (const piece of textStream) text += piece
  return text
}
