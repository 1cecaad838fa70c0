import { json, type Step, sseHead } from '../support/fake-upstream.ts'

/** What the model server answers where it is asked for responses: the last text of the input, or a call of the first tool. */

type Item = { readonly type?: string; readonly content?: unknown; readonly output?: unknown }

export type AskedResponse = {
  readonly model: string
  readonly input?: string | readonly Item[]
  readonly stream?: boolean
  readonly tools?: readonly { readonly name?: string }[]
}

const usage = {
  input_tokens: 7,
  input_tokens_details: { cached_tokens: 0 },
  output_tokens: 5,
  output_tokens_details: { reasoning_tokens: 0 },
  total_tokens: 12,
}

export function answerResponse(asked: AskedResponse): readonly Step[] {
  const items = typeof asked.input === 'string' ? [{ content: asked.input }] : (asked.input ?? [])
  const last = items.at(-1)
  const tool = last?.type === 'function_call_output' ? undefined : asked.tools?.[0]?.name
  const text = textOf(last?.output ?? last?.content)
  return answer(asked, tool ? { call: tool } : { text: `Echo: ${text}` })
}

function textOf(content: unknown): string {
  if (typeof content === 'string') return content
  return Array.isArray(content) ? content.map(({ text }) => text ?? '').join('') : ''
}

type Said = { readonly text: string } | { readonly call: string }

function answer(asked: AskedResponse, said: Said): readonly Step[] {
  const call = { id: 'fc_1', type: 'function_call', call_id: 'call_1', arguments: '{"city":"Paris"}' }
  const message = { id: 'msg_1', type: 'message', role: 'assistant' }
  const item =
    'call' in said
      ? { ...call, name: said.call, status: 'completed' }
      : {
          ...message,
          status: 'completed',
          content: [{ type: 'output_text', text: said.text, annotations: [], logprobs: [] }],
        }
  const response = {
    id: 'resp_1',
    object: 'response',
    created_at: 1_760_000_000,
    status: 'completed',
    error: null,
    incomplete_details: null,
    instructions: null,
    model: 'served-2024-08-06',
    output: [item],
    parallel_tool_calls: true,
    temperature: 1,
    top_p: 1,
    tool_choice: 'auto',
    tools: [],
    store: false,
    metadata: {},
    usage,
  }
  if (!asked.stream) return json(response)
  const begun = { ...response, status: 'in_progress', output: [], usage: null }
  const place = { output_index: 0, item_id: item.id }
  const part = { ...place, content_index: 0 }
  const empty = { type: 'output_text', text: '', annotations: [], logprobs: [] }
  const pieces = (text: string): readonly string[] => text.match(/.{1,5}/gsu) ?? []
  const events =
    'call' in said
      ? [
          ...pieces(call.arguments).map((delta) => ['response.function_call_arguments.delta', { ...place, delta }]),
          ['response.function_call_arguments.done', { ...place, name: said.call, arguments: call.arguments }],
        ]
      : [
          ['response.content_part.added', { ...part, part: empty }],
          ...pieces(said.text).map((delta) => ['response.output_text.delta', { ...part, delta, logprobs: [] }]),
          ['response.output_text.done', { ...part, text: said.text, logprobs: [] }],
          ['response.content_part.done', { ...part, part: { ...empty, text: said.text } }],
        ]
  const fresh = 'call' in said ? { ...item, arguments: '' } : { ...message, content: [] }
  return named([
    ['response.created', { response: begun }],
    ['response.in_progress', { response: begun }],
    ['response.output_item.added', { output_index: 0, item: { ...fresh, status: 'in_progress' } }],
    ...events,
    ['response.output_item.done', { output_index: 0, item }],
    ['response.completed', { response }],
  ] as readonly (readonly [string, object])[])
}

function named(events: readonly (readonly [string, object])[]): readonly Step[] {
  const lines = events.map(
    ([type, fields], sequence) =>
      `event: ${type}\ndata: ${JSON.stringify({ type, ...fields, sequence_number: sequence })}\n\n`,
  )
  return [sseHead, ...lines.map((text): Step => ({ do: 'send', text })), { do: 'end' }]
}
