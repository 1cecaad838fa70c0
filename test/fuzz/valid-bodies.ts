import type { CallKind } from '../../src/core/call.ts'

/** Requests as real clients send them, to begin from. A wire that is not named here gets those of its kind. */

type Body = Readonly<Record<string, unknown>>

/** One that any upstream takes, whatever it speaks; `text` comes back in the answer of the fuzz upstream. */
export function simpleBody(wire: string, kind: CallKind, model: string, text: string, stream: boolean): Body {
  const messages = [{ role: 'user', content: text }]
  if (wire === 'anthropic-messages') return { model, max_tokens: 50, messages, stream }
  if (wire === 'openai-responses') return { model, input: text, ...(stream && { stream }) }
  if (kind === 'chat') return { model, messages, ...(stream && { stream }) }
  return { ...(richBodies(wire, kind)[0] as Body), model, ...(stream && kind === 'completion' && { stream }) }
}

const weatherTool = {
  type: 'function',
  function: {
    name: 'get_weather',
    description: 'The weather of a place',
    parameters: { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] },
  },
}
const pixel =
  'data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=='
const toolTurns = [
  { role: 'user', content: 'Weather in Paris?' },
  {
    role: 'assistant',
    content: null,
    tool_calls: [{ id: 'call_1', type: 'function', function: { name: 'get_weather', arguments: '{"city":"Paris"}' } }],
  },
  { role: 'tool', tool_call_id: 'call_1', content: '{"degrees":21}' },
]
const personSchema = {
  name: 'person',
  strict: true,
  schema: { type: 'object', properties: { name: { type: 'string' } }, required: ['name'], additionalProperties: false },
}

const inferenceChat: readonly Body[] = [
  { messages: [{ role: 'user', content: 'hi' }], temperature: 0.5, top_p: 0.9, max_tokens: 20, stop: ['x'], seed: 3 },
  { messages: toolTurns, tools: [weatherTool], tool_choice: 'auto', stream: true },
  { messages: [{ role: 'user', content: 'hi' }], response_format: { type: 'json_schema', json_schema: personSchema } },
  {
    messages: [
      { role: 'system', content: 'Be short.' },
      {
        role: 'user',
        content: [
          { type: 'text', text: 'What is it?' },
          { type: 'image_url', image_url: { url: pixel, detail: 'low' } },
          { type: 'input_audio', input_audio: { data: 'AAAA', format: 'wav' } },
          { type: 'audio_url', audio_url: { url: 'data:audio/wav;base64,AAAA' } },
        ],
      },
    ],
    frequency_penalty: 0.1,
    presence_penalty: -0.1,
  },
  { messages: [{ role: 'user', content: 'hi' }], safe_prompt: true, response_format: { type: 'json_object' } },
]

const openaiChat: readonly Body[] = [
  ...inferenceChat,
  {
    messages: [
      { role: 'developer', content: 'Be short.' },
      { role: 'user', name: 'ann', content: 'hi' },
    ],
    n: 2,
    logprobs: true,
    top_logprobs: 3,
    logit_bias: { '50256': -100 },
    max_completion_tokens: 30,
    reasoning_effort: 'low',
    stream: true,
    stream_options: { include_usage: true, include_obfuscation: false },
    metadata: { run: '1' },
    user: 'u-1',
    store: false,
  },
  {
    messages: [
      { role: 'user', content: 'hi' },
      { role: 'assistant', content: null, function_call: { name: 'f', arguments: '{}' } },
      { role: 'function', name: 'f', content: '1' },
    ],
    functions: [{ name: 'f', parameters: { type: 'object', properties: {} } }],
    function_call: { name: 'f' },
  },
  {
    messages: toolTurns,
    tools: [weatherTool],
    tool_choice: { type: 'function', function: { name: 'get_weather' } },
    parallel_tool_calls: false,
    prediction: { type: 'content', content: 'hi' },
    service_tier: 'auto',
    verbosity: 'low',
  },
]

const anthropic: readonly Body[] = [
  { max_tokens: 20, messages: [{ role: 'user', content: 'hi' }], system: 'Be short.', stop_sequences: ['x'], top_k: 5 },
  {
    max_tokens: 20,
    stream: true,
    system: [{ type: 'text', text: 'Be short.', cache_control: { type: 'ephemeral' } }],
    messages: [
      { role: 'user', content: [{ type: 'text', text: 'Weather?' }] },
      {
        role: 'assistant',
        content: [
          { type: 'thinking', thinking: 'hm', signature: 'c2ln' },
          { type: 'tool_use', id: 'toolu_1', name: 'get_weather', input: { city: 'Paris' } },
        ],
      },
      {
        role: 'user',
        content: [
          { type: 'tool_result', tool_use_id: 'toolu_1', content: [{ type: 'text', text: '21' }], is_error: false },
          { type: 'image', source: { type: 'base64', media_type: 'image/png', data: pixel.split(',')[1] } },
        ],
      },
    ],
    tools: [{ name: 'get_weather', description: 'd', input_schema: weatherTool.function.parameters }],
    tool_choice: { type: 'auto', disable_parallel_tool_use: true },
    metadata: { user_id: 'u' },
    thinking: { type: 'enabled', budget_tokens: 1024 },
  },
]

const responsesTool = { type: 'function', ...weatherTool.function, strict: false }

const responses: readonly Body[] = [
  { input: 'hi', instructions: 'Be short.', temperature: 0.5, top_p: 0.9, max_output_tokens: 20, store: false },
  {
    input: [
      { role: 'user', content: [{ type: 'input_text', text: 'Weather?' }] },
      { type: 'reasoning', id: 'rs_1', summary: [{ type: 'summary_text', text: 'hm' }], encrypted_content: 'c2ln' },
      {
        type: 'message',
        id: 'msg_1',
        role: 'assistant',
        content: [{ type: 'output_text', text: 'ok', annotations: [] }],
      },
      { type: 'function_call', id: 'fc_1', call_id: 'call_1', name: 'get_weather', arguments: '{"city":"Paris"}' },
      { type: 'function_call_output', call_id: 'call_1', output: [{ type: 'input_text', text: '21' }] },
    ],
    tools: [responsesTool],
    tool_choice: { type: 'function', name: 'get_weather' },
    parallel_tool_calls: false,
    stream: true,
    stream_options: { include_obfuscation: true },
    reasoning: { effort: 'low', summary: 'auto' },
  },
  {
    input: [
      { role: 'developer', content: 'Be short.' },
      {
        type: 'message',
        role: 'user',
        content: [
          { type: 'input_text', text: 'What is it?' },
          { type: 'input_image', image_url: pixel, detail: 'low' },
          { type: 'input_file', filename: 'a.pdf', file_data: 'data:application/pdf;base64,JVBE' },
        ],
      },
      { type: 'message', role: 'assistant', content: [{ type: 'refusal', refusal: 'No.' }] },
      { role: 'user', content: 'Why?' },
    ],
    text: { format: { type: 'json_schema', ...personSchema }, verbosity: 'low' },
    include: ['message.output_text.logprobs', 'reasoning.encrypted_content'],
    top_logprobs: 2,
    metadata: { run: '1' },
    user: 'u-1',
    safety_identifier: 's',
    prompt_cache_key: 'k',
    service_tier: 'auto',
    truncation: 'disabled',
  },
  { input: [{ type: 'custom_tool_call_output', call_id: 'c', output: 'x' }], tools: [{ type: 'web_search' }] },
]

const byKind: Readonly<Record<CallKind, readonly Body[]>> = {
  chat: openaiChat,
  completion: [
    { prompt: 'Once', max_tokens: 5, temperature: 0 },
    { prompt: ['a', 'b'], n: 1, best_of: 2, echo: true, suffix: 'z', logprobs: 2, stop: 'x' },
    { prompt: [[1, 2, 3]], stream: true, stream_options: { include_usage: true } },
    { prompt: [15496, 11], user: 'u' },
  ],
  embed: [
    { input: 'hello' },
    { input: ['a', 'b', 'c'], dimensions: 64, encoding_format: 'base64' },
    { input: [[1, 2, 3], [4]], encoding_format: 'float', user: 'u' },
    { input: ['a'], input_type: 'query', encoding_format: 'int8' },
  ],
  image: [
    { prompt: 'a cat', n: 1, size: '1024x1024', quality: 'low', response_format: 'b64_json' },
    { prompt: 'a cat', stream: true, partial_images: 2, output_format: 'png', background: 'auto' },
  ],
  'image-edit': [{ prompt: 'a cat', images: [{ image_url: pixel }], n: 1, input_fidelity: 'high' }],
  'inference-image': [
    { prompt: 'a cat', size: '1024x1024', n: 1, image_prompt: { image: pixel, strength: 0.5 } },
    { prompt: 'a cat', size: { width: 64, height: 64 }, seed: 1 },
  ],
  'image-embed': [{ input: [{ image: pixel, text: 'cat' }], dimensions: 64, encoding_format: 'float' }],
  speech: [
    { input: 'Hello', voice: 'alloy', response_format: 'mp3', speed: 1 },
    { input: 'Hello', voice: 'alloy', stream_format: 'sse' },
  ],
  transcribe: [{ language: 'en', response_format: 'json', temperature: 0 }],
  translate: [{ prompt: 'hm', response_format: 'text' }],
  moderate: [{ input: 'hello' }, { input: ['a', { type: 'image_url', image_url: { url: pixel } }] }],
  rerank: [
    { query: 'q', documents: ['a', 'b'], top_n: 1, return_documents: true },
    { query: 'q', documents: [{ text: 'a' }], max_tokens_per_doc: 10 },
  ],
}

const byWire: Readonly<Record<string, readonly Body[]>> = {
  'azure-inference-chat': inferenceChat,
  'anthropic-messages': anthropic,
  'openai-responses': responses,
}

export function richBodies(wire: string, kind: CallKind): readonly Body[] {
  return byWire[wire] ?? byKind[kind] ?? openaiChat
}

const formBoundary = 'fuzz-boundary-7'

/** A multipart form: the body's fields, then a file under each of the names that operations ask for. */
export function writeForm(fields: Body, fileBytes: Buffer): { readonly contentType: string; readonly bytes: Buffer } {
  const parts: Buffer[] = []
  const part = (head: string, content: Buffer): void => {
    parts.push(Buffer.from(`--${formBoundary}\r\nContent-Disposition: form-data; ${head}\r\n\r\n`), content)
    parts.push(Buffer.from('\r\n'))
  }
  for (const [name, value] of Object.entries(fields)) {
    part(`name="${name}"`, Buffer.from(typeof value === 'string' ? value : (JSON.stringify(value) ?? '')))
  }
  for (const name of ['file', 'image']) part(`name="${name}"; filename="a.bin"`, fileBytes)
  parts.push(Buffer.from(`--${formBoundary}--\r\n`))
  return { contentType: `multipart/form-data; boundary=${formBoundary}`, bytes: Buffer.concat(parts) }
}
