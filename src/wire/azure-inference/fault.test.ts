import { expect, test } from 'bun:test'
import type { Fault } from '../../core/fault.ts'
import type { JsonObject } from '../../core/json.ts'
import { checkCall } from '../../engine/check-call.ts'
import { anthropicMessagesClient } from '../anthropic-messages/client.ts'
import { openaiEmbeddingsClient } from '../openai-embeddings/client.ts'
import type { ServerEnd } from '../wire.ts'
import { inferenceChatServer } from './chat-server.ts'
import { inferenceEmbeddingsServer } from './embeddings-server.ts'

/** What a model does not support is 422 with a body that both kinds of readers understand, whoever finds out. */

const part = (content: JsonObject): JsonObject => ({ messages: [{ role: 'user', content: [content] }] })
const engine = checkCall
const anthropic = (call: Parameters<typeof checkCall>[0]) => anthropicMessagesClient.writeCall(call, 'm')
const embeddings = (call: Parameters<typeof checkCall>[0]) => openaiEmbeddingsClient.writeCall(call, 'm')

const schema = { type: 'json_schema', json_schema: { name: 'a', schema: {} } }
const cases: [string, ServerEnd, (call: Parameters<typeof checkCall>[0]) => unknown, JsonObject, string, unknown][] = [
  ['a format', inferenceChatServer, engine, { response_format: schema }, 'response_format', 'json_schema'],
  [
    'an image',
    inferenceChatServer,
    engine,
    part({ type: 'image_url', image_url: { url: 'x' } }),
    'messages[0].content[0]',
    'image',
  ],
  [
    'audio',
    inferenceChatServer,
    engine,
    part({ type: 'input_audio', input_audio: { data: '', format: 'wav' } }),
    'messages[0].content[0]',
    'audio',
  ],
  [
    'audio by its format beside',
    inferenceChatServer,
    engine,
    part({ type: 'input_audio', input_audio: { data: '' }, format: 'mp3' }),
    'messages[0].content[0]',
    'audio',
  ],
  [
    'audio by URL',
    inferenceChatServer,
    engine,
    part({ type: 'audio_url', audio_url: { url: 'x' } }),
    'messages[0].content[0]',
    'audio-url',
  ],
  ['a modality', inferenceChatServer, engine, { modalities: ['audio'] }, 'modalities', ['audio']],
  ['a seed at an upstream without', inferenceChatServer, anthropic, { seed: 5 }, 'seed', 5],
  ['a kind of vector', inferenceEmbeddingsServer, engine, { encoding_format: 'int8' }, 'encoding_format', 'int8'],
  [
    'the same at an upstream without',
    inferenceEmbeddingsServer,
    embeddings,
    { encoding_format: 'ubinary' },
    'encoding_format',
    'ubinary',
  ],
  ['a kind of input', inferenceEmbeddingsServer, engine, { input_type: 'query' }, 'input_type', 'query'],
]

function refusal(end: ServerEnd, act: (call: Parameters<typeof checkCall>[0]) => unknown, change: JsonObject) {
  const content: JsonObject = end.kind === 'chat' ? { messages: [{ role: 'user', content: 'hi' }] } : { input: 'hi' }
  const body: JsonObject = { model: 'd', ...content, ...change }
  const call = end.readCall({ text: '', body, header: () => 'pass-through' })
  try {
    act(call)
  } catch (error) {
    const written = end.writeFault(error as Fault, 'r')
    return { ...written, body: JSON.parse(written.body) }
  }
  throw new Error('nothing was refused')
}

test.each(cases)('%s', (_name, end, act, change, param, input) => {
  const { status, headers, body } = refusal(end, act, change)
  expect(status).toBe(422)
  expect(headers).toEqual({ 'x-should-retry': 'false', 'x-ms-error-code': 'parameter_not_supported' })
  const message = body.error.message
  expect(body).toEqual({
    error: { code: 'parameter_not_supported', message: expect.any(String), target: param },
    status: 422,
    code: 'parameter_not_supported',
    detail: [{ loc: ['body', param], input }],
    message,
  })
})

test('an extra key that was passed through and is not taken is told in the words that clients look for', () => {
  const { status, body } = refusal(inferenceChatServer, engine, { ignore_eos: true })
  expect(status).toBe(422)
  expect(body.error).toMatchObject({ code: 'parameter_not_supported', target: 'ignore_eos' })
  expect(body.detail).toEqual([
    { type: 'extra_forbidden', loc: ['body', 'ignore_eos'], msg: 'Extra inputs are not permitted', input: true },
  ])
})
