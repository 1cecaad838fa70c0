import { expect, test } from 'bun:test'
import type { Fault } from '../../core/fault.ts'
import type { JsonObject } from '../../core/json.ts'
import { inferenceChatServer } from '../azure-inference/chat-server.ts'
import type { ServerEnd } from '../wire.ts'
import { openaiChatServer } from './server.ts'

const user = { role: 'user', content: 'hi' }
const image = { type: 'image_url', image_url: { url: 'https://example.com/a.png' } }
const fn = { name: 'f' }
const tool = { type: 'function', function: fn }
const asks = (...ids: string[]): JsonObject => ({
  role: 'assistant',
  content: null,
  tool_calls: ids.map((id) => ({ id, type: 'function', function: { name: 'f', arguments: '{}' } })),
})
const answers = (id: string): JsonObject => ({ role: 'tool', tool_call_id: id, content: 'x' })
const orphan =
  "Invalid parameter: messages with role 'tool' must be a response to a preceeding message with 'tool_calls'."
const unanswered = (ids: string): string =>
  "An assistant message with 'tool_calls' must be followed by tool messages responding to each 'tool_call_id'. " +
  `The following tool_call_ids did not have response messages: ${ids}`

function readFault(end: ServerEnd, change: JsonObject): Fault | undefined {
  const body = { model: 'd', messages: [user], ...change }
  const header = (name: string) => (name === 'extra-parameters' ? 'pass-through' : null)
  try {
    end.readCall({ text: JSON.stringify(body), body, header })
    return undefined
  } catch (error) {
    return error as Fault
  }
}

const everywhere: [string, JsonObject, string, string][] = [
  ['a tool message first', { messages: [answers('a')] }, 'messages.[0].role', orphan],
  [
    'a tool message after a user',
    { messages: [asks('a'), answers('a'), user, answers('a')] },
    'messages.[3].role',
    orphan,
  ],
  [
    'an answer to another call',
    { messages: [user, asks('a'), answers('b')] },
    'messages.[2].tool_call_id',
    "Invalid parameter: 'tool_call_id' of 'b' not found in 'tool_calls' of previous message.",
  ],
  [
    'a call without an answer',
    { messages: [asks('a', 'b', 'c'), answers('b'), user] },
    'messages.[2].role',
    unanswered('a, c'),
  ],
  ['a call at the end', { messages: [user, asks('a')] }, 'messages.[1].role', unanswered('a')],
  [
    'a tool message without an id',
    { messages: [asks('a'), { role: 'tool', content: 'x' }] },
    'messages.[1].tool_call_id',
    "Missing parameter 'tool_call_id': messages with role 'tool' must have a 'tool_call_id'.",
  ],
  [
    'a function message without a name',
    { messages: [user, { role: 'function', content: 'x' }] },
    'messages.[1].name',
    "Missing parameter 'name': messages with role 'function' must have a 'name'.",
  ],
  [
    'a user without content',
    { messages: [user, { role: 'user', content: null }] },
    'messages.[1].content',
    "Invalid value for 'content': expected a string, got null.",
  ],
  [
    'calls by a user',
    { messages: [{ ...user, tool_calls: asks('a').tool_calls as JsonObject[] }] },
    'messages.[0].tool_calls',
    "'tool_calls' is only allowed in messages with role 'assistant'.",
  ],
  [
    'both kinds of calls',
    { messages: [{ ...asks('a'), function_call: { name: 'f', arguments: '' } }, answers('a')] },
    'messages.[0].function_call',
    "'function_call' and 'tool_calls' cannot be used in one message.",
  ],
  [
    'functions beside tools',
    { functions: [fn], tools: [tool] },
    'functions',
    "'functions' and 'tools' cannot be used together.",
  ],
  [
    'a function_call without functions',
    { function_call: 'auto' },
    'function_call',
    "Invalid value for 'function_call': 'function_call' is only allowed when 'functions' are specified.",
  ],
  [
    'both kinds of choices',
    { functions: [fn], function_call: 'auto', tool_choice: 'auto' },
    'function_call',
    "'function_call' and 'tool_choice' cannot be used together.",
  ],
  [
    'top_logprobs without logprobs',
    { top_logprobs: 1 },
    'top_logprobs',
    "The 'top_logprobs' parameter is only allowed when 'logprobs' is enabled.",
  ],
]

test.each(everywhere)('%s is refused on every surface', (_name, change, param, message) => {
  for (const end of [openaiChatServer, inferenceChatServer]) {
    expect(readFault(end, change)).toMatchObject({ code: 'invalid-request', message, detail: { param } })
  }
})

const openaiOnly: [string, JsonObject, string, string, string?][] = [
  [
    'tool_choice without tools',
    { tool_choice: 'none' },
    'tool_choice',
    "Invalid value for 'tool_choice': 'tool_choice' is only allowed when 'tools' are specified.",
  ],
  [
    'parallel_tool_calls without tools',
    { parallel_tool_calls: false },
    'parallel_tool_calls',
    "Invalid value for 'parallel_tool_calls': 'parallel_tool_calls' is only allowed when 'tools' are specified.",
  ],
  [
    'the choice of a tool that is not there',
    { tools: [tool], tool_choice: { type: 'function', function: { name: 'g' } } },
    'tool_choice',
    "Tool choice 'function.g' not found in 'tools' parameter.",
  ],
  [
    'two limits of tokens',
    { max_tokens: 1, max_completion_tokens: 1 },
    'max_tokens',
    "Setting 'max_tokens' and 'max_completion_tokens' at the same time is not supported.",
    'invalid_parameter_combination',
  ],
  [
    'json_object without the word',
    { response_format: { type: 'json_object' } },
    'messages',
    "'messages' must contain the word 'json' in some form, to use 'response_format' of type 'json_object'.",
  ],
  [
    'stream_options without a stream',
    { stream_options: { include_usage: true } },
    'stream_options',
    "The 'stream_options' parameter is only allowed when 'stream' is enabled.",
  ],
  [
    'an image from the system',
    { messages: [{ role: 'system', content: [image] }, user] },
    'messages[0]',
    "Invalid 'messages[0]'. Content of type 'image_url' is only allowed for messages with role 'user', but this message has role 'system'.",
    'invalid_value',
  ],
  [
    'an assistant that says nothing',
    { messages: [user, { role: 'assistant', content: null }] },
    'messages.[1].content',
    "Invalid value for 'content': expected a string, got null.",
  ],
  [
    'an empty list of calls',
    { messages: [user, { role: 'assistant', content: 'x', tool_calls: [] }] },
    'messages[1].tool_calls',
    "Invalid 'messages[1].tool_calls': empty array. Expected an array with minimum length 1, but got an empty array instead.",
  ],
]

for (const [name, change, param, message, vendorCode] of openaiOnly) {
  test(`${name} is refused on the Azure OpenAI surface alone`, () => {
    const fault = readFault(openaiChatServer, change)
    expect(fault).toMatchObject({ code: 'invalid-request', message, detail: { param } })
    expect(fault?.detail.vendorCode).toBe(vendorCode as string)
    expect(readFault(inferenceChatServer, change)).toBeUndefined()
  })
}

const taken: [string, JsonObject][] = [
  [
    'the word json in any form',
    {
      messages: [{ role: 'user', content: [{ type: 'text', text: 'as JsOn' }] }],
      response_format: { type: 'json_object' },
    },
  ],
  ['calls answered in another order', { messages: [user, asks('a', 'b'), answers('b'), answers('a')] }],
  ['a call answered twice', { messages: [user, asks('a'), answers('a'), answers('a'), user] }],
  ['an assistant that refused', { messages: [user, { role: 'assistant', content: null, refusal: 'no' }] }],
  ['a refusal as a part', { messages: [user, { role: 'assistant', content: [{ type: 'refusal', refusal: 'no' }] }] }],
  ['an assistant that spoke', { messages: [user, { role: 'assistant', audio: { id: 'a' } }] }],
  ['a function message that answers nothing', { messages: [user, { role: 'function', name: 'f', content: 'x' }] }],
  ['usage asked of a stream', { stream: true, stream_options: { include_usage: true, include_obfuscation: false } }],
  [
    'audio with its format beside',
    { messages: [{ role: 'user', content: [{ type: 'input_audio', input_audio: { data: 'AA==' }, format: 'wav' }] }] },
  ],
  ['a seed of 64 bits', { seed: 2 ** 62 }],
  ['null for everything', { temperature: null, tools: null, functions: null, stop: null, metadata: null, audio: null }],
]

test.each(taken)('%s is taken', (_name, change) => {
  expect(readFault(openaiChatServer, change)).toBeUndefined()
  expect(readFault(inferenceChatServer, change)).toBeUndefined()
})

const ranges: [JsonObject, string, string][] = [
  [{ messages: Array(2049).fill(user) }, 'messages', 'at most 2048 items'],
  [{ tools: Array(129).fill(tool) }, 'tools', 'at most 128 items'],
  [{ tools: [] }, 'tools', 'at least 1 item'],
  [{ functions: Array(129).fill(fn) }, 'functions', 'at most 128 items'],
  [{ temperature: 2.1 }, 'temperature', 'at most 2'],
  [{ top_p: -1 }, 'top_p', 'at least 0'],
  [{ frequency_penalty: 2.5 }, 'frequency_penalty', 'at most 2'],
  [{ presence_penalty: -3 }, 'presence_penalty', 'at least -2'],
  [{ n: 129 }, 'n', 'at most 128'],
  [{ seed: 0.5 }, 'seed', 'a whole number'],
  [{ logit_bias: { hello: 1 } }, 'logit_bias.hello', 'token ids'],
  [{ logit_bias: { 5: 101 } }, 'logit_bias.5', 'at most 100'],
  [{ logprobs: true, top_logprobs: 21 }, 'top_logprobs', 'at most 20'],
  [{ metadata: Object.fromEntries(Array.from({ length: 17 }, (_, i) => [i, ''])) }, 'metadata', 'at most 16 pairs'],
  [{ metadata: { ['k'.repeat(65)]: '' } }, 'metadata', 'keys of at most 64 characters'],
  [{ metadata: { k: 'v'.repeat(513) } }, 'metadata.k', 'at most 512 characters'],
  [
    { user_security_context: { application_name: 'a'.repeat(101) } },
    'user_security_context.application_name',
    'at most 100 characters',
  ],
  [{ user_security_context: { end_user_id: 'me' } }, 'user_security_context.end_user_id', 'a GUID of 36 characters'],
  [{ user_security_context: { source_ip: 'x' } }, 'user_security_context.source_ip', 'at least 2 characters'],
  [{ response_format: { type: 'xml' } }, 'response_format.type', 'one of "text", "json_object", "json_schema"'],
  [
    { response_format: { type: 'json_schema', json_schema: { name: 'a b', schema: {} } } },
    'response_format.json_schema.name',
    '1 to 64 letters',
  ],
  [{ tool_choice: 'maybe' }, 'tool_choice', 'one of "none", "auto", "required" or an object'],
  [{ modalities: ['video'] }, 'modalities[0]', 'one of "text", "audio"'],
  [{ audio: { voice: 'alloy', format: 'ogg' } }, 'audio.format', 'one of "wav"'],
  [{ reasoning_effort: 'huge' }, 'reasoning_effort', 'one of "none"'],
  [{ service_tier: 'gold' }, 'service_tier', 'one of "auto"'],
  [{ messages: [{ role: 'user', content: [] }] }, 'messages[0].content', 'at least 1 item'],
  [{ messages: [{ role: 'user', content: [{ type: 'video' }] }] }, 'messages[0].content[0].type', 'one of "text"'],
  [
    { messages: [{ role: 'user', content: [{ type: 'input_audio', input_audio: { data: '' } }] }] },
    'messages[0].content[0].input_audio.format',
    'one of "wav", "mp3"',
  ],
  [
    { messages: [{ role: 'user', name: 'a b', content: 'x' }] },
    'messages[0].name',
    '1 to 64 characters without spaces',
  ],
]

test.each(ranges)('%j is out of range', (change, param, expected) => {
  for (const end of [openaiChatServer, inferenceChatServer]) {
    const fault = readFault(end, change)
    expect(fault).toMatchObject({ code: 'invalid-request', detail: { param } })
    expect(fault?.message).toStartWith(`Invalid value for '${param}': `)
    expect(fault?.message).toContain(expected)
  }
})

test('what the two APIs range differently', () => {
  const stop = { stop: ['a', 'b', 'c', 'd', 'e'] }
  const noSchema = { response_format: { type: 'json_schema', json_schema: { name: 'a' } } }
  for (const change of [stop, { max_tokens: 0 }]) {
    expect(readFault(openaiChatServer, change)).toBeDefined()
    expect(readFault(inferenceChatServer, change)).toBeUndefined()
  }
  for (const change of [noSchema, { stop: [] }]) {
    expect(readFault(openaiChatServer, change)).toBeUndefined()
    expect(readFault(inferenceChatServer, change)).toBeDefined()
  }
})
