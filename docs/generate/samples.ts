import type { JsonObject } from '../../src/core/json.ts'

/**
 * A value of each field that a caller may send, and what else the request must hold for it. The compatibility page shows what really
 * becomes of these; every field of a schema has one, or the page is not made.
 */
export type Sample = {
  readonly field: string
  /** What is added to the smallest request. */
  readonly set: JsonObject
  /** What the field needs beside it. */
  readonly with?: JsonObject
}

const user = { role: 'user', content: 'hi' }
const weather = { name: 'weather', parameters: { type: 'object', properties: { city: { type: 'string' } } } }
const tool = { type: 'function', function: weather }
const called = { name: 'weather', arguments: '{}' }
const turn = (...messages: JsonObject[]): JsonObject => ({ messages: [user, ...messages] })
const part = (content: JsonObject): JsonObject => ({ messages: [{ role: 'user', content: [content] }] })

const sampling: readonly Sample[] = [
  { field: 'temperature', set: { temperature: 0.5 } },
  { field: 'top_p', set: { top_p: 0.5 } },
  { field: 'frequency_penalty', set: { frequency_penalty: 1 } },
  { field: 'presence_penalty', set: { presence_penalty: 1 } },
  { field: 'seed', set: { seed: 7 } },
  { field: 'stop', set: { stop: ['END'] } },
  { field: 'max_tokens', set: { max_tokens: 5 } },
  { field: 'n', set: { n: 2 } },
  { field: 'logit_bias', set: { logit_bias: { '50256': -100 } } },
  { field: 'stream', set: { stream: true } },
  { field: 'stream_options', set: { stream_options: { include_usage: true } }, with: { stream: true } },
  { field: 'user', set: { user: 'someone' } },
]

const guid = '00000000-0000-0000-0000-000000000000'

export const chatSamples: readonly Sample[] = [
  ...sampling,
  { field: 'max_completion_tokens', set: { max_completion_tokens: 5 } },
  { field: 'tools', set: { tools: [tool] } },
  { field: 'tools (strict)', set: { tools: [{ ...tool, function: { ...weather, strict: true } }] } },
  { field: 'tool_choice', set: { tool_choice: 'required' }, with: { tools: [tool] } },
  { field: 'parallel_tool_calls', set: { parallel_tool_calls: false }, with: { tools: [tool] } },
  { field: 'functions', set: { functions: [weather] } },
  { field: 'function_call', set: { function_call: { name: 'weather' } }, with: { functions: [weather] } },
  {
    field: 'response_format json_object',
    set: { response_format: { type: 'json_object' } },
    with: { messages: [{ role: 'user', content: 'Answer in JSON' }] },
  },
  {
    field: 'response_format json_schema',
    set: { response_format: { type: 'json_schema', json_schema: { name: 'a', schema: { type: 'object' } } } },
  },
  { field: 'logprobs', set: { logprobs: true } },
  { field: 'top_logprobs', set: { top_logprobs: 3 }, with: { logprobs: true } },
  { field: 'safety_identifier', set: { safety_identifier: 'someone' } },
  { field: 'prompt_cache_key', set: { prompt_cache_key: 'key' } },
  { field: 'user_security_context', set: { user_security_context: { end_user_id: guid } } },
  { field: 'metadata', set: { metadata: { a: 'b' } } },
  { field: 'store', set: { store: true } },
  { field: 'service_tier', set: { service_tier: 'priority' } },
  { field: 'reasoning_effort', set: { reasoning_effort: 'low' } },
  { field: 'verbosity', set: { verbosity: 'low' } },
  { field: 'modalities', set: { modalities: ['text', 'audio'] } },
  { field: 'audio', set: { audio: { voice: 'alloy', format: 'wav' } } },
  { field: 'prediction', set: { prediction: { type: 'content', content: 'hi' } } },
  { field: 'data_sources', set: { data_sources: [{ type: 'azure_search', parameters: {} }] } },
  { field: 'web_search_options', set: { web_search_options: {} } },
  { field: 'a field nobody knows', set: { future_field: 1 } },
  { field: 'messages: system', set: turn({ role: 'system', content: 'be kind' }) },
  { field: 'messages: developer', set: turn({ role: 'developer', content: 'be kind' }) },
  { field: 'messages: name', set: { messages: [{ ...user, name: 'ana' }] } },
  {
    field: 'messages: tool_calls and tool',
    set: turn(
      { role: 'assistant', content: null, tool_calls: [{ id: 'call_1', type: 'function', function: called }] },
      { role: 'tool', tool_call_id: 'call_1', content: 'sunny' },
    ),
  },
  {
    field: 'messages: function_call and function',
    set: turn(
      { role: 'assistant', content: null, function_call: called },
      { role: 'function', name: 'weather', content: 'sunny' },
    ),
    with: { functions: [weather] },
  },
  { field: 'messages: audio of the assistant', set: turn({ role: 'assistant', audio: { id: 'audio_1' } }, user) },
  { field: 'content: text', set: part({ type: 'text', text: 'hello' }) },
  { field: 'content: image_url', set: part({ type: 'image_url', image_url: { url: 'https://example.com/a.png' } }) },
  { field: 'content: input_audio', set: part({ type: 'input_audio', input_audio: { data: 'AAAA', format: 'wav' } }) },
  { field: 'content: audio_url', set: part({ type: 'audio_url', audio_url: { url: 'https://example.com/a.mp3' } }) },
  { field: 'content: file', set: part({ type: 'file', file: { file_id: 'file-1' } }) },
  {
    field: 'content: refusal',
    set: turn({ role: 'assistant', content: [{ type: 'refusal', refusal: 'no' }] }, user),
  },
]

export const completionSamples: readonly Sample[] = [
  ...sampling,
  { field: 'prompt (several)', set: { prompt: ['a', 'b'] } },
  { field: 'prompt (token ids)', set: { prompt: [[1, 2]] } },
  { field: 'suffix', set: { suffix: 'end' } },
  { field: 'echo', set: { echo: true } },
  { field: 'best_of', set: { best_of: 3 } },
  { field: 'logprobs', set: { logprobs: 2 } },
  { field: 'a field nobody knows', set: { future_field: 1 } },
]

export const embeddingSamples: readonly Sample[] = [
  { field: 'input (several)', set: { input: ['a', 'b'] } },
  { field: 'input (token ids)', set: { input: [[9906, 1917]] } },
  { field: 'dimensions', set: { dimensions: 8 } },
  { field: 'encoding_format base64', set: { encoding_format: 'base64' } },
  { field: 'input_type', set: { input_type: 'query' } },
  { field: 'user', set: { user: 'someone' } },
  { field: 'a field nobody knows', set: { future_field: 1 } },
]

export const inferenceEmbeddingSamples: readonly Sample[] = [
  ...embeddingSamples,
  { field: 'encoding_format int8', set: { encoding_format: 'int8' } },
]

const functionTool = { type: 'function', ...weather }
const item = (value: JsonObject): JsonObject => ({ input: [value, user] })

export const responsesSamples: readonly Sample[] = [
  { field: 'input, parts', set: { input: [{ role: 'user', content: [{ type: 'input_text', text: 'hi' }] }] } },
  {
    field: 'input_image',
    set: { input: [{ role: 'user', content: [{ type: 'input_image', image_url: 'https://example.com/a.png' }] }] },
  },
  {
    field: 'input_image, by file_id',
    set: { input: [{ role: 'user', content: [{ type: 'input_image', file_id: 'file-1' }] }] },
  },
  {
    field: 'input_file',
    set: { input: [{ role: 'user', content: [{ type: 'input_file', filename: 'a.pdf', file_data: 'data:,x' }] }] },
  },
  {
    field: 'function_call, function_call_output',
    set: {
      input: [
        user,
        { type: 'function_call', call_id: 'call_1', ...called },
        { type: 'function_call_output', call_id: 'call_1', output: '21' },
      ],
    },
  },
  { field: 'reasoning items', set: item({ type: 'reasoning', id: 'rs_1', summary: [], encrypted_content: 'x' }) },
  { field: 'item_reference', set: item({ type: 'item_reference', id: 'msg_1' }) },
  { field: 'items of built-in tools', set: item({ type: 'web_search_call', id: 'ws_1', status: 'completed' }) },
  { field: 'instructions', set: { instructions: 'Be kind.' } },
  { field: 'tools', set: { tools: [functionTool] } },
  { field: 'tools (strict)', set: { tools: [{ ...functionTool, strict: true }] } },
  { field: 'tools, built in', set: { tools: [{ type: 'web_search' }] } },
  { field: 'tool_choice', set: { tool_choice: 'required' }, with: { tools: [functionTool] } },
  {
    field: 'tool_choice, allowed_tools',
    set: { tool_choice: { type: 'allowed_tools', mode: 'auto', tools: [{ type: 'function', name: 'weather' }] } },
    with: { tools: [functionTool] },
  },
  { field: 'parallel_tool_calls', set: { parallel_tool_calls: false }, with: { tools: [functionTool] } },
  { field: 'text.format json_object', set: { text: { format: { type: 'json_object' } } }, with: { input: 'JSON' } },
  {
    field: 'text.format json_schema',
    set: { text: { format: { type: 'json_schema', name: 'a', schema: { type: 'object' } } } },
  },
  { field: 'text.verbosity', set: { text: { verbosity: 'low' } } },
  { field: 'reasoning.effort', set: { reasoning: { effort: 'low' } } },
  { field: 'reasoning.summary', set: { reasoning: { summary: 'auto' } } },
  { field: 'max_output_tokens', set: { max_output_tokens: 5 } },
  { field: 'temperature', set: { temperature: 0.5 } },
  { field: 'top_p', set: { top_p: 0.5 } },
  { field: 'top_logprobs', set: { top_logprobs: 3 } },
  { field: 'include, of log probabilities', set: { include: ['message.output_text.logprobs'] } },
  { field: 'include, of anything else', set: { include: ['reasoning.encrypted_content'] } },
  { field: 'metadata', set: { metadata: { run: '1' } } },
  { field: 'stream', set: { stream: true } },
  { field: 'stream_options', set: { stream_options: { include_obfuscation: true } }, with: { stream: true } },
  { field: 'store false', set: { store: false } },
  { field: 'store true', set: { store: true } },
  { field: 'background', set: { background: true } },
  { field: 'previous_response_id', set: { previous_response_id: 'resp_1' } },
  { field: 'conversation', set: { conversation: 'conv_1' } },
  { field: 'user', set: { user: 'someone' } },
  { field: 'safety_identifier', set: { safety_identifier: 'someone' } },
  { field: 'prompt_cache_key', set: { prompt_cache_key: 'key' } },
  { field: 'service_tier', set: { service_tier: 'flex' } },
  { field: 'truncation auto', set: { truncation: 'auto' } },
  { field: 'max_tool_calls', set: { max_tool_calls: 2 } },
  { field: 'prompt', set: { prompt: { id: 'pmpt_1' } } },
]
