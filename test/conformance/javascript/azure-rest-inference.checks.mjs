import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { AzureKeyCredential } from '@azure/core-auth'
import { createSseStream } from '@azure/core-sse'
import createModelClient, { isUnexpected } from '@azure-rest/ai-inference'
import {
  inferenceUrl,
  joinText,
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

const open = (secret = key, url = inferenceUrl) => createModelClient(url, new AzureKeyCredential(secret))
const client = open()

const post = (model, body, headers = {}) =>
  client.path('/chat/completions').post({ body: { messages: [user(question)], model, ...body }, headers })

/** The events of a streamed answer, parsed, without the terminator; the last one is asserted to be it. */
async function stream(model, body = {}, onChunk = async () => {}) {
  const ask = { body: { messages: [user(question)], model, stream: true, ...body } }
  const response = await client.path('/chat/completions').post(ask).asNodeStream()
  assert.equal(response.status, '200')
  const chunks = []
  let isDone = false
  for await (const { data } of createSseStream(response.body)) {
    assert.ok(!isDone, 'nothing comes after the terminator')
    isDone = data === '[DONE]'
    if (isDone) continue
    chunks.push(JSON.parse(data))
    await onChunk(chunks)
  }
  return { chunks, isDone }
}

describe(nameClient('@azure-rest/ai-inference'), { timeout: 120_000 }, () => {
  for (const model of ['Relay-Chat', 'relay-chat', 'RELAY-CHAT', 'relay-azure', 'Relay-Foundry', 'relay-untidy']) {
    test(`chat, ${model}`, async () => {
      const response = await post(model)
      assert.ok(!isUnexpected(response))
      const { id, object, choices, usage, model: served } = response.body
      assert.equal(choices[0].message.content, `Echo: ${question}`)
      assert.equal(choices[0].finish_reason, 'stop')
      assert.equal(object, 'chat.completion')
      assert.equal(served, 'served-2024-08-06')
      assert.equal(usage.total_tokens, 12)
      assert.ok(id)
    })

    test(`stream, ${model}`, async () => {
      const { chunks, isDone } = await stream(model)
      assert.ok(isDone)
      assert.equal(joinText(chunks), `Echo: ${question}`)
      const last = chunks.at(-1)
      assert.equal(last.choices[0].finish_reason, 'stop')
      assert.equal(last.usage.total_tokens, 12)
      // The first one may have annotations of the prompt instead.
      assert.ok(chunks.slice(1).every(({ choices }) => choices.length === 1))
    })
  }

  test('a stream is passed on while the upstream still writes', async () => {
    const mark = newMark()
    const { chunks } = await stream('relay-gated', { messages: [user(mark)] }, async (soFar) => {
      if (joinText(soFar) !== '') await release(mark)
    })
    assert.equal(joinText(chunks), `Echo: ${mark}`)
  })

  test('tools, whole and streamed', async () => {
    const whole = await post('relay-tools', { tools: [weatherTool] })
    const [call] = whole.body.choices[0].message.tool_calls
    assert.deepEqual(call, {
      id: 'call_1',
      type: 'function',
      function: { name: 'get_weather', arguments: '{"city":"Paris"}' },
    })
    const { chunks } = await stream('relay-tools', { tools: [weatherTool] })
    const deltas = chunks.flatMap(({ choices }) => choices[0]?.delta.tool_calls ?? [])
    assert.equal(deltas[0].function.name, 'get_weather')
    assert.equal(deltas.map((delta) => delta.function.arguments).join(''), '{"city":"Paris"}')
    assert.equal(chunks.at(-1).choices[0].finish_reason, 'tool_calls')
  })

  for (const model of ['relay-chat', 'Relay-Floats', 'RELAY-FOUNDRY']) {
    test(`embeddings, ${model}`, async () => {
      const response = await client.path('/embeddings').post({ body: { model, input: ['one', 'three'] } })
      assert.ok(!isUnexpected(response))
      assert.deepEqual(
        response.body.data.map(({ embedding }) => embedding),
        [
          [3, 0, 0.25, -1.5],
          [5, 1, 0.25, -1.5],
        ],
      )
      assert.equal(response.body.usage.prompt_tokens, 7)
      assert.ok(response.body.id)
    })
  }

  test('embeddings in base64', async () => {
    const body = { model: 'relay-chat', input: ['one'], encoding_format: 'base64' }
    const response = await client.path('/embeddings').post({ body })
    const bytes = Buffer.from(response.body.data[0].embedding, 'base64')
    assert.deepEqual(
      [0, 4, 8, 12].map((at) => bytes.readFloatLE(at)),
      [3, 0, 0.25, -1.5],
    )
  })

  test('an encoding that no model here can give', async () => {
    const response = await client
      .path('/embeddings')
      .post({ body: { model: 'relay-chat', input: ['x'], encoding_format: 'int8' } })
    assert.equal(response.status, '422')
    assert.equal(response.headers['x-ms-error-code'], 'parameter_not_supported')
  })

  test('info of the deployment that a header names', async () => {
    const headers = { 'x-ms-model-mesh-model-name': 'RELAY-CHAT' }
    const response = await client.path('/info').get({ headers })
    assert.ok(!isUnexpected(response))
    assert.deepEqual(response.body, {
      model_name: 'gpt-4o',
      model_type: 'chat-completion',
      model_provider_name: 'OpenAI',
    })
  })

  test('the root of the host serves as a serverless endpoint does', async () => {
    const response = await open(key, rootUrl)
      .path('/chat/completions')
      .post({ body: { messages: [user('hi')], model: 'relay-chat' } })
    assert.equal(response.status, '200')
    assert.equal(response.body.choices[0].message.content, 'Echo: hi')
  })

  test('the deployment that a header names', async () => {
    const response = await post(undefined, {}, { 'x-ms-model-mesh-model-name': 'relay-CHAT' })
    assert.equal(response.body.choices[0].message.content, `Echo: ${question}`)
  })

  test('the request id of the client comes back', async () => {
    const response = await post('relay-chat')
    assert.equal(response.headers['x-ms-client-request-id'], response.request.headers.get('x-ms-client-request-id'))
  })

  test('wrong key', async () => {
    const response = await open('wrong')
      .path('/chat/completions')
      .post({ body: { messages: [user('hi')], model: 'relay-chat' } })
    assert.ok(isUnexpected(response))
    assert.equal(response.status, '401')
    assert.equal(response.headers['x-ms-error-code'], response.body.error.code)
    assert.equal(typeof response.body.error.message, 'string')
  })

  test('unknown model, with the nearest name', async () => {
    const response = await post('relay-chatt')
    assert.ok(isUnexpected(response))
    assert.equal(response.status, '400')
    assert.equal(response.body.error.code, 'unknown_model')
    assert.equal(response.headers['x-ms-error-code'], 'unknown_model')
    assert.match(response.body.error.message, /Unknown model: relay-chatt.*'Relay-Chat'/)
  })

  test('no model', async () => {
    const response = await post(undefined)
    assert.equal(response.status, '400')
    assert.equal(response.body.error.code, 'no_model_name')
  })

  test('bad field', async () => {
    const response = await post('relay-chat', { messages: [{ role: 'robot', content: 'hi' }] })
    assert.ok(isUnexpected(response))
    assert.equal(response.status, '400')
    assert.equal(response.body.error.target, 'messages[0].role')
    assert.match(response.body.error.message, /"robot"/)
  })

  describe('extra parameters', () => {
    const ask = (headers) => {
      const mark = newMark()
      const sent = post('relay-chat', { messages: [user(mark)], safe_prompt: true, n: 1 }, headers)
      return sent.then(async (response) => ({ response, seen: await listSeen(mark) }))
    }

    for (const headers of [{}, { 'extra-parameters': 'error' }]) {
      test(`are refused ${headers['extra-parameters'] ? 'when told so' : 'by default'}`, async () => {
        const { response, seen } = await ask(headers)
        assert.equal(response.status, '400')
        assert.match(response.body.detail, /^Extra parameters \['safe_prompt', 'n'\] are not allowed/)
        assert.deepEqual(seen, [])
      })
    }

    test('are dropped', async () => {
      const { response, seen } = await ask({ 'extra-parameters': 'drop' })
      assert.equal(response.status, '200')
      assert.ok(!('safe_prompt' in seen[0].body))
    })

    test('are passed through', async () => {
      const { response, seen } = await ask({ 'extra-parameters': 'pass-through' })
      assert.equal(response.status, '200')
      assert.equal(seen[0].body.safe_prompt, true)
    })

    test('are passed through to an upstream that has the same rule', async () => {
      const mark = newMark()
      await post('relay-foundry', { messages: [user(mark)], safe_prompt: true }, { 'extra-parameters': 'pass-through' })
      const [seen] = await listSeen(mark)
      assert.equal(seen.body.safe_prompt, true)
      assert.equal(seen.headers['extra-parameters'], 'pass-through')
    })
  })

  test('429 is waited for by the client', async () => {
    const mark = newMark()
    const response = await post('relay-limited', { messages: [user(mark)] })
    assert.equal(response.status, '200')
    const [first, second, ...more] = await listSeen(mark)
    assert.ok(second.receivedAtMs - first.receivedAtMs >= retryAfterMs)
    assert.deepEqual(more, [])
  })

  test("the upstream's refusal of a request keeps its code", async () => {
    const response = await post('relay-refusing')
    assert.equal(response.status, '400')
    assert.equal(response.body.error.code, 'context_length_exceeded')
    assert.equal(response.headers['x-ms-error-code'], 'context_length_exceeded')
  })

  test('a stream that is cut off ends with an error event', async () => {
    const { chunks, isDone } = await stream('relay-cut', { messages: [user(newMark())] })
    assert.ok(!isDone)
    assert.equal(joinText(chunks.filter(({ choices }) => choices)), 'Echo:')
    assert.equal(chunks.at(-1).error.code, 'BadGateway')
  })

  test('a caller that goes ends the request of the upstream', async () => {
    const mark = newMark()
    const controller = new AbortController()
    const body = { model: 'relay-endless', messages: [user(mark)], stream: true }
    const ask = { body, abortSignal: controller.signal }
    const response = await client.path('/chat/completions').post(ask).asNodeStream()
    const read = async () => {
      for await (const _event of createSseStream(response.body)) controller.abort()
    }
    await assert.rejects(read)
    assert.equal((await listSeen(mark))[0].isWhole, false)
  })

  describe('the built-in model', () => {
    const messages = [
      { role: 'system', content: 'You are a helpful assistant.' },
      user("Explain Riemann's conjecture in 1 paragraph"),
    ]

    for (const model of ['Mistral-large', 'mistral-large', 'MISTRAL-LARGE']) {
      test(`chat, ${model}`, async () => {
        const response = await post(model, { messages, max_tokens: 200 })
        assert.ok(!isUnexpected(response), JSON.stringify(response.body))
        assert.ok(response.body.choices[0].message.content.length > 20)
        const { prompt_tokens, completion_tokens, total_tokens } = response.body.usage
        assert.ok(prompt_tokens > 0 && completion_tokens > 0)
        assert.equal(total_tokens, prompt_tokens + completion_tokens)
      })
    }

    test('a stream says the same as the whole answer', async () => {
      const ask = { messages, max_tokens: 60, temperature: 0 }
      const whole = await post('mistral-large', ask)
      const { chunks, isDone } = await stream('mistral-large', ask)
      assert.ok(isDone)
      assert.equal(joinText(chunks), whole.body.choices[0].message.content)
      assert.deepEqual(chunks.at(-1).usage, whole.body.usage)
    })

    test('embeddings', async () => {
      const response = await client
        .path('/embeddings')
        .post({ body: { model: 'mistral-large', input: ['one', 'two'] } })
      assert.ok(!isUnexpected(response), JSON.stringify(response.body))
      const [first, second] = response.body.data.map(({ embedding }) => embedding)
      assert.equal(first.length, second.length)
      assert.notDeepEqual(first, second)
    })

    test('info', async () => {
      const response = await client.path('/info').get({ headers: { 'x-ms-model-mesh-model-name': 'mistral-large' } })
      assert.equal(response.body.model_name, 'builtin-nano')
      assert.equal(response.body.model_type, 'chat-completion')
    })
  })
})
