import { type FakeUpstream, json, type Step, sse, sseHead } from './fake-upstream.ts'

/** What a scripted upstream says, by the piece. */
export type Told = {
  text?: string[]
  reasoning?: string[]
  args?: string[]
  tool?: string
  second?: string[]
  refusal?: string[]
}

export const head = { id: 'chatcmpl-1', created: 1, model: 'gpt-4o-2024-08-06' }
export const usage = { prompt_tokens: 3, completion_tokens: 4, total_tokens: 7 }

export function writeWhole({ text = [], reasoning, args, tool, second, refusal }: Told, isChat: boolean): object {
  const calls = args && [
    { id: 'call_1', type: 'function', function: { name: tool ?? 'eat', arguments: args.join('') } },
  ]
  const message = (words: string[]) => ({
    role: 'assistant',
    content: calls ? null : words.join(''),
    ...(reasoning && { reasoning_content: reasoning.join('') }),
    ...(refusal && { refusal: refusal.join('') }),
    ...(calls && { tool_calls: calls }),
  })
  const choice = (words: string[], index: number) => ({
    index,
    finish_reason: calls ? 'tool_calls' : 'stop',
    logprobs: null,
    ...(isChat ? { message: message(words) } : { text: words.join('') }),
  })
  const choices = [choice(text, 0), ...(second ? [choice(second, 1)] : [])]
  return { ...head, object: isChat ? 'chat.completion' : 'text_completion', choices, usage }
}

export function writeChunks(
  { text = [], reasoning = [], args, tool, second = [], refusal = [] }: Told,
  isChat: boolean,
): object[] {
  const chunk = (index: number, delta: object, finish: string | null = null) => ({
    ...head,
    object: isChat ? 'chat.completion.chunk' : 'text_completion',
    choices: [{ index, finish_reason: finish, logprobs: null, ...(isChat ? { delta } : { text: '', ...delta }) }],
  })
  const words = (index: number) => (word: string) => chunk(index, isChat ? { content: word } : { text: word })
  const call = (fields: object) => chunk(0, { tool_calls: [{ index: 0, ...fields }] })
  return [
    ...(isChat ? [chunk(0, { role: 'assistant', content: '' })] : []),
    ...reasoning.map((word) => chunk(0, { reasoning_content: word })),
    ...refusal.map((word) => chunk(0, { refusal: word })),
    ...text.map(words(0)),
    ...second.map(words(1)),
    ...(args
      ? [
          call({ id: 'call_1', type: 'function', function: { name: tool ?? 'eat', arguments: '' } }),
          ...args.map((part) => call({ function: { arguments: part } })),
        ]
      : []),
    chunk(0, {}, args ? 'tool_calls' : 'stop'),
    ...(second.length > 0 ? [chunk(1, {}, 'stop')] : []),
    { ...head, object: 'chat.completion.chunk', choices: [], usage },
  ]
}

const message = { id: 'msg_1', type: 'message', role: 'assistant', model: 'claude-x', stop_sequence: null }

function messageWhole({ text = [], args, tool }: Told): object {
  const content = args
    ? [{ type: 'tool_use', id: 'toolu_1', name: tool ?? 'eat', input: JSON.parse(args.join('')) }]
    : [{ type: 'text', text: text.join('') }]
  return {
    ...message,
    content,
    stop_reason: args ? 'tool_use' : 'end_turn',
    usage: { input_tokens: 3, output_tokens: 4 },
  }
}

function messageStream({ text = [], args, tool }: Told): readonly Step[] {
  const named = (data: { type: string; [key: string]: unknown }): Step => ({
    do: 'send',
    text: `event: ${data.type}\ndata: ${JSON.stringify(data)}\n\n`,
  })
  const block = args ? { type: 'tool_use', id: 'toolu_1', name: tool ?? 'eat', input: {} } : { type: 'text', text: '' }
  const deltas = args
    ? args.map((part) => ({ type: 'input_json_delta', partial_json: part }))
    : text.map((part) => ({ type: 'text_delta', text: part }))
  return [
    sseHead,
    named({
      type: 'message_start',
      message: { ...message, content: [], stop_reason: null, usage: { input_tokens: 3, output_tokens: 1 } },
    }),
    named({ type: 'content_block_start', index: 0, content_block: block }),
    ...deltas.map((delta) => named({ type: 'content_block_delta', index: 0, delta })),
    named({ type: 'content_block_stop', index: 0 }),
    named({
      type: 'message_delta',
      delta: { stop_reason: args ? 'tool_use' : 'end_turn', stop_sequence: null },
      usage: { output_tokens: 4 },
    }),
    named({ type: 'message_stop' }),
    { do: 'end' },
  ]
}

const response = {
  id: 'resp_1',
  object: 'response',
  created_at: 1,
  model: 'gpt-4o-2024-08-06',
  error: null,
  incomplete_details: null,
  usage: { input_tokens: 3, output_tokens: 4, total_tokens: 7 },
}

/** The items of a response, each with the pieces that its text comes in. */
function responseItems({ text = [], reasoning, args, tool, refusal }: Told) {
  const item = (type: string, fields: object) => ({ id: `${type}_1`, type, status: 'completed', ...fields })
  const said = (type: string, name: string, pieces: readonly string[]) => ({
    item: item('message', { role: 'assistant', content: [{ type, [name]: pieces.join(''), annotations: [] }] }),
    begun: item('message', { role: 'assistant', content: [] }),
    delta: `response.${type}.delta`,
    pieces,
  })
  const summary = [{ type: 'summary_text', text: reasoning?.join('') }]
  const call = { call_id: 'call_1', name: tool ?? 'eat' }
  return [
    ...(reasoning
      ? [
          {
            item: item('reasoning', { summary }),
            begun: item('reasoning', { summary: [] }),
            delta: 'response.reasoning_summary_text.delta',
            pieces: reasoning,
          },
        ]
      : []),
    ...(refusal ? [said('refusal', 'refusal', refusal)] : []),
    ...(args ? [] : refusal ? [] : [said('output_text', 'text', text)]),
    ...(args
      ? [
          {
            item: item('function_call', { ...call, arguments: args.join('') }),
            begun: item('function_call', { ...call, arguments: '' }),
            delta: 'response.function_call_arguments.delta',
            pieces: args,
          },
        ]
      : []),
  ]
}

export function responseWhole(told: Told): object {
  return { ...response, status: 'completed', output: responseItems(told).map(({ item }) => item) }
}

export function responseStream(told: Told): readonly Step[] {
  let sequence = 0
  const named = (type: string, fields: object): Step => ({
    do: 'send',
    text: `event: ${type}\ndata: ${JSON.stringify({ type, ...fields, sequence_number: sequence++ })}\n\n`,
  })
  return [
    sseHead,
    named('response.created', { response: { ...response, status: 'in_progress', output: [], usage: null } }),
    ...responseItems(told).flatMap(({ item, begun, delta, pieces }, index) => [
      named('response.output_item.added', { output_index: index, item: { ...begun, status: 'in_progress' } }),
      ...pieces.map((piece) => named(delta, { output_index: index, item_id: item.id, content_index: 0, delta: piece })),
      named('response.output_item.done', { output_index: index, item }),
    ]),
    named('response.completed', { response: responseWhole(told) }),
    { do: 'end' },
  ]
}

/** What the upstream says, in every protocol it is asked in, whole or streamed. */
export function sayEverywhere(upstream: FakeUpstream, told: Told): void {
  upstream.respond(({ path, body }) => {
    const isStream = JSON.parse(body).stream === true
    if (path.includes('/messages')) return isStream ? messageStream(told) : json(messageWhole(told))
    if (path.includes('/responses')) return isStream ? responseStream(told) : json(responseWhole(told))
    const isChat = path.includes('/chat/')
    return isStream ? sse(...writeChunks(told, isChat)) : json(writeWhole(told, isChat))
  })
}
