import type { CallKind } from '../../../src/core/call.ts'

/** What a healthy upstream says, by the protocol it speaks. */

export type AnswerEvent = { readonly name?: string | undefined; readonly data: unknown }

export type GoodAnswer =
  | { readonly form: 'whole'; readonly value: unknown }
  | { readonly form: 'events'; readonly events: readonly AnswerEvent[]; readonly terminator: string }
  | { readonly form: 'bytes'; readonly contentType: string; readonly bytes: Buffer }

const usage = { prompt_tokens: 3, completion_tokens: 2, total_tokens: 5 }
const toolCall = { id: 'call_1', type: 'function', function: { name: 'get_weather', arguments: '{"city":"Paris"}' } }
const logprobs = {
  content: [{ token: 'x', logprob: -0.1, bytes: [120], top_logprobs: [{ token: 'x', logprob: -0.1, bytes: [120] }] }],
}
const filters = { hate: { filtered: false, severity: 'safe' } }

/** `text` is what the model answers; with `isRich` it also thinks, calls a tool and reports on filters. */
export function goodAnswer(wire: string, kind: CallKind, isStream: boolean, text: string, isRich: boolean): GoodAnswer {
  if (wire === 'anthropic-messages') return isStream ? messageEvents(text, isRich) : whole(message(text, isRich))
  if (wire === 'openai-responses') return isStream ? responseEvents(text, isRich) : whole(response(text, isRich))
  if (kind === 'chat') return isStream ? chatEvents(text, isRich) : whole(completion(text, isRich))
  if (kind === 'completion') return isStream ? textEvents(text) : whole(textCompletion(text))
  if (kind === 'speech') return { form: 'bytes', contentType: 'audio/mpeg', bytes: Buffer.from(`ID3${text}`) }
  return whole(others[kind] ?? { text })
}

const whole = (value: unknown): GoodAnswer => ({ form: 'whole', value })

const others: Partial<Record<CallKind, unknown>> = {
  embed: {
    object: 'list',
    model: 'm',
    data: [
      { object: 'embedding', index: 0, embedding: [0.1, -0.5, 0.25] },
      { object: 'embedding', index: 1, embedding: 'zczMPQAAAL8=' },
    ],
    usage,
  },
  image: { created: 1, data: [{ b64_json: 'AAAA', revised_prompt: 'a cat' }] },
  'image-edit': { created: 1, data: [{ b64_json: 'AAAA' }] },
  'inference-image': { id: 'i', created: 1, model: 'm', data: [{ b64_json: 'AAAA' }], usage },
  'image-embed': {
    id: 'e',
    object: 'list',
    model: 'm',
    data: [{ object: 'embedding', index: 0, embedding: [1] }],
    usage,
  },
  moderate: { id: 'modr-1', model: 'm', results: [{ flagged: false, categories: {}, category_scores: {} }] },
  rerank: { id: 'r', results: [{ index: 0, relevance_score: 0.5 }], meta: { api_version: { version: '2' } } },
}

function completion(text: string, isRich: boolean): unknown {
  const said = { role: 'assistant', content: text }
  const more = isRich && { tool_calls: [toolCall], reasoning_content: 'hm', refusal: null }
  const choice = { index: 0, message: { ...said, ...more }, finish_reason: isRich ? 'tool_calls' : 'stop' }
  return {
    id: 'chatcmpl-1',
    object: 'chat.completion',
    created: 1_700_000_000,
    model: 'm-2024',
    choices: [isRich ? { ...choice, logprobs, content_filter_results: filters } : choice],
    usage,
    ...(isRich && { system_fingerprint: 'fp_1', prompt_filter_results: [{ prompt_index: 0 }] }),
  }
}

function chatEvents(text: string, isRich: boolean): GoodAnswer {
  const chunk = (choices: unknown[], more: object = {}): AnswerEvent => ({
    data: { id: 'chatcmpl-1', object: 'chat.completion.chunk', created: 1_700_000_000, model: 'm', choices, ...more },
  })
  const delta = (fields: object, reason: string | null = null, more: object = {}): AnswerEvent =>
    chunk([{ index: 0, delta: fields, finish_reason: reason, ...more }])
  const call = (fn: object, more: object = {}) => delta({ tool_calls: [{ index: 0, function: fn, ...more }] })
  const rich = [
    delta({ reasoning_content: 'hm' }),
    delta({ content: '' }, null, { logprobs }),
    call({ name: 'get_weather', arguments: '' }, { id: 'call_1', type: 'function' }),
    call({ arguments: '{"city":' }),
    call({ arguments: '"Paris"}' }),
  ]
  const middle = Math.ceil(text.length / 2)
  return {
    form: 'events',
    events: [
      ...(isRich ? [chunk([], { prompt_filter_results: [{ prompt_index: 0, content_filter_results: filters }] })] : []),
      delta({ role: 'assistant', content: '' }),
      delta({ content: text.slice(0, middle) }),
      delta({ content: text.slice(middle) }),
      ...(isRich ? rich : []),
      delta({}, isRich ? 'tool_calls' : 'stop'),
      chunk([], { usage }),
    ],
    terminator: 'data: [DONE]\n\n',
  }
}

function textCompletion(text: string): unknown {
  const choices = [{ index: 0, text, finish_reason: 'stop', logprobs: null }]
  return { id: 'cmpl-1', object: 'text_completion', created: 1, model: 'm', choices, usage }
}

function textEvents(text: string): GoodAnswer {
  const chunk = (part: string, reason: string | null): AnswerEvent => ({
    data: {
      id: 'cmpl-1',
      object: 'text_completion',
      created: 1,
      model: 'm',
      choices: [{ index: 0, text: part, finish_reason: reason, logprobs: null }],
    },
  })
  return { form: 'events', events: [chunk(text, null), chunk('', 'stop')], terminator: 'data: [DONE]\n\n' }
}

const response = (text: string, isRich: boolean): object => responseOf(responseItems(text, isRich))

function responseOf(output: readonly object[], status = 'completed'): object {
  const usage = { input_tokens: 3, output_tokens: 2, total_tokens: 5 }
  const empty = { error: null, incomplete_details: null }
  return { id: 'resp_1', object: 'response', created_at: 1_700_000_000, status, model: 'm', output, usage, ...empty }
}

function responseItems(text: string, isRich: boolean): object[] {
  const said = { type: 'output_text', text, annotations: [], logprobs: isRich ? logprobs.content : [] }
  const rich = [
    { id: 'rs_1', type: 'reasoning', summary: [{ type: 'summary_text', text: 'hm' }], encrypted_content: 'c2ln' },
    { id: 'ws_1', type: 'web_search_call', status: 'completed', action: { type: 'search', query: 'q' } },
    { id: 'fc_1', type: 'function_call', call_id: 'call_1', status: 'completed', ...toolCall.function },
  ]
  return [
    ...(isRich ? rich : []),
    { id: 'msg_1', type: 'message', status: 'completed', role: 'assistant', content: [said] },
  ]
}

function responseEvents(text: string, isRich: boolean): GoodAnswer {
  let sequence = 0
  const event = (name: string, fields: object): AnswerEvent => ({
    name,
    data: { type: name, ...fields, sequence_number: sequence++ },
  })
  const deltas: Readonly<Record<string, string>> = {
    reasoning: 'response.reasoning_summary_text.delta',
    function_call: 'response.function_call_arguments.delta',
    message: 'response.output_text.delta',
  }
  const texts: Readonly<Record<string, string>> = { reasoning: 'hm', function_call: '{"city":"Paris"}', message: text }
  const items = responseItems(text, isRich) as { id: string; type: string }[]
  return {
    form: 'events',
    events: [
      event('response.created', { response: responseOf([], 'in_progress') }),
      ...items.flatMap((item, output_index) => {
        const { id, type } = item
        const empty = {
          content: type === 'message' ? [] : undefined,
          arguments: type === 'function_call' ? '' : undefined,
        }
        const delta = deltas[type]
        const place = { output_index, item_id: id, content_index: 0, summary_index: 0 }
        return [
          event('response.output_item.added', { output_index, item: { ...item, ...empty, status: 'in_progress' } }),
          ...(delta ? [event(delta, { ...place, delta: texts[type], logprobs: [] })] : []),
          event('response.output_item.done', { output_index, item }),
        ]
      }),
      event('response.completed', { response: responseOf(items) }),
    ],
    terminator: '',
  }
}

const messageUsage = { input_tokens: 3, output_tokens: 2, cache_read_input_tokens: 0 }

function message(text: string, isRich: boolean): unknown {
  const rich = [
    { type: 'thinking', thinking: 'hm', signature: 'c2ln' },
    { type: 'tool_use', id: 'toolu_1', name: 'get_weather', input: { city: 'Paris' } },
  ]
  return {
    id: 'msg_1',
    type: 'message',
    role: 'assistant',
    model: 'm',
    content: [{ type: 'text', text }, ...(isRich ? rich : [])],
    stop_reason: isRich ? 'tool_use' : 'end_turn',
    stop_sequence: null,
    usage: messageUsage,
  }
}

function messageEvents(text: string, isRich: boolean): GoodAnswer {
  const event = (name: string, fields: object): AnswerEvent => ({ name, data: { type: name, ...fields } })
  const block = (index: number, start: object, deltas: readonly object[]): AnswerEvent[] => [
    event('content_block_start', { index, content_block: start }),
    ...deltas.map((delta) => event('content_block_delta', { index, delta })),
    event('content_block_stop', { index }),
  ]
  const rich = [
    ...block(1, { type: 'thinking', thinking: '' }, [
      { type: 'thinking_delta', thinking: 'hm' },
      { type: 'signature_delta', signature: 'c2ln' },
    ]),
    ...block(2, { type: 'tool_use', id: 'toolu_1', name: 'get_weather', input: {} }, [
      { type: 'input_json_delta', partial_json: '{"city":' },
      { type: 'input_json_delta', partial_json: '"Paris"}' },
    ]),
  ]
  const empty = { ...(message('', false) as object), content: [], stop_reason: null }
  return {
    form: 'events',
    events: [
      event('message_start', { message: empty }),
      event('ping', {}),
      ...block(0, { type: 'text', text: '' }, [{ type: 'text_delta', text }]),
      ...(isRich ? rich : []),
      event('message_delta', {
        delta: { stop_reason: isRich ? 'tool_use' : 'end_turn', stop_sequence: null },
        usage: messageUsage,
      }),
      event('message_stop', {}),
    ],
    terminator: '',
  }
}
