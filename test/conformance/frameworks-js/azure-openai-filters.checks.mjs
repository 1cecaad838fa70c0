import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { AzureKeyCredential, OpenAIClient } from '@azure/openai'
import {
  askedTerm,
  collect,
  key,
  listSeen,
  nameClient,
  newMark,
  rootUrl,
  saidTerm,
  threat,
  user,
} from './surroundings.mjs'

const client = new OpenAIClient(rootUrl, new AzureKeyCredential(key))
const safe = { filtered: false, severity: 'safe' }

/** The one generation of JavaScript clients that has types for annotations. It writes their names in camel case. */
describe(nameClient('@azure/openai', '@azure/openai filters'), { timeout: 30_000 }, () => {
  const chat = (deployment, text) => client.getChatCompletions(deployment, [user(text)])
  const stream = async (deployment, text) => collect(await client.streamChatCompletions(deployment, [user(text)]))
  const joinText = (events) => events.map(({ choices }) => choices[0]?.delta?.content ?? '').join('')

  test('a prompt is kept back, whole and streamed', async () => {
    for (const ask of [chat, stream]) {
      const mark = newMark()
      await assert.rejects(ask('Filter-Blocking', `${mark} ${askedTerm}`), (error) => {
        assert.deepEqual([error.code, error.param], ['content_filter', 'prompt'])
        assert.match(error.message, /content management policy/)
        const { custom_blocklists: lists, hate } = error.innererror.content_filter_result
        assert.deepEqual([lists.filtered, hate], [true, safe])
        return true
      })
      assert.deepEqual(await listSeen(mark), [])
    }
  })

  test('typed annotations of prompt and answer', async () => {
    const { promptFilterResults, choices } = await chat('filter-annotating', `${askedTerm} ${threat}`)
    const [{ promptIndex, contentFilterResults: asked }] = promptFilterResults
    assert.deepEqual([promptIndex, asked.hate, asked.violence.severity], [0, safe, 'high'])
    assert.deepEqual(asked.jailbreak, { filtered: false, detected: false })
    assert.equal(asked.customBlocklists.filtered, false)
    const { violence, protectedMaterialText } = choices[0].contentFilterResults
    assert.deepEqual(violence, { filtered: false, severity: 'high' })
    assert.deepEqual(protectedMaterialText, { filtered: false, detected: false })
    assert.equal(choices[0].finishReason, 'stop')
  })

  test('an answer is kept back', async () => {
    const { choices } = await chat('filter-answers', threat)
    assert.deepEqual([choices[0].finishReason, choices[0].message.content], ['content_filter', null])
    assert.deepEqual(choices[0].contentFilterResults.violence, { filtered: true, severity: 'high' })
  })

  test('a streamed answer is kept back', async () => {
    const events = await stream('filter-blocking', `before ${saidTerm} after`)
    assert.equal(joinText(events), 'Echo: before ')
    assert.equal(events.at(-1).choices[0].finishReason, 'content_filter')
    assert.equal(events.at(-1).choices[0].contentFilterResults.customBlocklists.filtered, true)
    assert.deepEqual(events[0].promptFilterResults[0].contentFilterResults.hate, safe)
  })

  test('an asynchronous filter', async () => {
    for (const deployment of ['filter-asynchronous', 'filter-strict']) {
      assert.equal(joinText(await stream(deployment, 'an ordinary text')), 'Echo: an ordinary text')
      const stopped = await stream(deployment, saidTerm)
      assert.equal(stopped.at(-1).choices[0].finishReason, 'content_filter')
    }
  })

  test('completions', async () => {
    await assert.rejects(client.getCompletions('filter-blocking', [askedTerm]), { code: 'content_filter' })
    const { choices, promptFilterResults } = await client.getCompletions('filter-blocking', [saidTerm])
    assert.deepEqual([choices[0].finishReason, choices[0].text], ['content_filter', ''])
    assert.deepEqual(promptFilterResults[0].contentFilterResults.hate, safe)
  })
})
