import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import {
  collect,
  joinText,
  listSeen,
  newMark,
  question,
  release,
  retryAfterMs,
  user,
  weatherTool,
} from './surroundings.mjs'

const timeout = 30_000

/**
 * What both classes of the `openai` package must see, whichever generation `sdk` is. `open(options)` makes a client with
 * these constructor options.
 */
export function checkOpenAI(sdk, open) {
  const { APIConnectionTimeoutError, APIError, APIUserAbortError, AuthenticationError, BadRequestError } = sdk
  const { InternalServerError, NotFoundError, RateLimitError } = sdk
  const client = open()
  const once = open({ maxRetries: 0 })
  const chat = (model, options = {}) =>
    client.chat.completions.create({ model, messages: [user(question)], ...options })

  describe('chat', { timeout }, () => {
    for (const model of ['Relay-Chat', 'relay-chat', 'RELAY-CHAT', 'relay-azure', 'Relay-Foundry', 'relay-untidy']) {
      test(`whole, ${model}`, async () => {
        const answer = await chat(model)
        assert.equal(answer.choices[0].message.content, `Echo: ${question}`)
        assert.equal(answer.choices[0].finish_reason, 'stop')
        assert.equal(answer.object, 'chat.completion')
        assert.equal(answer.usage.total_tokens, 12)
        assert.equal(answer.model, 'served-2024-08-06')
        assert.match(answer._request_id, /^[0-9a-f-]{36}$/)
      })

      test(`stream, ${model}`, async () => {
        const chunks = await collect(await chat(model, { stream: true }))
        assert.equal(joinText(chunks), `Echo: ${question}`)
        assert.equal(chunks.findLast((chunk) => chunk.choices.length > 0).choices[0].finish_reason, 'stop')
        // The first one annotates the prompt, and says nothing else.
        const [{ object }, ...others] = chunks
        assert.ok(object === '' && others.every((chunk) => chunk.object === 'chat.completion.chunk'))
      })

      test(`stream with usage, ${model}`, async () => {
        const chunks = await collect(await chat(model, { stream: true, stream_options: { include_usage: true } }))
        assert.equal(chunks.at(-1).usage.total_tokens, 12)
        assert.equal(joinText(chunks), `Echo: ${question}`)
      })
    }

    test('a stream is passed on while the upstream still writes', async () => {
      const mark = newMark()
      const chunks = []
      for await (const chunk of await chat('relay-gated', { messages: [user(mark)], stream: true })) {
        chunks.push(chunk)
        if (joinText(chunks) !== '') await release(mark)
      }
      assert.equal(joinText(chunks), `Echo: ${mark}`)
    })

    test('the stream helper puts the answer together', async () => {
      const stream = client.chat.completions.stream({ model: 'RELAY-chat', messages: [user(question)] })
      const deltas = []
      stream.on('content', (delta) => deltas.push(delta))
      const completion = await stream.finalChatCompletion()
      assert.equal(completion.choices[0].message.content, `Echo: ${question}`)
      assert.equal(deltas.join(''), `Echo: ${question}`)
    })

    test('fields that the server does not know reach the upstream', async () => {
      const mark = newMark()
      await chat('relay-chat', { messages: [user(mark)], vendor_field: { deep: [1] }, reasoning_effort: 'low' })
      const [seen] = await listSeen(mark)
      assert.deepEqual(seen.body.vendor_field, { deep: [1] })
      assert.equal(seen.body.reasoning_effort, 'low')
      assert.equal(seen.body.model, 'plain')
    })
  })

  describe('tools', { timeout }, () => {
    const ask = { model: 'Relay-Tools', messages: [user('Weather in Paris?')], tools: [weatherTool] }
    const expected = { name: 'get_weather', arguments: '{"city":"Paris"}' }

    test('whole, with the result handed back', async () => {
      const { message, finish_reason } = (await client.chat.completions.create(ask)).choices[0]
      assert.equal(finish_reason, 'tool_calls')
      assert.deepEqual(message.tool_calls[0].function, expected)
      const result = { role: 'tool', tool_call_id: message.tool_calls[0].id, content: 'sunny' }
      const answer = await client.chat.completions.create({ ...ask, messages: [...ask.messages, message, result] })
      assert.equal(answer.choices[0].message.content, 'Echo: sunny')
    })

    test('stream helper', async () => {
      const { message } = (await client.chat.completions.stream(ask).finalChatCompletion()).choices[0]
      assert.equal(message.tool_calls[0].id, 'call_1')
      assert.equal(message.tool_calls[0].function.name, expected.name)
      assert.equal(message.tool_calls[0].function.arguments, expected.arguments)
    })
  })

  describe('completions', { timeout }, () => {
    test('whole', async () => {
      const answer = await client.completions.create({ model: 'RELAY-CHAT', prompt: question })
      assert.equal(answer.choices[0].text, `Echo: ${question}`)
      assert.equal(answer.object, 'text_completion')
      assert.equal(answer.usage.total_tokens, 12)
    })

    test('stream', async () => {
      const ask = { model: 'relay-chat', prompt: question, stream: true, stream_options: { include_usage: true } }
      const chunks = await collect(await client.completions.create(ask))
      assert.equal(chunks.map(({ choices }) => choices[0]?.text ?? '').join(''), `Echo: ${question}`)
      assert.equal(chunks.at(-1).usage.total_tokens, 12)
    })
  })

  describe('embeddings', { timeout }, () => {
    const vectors = [
      [3, 0, 0.25, -1.5],
      [5, 1, 0.25, -1.5],
    ]
    // Without encoding_format the client asks for base64 and decodes it.
    for (const encoding of [undefined, 'base64', 'float']) {
      for (const model of ['relay-chat', 'Relay-Floats', 'RELAY-FOUNDRY']) {
        test(`${encoding ?? 'default'} from ${model}`, async () => {
          const ask = { model, input: ['one', 'three'], ...(encoding && { encoding_format: encoding }) }
          const { data, usage } = await client.embeddings.create(ask)
          assert.deepEqual(
            data.map(({ embedding }) => (encoding === 'base64' ? decodeFloats(embedding) : Array.from(embedding))),
            vectors,
          )
          assert.equal(usage.prompt_tokens, 7)
        })
      }
    }
  })

  describe('errors', { timeout }, () => {
    const ask = { model: 'relay-chat', messages: [user('hi')] }

    test('wrong key', async () => {
      const attempt = open({ apiKey: 'wrong' }).chat.completions.create(ask)
      await assert.rejects(attempt, (error) => error instanceof AuthenticationError && error.code === '401')
    })

    test('unknown deployment, with the nearest name', async () => {
      await assert.rejects(client.chat.completions.create({ ...ask, model: 'relay-chatt' }), (error) => {
        assert.ok(error instanceof NotFoundError)
        assert.equal(error.code, 'DeploymentNotFound')
        assert.match(error.message, /'Relay-Chat'/)
        return true
      })
    })

    for (const [param, field] of [
      ['temperature', { temperature: 'hot' }],
      ['messages[0].role', { messages: [{ role: 'robot', content: 'hi' }] }],
      ['messages', { messages: [] }],
    ]) {
      test(`bad field ${param}`, async () => {
        await assert.rejects(client.chat.completions.create({ ...ask, ...field }), (error) => {
          assert.ok(error instanceof BadRequestError)
          assert.equal(error.param, param)
          assert.equal(error.type, 'invalid_request_error')
          return true
        })
      })
    }

    test("the upstream's refusal of a request keeps its code", async () => {
      await assert.rejects(client.chat.completions.create({ ...ask, model: 'relay-refusing' }), (error) => {
        assert.ok(error instanceof BadRequestError)
        assert.equal(error.code, 'context_length_exceeded')
        assert.equal(error.param, 'messages')
        return true
      })
    })

    for (const model of ['relay-failing', 'relay-cut']) {
      test(`an upstream that breaks down once, ${model}`, async () => {
        const ask = { model, messages: [user(newMark())] }
        const attempt = once.chat.completions.create(ask)
        await assert.rejects(attempt, (error) => error instanceof InternalServerError && error.status === 502)
        const answer = await once.chat.completions.create(ask)
        assert.equal(answer.choices[0].message.content, `Echo: ${ask.messages[0].content}`)
      })
    }

    test('a failure is tried again by the client', async () => {
      const mark = newMark()
      const answer = await client.chat.completions.create({ model: 'relay-failing', messages: [user(mark)] })
      assert.equal(answer.choices[0].message.content, `Echo: ${mark}`)
    })

    test('a stream that is cut off after its first part', async () => {
      const chunks = []
      const read = async () => {
        const ask = { messages: [user(newMark())], stream: true }
        for await (const chunk of await chat('Relay-Cut', ask)) chunks.push(chunk)
      }
      await assert.rejects(read, (error) => error instanceof APIError && error.status === undefined)
      assert.equal(joinText(chunks), 'Echo:')
    })

    test('429 says when to come back', async () => {
      const attempt = once.chat.completions.create({ model: 'relay-limited', messages: [user(newMark())] })
      await assert.rejects(attempt, (error) => {
        assert.ok(error instanceof RateLimitError)
        assert.equal(error.headers.get('retry-after-ms'), String(retryAfterMs))
        assert.equal(error.headers.get('retry-after'), '2')
        return true
      })
    })

    test('429 is waited for by the client, whole and streamed', async () => {
      for (const stream of [false, true]) {
        const mark = newMark()
        const answer = await client.chat.completions.create({ model: 'relay-limited', messages: [user(mark)], stream })
        const text = stream ? joinText(await collect(answer)) : answer.choices[0].message.content
        assert.equal(text, `Echo: ${mark}`)
        const [first, second, ...more] = await listSeen(mark)
        assert.ok(second.receivedAtMs - first.receivedAtMs >= retryAfterMs)
        assert.deepEqual(more, [])
      }
    })
  })

  describe('a caller that goes', { timeout }, () => {
    test('ends the stream of the upstream', async () => {
      const mark = newMark()
      const stream = await chat('relay-endless', { messages: [user(mark)], stream: true })
      for await (const _chunk of stream) break
      const [seen] = await listSeen(mark)
      assert.equal(seen.isWhole, false)
    })

    test('by a signal ends the request of the upstream', async () => {
      const mark = newMark()
      const controller = new AbortController()
      const ask = { model: 'relay-endless', messages: [user(mark)], stream: true }
      const stream = await client.chat.completions.create(ask, { signal: controller.signal })
      const read = async () => {
        for await (const _chunk of stream) controller.abort()
      }
      await read().catch((error) => assert.ok(error instanceof APIUserAbortError))
      assert.equal((await listSeen(mark))[0].isWhole, false)
    })

    test('by a timeout before the first byte ends the request of the upstream', async () => {
      const mark = newMark()
      const attempt = once.chat.completions.create(
        { model: 'relay-silent', messages: [user(mark)] },
        { timeout: 2_000 },
      )
      await assert.rejects(attempt, (error) => error instanceof APIConnectionTimeoutError)
      assert.equal((await listSeen(mark))[0].isWhole, false)
    })
  })

  describe('the built-in model', { timeout: 120_000 }, () => {
    const messages = [
      { role: 'system', content: 'You are a helpful assistant.' },
      user("Explain Riemann's conjecture in 1 paragraph"),
    ]

    for (const model of ['Mistral-large', 'mistral-large', 'MISTRAL-LARGE']) {
      test(`chat, ${model}`, async () => {
        const answer = await client.chat.completions.create({ model, messages, max_tokens: 200 })
        const { message, finish_reason } = answer.choices[0]
        assert.ok(message.content.length > 20, `got ${JSON.stringify(message.content)}`)
        assert.match(finish_reason, /^(stop|length)$/)
        assert.ok(answer.usage.prompt_tokens > 0)
        assert.equal(answer.usage.total_tokens, answer.usage.prompt_tokens + answer.usage.completion_tokens)
      })
    }

    test('a stream says the same as the whole answer', async () => {
      const ask = { model: 'mistral-large', messages, max_tokens: 60, temperature: 0, seed: 1 }
      const whole = await client.chat.completions.create(ask)
      const chunks = await collect(
        await client.chat.completions.create({ ...ask, stream: true, stream_options: { include_usage: true } }),
      )
      assert.equal(joinText(chunks), whole.choices[0].message.content)
      assert.deepEqual(chunks.at(-1).usage, whole.usage)
      assert.ok(chunks.filter(({ choices }) => choices[0]?.delta.content).length > 1)
    })

    test('an answer in JSON mode', async () => {
      const answer = await client.chat.completions.create({
        model: 'mistral-large',
        messages: [user('Answer in JSON: which is the capital of France?')],
        max_tokens: 500,
        temperature: 0,
        response_format: { type: 'json_object' },
      })
      const { message, finish_reason } = answer.choices[0]
      // The promise holds for an answer that was not cut by max_tokens, and a small model may well run into that.
      if (finish_reason === 'length') assert.match(message.content, /^\s*\{/)
      else assert.equal(typeof JSON.parse(message.content), 'object')
    })

    test('completions', async () => {
      const answer = await client.completions.create({
        model: 'mistral-large',
        prompt: 'Once upon a time',
        max_tokens: 8,
      })
      assert.ok(answer.usage.completion_tokens <= 8 && answer.usage.completion_tokens > 0)
      assert.equal(answer.object, 'text_completion')
    })

    test('embeddings: as base64 the same vectors as in numbers, and near texts nearer than far ones', async () => {
      const input = ['The cat sleeps.', 'The cat sleeps!', 'Taxes are due in April.']
      const packed = await client.embeddings.create({ model: 'mistral-large', input })
      const plain = await client.embeddings.create({ model: 'mistral-large', input, encoding_format: 'float' })
      const [a, b, c] = plain.data.map(({ embedding }) => embedding)
      packed.data.forEach(({ embedding }, index) => {
        assert.deepEqual(Array.from(embedding), Array.from(Float32Array.from(plain.data[index].embedding)))
      })
      assert.ok(cosine(a, b) > cosine(a, c))
      assert.ok(plain.usage.prompt_tokens > 0)
    })
  })
}

function decodeFloats(base64) {
  const bytes = Buffer.from(base64, 'base64')
  return Array.from({ length: bytes.length / 4 }, (_, index) => bytes.readFloatLE(index * 4))
}

function cosine(a, b) {
  const dot = (x, y) => x.reduce((sum, value, index) => sum + value * y[index], 0)
  return dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b))
}
