import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { createReadStream, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import { collect, key, rootUrl } from './surroundings.mjs'

const timeout = 30_000
const bytes = Buffer.from(Array.from({ length: 300_000 }, (_, index) => (index * 31) % 256))
const digest = createHash('sha256').update(bytes).digest('hex')
const decode = (base64) => Buffer.from(base64, 'base64')

const folder = mkdtempSync(join(tmpdir(), 'media-'))
const path = join(folder, 'speech.wav')
writeFileSync(path, bytes)
after(() => rmSync(folder, { recursive: true }))

/** The ways a file is handed over. The class puts what it has at once before what it must wait for. */
const files = {
  'a stream from disk': () => createReadStream(path),
  'a File': () => new File([bytes], 'speech.wav'),
  'bytes by toFile': ({ toFile }) => toFile(bytes, 'speech.wav', { type: 'audio/wav' }),
  'an answer of fetch': () => new Response(bytes),
}

/** What both classes of the `openai` package must see, whichever generation `sdk` is. */
function checkMedia(sdk, open) {
  const { AuthenticationError, BadRequestError, NotFoundError, toFile } = sdk
  const client = open()
  const models = ['relay-chat', 'RELAY-CHAT', 'relay-azure']

  describe('images', { timeout }, () => {
    for (const model of models) {
      test(`generated, ${model}`, async () => {
        const answer = await client.images.generate({ model, prompt: 'a cat', n: 1, size: '1024x1024' })
        assert.equal(decode(answer.data[0].b64_json).toString(), 'picture of a cat')
        assert.equal(answer.usage.total_tokens, 12)
        assert.match(answer._request_id, /^[0-9a-f-]{36}$/)
      })

      test(`edited, ${model}`, async () => {
        const image = await toFile(bytes, 'cat.png', { type: 'image/png' })
        const answer = await client.images.edit({ image, prompt: 'a hat', model })
        assert.ok(decode(answer.data[0].b64_json).equals(bytes))
        assert.equal(answer.data[0].revised_prompt, 'a hat')
      })
    }

    test('generated as a stream', async () => {
      const stream = await client.images.generate({
        model: 'relay-chat',
        prompt: 'a cat',
        stream: true,
        partial_images: 1,
      })
      const events = await collect(stream)
      assert.deepEqual(
        events.map(({ type }) => type),
        ['image_generation.partial_image', 'image_generation.completed'],
      )
      assert.equal(decode(events[1].b64_json).toString(), 'picture of a cat')
    })

    test('edited, several with a mask, from disk', async () => {
      const image = [createReadStream(path), createReadStream(path)]
      const answer = await client.images.edit({ model: 'relay-chat', image, mask: createReadStream(path), prompt: 'é' })
      assert.ok(decode(answer.data[0].b64_json).equals(bytes))
      assert.equal(answer.data[0].revised_prompt, 'é')
    })

    test('a wrong field', async () => {
      await assert.rejects(client.images.generate({ model: 'relay-chat', prompt: 'x', n: 11 }), (error) => {
        assert.ok(error instanceof BadRequestError)
        assert.equal(error.param, 'n')
        return true
      })
    })
  })

  describe('audio', { timeout }, () => {
    for (const [name, make] of Object.entries(files)) {
      test(`transcribed, ${name}`, async () => {
        const answer = await client.audio.transcriptions.create({ file: await make(sdk), model: 'Relay-Chat' })
        assert.equal(answer.text, digest)
      })
    }

    for (const response_format of ['text', 'srt', 'vtt']) {
      test(`transcribed as ${response_format}`, async () => {
        const ask = { file: createReadStream(path), model: 'relay-azure', response_format }
        assert.equal(await client.audio.transcriptions.create(ask), digest)
      })
    }

    test('transcribed with all that is told of it', async () => {
      const answer = await client.audio.transcriptions.create({
        file: createReadStream(path),
        model: 'relay-chat',
        response_format: 'verbose_json',
        timestamp_granularities: ['word'],
        temperature: 0.5,
        language: 'de',
      })
      assert.equal(answer.text, digest)
      assert.deepEqual(
        [answer['timestamp_granularities[]'], answer.temperature, answer.language, answer.model],
        ['word', '0.5', 'de', 'plain'],
      )
    })

    test('transcribed as a stream', async () => {
      const ask = { file: await files['a File'](), model: 'relay-chat', stream: true }
      const events = await collect(await client.audio.transcriptions.create(ask))
      assert.deepEqual(
        events.map(({ type }) => type),
        ['transcript.text.delta', 'transcript.text.delta', 'transcript.text.done'],
      )
      assert.equal(events.at(-1).text, digest)
    })

    test('translated', async () => {
      const answer = await client.audio.translations.create({ file: createReadStream(path), model: 'relay-chat' })
      assert.equal(answer.text, digest)
    })

    test('a file of the allowed size, and one above it', async () => {
      const create = (length) =>
        client.audio.transcriptions.create({ model: 'relay-chat', file: new File([Buffer.alloc(length)], 'long.wav') })
      assert.match((await create(26_214_400)).text, /^[0-9a-f]{64}$/)
      await assert.rejects(create(26_214_401), /413 Maximum content size limit \(26214400\) exceeded/)
    })

    test('a wrong field', async () => {
      const ask = { file: createReadStream(path), model: 'relay-chat', temperature: 2 }
      await assert.rejects(client.audio.transcriptions.create(ask), (error) => {
        assert.ok(error instanceof BadRequestError)
        assert.equal(error.param, 'temperature')
        return true
      })
    })

    for (const model of models) {
      test(`spoken, ${model}`, async () => {
        const answer = await client.audio.speech.create({ model, voice: 'alloy', input: 'Hello', speed: 1.5 })
        assert.equal(answer.headers.get('content-type'), 'audio/mpeg')
        const expected = Buffer.from(Array.from({ length: 5000 }, (_, index) => (index * 7) % 256))
        assert.ok(Buffer.from(await answer.arrayBuffer()).equals(expected))
      })
    }

    test('spoken as events', async () => {
      const ask = { model: 'relay-chat', voice: 'alloy', input: 'Hi', stream_format: 'sse' }
      const text = await (await client.audio.speech.create(ask)).text()
      assert.match(text, /^event: speech\.audio\.delta\ndata: /)
    })
  })

  describe('moderations', { timeout }, () => {
    test('of texts', async () => {
      const answer = await client.moderations.create({ model: 'relay-chat', input: ['good', 'bad'] })
      assert.deepEqual(
        answer.results.map(({ flagged }) => flagged),
        [false, true],
      )
    })

    test('of a model that is no deployment', async () => {
      await assert.rejects(client.moderations.create({ model: 'nothing-like-it', input: 'good' }), NotFoundError)
    })
  })

  describe('refusals', { timeout }, () => {
    const file = () => new File([bytes], 'a.wav')
    const asks = {
      'images.generate': (model) => client.images.generate({ model, prompt: 'x' }),
      'images.edit': (model) => client.images.edit({ model, prompt: 'x', image: file() }),
      'audio.transcriptions': (model) => client.audio.transcriptions.create({ model, file: file() }),
      'audio.translations': (model) => client.audio.translations.create({ model, file: file() }),
      'audio.speech': (model) => client.audio.speech.create({ model, voice: 'alloy', input: 'x' }),
      'moderations.create': (model) => client.moderations.create({ model, input: 'x' }),
    }
    for (const [name, ask] of Object.entries(asks)) {
      test(`${name} of the built-in model`, async () => {
        await assert.rejects(ask('mistral-large'), (error) => {
          assert.ok(error instanceof BadRequestError)
          assert.equal(error.code, 'OperationNotSupported')
          assert.match(error.message, /operation does not work with the specified model, Mistral-large\./)
          return true
        })
      })

      test(`${name} of a model that does not exist`, async () => {
        await assert.rejects(ask('relay-chatt'), (error) => {
          assert.ok(error instanceof NotFoundError)
          assert.equal(error.code, 'DeploymentNotFound')
          return true
        })
      })
    }

    test('a wrong key', async () => {
      const wrong = open({ apiKey: 'wrong' })
      await assert.rejects(
        wrong.audio.transcriptions.create({ model: 'relay-chat', file: file() }),
        AuthenticationError,
      )
    })
  })
}

export function checkAzureMedia(sdk) {
  checkMedia(sdk, (options) => new sdk.AzureOpenAI(options))

  test('an edit with a deployment set on the client', { timeout }, async () => {
    const client = new sdk.AzureOpenAI({ deployment: 'RELAY-chat' })
    const answer = await client.images.edit({ image: await sdk.toFile(bytes, 'cat.png'), prompt: 'a hat' })
    assert.ok(decode(answer.data[0].b64_json).equals(bytes))
  })
}

export function checkV1Media(sdk) {
  checkMedia(sdk, (options) => new sdk.OpenAI({ baseURL: `${rootUrl}/openai/v1/`, apiKey: key, ...options }))
}
