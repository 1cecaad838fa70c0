import type { JsonObject } from '../../../core/json.ts'

/** Answers as the Messages API gives them, with what other protocols have no word for; and the streams that say the same. */

const usage = {
  input_tokens: 10,
  cache_creation_input_tokens: 2,
  cache_read_input_tokens: 4,
  cache_creation: { ephemeral_5m_input_tokens: 2, ephemeral_1h_input_tokens: 0 },
  output_tokens: 30,
  server_tool_use: { web_search_requests: 1, web_fetch_requests: 0 },
  service_tier: 'standard',
  inference_geo: 'global',
}

/** What looks like data that somebody might make unreadable, and like words that somebody might block. */
export const signature = 'EqQBCgIYAhIM4111111111111111tangerine5500000000000004WaUjzkypQ2mUEVM36O2Txu/C1KBkBGJ+4/=='
export const otherSignature = 'ErUBCkYIARgCIkDWJnQsV9kNz4WZ2mUEVM36O2TxuC06KC1KBkBGJ=='
export const encrypted =
  'EmwKAhgBEgy3va3pzix4111111111111111LafPsn4aDFIT2Xlxh0L5L8rLVyIwxtE3rAFBa8cr3qpPkNRj2YfWXGmKDxH4mPnZ5sQ7'

const search = {
  type: 'server_tool_use',
  id: 'srvtoolu_01WYG3ziw53XMcoyKL4XcZmE',
  name: 'web_search',
  input: { query: 'apples "in" season', max: 3, where: { cities: [{ name: 'Rome' }, []] } },
  caller: { type: 'direct' },
}
const found = {
  type: 'web_search_tool_result',
  tool_use_id: search.id,
  content: [
    {
      type: 'web_search_result',
      url: 'https://fruit.example/apples',
      title: 'Apples of the year',
      encrypted_content: encrypted,
      page_age: 'April 30, 2025',
    },
  ],
}
const cited = {
  type: 'web_search_result_location',
  url: 'https://fruit.example/apples',
  title: 'Apples of the year',
  encrypted_index: encrypted,
  cited_text: 'Apples ripen in autumn.',
}
const located = {
  type: 'char_location',
  cited_text: 'An apple a day.',
  document_index: 0,
  document_title: null,
  file_id: null,
  start_char_index: 0,
  end_char_index: 15,
}

function tell(content: JsonObject[], own: JsonObject = {}): JsonObject {
  return {
    id: 'msg_01XFDUDYJgAACzvnptvVoYEL',
    type: 'message',
    role: 'assistant',
    model: 'claude-x-20260101',
    content,
    stop_reason: 'end_turn',
    stop_sequence: null,
    usage,
    ...own,
  }
}

const useTool = { type: 'tool_use', id: 'toolu_01A', name: 'weather', input: { city: 'Paris', days: [1, 2] } }

export const toldAnswers: Readonly<Record<string, JsonObject>> = {
  'a plain text': tell([{ type: 'text', text: 'Hello é.' }]),
  'fields that are null': tell([{ type: 'text', text: 'Hello.', citations: null }], {
    container: null,
    diagnostics: null,
    stop_details: null,
  }),
  nothing: tell([]),
  'thoughts before a tool': tell(
    [
      { type: 'thinking', thinking: 'They ask for Paris.', signature },
      { type: 'text', text: 'I will look.' },
      { ...useTool, caller: { type: 'direct' } },
    ],
    { stop_reason: 'tool_use' },
  ),
  'thoughts that are not shown': tell([
    { type: 'thinking', thinking: '', signature },
    { type: 'text', text: 'Well.' },
  ]),
  'encrypted thoughts': tell(
    [{ type: 'thinking', thinking: 'Hm.', signature }, { type: 'redacted_thinking', data: encrypted }, useTool],
    { stop_reason: 'tool_use' },
  ),
  'thoughts between tools': tell(
    [
      { type: 'thinking', thinking: 'First Paris.', signature },
      useTool,
      { type: 'thinking', thinking: 'Then Rome.', signature: otherSignature },
      { type: 'thinking', thinking: 'Both.', signature },
      { type: 'text', text: 'And ' },
      { type: 'text', text: 'now:' },
      { ...useTool, id: 'toolu_01B', input: {} },
    ],
    { stop_reason: 'tool_use' },
  ),
  citations: tell([
    { type: 'text', text: 'As the book says, ' },
    { type: 'text', text: 'an apple a day', citations: [located, { ...located, document_index: 1 }] },
    { type: 'text', text: ' helps.' },
  ]),
  'tools of the server': tell(
    [
      { type: 'text', text: 'I will search.' },
      search,
      found,
      { type: 'text', text: 'They ripen in autumn.', citations: [cited] },
      { type: 'code_execution_tool_result', tool_use_id: 'srvtoolu_2', content: { return_code: 0, stdout: 'ok' } },
    ],
    {
      stop_reason: 'pause_turn',
      container: { id: 'container_011CPR5CNjB747bTd36fQLFk', expires_at: '2026-05-23T21:13:31Z', skills: null },
      context_management: { applied_edits: [{ type: 'clear_tool_uses', cleared_input_tokens: 9 }] },
    },
  ),
  'a stop sequence': tell([{ type: 'text', text: 'One' }], { stop_reason: 'stop_sequence', stop_sequence: 'two' }),
  'a full window': tell([{ type: 'text', text: 'One' }], { stop_reason: 'model_context_window_exceeded' }),
  'a refusal': tell([], {
    stop_reason: 'refusal',
    stop_details: { type: 'refusal', category: 'bio', explanation: 'Not that.' },
  }),
  'a block of tomorrow': tell([{ type: 'compaction', content: 'So far.', parts: [{ at: 1 }] }]),
}

type Named = { readonly type: string; readonly [key: string]: unknown }

/** The events of a stream that says it, in pieces of so many characters. */
export function streamAnswer(answer: JsonObject, size = 5): Named[] {
  const { content, stop_reason, stop_sequence, usage, context_management, ...message } = answer
  const { stop_details, container, ...start } = message
  const events: Named[] = [
    {
      type: 'message_start',
      message: {
        ...start,
        content: [],
        stop_reason: null,
        stop_sequence: null,
        usage: { ...(usage as JsonObject), output_tokens: 1 },
      },
    },
    { type: 'ping' },
  ]
  for (const [index, block] of (content as JsonObject[]).entries()) {
    const { start, deltas } = splitBlock(block, size)
    events.push({ type: 'content_block_start', index, content_block: start })
    for (const delta of deltas) events.push({ type: 'content_block_delta', index, delta })
    events.push({ type: 'content_block_stop', index })
  }
  const told = Object.entries({ stop_reason, stop_sequence, stop_details, container })
  const delta = Object.fromEntries(told.filter(([, value]) => value !== undefined))
  const beside = context_management === undefined ? {} : { context_management }
  return [...events, { type: 'message_delta', delta, usage, ...beside }, { type: 'message_stop' }]
}

function splitBlock(block: JsonObject, size: number): { start: JsonObject; deltas: JsonObject[] } {
  const cut = (text: string): string[] => text.match(new RegExp(`.{1,${size}}`, 'gsu')) ?? []
  switch (block.type) {
    case 'text':
      return {
        start: { ...block, text: '', ...(Array.isArray(block.citations) && { citations: [] }) },
        deltas: [
          ...cut(block.text as string).map((text) => ({ type: 'text_delta', text })),
          ...((block.citations ?? []) as JsonObject[]).map((citation) => ({ type: 'citations_delta', citation })),
        ],
      }
    case 'thinking':
      return {
        start: { ...block, thinking: '', signature: '' },
        deltas: [
          ...cut(block.thinking as string).map((thinking) => ({ type: 'thinking_delta', thinking })),
          { type: 'signature_delta', signature: block.signature as string },
        ],
      }
    case 'tool_use':
    case 'server_tool_use': {
      const input = JSON.stringify(block.input)
      const pieces = input === '{}' ? [] : cut(input)
      return {
        start: { ...block, input: {} },
        deltas: pieces.map((partial_json) => ({ type: 'input_json_delta', partial_json })),
      }
    }
    default:
      return { start: block, deltas: [] }
  }
}

/** The message that a client of the API makes of a stream. */
export function foldStream(stream: string): JsonObject {
  let message: JsonObject = {}
  const content: JsonObject[] = []
  for (const [, data] of stream.matchAll(/^data: (.*)$/gm)) {
    const { type, index, ...event } = JSON.parse(data as string)
    const block = content[index] as JsonObject
    if (type === 'message_start') message = event.message
    else if (type === 'content_block_start') content[index] = { ...event.content_block }
    else if (type === 'content_block_delta') foldDelta(block, event.delta)
    else if (type === 'content_block_stop' && typeof block.json === 'string') {
      block.input = JSON.parse(block.json)
      delete block.json
    } else if (type === 'message_delta') {
      const { delta, usage, ...beside } = event
      message = { ...message, ...delta, ...beside, usage: { ...(message.usage as JsonObject), ...usage } }
    }
  }
  return { ...message, content }
}

function foldDelta(block: JsonObject, delta: JsonObject): void {
  if (delta.type === 'input_json_delta') block.json = `${block.json ?? ''}${delta.partial_json}`
  else if (delta.type === 'citations_delta')
    block.citations = [...((block.citations ?? []) as []), delta.citation as JsonObject]
  else if (delta.type === 'signature_delta') block.signature = delta.signature as string
  else if (delta.type === 'text_delta') block.text = `${block.text}${delta.text}`
  else block.thinking = `${block.thinking}${delta.thinking}`
}
