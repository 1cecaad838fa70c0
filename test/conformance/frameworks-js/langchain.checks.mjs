import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { ContextOverflowError } from '@langchain/core/errors'
import { HumanMessage, SystemMessage, ToolMessage } from '@langchain/core/messages'
import { tool } from '@langchain/core/tools'
import { AzureChatOpenAI, AzureOpenAI, AzureOpenAIEmbeddings } from '@langchain/openai'
import { z } from 'zod'
import {
  collect,
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

const vectors = [
  [3, 0, 0.25, -1.5],
  [5, 1, 0.25, -1.5],
]
// Their variable and a token provider exclude each other.
delete process.env.AZURE_OPENAI_API_KEY

const settings = (deployment, options) => ({
  azureOpenAIApiKey: key,
  azureOpenAIBasePath: `${rootUrl}/openai/deployments`,
  azureOpenAIApiDeploymentName: deployment,
  azureOpenAIApiVersion: '2024-10-21',
  ...options,
})
const open = (deployment, options) => new AzureChatOpenAI(settings(deployment, options))
const once = { maxRetries: 0 }
const joinText = (chunks) => chunks.map(({ content }) => content).join('')

const weather = tool(({ city }) => `sunny in ${city}`, {
  name: 'get_weather',
  description: 'The weather in a city',
  schema: z.object({ city: z.string() }),
})

describe(nameClient('@langchain/openai', '@langchain/openai AzureChatOpenAI'), { timeout: 60_000 }, () => {
  for (const deployment of models) {
    test(`whole, ${deployment}`, async () => {
      const answer = await open(deployment).invoke([new SystemMessage('Be brief.'), new HumanMessage(question)])
      assert.equal(answer.content, `Echo: ${question}`)
      assert.equal(answer.usage_metadata.total_tokens, 12)
      assert.equal(answer.response_metadata.finish_reason, 'stop')
    })

    test(`stream, ${deployment}`, async () => {
      const chunks = await collect(await open(deployment).stream(question))
      assert.equal(joinText(chunks), `Echo: ${question}`)
      const whole = chunks.reduce((sum, chunk) => sum.concat(chunk))
      assert.equal(whole.usage_metadata.total_tokens, 12)
      assert.equal(whole.response_metadata.finish_reason, 'stop')
    })
  }

  test('an endpoint in place of a base path', async () => {
    const options = { azureOpenAIBasePath: undefined, azureOpenAIEndpoint: rootUrl }
    assert.equal((await open('relay-chat', options).invoke('hi')).content, 'Echo: hi')
  })

  test('a token provider sends the key as Bearer', async () => {
    const options = { azureOpenAIApiKey: undefined, azureADTokenProvider: async () => key }
    assert.equal((await open('relay-chat', options).invoke('hi')).content, 'Echo: hi')
  })

  test('a stream is passed on while the upstream still writes', async () => {
    const mark = newMark()
    const chunks = []
    for await (const chunk of await open('relay-gated').stream(mark)) {
      chunks.push(chunk)
      if (joinText(chunks) !== '') await release(mark)
    }
    assert.equal(joinText(chunks), `Echo: ${mark}`)
  })

  test('the deployment decides, whatever model the client names', async () => {
    const mark = newMark()
    await open('relay-chat').invoke(mark)
    assert.equal((await listSeen(mark))[0].body.model, 'plain')
  })

  test('tools, with the result handed back', async () => {
    const chat = open('relay-tools').bindTools([weather])
    const messages = [new HumanMessage('Weather in Paris?')]
    const answer = await chat.invoke(messages)
    assert.deepEqual(answer.tool_calls[0].args, { city: 'Paris' })
    const result = await weather.invoke(answer.tool_calls[0])
    assert.ok(result instanceof ToolMessage)
    assert.equal((await chat.invoke([...messages, answer, result])).content, 'Echo: sunny in Paris')
  })

  test('tools, streamed', async () => {
    const chunks = await collect(await open('relay-tools').bindTools([weather]).stream('Weather in Paris?'))
    const whole = chunks.reduce((sum, chunk) => sum.concat(chunk))
    assert.equal(whole.tool_calls[0].id, 'call_1')
    assert.deepEqual(whole.tool_calls[0].args, { city: 'Paris' })
  })

  test('wrong key', async () => {
    await assert.rejects(open('relay-chat', { azureOpenAIApiKey: 'wrong' }).invoke('hi'), { status: 401 })
  })

  test('unknown deployment, with the nearest name', async () => {
    const isRight = (error) => {
      assert.deepEqual([error.status, error.code], [404, 'DeploymentNotFound'])
      assert.match(error.message, /'Relay-Chat'/)
      return true
    }
    await assert.rejects(open('relay-chatt').invoke('hi'), isRight)
    await assert.rejects(open('relay-chatt').stream('hi'), isRight)
  })

  test('bad field', async () => {
    await assert.rejects(open('relay-chat', { temperature: 'hot' }).invoke('hi'), { status: 400, param: 'temperature' })
  })

  test("the upstream's refusal keeps the code that the framework knows", async () => {
    await assert.rejects(open('relay-refusing').invoke('hi'), (error) => ContextOverflowError.isInstance(error))
  })

  test('429 is asked again by the client', async () => {
    const mark = newMark()
    assert.equal((await open('relay-limited').invoke(mark)).content, `Echo: ${mark}`)
    assert.equal((await listSeen(mark)).length, 2)
  })

  test('429 says when to come back', async () => {
    await assert.rejects(open('relay-limited', once).invoke(newMark()), (error) => {
      assert.equal(error.status, 429)
      assert.equal(error.headers.get('retry-after-ms'), String(retryAfterMs))
      return true
    })
  })

  test('a stream that is cut off is an error, not an end', async () => {
    const chunks = []
    const read = async () => {
      for await (const chunk of await open('relay-cut', once).stream(newMark())) chunks.push(chunk)
    }
    await assert.rejects(read)
    assert.equal(joinText(chunks), 'Echo:')
  })

  test('a signal ends the request of the upstream', async () => {
    const mark = newMark()
    const controller = new AbortController()
    const read = async () => {
      for await (const _chunk of await open('relay-endless', once).stream(mark, { signal: controller.signal })) {
        controller.abort()
      }
    }
    await assert.rejects(read)
    assert.equal((await listSeen(mark))[0].isWhole, false)
  })

  test('the built-in model, whole and streamed the same', { timeout: 120_000 }, async () => {
    const chat = open('mistral-large', { maxTokens: 40, temperature: 0 })
    const answer = await chat.invoke('Hello!')
    assert.ok(answer.content.length > 5)
    assert.equal(joinText(await collect(await chat.stream('Hello!'))), answer.content)
  })
})

describe(nameClient('@langchain/openai', '@langchain/openai AzureOpenAI'), { timeout: 60_000 }, () => {
  const complete = (options) => new AzureOpenAI(settings('relay-chat', options))

  test('completions', async () => {
    assert.equal(await complete().invoke(question), `Echo: ${question}`)
  })

  test('completions, streamed', async () => {
    assert.equal((await collect(await complete().stream(question))).join(''), `Echo: ${question}`)
  })
})

describe(nameClient('@langchain/openai', '@langchain/openai AzureOpenAIEmbeddings'), { timeout: 60_000 }, () => {
  const openEmbeddings = (deployment, options) => new AzureOpenAIEmbeddings(settings(deployment, options))

  test('a query, and documents one by one', async () => {
    const embeddings = openEmbeddings('RELAY-CHAT')
    assert.deepEqual(await embeddings.embedQuery('one'), vectors[0])
    const alone = [5, 0, 0.25, -1.5]
    assert.deepEqual(await embeddings.embedDocuments(['one', 'three']), [vectors[0], alone])
  })

  for (const deployment of ['relay-chat', 'relay-floats', 'relay-foundry', 'relay-azure']) {
    test(`documents in one request, ${deployment}`, async () => {
      const embeddings = openEmbeddings(deployment, { batchSize: 16 })
      assert.deepEqual(await embeddings.embedDocuments(['one', 'three']), vectors)
    })
  }

  test('in base64', async () => {
    const embeddings = openEmbeddings('relay-chat', { encodingFormat: 'base64' })
    const bytes = Buffer.from(await embeddings.embedQuery('one'), 'base64')
    assert.deepEqual(
      [0, 4, 8, 12].map((at) => bytes.readFloatLE(at)),
      vectors[0],
    )
  })

  test('wrong key', async () => {
    const embeddings = openEmbeddings('relay-chat', { ...once, azureOpenAIApiKey: 'wrong' })
    await assert.rejects(embeddings.embedQuery('one'), { status: 401 })
  })

  test('unknown deployment', async () => {
    await assert.rejects(openEmbeddings('relay-chatt').embedQuery('one'), { status: 404, code: 'DeploymentNotFound' })
  })

  test('the built-in model', { timeout: 120_000 }, async () => {
    const embeddings = openEmbeddings('mistral-large', { batchSize: 16 })
    const [cat, dog] = await embeddings.embedDocuments(['The cat sleeps.', 'Taxes are due in April.'])
    assert.ok(cat.length > 16 && cat.length === dog.length)
    assert.notDeepEqual(cat, dog)
  })
})
