import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import {
  Anthropic,
  APIConnectionTimeoutError,
  APIError,
  APIUserAbortError,
  AuthenticationError,
  BadRequestError,
  InternalServerError,
  NotFoundError,
  RateLimitError,
} from '@anthropic-ai/sdk'
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

const timeout = 30_000
const open = (options) => new Anthropic({ baseURL: `${rootUrl}/anthropic`, apiKey: key, ...options })
const client = open()
const once = open({ maxRetries: 0 })
const ask = (model, body = {}) => ({ model, max_tokens: 100, messages: [user(question)], ...body })

const textOf = ({ content }) => content.map((block) => (block.type === 'text' ? block.text : '')).join('')
const joinDeltas = (events) => events.map(({ delta }) => delta?.text ?? '').join('')

describe(nameClient('@anthropic-ai/sdk'), () => {
  describe('messages', { timeout }, () => {
    // Upstreams of every protocol; the last one speaks this one.
    for (const model of [
      'Relay-Chat',
      'relay-chat',
      'relay-azure',
      'Relay-Foundry',
      'relay-untidy',
      'Relay-Anthropic',
    ]) {
      test(`whole, ${model}`, async () => {
        const message = await client.messages.create(ask(model))
        assert.equal(textOf(message), `Echo: ${question}`)
        assert.equal(message.stop_reason, 'end_turn')
        assert.equal(message.type, 'message')
        assert.equal(message.role, 'assistant')
        assert.equal(message.model, 'served-2024-08-06')
        assert.equal(message.usage.input_tokens + message.usage.output_tokens, 12)
        assert.match(message._request_id, /^[0-9a-f-]{36}$/)
      })

      test(`stream, ${model}`, async () => {
        const events = await collect(await client.messages.create(ask(model, { stream: true })))
        assert.equal(joinDeltas(events), `Echo: ${question}`)
        assert.equal(events[0].type, 'message_start')
        assert.deepEqual(
          events.slice(-3).map(({ type }) => type),
          ['content_block_stop', 'message_delta', 'message_stop'],
        )
      })

      test(`stream helper, ${model}`, async () => {
        const stream = client.messages.stream(ask(model))
        const deltas = []
        stream.on('text', (delta) => deltas.push(delta))
        const message = await stream.finalMessage()
        assert.equal(textOf(message), `Echo: ${question}`)
        assert.equal(deltas.join(''), `Echo: ${question}`)
        assert.equal(message.stop_reason, 'end_turn')
        assert.equal(message.usage.input_tokens + message.usage.output_tokens, 12)
      })
    }

    test('a stream is passed on while the upstream still writes', async () => {
      const mark = newMark()
      const events = []
      for await (const event of await client.messages.create(
        ask('relay-gated', { messages: [user(mark)], stream: true }),
      )) {
        events.push(event)
        if (joinDeltas(events) !== '') await release(mark)
      }
      assert.equal(joinDeltas(events), `Echo: ${mark}`)
    })

    test('what only this API says reaches an upstream that speaks it, with the version', async () => {
      const mark = newMark()
      const body = { messages: [user(mark)], thinking: { type: 'enabled', budget_tokens: 1024 }, max_tokens: 2048 }
      await client.messages.create(ask('relay-anthropic', body), { headers: { 'anthropic-beta': 'some-2026-01-01' } })
      const [seen] = await listSeen(mark)
      assert.equal(seen.path, '/v1/messages')
      assert.deepEqual(seen.body.thinking, body.thinking)
      assert.equal(seen.body.model, 'plain')
      assert.match(seen.headers['anthropic-version'], /^\d{4}-\d{2}-\d{2}$/)
      assert.equal(seen.headers['anthropic-beta'], 'some-2026-01-01')
    })

    test('system, images and earlier turns in the words of another protocol', async () => {
      const mark = newMark()
      const image = { type: 'image', source: { type: 'base64', media_type: 'image/png', data: 'iVBORw0KGgo=' } }
      const messages = [
        user([image, { type: 'text', text: 'What is it?' }]),
        {
          role: 'assistant',
          content: [
            { type: 'thinking', thinking: 'Hm.', signature: '' },
            { type: 'text', text: 'A cat.' },
          ],
        },
        user(mark),
      ]
      const message = await client.messages.create(ask('relay-chat', { system: 'Be brief.', messages }))
      assert.equal(textOf(message), `Echo: ${mark}`)
      const [seen] = await listSeen(mark)
      assert.deepEqual(seen.body.messages, [
        { role: 'system', content: 'Be brief.' },
        {
          role: 'user',
          content: [
            { type: 'image_url', image_url: { url: 'data:image/png;base64,iVBORw0KGgo=' } },
            { type: 'text', text: 'What is it?' },
          ],
        },
        { role: 'assistant', content: [{ type: 'text', text: 'A cat.' }] },
        user(mark),
      ])
    })
  })

  describe('tools', { timeout }, () => {
    const { name, description, parameters } = weatherTool.function
    const tools = [{ name, description, input_schema: parameters }]
    const first = { messages: [user('Weather in Paris?')], tools }

    test('whole, with the result handed back', async () => {
      const message = await client.messages.create(ask('Relay-Tools', first))
      assert.equal(message.stop_reason, 'tool_use')
      const call = message.content.find(({ type }) => type === 'tool_use')
      assert.equal(call.name, name)
      assert.deepEqual(call.input, { city: 'Paris' })
      const result = { type: 'tool_result', tool_use_id: call.id, content: 'sunny' }
      const messages = [...first.messages, { role: 'assistant', content: message.content }, user([result])]
      const answer = await client.messages.create(ask('Relay-Tools', { messages, tools }))
      assert.equal(textOf(answer), 'Echo: sunny')
    })

    test('stream helper', async () => {
      const message = await client.messages.stream(ask('Relay-Tools', first)).finalMessage()
      const call = message.content.find(({ type }) => type === 'tool_use')
      assert.equal(call.id, 'call_1')
      assert.equal(call.name, name)
      assert.deepEqual(call.input, { city: 'Paris' })
      assert.equal(message.stop_reason, 'tool_use')
    })
  })

  describe('keys', { timeout }, () => {
    test('as a bearer token', async () => {
      const message = await open({ apiKey: null, authToken: key }).messages.create(ask('relay-chat'))
      assert.equal(textOf(message), `Echo: ${question}`)
    })

    test('in x-api-key, as older versions send it', async () => {
      const headers = { 'x-api-key': key, authorization: null }
      const message = await open({ apiKey: null, defaultHeaders: headers }).messages.create(ask('relay-chat'))
      assert.equal(textOf(message), `Echo: ${question}`)
    })

    test('wrong', async () => {
      const attempt = open({ apiKey: 'wrong' }).messages.create(ask('relay-chat'))
      await assert.rejects(attempt, (error) => {
        assert.ok(error instanceof AuthenticationError)
        assert.equal(error.type, 'authentication_error')
        assert.match(error.requestID, /^[0-9a-f-]{36}$/)
        return true
      })
    })
  })

  describe('errors', { timeout }, () => {
    test('unknown deployment, with the nearest name', async () => {
      await assert.rejects(client.messages.create(ask('relay-chatt')), (error) => {
        assert.ok(error instanceof NotFoundError)
        assert.equal(error.type, 'not_found_error')
        assert.match(error.message, /'Relay-Chat'/)
        return true
      })
    })

    for (const [field, body] of [
      ['temperature', { temperature: 'hot' }],
      ['messages[0].role', { messages: [{ role: 'robot', content: 'hi' }] }],
      ['messages[0].content[0].text', { messages: [user([{ type: 'text' }])] }],
      ['max_tokens', { max_tokens: -1 }],
      ['top_k', { top_k: 5 }],
    ]) {
      test(`bad field ${field}`, async () => {
        await assert.rejects(client.messages.create(ask('relay-chat', body)), (error) => {
          assert.ok(error instanceof BadRequestError)
          assert.equal(error.type, 'invalid_request_error')
          assert.ok(error.message.includes(field), error.message)
          return true
        })
      })
    }

    test('an unknown path', async () => {
      const attempt = client.messages.countTokens({ model: 'relay-chat', messages: [user('hi')] })
      await assert.rejects(attempt, (error) => error instanceof NotFoundError && error.type === 'not_found_error')
    })

    test("the upstream's refusal of a request", async () => {
      await assert.rejects(client.messages.create(ask('relay-refusing')), (error) => {
        assert.ok(error instanceof BadRequestError)
        assert.equal(error.type, 'invalid_request_error')
        assert.match(error.message, /context_length_exceeded/)
        return true
      })
    })

    for (const model of ['relay-failing', 'relay-cut']) {
      test(`an upstream that breaks down once, ${model}`, async () => {
        const body = ask(model, { messages: [user(newMark())] })
        await assert.rejects(once.messages.create(body), (error) => {
          assert.ok(error instanceof InternalServerError)
          assert.equal(error.status, 502)
          assert.equal(error.type, 'api_error')
          return true
        })
        assert.equal(textOf(await once.messages.create(body)), `Echo: ${body.messages[0].content}`)
      })
    }

    test('a failure is tried again by the client', async () => {
      const mark = newMark()
      const message = await client.messages.create(ask('relay-failing', { messages: [user(mark)] }))
      assert.equal(textOf(message), `Echo: ${mark}`)
    })

    test('a stream that is cut off after its first part', async () => {
      const events = []
      const read = async () => {
        const body = ask('Relay-Cut', { messages: [user(newMark())], stream: true })
        for await (const event of await client.messages.create(body)) events.push(event)
      }
      await assert.rejects(read, (error) => {
        assert.ok(error instanceof APIError)
        assert.equal(error.status, undefined)
        assert.equal(error.type, 'api_error')
        return true
      })
      assert.equal(joinDeltas(events), 'Echo:')
    })

    test('429 says when to come back', async () => {
      await assert.rejects(once.messages.create(ask('relay-limited', { messages: [user(newMark())] })), (error) => {
        assert.ok(error instanceof RateLimitError)
        assert.equal(error.type, 'rate_limit_error')
        assert.equal(error.headers.get('retry-after-ms'), String(retryAfterMs))
        assert.equal(error.headers.get('retry-after'), '2')
        return true
      })
    })

    test('429 is waited for by the client, whole and streamed', async () => {
      for (const stream of [false, true]) {
        const mark = newMark()
        const answer = await client.messages.create(ask('relay-limited', { messages: [user(mark)], stream }))
        assert.equal(stream ? joinDeltas(await collect(answer)) : textOf(answer), `Echo: ${mark}`)
        const [first, second, ...more] = await listSeen(mark)
        assert.ok(second.receivedAtMs - first.receivedAtMs >= retryAfterMs)
        assert.deepEqual(more, [])
      }
    })
  })

  describe('a caller that goes', { timeout }, () => {
    test('ends the stream of the upstream', async () => {
      const mark = newMark()
      const body = ask('relay-endless', { messages: [user(mark)], stream: true })
      for await (const _event of await client.messages.create(body)) break
      assert.equal((await listSeen(mark))[0].isWhole, false)
    })

    test('by a signal ends the request of the upstream', async () => {
      const mark = newMark()
      const controller = new AbortController()
      const body = ask('relay-endless', { messages: [user(mark)], stream: true })
      const stream = await client.messages.create(body, { signal: controller.signal })
      const read = async () => {
        for await (const _event of stream) controller.abort()
      }
      await read().catch((error) => assert.ok(error instanceof APIUserAbortError))
      assert.equal((await listSeen(mark))[0].isWhole, false)
    })

    test('by a timeout before the first byte ends the request of the upstream', async () => {
      const mark = newMark()
      const attempt = once.messages.create(ask('relay-silent', { messages: [user(mark)] }), { timeout: 1_000 })
      await assert.rejects(attempt, (error) => error instanceof APIConnectionTimeoutError)
      assert.equal((await listSeen(mark))[0].isWhole, false)
    })
  })

  describe('the built-in model', { timeout: 120_000 }, () => {
    const body = {
      system: 'You are a helpful assistant.',
      messages: [user("Explain Riemann's conjecture in 1 paragraph")],
    }

    test('whole', async () => {
      const message = await client.messages.create(ask('MISTRAL-large', { ...body, max_tokens: 200 }))
      assert.ok(textOf(message).length > 20, `got ${JSON.stringify(message.content)}`)
      assert.match(message.stop_reason, /^(end_turn|max_tokens)$/)
      assert.ok(message.usage.input_tokens > 0 && message.usage.output_tokens > 0)
    })

    test('a stream says the same as the whole answer', async () => {
      const fixed = ask('mistral-large', { ...body, max_tokens: 60, temperature: 0 })
      const whole = await client.messages.create(fixed)
      const streamed = await client.messages.stream(fixed).finalMessage()
      assert.deepEqual(streamed.content, whole.content)
      assert.deepEqual(streamed.usage, whole.usage)
      assert.equal(streamed.stop_reason, whole.stop_reason)
    })
  })
})
