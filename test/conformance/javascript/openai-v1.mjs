import assert from 'node:assert/strict'
import { test } from 'node:test'
import { checkOpenAI } from './openai-shared.mjs'
import { key, question, rootUrl, user } from './surroundings.mjs'

/** What the OpenAI class must see of the v1 routes, whichever generation of the `openai` package `sdk` is. */
export function checkOpenAIv1(sdk) {
  const { NotFoundError, OpenAI } = sdk
  const open = (options) => new OpenAI({ baseURL: `${rootUrl}/openai/v1/`, apiKey: key, ...options })
  checkOpenAI(sdk, open)

  test('a base URL without a slash at its end', async () => {
    const client = open({ baseURL: `${rootUrl}/openai/v1` })
    const answer = await client.chat.completions.create({ model: 'relay-chat', messages: [user(question)] })
    assert.equal(answer.choices[0].message.content, `Echo: ${question}`)
  })

  test('deployments are listed by their names, and found in any case', async () => {
    const client = open()
    const { data } = await client.models.list()
    assert.ok(data.some(({ id }) => id === 'Relay-Chat'))
    assert.ok(data.some(({ id }) => id === 'Mistral-large'))
    assert.equal((await client.models.retrieve('mistral-LARGE')).id, 'Mistral-large')
    await assert.rejects(client.models.retrieve('nothing-like-it'), NotFoundError)
  })
}
