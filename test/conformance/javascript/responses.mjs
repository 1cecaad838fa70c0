import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import {
  askedTerm,
  collect,
  listSeen,
  newMark,
  question,
  release,
  saidTerm,
  user,
  weatherTool,
} from './surroundings.mjs'

/** Upstreams that know chats, messages and responses, in any case. */
const models = ['Relay-Chat', 'relay-azure', 'RELAY-FOUNDRY', 'relay-anthropic', 'relay-responses', 'filter-annotating']
const tool = { type: 'function', strict: false, ...weatherTool.function }
const city = '{"name":"Paris","degrees":21}'
const citySchema = {
  type: 'object',
  properties: { name: { type: 'string' }, degrees: { type: 'integer' } },
  required: ['name', 'degrees'],
  additionalProperties: false,
}

/** The Responses API, as both classes of the `openai` package must see it. Nothing is kept. `open()` makes a client. */
export function checkResponses(sdk, open) {
  const { APIError, BadRequestError, NotFoundError } = sdk
  const { responses } = open()
  const ask = (options = {}) => responses.create({ model: 'relay-chat', input: question, ...options })
  const echo = `Echo: ${question}`

  describe('responses', { timeout: 60_000 }, () => {
    for (const model of models) {
      test(`whole, ${model}`, async () => {
        const answer = await ask({ model })
        assert.deepEqual([answer.output_text, answer.status, answer.store], [echo, 'completed', false])
        const { input_tokens, output_tokens, total_tokens } = answer.usage
        assert.deepEqual([input_tokens, output_tokens, total_tokens], [7, 5, 12])
      })

      test(`stream, ${model}`, async () => {
        const events = await collect(await ask({ model, stream: true }))
        const deltas = events.filter(({ type }) => type === 'response.output_text.delta')
        assert.equal(deltas.map(({ delta }) => delta).join(''), echo)
        assert.deepEqual(
          events.map(({ sequence_number }) => sequence_number),
          events.map((_, index) => index),
        )
        assert.deepEqual([events[0].type, events.at(-1).type], ['response.created', 'response.completed'])
        assert.equal(events.at(-1).response.usage.total_tokens, 12)
      })

      test(`stream(), ${model}`, async () => {
        const stream = responses.stream({ model, input: question })
        let text = ''
        stream.on('response.output_text.delta', ({ delta }) => {
          text += delta
        })
        const final = await stream.finalResponse()
        assert.deepEqual([text, final.output_text], [echo, echo])
      })
    }

    test('a stream is passed on while the upstream still writes', async () => {
      const mark = newMark()
      let text = ''
      for await (const event of await ask({ model: 'relay-gated', input: mark, stream: true })) {
        if (event.type !== 'response.output_text.delta') continue
        text += event.delta
        await release(mark)
      }
      assert.equal(text, `Echo: ${mark}`)
    })

    test('parse()', async () => {
      const format = { type: 'json_schema', name: 'city', strict: true, schema: citySchema }
      const answer = await responses.parse({ model: 'relay-literal', input: city, text: { format } })
      assert.deepEqual(JSON.parse(answer.output_text), { name: 'Paris', degrees: 21 })
    })

    test('what is asked reaches an upstream of chats', async () => {
      const mark = newMark()
      await ask({ input: [user(mark)], instructions: 'Be brief.', reasoning: { effort: 'low' }, max_output_tokens: 50 })
      const [{ body }] = await listSeen(mark)
      assert.deepEqual(body.messages, [{ role: 'system', content: 'Be brief.' }, user(mark)])
      assert.deepEqual([body.reasoning_effort, body.max_tokens], ['low', 50])
    })

    test('an upstream of responses is told to keep nothing', async () => {
      const mark = newMark()
      await ask({ model: 'relay-responses', input: mark })
      const [{ body, path }] = await listSeen(mark)
      assert.deepEqual([body.store, body.input, path], [false, mark, '/v1/responses'])
    })

    for (const model of ['relay-tools', 'relay-responses']) {
      test(`functions, ${model}`, async () => {
        const input = [user('Weather in Paris?')]
        const first = await ask({ model, input, tools: [tool] })
        const [call] = first.output
        assert.deepEqual([call.name, JSON.parse(call.arguments)], ['get_weather', { city: 'Paris' }])
        input.push(...first.output, { type: 'function_call_output', call_id: call.call_id, output: 'sunny' })
        assert.equal((await ask({ model, input, tools: [tool] })).output_text, 'Echo: sunny')
      })

      test(`functions streamed, ${model}`, async () => {
        const final = await responses.stream({ model, input: 'Weather?', tools: [tool] }).finalResponse()
        assert.deepEqual(JSON.parse(final.output[0].arguments), { city: 'Paris' })
      })
    }

    test('what only a server that keeps can do is refused', async () => {
      const kept = { previous_response_id: 'resp_1', conversation: 'conv_1', background: true, store: true }
      for (const [field, value] of Object.entries(kept)) {
        const refused = ask({ [field]: value })
        await assert.rejects(refused, (error) => error instanceof BadRequestError && error.param === field)
      }
    })

    test('tools that are built in are refused by name', async () => {
      await assert.rejects(ask({ tools: [{ type: 'web_search' }] }), /web_search/)
    })

    test('unknown deployment', async () => {
      await assert.rejects(ask({ model: 'relay-chatt' }), NotFoundError)
    })

    test('a stream that is cut off is an error', async () => {
      const broken = ask({ model: 'relay-cut', input: newMark(), stream: true }).then(collect)
      await assert.rejects(broken, APIError)
    })

    test('a prompt that is kept back', async () => {
      for (const stream of [false, true]) {
        const refused = ask({ model: 'filter-blocking', input: askedTerm, stream })
        await assert.rejects(refused, ({ status, code }) => status === 400 && code === 'content_filter')
      }
    })

    test('an answer that is kept back, whole and streamed', async () => {
      const asked = { model: 'filter-blocking', input: `before ${saidTerm} after` }
      for (const answer of [await responses.create(asked), await responses.stream(asked).finalResponse()]) {
        assert.deepEqual([answer.status, answer.incomplete_details.reason], ['incomplete', 'content_filter'])
        assert.doesNotMatch(JSON.stringify(answer.output), new RegExp(saidTerm))
        const { blocked, source_type } = answer.content_filters.at(-1)
        assert.deepEqual([blocked, source_type], [true, 'completion'])
      }
    })

    test('the built-in model says the same whole and streamed', async () => {
      const options = { model: 'mistral-large', input: 'Hello!', max_output_tokens: 16, temperature: 0 }
      const whole = await responses.create(options)
      const streamed = await responses.stream(options).finalResponse()
      assert.ok(whole.output_text.length > 3)
      assert.equal(streamed.output_text, whole.output_text)
    })
  })
}
