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

/** What the upstream says, in every protocol it is asked in, whole or streamed. */
export function sayEverywhere(upstream: FakeUpstream, told: Told): void {
  upstream.respond(({ path, body }) => {
    const isStream = JSON.parse(body).stream === true
    if (path.includes('/messages')) return isStream ? messageStream(told) : json(messageWhole(told))
    const isChat = path.includes('/chat/')
    return isStream ? sse(...writeChunks(told, isChat)) : json(writeWhole(told, isChat))
  })
}
