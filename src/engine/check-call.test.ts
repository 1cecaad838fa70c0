import { expect, test } from 'bun:test'
import type { Call, ChatCall, CompletionCall, EmbedCall } from '../core/call.ts'
import { checkCall } from './check-call.ts'

const base = { deployment: 'd', stream: false, includeUsage: false } as const
const chat = (more: Partial<ChatCall>): ChatCall => ({
  ...base,
  kind: 'chat',
  n: 1,
  messages: [{ role: 'user', content: 'hi' }],
  ...more,
})
const complete = (more: Partial<CompletionCall>): CompletionCall => ({
  ...base,
  kind: 'completion',
  n: 1,
  prompts: ['a'],
  ...more,
})
const embed = (more: Partial<EmbedCall>): EmbedCall => ({
  ...base,
  kind: 'embed',
  encoding: 'float',
  inputs: ['a'],
  ...more,
})
const tools = [{ name: 'add' }]
const image = { type: 'image', url: 'data:,' } as const

const refused: [string, Call, string, number, string][] = [
  [
    'an image',
    chat({ messages: [{ role: 'user', content: [{ type: 'text', text: 'a' }, image] }] }),
    'unsupported-value',
    422,
    'messages[0].content[1]',
  ],
  [
    'audio',
    chat({ messages: [{ role: 'user', content: [{ type: 'audio', data: '', format: 'wav' }] }] }),
    'unsupported-value',
    422,
    'messages[0].content[0]',
  ],
  [
    'a JSON schema',
    chat({ responseFormat: { type: 'json_schema', name: 'x' } }),
    'unsupported-value',
    422,
    'response_format',
  ],
  [
    'strict tools',
    chat({ tools: [{ name: 'a' }, { name: 'b', strict: true }] }),
    'unsupported-value',
    422,
    'tools[1].function.strict',
  ],
  [
    'logprobs of JSON',
    chat({ logprobs: { top: 1 }, responseFormat: { type: 'json_object' } }),
    'unsupported-value',
    422,
    'logprobs',
  ],
  [
    'logprobs of a call',
    chat({ logprobs: { top: 1 }, tools, toolChoice: 'required' }),
    'unsupported-value',
    422,
    'logprobs',
  ],
  ['a call without tools', chat({ toolChoice: 'required' }), 'invalid-request', 400, 'tool_choice'],
  ['a call of another tool', chat({ tools, toolChoice: { name: 'sub' } }), 'invalid-request', 400, 'tool_choice'],
  [
    'a spoken answer',
    chat({
      messages: [{ role: 'assistant', content: null, rest: { wire: 'openai-chat', fields: { audio: { id: 'a' } } } }],
    }),
    'unsupported-value',
    422,
    'messages[0].audio',
  ],
  ['too many stops', chat({ stop: Array.from({ length: 17 }, String) }), 'unsupported-value', 422, 'stop'],
  ['too many answers', complete({ prompts: Array(2000).fill('a'), n: 2 }), 'unsupported-value', 422, 'n'],
  ['a quantised vector', embed({ encoding: 'int8' }), 'unsupported-value', 422, 'encoding_format'],
  ['an empty stop', chat({ stop: ['a', ''] }), 'invalid-request', 400, 'stop'],
  ['a suffix', complete({ suffix: 'z' }), 'unsupported-value', 422, 'suffix'],
  ['ranking', complete({ n: 2, bestOf: 3 }), 'unsupported-value', 422, 'best_of'],
  ['logprobs of the prompt', complete({ echo: true, logprobs: { top: 0 } }), 'unsupported-value', 422, 'logprobs'],
  ['an empty input', embed({ inputs: ['a', ''] }), 'invalid-request', 400, 'input[1]'],
  ['no tokens', embed({ inputs: [[]] }), 'invalid-request', 400, 'input[0]'],
  ['another kind of vector', embed({ inputType: 'query' }), 'unsupported-value', 422, 'input_type'],
]

test.each(refused)('%s is refused', (_, call, code, status, param) => {
  expect(() => checkCall(call)).toThrow(
    expect.objectContaining({ code, status, detail: expect.objectContaining({ param }) }),
  )
})

const accepted: [string, Call][] = [
  [
    'all samplings',
    chat({ n: 3, seed: 1, stop: ['a'], logitBias: { 1: 1 }, presencePenalty: 1, logprobs: { top: 2 }, temperature: 2 }),
  ],
  ['text parts', chat({ messages: [{ role: 'user', content: [{ type: 'text', text: 'a' }] }] })],
  [
    'tools',
    chat({ tools, toolChoice: { name: 'add' }, parallelToolCalls: false, responseFormat: { type: 'json_object' } }),
  ],
  ['a completion', complete({ n: 2, bestOf: 2, echo: true, suffix: '' })],
  ['an embedding', embed({ inputType: 'text', dimensions: 8, encoding: 'base64' })],
]

test.each(accepted)('%s: accepted', (_, call) => {
  expect(() => checkCall(call)).not.toThrow()
})

test.each([
  ['reasoning_effort', 'low'],
  ['store', true],
  ['service_tier', 'priority'],
  ['modalities', ['text', 'audio']],
])('the unknown field %s is refused by name', (key, value) => {
  const rest = { wire: 'openai-chat', fields: { [key]: value } }
  expect(() => checkCall(chat({ rest }))).toThrow(key)
})

test('labels and values that ask for nothing pass', () => {
  const fields = {
    user: 'u',
    metadata: { a: 'b' },
    store: false,
    prediction: null,
    service_tier: 'auto',
    modalities: ['text'],
  }
  checkCall(chat({ rest: { wire: 'openai-chat', fields } }))
})
