import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { collect, listSeen, newMark, question, user } from './surroundings.mjs'

const endings = ['completed', 'failed', 'cancelled', 'expired']
/** How long a batch of a few lines may take. */
const limitMs = 30_000

const writeLine = (customId, { model = 'relay-chat', text = question, url = '/v1/chat/completions' } = {}) =>
  JSON.stringify({ custom_id: customId, method: 'POST', url, body: { model, messages: [user(text)] } })

function readLines(text) {
  const lines = text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line))
  const found = new Map(lines.map((line) => [line.custom_id, line]))
  assert.equal(found.size, lines.length)
  return found
}

/** Files, uploads and batches, as both classes of the `openai` package must see them. `open(options)` makes a client. */
export function checkBatches(sdk, open) {
  const { AuthenticationError, BadRequestError, ConflictError, NotFoundError, toFile } = sdk
  const { files, uploads, batches } = open()

  const upload = async (text, name = 'input.jsonl', options = {}) =>
    files.create({ file: await toFile(Buffer.from(text), name), purpose: 'batch', ...options })
  const create = (fileId, options = {}) =>
    batches.create({
      input_file_id: fileId,
      endpoint: '/v1/chat/completions',
      completion_window: '24h',
      ...options,
    })
  const submit = async (lines, options) => create((await upload(`${lines.join('\n')}\n`)).id, options)
  const waitFor = async (batch, states = endings) => {
    const end = Date.now() + limitMs
    let found = batch
    while (!states.includes(found.status)) {
      assert.ok(Date.now() < end, `the batch stays as it is: ${JSON.stringify(found)}`)
      await sleep(100)
      found = await batches.retrieve(batch.id)
    }
    return found
  }
  const readFile = async (id) => (await files.content(id)).text()

  describe('files', { timeout: 60_000 }, () => {
    test('a file and its content', async () => {
      const text = `${writeLine('a')}\r\n`
      const file = await upload(text, 'Grüße 世界.jsonl')
      assert.deepEqual([file.object, file.purpose, file.filename], ['file', 'batch', 'Grüße 世界.jsonl'])
      assert.deepEqual([file.bytes, file.status], [Buffer.byteLength(text), 'processed'])
      assert.deepEqual(await files.retrieve(file.id), file)
      assert.equal((await files.waitForProcessing(file.id)).id, file.id)
      assert.equal(await readFile(file.id), text)
    })

    test('a large file is streamed', async () => {
      const text = Array.from({ length: 5_000 }, (_, number) => `${writeLine(`${number}`)}\n`).join('')
      const { id } = await upload(text)
      const { body } = await files.content(id)
      assert.equal(Buffer.concat(await collect(body)).toString(), text)
    })

    test('a file with a life', async () => {
      const file = await upload(writeLine('a'), 'a.jsonl', { expires_after: { anchor: 'created_at', seconds: 3600 } })
      assert.equal(file.expires_at, file.created_at + 3600)
    })

    test('lists, page by page', async () => {
      const ids = []
      for (let i = 0; i < 5; i++) ids.unshift((await upload(writeLine('a'))).id)
      const other = await upload('notes', 'notes.txt', { purpose: 'user_data' })
      const page = await files.list({ limit: 2, purpose: 'batch' })
      assert.deepEqual([page.data.map(({ id }) => id), page.has_more], [ids.slice(0, 2), true])
      const found = (await collect(files.list({ limit: 2, purpose: 'batch' }))).map(({ id }) => id)
      assert.deepEqual(found.slice(0, 5), ids)
      assert.equal(new Set(found).size, found.length)
      assert.ok(!found.includes(other.id))
      const after = await files.list({ after: ids[1], limit: 3, purpose: 'batch' })
      assert.deepEqual(
        after.data.map(({ id }) => id),
        ids.slice(2),
      )
    })

    test('a deleted file is gone', async () => {
      const { id } = await upload(writeLine('a'))
      assert.deepEqual(await files.delete(id), { object: 'file', id, deleted: true })
      for (const ask of ['retrieve', 'content', 'delete']) await assert.rejects(files[ask](id), NotFoundError)
    })

    test('an upload in parts', async () => {
      const pieces = ['a', 'b', 'c'].map((name) => `${writeLine(name)}\n`)
      const bytes = Buffer.byteLength(pieces.join(''))
      const asked = { bytes, filename: 'parts.jsonl', mime_type: 'application/jsonl', purpose: 'batch' }
      const { id } = await uploads.create(asked)
      const parts = []
      for (const piece of pieces) {
        const data = await toFile(Buffer.from(piece), 'part')
        parts.push((await uploads.parts.create(id, { data })).id)
      }
      const { status, file } = await uploads.complete(id, { part_ids: parts })
      assert.deepEqual([status, file.bytes], ['completed', bytes])
      assert.equal(await readFile(file.id), pieces.join(''))
    })

    test('an upload that is cancelled', async () => {
      const asked = { bytes: 10, filename: 'a.jsonl', mime_type: 'application/jsonl', purpose: 'batch' }
      const { id } = await uploads.create(asked)
      assert.equal((await uploads.cancel(id)).status, 'cancelled')
    })

    test('files that cannot be', async () => {
      await assert.rejects(upload('x', 'input.txt'), BadRequestError)
      await assert.rejects(upload('x', 'input.jsonl', { purpose: 'nothing' }), BadRequestError)
    })
  })

  describe('batches', { timeout: 60_000 }, () => {
    test('from upload to result', async () => {
      const mark = newMark()
      const ids = Array.from({ length: 20 }, (_, number) => `task-${number} 世界`)
      const lines = ids.map((id) => writeLine(id, { text: `${mark} ${id}` }))
      const batch = await submit(lines, { metadata: { mark } })
      assert.deepEqual([batch.object, batch.endpoint, batch.metadata], ['batch', '/v1/chat/completions', { mark }])
      const ended = await waitFor(batch)
      assert.deepEqual([ended.status, ended.errors], ['completed', null])
      assert.deepEqual(ended.request_counts, { total: 20, completed: 20, failed: 0 })
      assert.deepEqual([ended.usage.input_tokens, ended.usage.output_tokens], [140, 100])
      const found = readLines(await readFile(ended.output_file_id))
      assert.deepEqual([...found.keys()].toSorted(), ids.toSorted())
      for (const [id, { response, error }] of found) {
        assert.deepEqual([response.status_code, error], [200, null])
        assert.equal(response.body.choices[0].message.content, `Echo: ${mark} ${id}`)
      }
      assert.equal((await listSeen(mark)).length, 20)
      assert.equal((await files.retrieve(ended.output_file_id)).purpose, 'batch_output')
    })

    test('a line that fails is in the error file', async () => {
      const ended = await waitFor(await submit([writeLine('a', { model: 'Relay-Refusing' })]))
      assert.deepEqual([ended.status, ended.request_counts.failed], ['completed', 1])
      const found = readLines(await readFile(ended.error_file_id))
      assert.equal(found.get('a').response.status_code, 400)
    })

    test('a line that fails for a while is tried again', async () => {
      const ended = await waitFor(await submit([writeLine('a', { model: 'relay-failing', text: newMark() })]))
      assert.deepEqual([ended.status, ended.request_counts.completed], ['completed', 1])
    })

    test('embeddings', async () => {
      const body = { model: 'relay-chat', input: ['abc', 'ab'] }
      const line = JSON.stringify({ custom_id: 'a', method: 'POST', url: '/v1/embeddings', body })
      const ended = await waitFor(await submit([line], { endpoint: '/v1/embeddings' }))
      const { data } = readLines(await readFile(ended.output_file_id)).get('a').response.body
      assert.deepEqual(
        data.map(({ embedding }) => embedding),
        [
          [3, 0, 0.25, -1.5],
          [2, 1, 0.25, -1.5],
        ],
      )
    })

    test('lists, page by page', async () => {
      const { id: fileId } = await upload(writeLine('a'))
      const ids = []
      for (let i = 0; i < 3; i++) ids.unshift((await create(fileId)).id)
      const page = await batches.list({ limit: 2 })
      assert.deepEqual([page.data.map(({ id }) => id), page.has_more], [ids.slice(0, 2), true])
      const found = (await collect(batches.list({ limit: 2 }))).map(({ id }) => id)
      assert.deepEqual(found.slice(0, 3), ids)
      assert.equal(new Set(found).size, found.length)
    })

    test('a batch that is cancelled', async () => {
      const batch = await submit([writeLine('a', { model: 'relay-paused' })])
      await waitFor(batch, ['in_progress'])
      const cancelled = await batches.cancel(batch.id)
      assert.ok(['cancelling', 'cancelled'].includes(cancelled.status))
      const ended = await waitFor(cancelled)
      assert.deepEqual([ended.status, ended.request_counts.completed], ['cancelled', 0])
      assert.ok(ended.cancelled_at >= ended.cancelling_at)
    })

    test('one that has ended cannot be cancelled', async () => {
      const { id } = await waitFor(await submit([writeLine('a')]))
      await assert.rejects(batches.cancel(id), ConflictError)
    })

    test('what is wrong with an input is told by its line', async () => {
      const url = '/v1/embeddings'
      const bad = [writeLine('a'), '{', writeLine('a'), writeLine('b', { url }), writeLine('c', { model: 'none' })]
      const ended = await waitFor(await submit(bad))
      assert.deepEqual([ended.status, ended.output_file_id], ['failed', null])
      assert.deepEqual(
        ended.errors.data.map(({ code, line }) => [code, line]),
        [
          ['invalid_json_line', 2],
          ['duplicate_custom_id', 3],
          ['url_mismatch', 4],
          ['model_mismatch', 5],
        ],
      )
    })

    test('a file that is not for a batch', async () => {
      const other = await upload('notes', 'notes.txt', { purpose: 'user_data' })
      for (const id of [other.id, 'file-nothing-like-it']) {
        await assert.rejects(create(id), (error) => {
          assert.match(error.message, /input_file_id/)
          return error instanceof BadRequestError
        })
      }
    })

    test('what is not there', async () => {
      for (const ask of [files.retrieve, batches.retrieve, batches.cancel]) {
        const owner = ask === files.retrieve ? files : batches
        await assert.rejects(ask.call(owner, 'nothing-like-it'), NotFoundError)
      }
    })

    test('a wrong key', async () => {
      const wrong = open({ apiKey: 'wrong', maxRetries: 0 })
      const file = await toFile(Buffer.from('{}'), 'a.jsonl')
      await assert.rejects(wrong.files.create({ file, purpose: 'batch' }), AuthenticationError)
      await assert.rejects(wrong.files.list(), AuthenticationError)
      await assert.rejects(wrong.batches.list(), AuthenticationError)
      await assert.rejects(wrong.batches.retrieve('batch_1'), AuthenticationError)
    })
  })

  return { submit, waitFor, writeLine }
}
