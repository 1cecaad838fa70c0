import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { askedTerm, collect, joinText, listSeen, newMark, saidTerm, threat, user } from './surroundings.mjs'

export const safe = { filtered: false, severity: 'safe' }
export const harms = ['hate', 'self_harm', 'sexual', 'violence']

/** What annotations say of a list that has a term of the text. */
export const listed = (id, filtered) => ({ details: [{ id, filtered }], filtered })

/** More than an answer that goes out at once may be ahead of its filter. */
export const longText = `${saidTerm} and on ${'and on '.repeat(400)}`

/** Content filters as both classes of the `openai` package must meet them. `open()` makes a client. */
export function checkFilters(sdk, open) {
  const { BadRequestError } = sdk
  const client = open()
  const chat = (model, text, options = {}, request = {}) =>
    client.chat.completions.create({ model, messages: [user(text)], ...options }, request)
  const stream = async (model, text) => collect(await chat(model, text, { stream: true }))
  const refusal = (attempt, check) =>
    assert.rejects(attempt, (error) => {
      assert.ok(error instanceof BadRequestError)
      check(error)
      return true
    })

  describe('filters', { timeout: 30_000 }, () => {
    test('a prompt is kept back, whole and streamed', async () => {
      for (const isStream of [false, true]) {
        const mark = newMark()
        await refusal(chat('Filter-Blocking', `${mark} ${askedTerm}`, { stream: isStream }), (error) => {
          assert.deepEqual([error.status, error.code, error.param], [400, 'content_filter', 'prompt'])
          assert.match(error.message, /content management policy/)
          const { code, content_filter_result: results } = error.error.innererror
          assert.equal(code, 'ResponsibleAIPolicyViolation')
          assert.deepEqual(results.custom_blocklists, listed('asked-terms', true))
          for (const harm of harms) assert.deepEqual(results[harm], safe)
          assert.deepEqual(error.error.inner_error.content_filter_results, results)
        })
        assert.deepEqual(await listSeen(mark), [])
      }
    })

    test('the default policy keeps a threat back', async () => {
      await refusal(chat('relay-chat', threat), ({ code, error }) => {
        assert.equal(code, 'content_filter')
        const { violence, hate } = error.innererror.content_filter_result
        assert.deepEqual([violence, hate], [{ filtered: true, severity: 'high' }, safe])
      })
    })

    test('annotations of prompt and answer', async () => {
      const { prompt_filter_results: prompts, choices } = await chat('filter-annotating', `${askedTerm} ${saidTerm}`)
      assert.deepEqual(
        prompts.map(({ prompt_index }) => prompt_index),
        [0],
      )
      assert.deepEqual(prompts[0].content_filter_results.custom_blocklists, listed('asked-terms', false))
      const [{ content_filter_results: results, finish_reason, message }] = choices
      assert.deepEqual(results.custom_blocklists, listed('said-terms', false))
      for (const harm of harms) assert.deepEqual(results[harm], safe)
      assert.deepEqual([finish_reason, message.content], ['stop', `Echo: ${askedTerm} ${saidTerm}`])
    })

    test('the severity of what is only annotated', async () => {
      const { choices } = await chat('filter-annotating', threat)
      assert.deepEqual(choices[0].content_filter_results.violence, { filtered: false, severity: 'high' })
      assert.equal(choices[0].message.content, `Echo: ${threat}`)
    })

    for (const [model, text, category] of [
      ['filter-blocking', saidTerm, 'custom_blocklists'],
      ['filter-answers', threat, 'violence'],
    ]) {
      test(`an answer is kept back, ${model}`, async () => {
        const { choices } = await chat(model, text)
        assert.deepEqual([choices[0].finish_reason, choices[0].message.content], ['content_filter', null])
        assert.equal(choices[0].content_filter_results[category].filtered, true)
      })
    }

    test('a streamed answer is kept back', async () => {
      const chunks = await stream('filter-blocking', `before ${saidTerm} after`)
      assert.equal(joinText(chunks), 'Echo: before ')
      const [last] = chunks.at(-1).choices
      assert.equal(last.finish_reason, 'content_filter')
      assert.deepEqual(last.content_filter_results.custom_blocklists, listed('said-terms', true))
    })

    test('one of two answers is kept back', async () => {
      const text = `before ${saidTerm} after`
      const [good, bad] = (await chat('filter-two', text, { n: 2 })).choices
      assert.deepEqual([good.finish_reason, good.message.content], ['stop', 'Echo: fine'])
      assert.deepEqual([bad.finish_reason, bad.message.content], ['content_filter', null])
      const run = client.chat.completions.stream({ model: 'filter-two', messages: [user(text)], n: 2 })
      const { choices } = await run.finalChatCompletion()
      assert.deepEqual(
        choices.map(({ finish_reason, message }) => [finish_reason, message.content]),
        [
          ['stop', 'Echo: fine'],
          ['content_filter', 'Echo: before '],
        ],
      )
    })

    test('every piece of a stream is annotated', async () => {
      const [first, ...chunks] = await stream('filter-annotating', `${askedTerm} ${saidTerm} after`)
      assert.deepEqual(first.choices, [])
      const [{ content_filter_results: asked }] = first.prompt_filter_results
      assert.deepEqual(asked.custom_blocklists, listed('asked-terms', false))
      assert.equal(joinText(chunks), `Echo: ${askedTerm} ${saidTerm} after`)
      const pieces = chunks.map(({ choices }) => choices[0]).filter(({ delta }) => delta.content)
      for (const { content_filter_results: results } of pieces) assert.deepEqual(results.hate, safe)
      assert.deepEqual(pieces.at(-1).content_filter_results.custom_blocklists, listed('said-terms', false))
    })

    test('an asynchronous filter annotates what has gone out', async () => {
      const chunks = await stream('filter-asynchronous', 'an ordinary text')
      assert.equal(joinText(chunks), 'Echo: an ordinary text')
      const choices = chunks.flatMap((chunk) => chunk.choices)
      assert.ok(choices.every(({ delta }) => delta))
      const note = choices.findLast(({ content_filter_offsets: offsets }) => offsets)
      assert.deepEqual(note.content_filter_results.hate, safe)
      assert.equal(note.content_filter_offsets.check_offset, note.content_filter_offsets.end_offset)
    })

    test('and stops an answer', async () => {
      const chunks = await stream('filter-asynchronous', longText)
      assert.equal(chunks.at(-1).choices[0].finish_reason, 'content_filter')
      assert.ok(joinText(chunks).length < saidTerm.length + 1000)
    })

    // The client hands such choices on as they are; whoever reads their delta has to look first.
    test('annotations in the shape of Azure have no delta', async () => {
      const chunks = await stream('filter-strict', 'an ordinary text')
      const choices = chunks.flatMap((chunk) => chunk.choices)
      const notes = choices.filter(({ content_filter_offsets: offsets }) => offsets)
      assert.ok(notes.length > 0 && notes.every((note) => !('delta' in note)))
      assert.equal(joinText(chunks), 'Echo: an ordinary text')
    })

    test('stream helper', async () => {
      const run = (model, text) => client.chat.completions.stream({ model, messages: [user(text)] })
      for (const model of ['filter-annotating', 'filter-asynchronous', 'filter-strict']) {
        const completion = await run(model, 'an ordinary text').finalChatCompletion()
        assert.equal(completion.choices[0].message.content, 'Echo: an ordinary text')
      }
      const { choices } = await run('filter-blocking', `before ${saidTerm} after`).finalChatCompletion()
      assert.deepEqual([choices[0].finish_reason, choices[0].message.content], ['content_filter', 'Echo: before '])
    })

    test('completions, whole and streamed', async () => {
      const complete = (model, prompt, options = {}) => client.completions.create({ model, prompt, ...options })
      await refusal(complete('filter-blocking', askedTerm), ({ code }) => assert.equal(code, 'content_filter'))
      const { choices, prompt_filter_results: prompts } = await complete('filter-blocking', saidTerm)
      assert.deepEqual([choices[0].finish_reason, choices[0].text, prompts.length], ['content_filter', '', 1])
      const text = `before ${saidTerm} after`
      const pieces = (await collect(await complete('filter-blocking', text, { stream: true }))).flatMap(
        (chunk) => chunk.choices,
      )
      assert.equal(pieces.map((piece) => piece.text).join(''), 'Echo: before ')
      assert.equal(pieces.at(-1).finish_reason, 'content_filter')
    })

    test('the policy of one call', async () => {
      const under = (policy, text) => chat('filter-off', text, {}, { headers: { 'x-policy-id': policy } })
      assert.equal((await chat('filter-off', askedTerm)).choices[0].message.content, `Echo: ${askedTerm}`)
      await refusal(under('BLOCKING', askedTerm), ({ code }) => assert.equal(code, 'content_filter'))
      assert.equal((await under('blocking', saidTerm)).choices[0].finish_reason, 'content_filter')
      for (const name of ['nothing-like-it', 'locked', 'Microsoft.Nil']) {
        await refusal(under(name, 'hi'), ({ code }) => assert.equal(code, 'InvalidContentFilterPolicy'))
      }
    })

    test('where nothing is filtered nothing is annotated', async () => {
      const answer = await chat('filter-off', threat)
      assert.equal(answer.choices[0].message.content, `Echo: ${threat}`)
      assert.ok(!('prompt_filter_results' in answer) && !('content_filter_results' in answer.choices[0]))
      const chunks = await stream('filter-off', threat)
      assert.ok(chunks.every(({ choices }) => choices.length === 1 && !('content_filter_results' in choices[0])))
    })

    test('the answer says what judged', async () => {
      const { response } = await chat('relay-chat', 'hi').withResponse()
      assert.match(
        response.headers.get('x-content-filter-engine'),
        /^builtin\/\d+;lexical="protected_material_code protected_material_text"$/,
      )
    })

    test('moderations without a deployment', async () => {
      const { results } = await client.moderations.create({ input: ['What a lovely day.', threat] })
      assert.deepEqual(
        results.map(({ flagged }) => flagged),
        [false, true],
      )
      assert.equal(results[1].categories.violence, true)
      assert.ok(results[1].category_scores.violence > results[0].category_scores.violence)
      assert.deepEqual(results[1].category_applied_input_types.violence, ['text'])
    })
  })
}
