import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { AzureKeyCredential, OpenAIClient } from '@azure/openai'
import {
  collect,
  key,
  listSeen,
  nameClient,
  newMark,
  question,
  release,
  retryAfterMs,
  rootUrl,
  user,
  weatherTool,
} from './surroundings.mjs'

const open = (secret = key, options = {}) => new OpenAIClient(rootUrl, new AzureKeyCredential(secret), options)
const client = open()
const chat = (deployment, content = question, options = {}) =>
  client.getChatCompletions(deployment, [user(content)], options)
const stream = (deployment, content = question, options = {}) =>
  client.streamChatCompletions(deployment, [user(content)], options)
const joinText = (events) => events.map(({ choices }) => choices[0]?.delta?.content ?? '').join('')

/** The last release with a client of its own; later ones add types to the `openai` package. It throws the body's error. */
describe(nameClient('@azure/openai'), { timeout: 60_000 }, () => {
  for (const deployment of ['Relay-Chat', 'RELAY-CHAT', 'relay-azure', 'relay-foundry', 'relay-untidy']) {
    test(`chat, ${deployment}`, async () => {
      const { choices, usage, model, created, id } = await chat(deployment)
      assert.equal(choices[0].message.content, `Echo: ${question}`)
      assert.equal(choices[0].finishReason, 'stop')
      assert.equal(usage.totalTokens, 12)
      assert.equal(model, 'served-2024-08-06')
      assert.ok(created instanceof Date && id)
    })

    test(`stream, ${deployment}`, async () => {
      const events = await collect(await stream(deployment))
      assert.equal(joinText(events), `Echo: ${question}`)
      assert.equal(events.findLast(({ choices }) => choices.length > 0).choices[0].finishReason, 'stop')
    })
  }

  test('an older api-version', async () => {
    const { choices } = await open(key, { apiVersion: '2024-02-01' }).getChatCompletions('relay-chat', [user('hi')])
    assert.equal(choices[0].message.content, 'Echo: hi')
  })

  test('a stream is passed on while the upstream still writes', async () => {
    const mark = newMark()
    const events = []
    for await (const event of await stream('relay-gated', mark)) {
      events.push(event)
      if (joinText(events) !== '') await release(mark)
    }
    assert.equal(joinText(events), `Echo: ${mark}`)
  })

  test('its camel-case options reach the upstream', async () => {
    const mark = newMark()
    await chat('relay-chat', mark, { maxTokens: 5, topP: 0.5, presencePenalty: 1, responseFormat: { type: 'text' } })
    const [{ body }] = await listSeen(mark)
    const { max_tokens, top_p, presence_penalty, response_format } = body
    assert.deepEqual([max_tokens, top_p, presence_penalty, response_format.type], [5, 0.5, 1, 'text'])
  })

  test('tools, with the result handed back', async () => {
    const tools = [weatherTool]
    const { choices } = await chat('relay-tools', 'Weather in Paris?', { tools })
    const { message, finishReason } = choices[0]
    assert.equal(finishReason, 'tool_calls')
    assert.deepEqual(message.toolCalls[0].function, { name: 'get_weather', arguments: '{"city":"Paris"}' })
    const result = { role: 'tool', content: 'sunny', toolCallId: message.toolCalls[0].id }
    const answer = await client.getChatCompletions('relay-tools', [user('Weather?'), message, result], { tools })
    assert.equal(answer.choices[0].message.content, 'Echo: sunny')
  })

  test('tools, streamed', async () => {
    const events = await collect(await stream('relay-tools', 'Weather in Paris?', { tools: [weatherTool] }))
    const calls = events.flatMap(({ choices }) => choices[0]?.delta?.toolCalls ?? [])
    assert.equal(calls[0].id, 'call_1')
    assert.equal(calls[0].function.name, 'get_weather')
    assert.equal(calls.map((call) => call.function.arguments).join(''), '{"city":"Paris"}')
    assert.equal(events.at(-1).choices[0].finishReason, 'tool_calls')
  })

  test('completions', async () => {
    const { choices, usage } = await client.getCompletions('relay-chat', [question])
    assert.equal(choices[0].text, `Echo: ${question}`)
    assert.equal(usage.totalTokens, 12)
  })

  test('completions, streamed', async () => {
    const events = await collect(await client.streamCompletions('relay-chat', [question]))
    assert.equal(events.map(({ choices }) => choices[0]?.text ?? '').join(''), `Echo: ${question}`)
  })

  test('embeddings', async () => {
    const { data, usage } = await client.getEmbeddings('relay-chat', ['one', 'three'])
    const vectors = data.map(({ embedding }) => embedding)
    assert.deepEqual(vectors, [
      [3, 0, 0.25, -1.5],
      [5, 1, 0.25, -1.5],
    ])
    assert.equal(usage.promptTokens, 7)
  })

  test('wrong key', async () => {
    await assert.rejects(open('wrong').getChatCompletions('relay-chat', [user('hi')]), { code: '401' })
    await assert.rejects(collectFrom(open('wrong').streamChatCompletions('relay-chat', [user('hi')])), { code: '401' })
  })

  test('unknown deployment, with the nearest name', async () => {
    const isRight = ({ code, message }) => code === 'DeploymentNotFound' && message.includes("'Relay-Chat'")
    await assert.rejects(chat('relay-chatt'), isRight)
    await assert.rejects(collectFrom(stream('relay-chatt')), isRight)
    await assert.rejects(client.getEmbeddings('relay-chatt', ['one']), isRight)
  })

  test('bad field', async () => {
    const expected = { code: null, param: 'temperature', type: 'invalid_request_error' }
    await assert.rejects(chat('relay-chat', 'hi', { temperature: 'hot' }), (error) => {
      assert.deepEqual({ code: error.code, param: error.param, type: error.type }, expected)
      return true
    })
  })

  test("the upstream's refusal keeps its code", async () => {
    await assert.rejects(chat('relay-refusing'), { code: 'context_length_exceeded', param: 'messages' })
  })

  test('429 is waited for by the client, whole and streamed', async () => {
    for (const ask of [chat, async (...args) => collect(await stream(...args))]) {
      const mark = newMark()
      await ask('relay-limited', mark)
      const [first, second, ...more] = await listSeen(mark)
      assert.ok(second.receivedAtMs - first.receivedAtMs >= retryAfterMs)
      assert.deepEqual(more, [])
    }
  })

  test('429 without another try', async () => {
    const attempt = open(key, { retryOptions: { maxRetries: 0 } }).getChatCompletions('relay-limited', [
      user(newMark()),
    ])
    await assert.rejects(attempt, { code: '429' })
  })

  test('leaving a stream ends that of the upstream', async () => {
    const mark = newMark()
    for await (const _event of await stream('relay-endless', mark)) break
    assert.equal((await listSeen(mark))[0].isWhole, false)
  })

  test('the built-in model, whole and streamed the same', { timeout: 120_000 }, async () => {
    const options = { maxTokens: 40, temperature: 0 }
    const { choices } = await chat('mistral-large', 'Which is the capital of France?', options)
    const events = await collect(await stream('MISTRAL-LARGE', 'Which is the capital of France?', options))
    assert.ok(choices[0].message.content.length > 5)
    assert.equal(joinText(events), choices[0].message.content)
  })
})

async function collectFrom(events) {
  return collect(await events)
}
