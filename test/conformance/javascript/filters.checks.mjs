import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { Anthropic, BadRequestError } from '@anthropic-ai/sdk'
import { AzureKeyCredential } from '@azure/core-auth'
import { createSseStream } from '@azure/core-sse'
import createModelClient, { isUnexpected } from '@azure-rest/ai-inference'
import * as openai from 'openai'
import { checkFilters, harms, listed, longText, safe } from './filters.mjs'
import {
  askedTerm,
  collect,
  inferenceUrl,
  joinText,
  key,
  listSeen,
  nameClient,
  newMark,
  rootUrl,
  saidTerm,
  threat,
  user,
} from './surroundings.mjs'

const timeout = 30_000

describe(nameClient('openai', 'openai OpenAI filters'), () => {
  checkFilters(openai, () => new openai.OpenAI({ baseURL: `${rootUrl}/openai/v1/`, apiKey: key }))
})

describe(nameClient('openai', 'openai AzureOpenAI filters'), () => {
  checkFilters(openai, () => new openai.AzureOpenAI({ apiVersion: '2024-10-21' }))
})

describe(nameClient('@azure-rest/ai-inference', '@azure-rest/ai-inference filters'), { timeout }, () => {
  const client = createModelClient(inferenceUrl, new AzureKeyCredential(key))
  const ask = (model, text, body = {}, headers = {}) =>
    client.path('/chat/completions').post({ body: { model, messages: [user(text)], ...body }, headers })
  const stream = async (model, text) => {
    const { status, body } = await ask(model, text, { stream: true }).asNodeStream()
    assert.equal(status, '200')
    const events = await collect(createSseStream(body))
    assert.equal(events.at(-1).data, '[DONE]')
    return events.slice(0, -1).map(({ data }) => JSON.parse(data))
  }

  test('a prompt is kept back', async () => {
    const mark = newMark()
    const response = await ask('Filter-Blocking', `${mark} ${askedTerm}`)
    assert.ok(isUnexpected(response))
    assert.deepEqual([response.status, response.headers['x-ms-error-code']], ['400', 'content_filter'])
    const { error, code, param } = response.body
    assert.deepEqual([error.code, code, param], ['content_filter', 'content_filter', 'messages'])
    const results = error.innererror.content_filter_result
    assert.deepEqual(results.custom_blocklists, listed('asked-terms', true))
    for (const harm of harms) assert.deepEqual(results[harm], safe)
    assert.deepEqual(await listSeen(mark), [])
  })

  test('a prompt is kept back, streamed', async () => {
    const { status } = await ask('filter-blocking', askedTerm, { stream: true }).asNodeStream()
    assert.equal(status, '400')
  })

  test('the default policy keeps a threat back', async () => {
    const { body } = await ask('relay-chat', threat)
    const expected = { filtered: true, severity: 'high' }
    assert.deepEqual(body.error.innererror.content_filter_result.violence, expected)
  })

  test('annotations of prompt and answer', async () => {
    const response = await ask('filter-annotating', `${askedTerm} ${saidTerm}`)
    assert.ok(!isUnexpected(response))
    const { choices, prompt_filter_results: prompts } = response.body
    assert.deepEqual(prompts[0].content_filter_results.custom_blocklists, listed('asked-terms', false))
    assert.deepEqual(choices[0].content_filter_results.custom_blocklists, listed('said-terms', false))
    assert.equal(choices[0].message.content, `Echo: ${askedTerm} ${saidTerm}`)
  })

  test('an answer is kept back', async () => {
    const { choices } = (await ask('filter-answers', threat)).body
    assert.deepEqual([choices[0].finish_reason, choices[0].message.content], ['content_filter', null])
    assert.deepEqual(choices[0].content_filter_results.violence, { filtered: true, severity: 'high' })
  })

  test('a streamed answer is kept back', async () => {
    const chunks = await stream('filter-blocking', `before ${saidTerm} after`)
    assert.equal(joinText(chunks), 'Echo: before ')
    const [last] = chunks.at(-1).choices
    assert.equal(last.finish_reason, 'content_filter')
    assert.deepEqual(last.content_filter_results.custom_blocklists, listed('said-terms', true))
  })

  test('an asynchronous filter', async () => {
    const chunks = await stream('filter-asynchronous', 'an ordinary text')
    assert.equal(joinText(chunks), 'Echo: an ordinary text')
    const choices = chunks.flatMap((chunk) => chunk.choices)
    assert.ok(choices.every(({ delta }) => delta))
    assert.deepEqual(choices.findLast((choice) => choice.content_filter_offsets).content_filter_results.hate, safe)
    const stopped = await stream('filter-asynchronous', longText)
    assert.equal(stopped.at(-1).choices[0].finish_reason, 'content_filter')
    assert.ok(joinText(stopped).length < saidTerm.length + 1000)
  })

  test('the policy of one call', async () => {
    const response = await ask('filter-off', askedTerm, {}, { 'x-policy-id': 'blocking' })
    assert.equal(response.body.error.code, 'content_filter')
    const unknown = await ask('filter-off', 'hi', {}, { 'x-policy-id': 'nothing-like-it' })
    assert.deepEqual([unknown.status, unknown.body.error.code], ['400', 'InvalidContentFilterPolicy'])
  })
})

/** This protocol has no annotations, only words in errors and reasons why an answer ends. */
describe(nameClient('@anthropic-ai/sdk', '@anthropic-ai/sdk filters'), { timeout }, () => {
  const client = new Anthropic({ baseURL: `${rootUrl}/anthropic`, apiKey: key })
  const ask = (model, text, body = {}, request = {}) =>
    client.messages.create({ model, max_tokens: 1000, messages: [user(text)], ...body }, request)
  const textOf = ({ content }) => content.map((block) => block.text).join('')
  const isRefusal = (words) => (error) => {
    assert.ok(error instanceof BadRequestError)
    assert.equal(error.error.error.type, 'invalid_request_error')
    assert.match(error.message, words)
    return true
  }

  test('a prompt is kept back, whole and streamed', async () => {
    for (const stream of [false, true]) {
      const mark = newMark()
      const refused = ask('Filter-Blocking', `${mark} ${askedTerm}`, { stream })
      await assert.rejects(refused, isRefusal(/content filter.*asked-terms/))
      assert.deepEqual(await listSeen(mark), [])
    }
  })

  test('the default policy keeps a threat back', async () => {
    await assert.rejects(ask('relay-chat', threat), isRefusal(/content filter.*violence/))
    await assert.rejects(ask('relay-anthropic', threat), isRefusal(/content filter.*violence/))
  })

  test('an answer is kept back', async () => {
    for (const [model, text, why] of [
      ['filter-blocking', saidTerm, /said-terms/],
      ['filter-answers', threat, /violence/],
    ]) {
      const message = await ask(model, text)
      assert.deepEqual([message.stop_reason, message.content], ['refusal', []])
      assert.equal(message.stop_details.type, 'refusal')
      assert.match(message.stop_details.explanation, why)
    }
  })

  test('a streamed answer is kept back', async () => {
    const stream = client.messages.stream({
      model: 'filter-blocking',
      max_tokens: 100,
      messages: [user(`before ${saidTerm} after`)],
    })
    const message = await stream.finalMessage()
    assert.deepEqual([message.stop_reason, textOf(message)], ['refusal', 'Echo: before '])
  })

  test('an ordinary answer goes through every kind of filter', async () => {
    for (const model of ['filter-blocking', 'filter-annotating', 'filter-asynchronous', 'filter-strict']) {
      const body = { model, max_tokens: 100, messages: [user('an ordinary text')] }
      for (const message of [await client.messages.create(body), await client.messages.stream(body).finalMessage()]) {
        assert.deepEqual([message.stop_reason, textOf(message)], ['end_turn', 'Echo: an ordinary text'])
      }
    }
  })

  test('the policy of one call', async () => {
    const headers = { 'x-policy-id': 'blocking' }
    await assert.rejects(ask('filter-off', askedTerm, {}, { headers }), isRefusal(/asked-terms/))
    const unknown = ask('filter-off', 'hi', {}, { headers: { 'x-policy-id': 'nothing-like-it' } })
    await assert.rejects(unknown, isRefusal(/content filter policy/))
  })
})
