import { expect, test } from 'bun:test'
import fc from 'fast-check'
import type { ChatCall, ContentPart, Message, ToolCall } from '../../core/call.ts'
import type { Json } from '../../core/json.ts'
import { openaiResponsesClient } from './client.ts'
import { openaiResponsesServer } from './server.ts'

/** The two ends test each other: what the client end writes, the server end reads as the same Call. */
function roundTrip(call: ChatCall): ChatCall {
  const { text } = openaiResponsesClient.writeCall(call, call.deployment)
  const body = JSON.parse(text)
  expect(body.store).toBe(false)
  const read = openaiResponsesServer.readCall({ text, body, header: () => null }) as ChatCall
  return { ...read, source: undefined, hints: undefined }
}

const optional = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: undefined })
const number = (min: number, max: number) =>
  fc.double({ min, max, noNaN: true }).map((value) => (Object.is(value, -0) ? 0 : value))
const name = fc.stringMatching(/^[A-Za-z0-9_-]{1,20}$/)
const said = fc.string({ minLength: 1 })

const textPart = fc.record({ type: fc.constant('text' as const), text: fc.string() })
const texts = fc.array(textPart, { minLength: 2, maxLength: 3 })
const file = fc.record({ filename: said, file_data: said })
const part: fc.Arbitrary<ContentPart> = fc.oneof(
  textPart,
  fc.record({
    type: fc.constant('image' as const),
    url: fc.webUrl(),
    detail: optional(fc.constantFrom('auto', 'low', 'high')),
  }),
  fc.record({ type: fc.constant('audio' as const), data: fc.base64String(), format: fc.constantFrom('wav', 'mp3') }),
  file.map((fields): ContentPart => ({ type: 'other', wire: 'openai-chat', fields: { type: 'file', file: fields } })),
  fc.constant<ContentPart>({
    type: 'other',
    wire: 'openai-responses',
    fields: { type: 'input_image', file_id: 'file-1', detail: 'auto' },
  }),
)

const spoken: fc.Arbitrary<Message> = fc.record({
  role: fc.constantFrom('user' as const, 'system', 'developer'),
  content: fc.oneof(said, texts, fc.array(part, { minLength: 2, maxLength: 3 })),
  rest: fc.constant(undefined),
})
const answered: fc.Arbitrary<Message[]> = fc
  .record({
    content: fc.oneof(said, texts),
    refusal: optional(said),
    thoughts: fc.array(fc.record({ type: fc.constant('reasoning'), id: name, summary: fc.constant<Json>([]) }), {
      maxLength: 2,
    }),
    calls: fc.uniqueArray(fc.record({ id: name, name, arguments: fc.json() }), {
      maxLength: 2,
      selector: ({ id }) => id,
    }),
    result: fc.oneof(fc.string(), texts),
  })
  .map(({ content, refusal, thoughts, calls, result }): Message[] => [
    {
      role: 'assistant',
      content: refusal === undefined ? content : null,
      toolCalls: calls.length > 0 ? calls : undefined,
      rest: refusal === undefined ? undefined : { wire: 'openai-chat', fields: { refusal } },
      hints: thoughts.length > 0 ? { wire: 'openai-responses', fields: { thoughts } } : undefined,
    },
    ...calls.map(({ id }): Message => ({ role: 'tool', toolCallId: id, content: result })),
  ])
const odd = fc.constantFrom<Message>(
  { role: 'assistant', content: [{ type: 'other', wire: 'openai-responses', fields: { type: 'web_search_call' } }] },
  { role: 'tool', content: [{ type: 'other', wire: 'openai-responses', fields: { type: 'custom_call_output' } }] },
)
/** Calls are known by their ids, so no two turns may use the same. */
const messages: fc.Arbitrary<Message[]> = fc
  .array(
    fc.oneof(
      spoken.map((one) => [one]),
      odd.map((one) => [one]),
      answered,
    ),
    { minLength: 1, maxLength: 4 },
  )
  .map((turns) => [
    { role: 'user', content: 'JSON, please.', rest: undefined },
    ...turns.flatMap((turn, at) =>
      turn.map((message) => ({
        ...message,
        ...(message.toolCalls && {
          toolCalls: message.toolCalls.map((call: ToolCall) => ({ ...call, id: `${at}-${call.id}` })),
        }),
        ...(message.toolCallId && { toolCallId: `${at}-${message.toolCallId}` }),
      })),
    ),
  ])

type ToolFields = Pick<ChatCall, 'tools' | 'toolChoice'>
const tools: fc.Arbitrary<ToolFields> = fc
  .record({
    tools: fc.array(
      fc.record({
        name,
        description: optional(fc.string()),
        parameters: optional(fc.constant({ type: 'object' })),
        strict: fc.boolean(),
      }),
      { minLength: 1, maxLength: 3 },
    ),
    choice: fc.constantFrom(undefined, 'none' as const, 'auto' as const, 'required' as const, 'named' as const),
  })
  .map(({ tools: list, choice }) => ({
    tools: list,
    toolChoice: choice === 'named' ? { name: (list[0] as { name: string }).name } : choice,
  }))

const rest = fc.constantFrom<ChatCall['rest']>(
  undefined,
  { wire: 'openai-chat', fields: { user: 'u', reasoning_effort: 'low', verbosity: 'high', service_tier: 'flex' } },
  { wire: 'openai-responses', fields: { truncation: 'auto', user: 'u', reasoning: { effort: 'low' } } },
)

const chat: fc.Arbitrary<ChatCall> = fc
  .tuple(
    fc.record({
      kind: fc.constant('chat' as const),
      deployment: name,
      stream: fc.boolean(),
      includeUsage: fc.constant(true),
      messages,
      temperature: optional(number(0, 2)),
      topP: optional(number(0, 1)),
      maxTokens: optional(fc.integer({ min: 1 })),
      parallelToolCalls: optional(fc.boolean()),
      responseFormat: optional(
        fc.oneof(
          fc.record({ type: fc.constantFrom('text' as const, 'json_object' as const) }),
          fc.record({
            type: fc.constant('json_schema' as const),
            name,
            description: optional(fc.string()),
            schema: fc.constant({ type: 'object' }),
            strict: optional(fc.boolean()),
          }),
        ),
      ),
      n: fc.constant(1),
      logprobs: optional(fc.record({ top: fc.integer({ min: 0, max: 20 }) })),
      rest,
      source: fc.constant(undefined),
      hints: fc.constant(undefined),
    }),
    fc.oneof(tools, fc.constant<ToolFields>({ tools: undefined, toolChoice: undefined })),
  )
  .map(([call, fields]) => ({ ...call, ...fields }))

test('a call survives both ends', () => {
  fc.assert(fc.property(chat, (call) => expect(roundTrip(call)).toEqual(call)))
})
