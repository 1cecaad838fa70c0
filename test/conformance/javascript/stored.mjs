import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { collect, joinText, listSeen, newMark, question, user } from './surroundings.mjs'

/** Chats that are stored, as both classes of the `openai` package must see them. `open(options)` makes a client. */
export function checkStored(sdk, open) {
  const { BadRequestError, NotFoundError } = sdk
  const stored = open().chat.completions
  const store = (mark, options = {}) =>
    stored.create({
      model: 'mistral-large',
      max_tokens: 8,
      messages: [user(question)],
      store: true,
      metadata: { mark },
      ...options,
    })
  const storeFive = async (mark) => {
    const ids = []
    for (let i = 0; i < 5; i++) ids.push((await store(mark)).id)
    return ids
  }
  const listIds = async (options) => (await collect(stored.list(options))).map(({ id }) => id)

  describe('stored chats', { timeout: 30_000 }, () => {
    test('an answer is found', async () => {
      const answer = await store(newMark(), { temperature: 0.5, user: 'somebody' })
      const found = await stored.retrieve(answer.id)
      for (const field of ['id', 'model', 'created', 'choices', 'usage']) assert.deepEqual(found[field], answer[field])
      assert.deepEqual([found.temperature, found.input_user], [0.5, 'somebody'])
    })

    test('a stream is found as one answer', async () => {
      // The first chunk annotates the prompt, and has no id.
      const [, ...chunks] = await collect(await store(newMark(), { stream: true }))
      const found = await stored.retrieve(chunks[0].id)
      assert.equal(found.object, 'chat.completion')
      assert.equal(found.choices[0].message.content, joinText(chunks))
    })

    test('a relayed answer is stored here alone', async () => {
      for (const stream of [false, true]) {
        const [mark, text] = [newMark(), newMark()]
        const answer = await store(mark, { model: 'relay-chat', messages: [user(text)], stream })
        if (stream) await collect(answer)
        const [found] = (await stored.list({ metadata: { mark } })).data
        assert.equal(found.choices[0].message.content, `Echo: ${text}`)
        const [{ body }] = await listSeen(text)
        assert.deepEqual([body.store, body.metadata], [undefined, undefined])
      }
    })

    test('what is not to be stored is not', async () => {
      const answer = await store(newMark(), { store: false })
      await assert.rejects(stored.retrieve(answer.id), NotFoundError)
    })

    test('pages', async () => {
      const mark = newMark()
      const ids = await storeFive(mark)
      const metadata = { mark }
      const page = await stored.list({ metadata, limit: 2 })
      assert.deepEqual([page.data.map(({ id }) => id), page.has_more], [ids.slice(0, 2), true])
      assert.deepEqual(await listIds({ metadata, limit: 2 }), ids)
      const backwards = { metadata, limit: 2, order: 'desc', model: 'mistral-large' }
      assert.deepEqual(await listIds(backwards), ids.toReversed())
      assert.deepEqual(await listIds({ metadata, after: ids[2] }), ids.slice(3))
      assert.deepEqual(await listIds({ metadata, model: 'relay-chat' }), [])
    })

    test('deleting while paging', async () => {
      const metadata = { mark: newMark() }
      const ids = await storeFive(metadata.mark)
      for await (const { id } of stored.list({ metadata, limit: 2 })) {
        assert.deepEqual(await stored.delete(id), { object: 'chat.completion.deleted', id: ids.shift(), deleted: true })
      }
      assert.deepEqual([ids, await listIds({ metadata })], [[], []])
    })

    test('update', async () => {
      const [mark, other] = [newMark(), newMark()]
      const { id } = await store(mark)
      assert.deepEqual((await stored.update(id, { metadata: { mark: other } })).metadata, { mark: other })
      assert.deepEqual(await listIds({ metadata: { mark } }), [])
      assert.deepEqual(await listIds({ metadata: { mark: other } }), [id])
      const refused = stored.update(id, { metadata: { k: 'v'.repeat(513) } })
      await assert.rejects(refused, (error) => error instanceof BadRequestError && error.param === 'metadata.k')
    })

    test('messages', async () => {
      const messages = [{ role: 'system', content: 'Be brief.' }, user('one'), user([{ type: 'text', text: 'two' }])]
      const { id } = await store(newMark(), { messages })
      const found = await collect(stored.messages.list(id, { limit: 2 }))
      assert.deepEqual(
        found.map((message) => message.id),
        [`${id}-0`, `${id}-1`, `${id}-2`],
      )
      assert.deepEqual(
        found.map(({ content }) => content),
        ['Be brief.', 'one', null],
      )
      assert.deepEqual(found[2].content_parts, [{ type: 'text', text: 'two' }])
    })
  })
}
