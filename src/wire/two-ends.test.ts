import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import type { Call, ChatCall, CompletionCall, ContentPart, EmbedCall, Message } from '../core/call.ts'
import type { Event } from '../core/event.ts'
import { collectResult } from '../core/result.ts'
import { openaiChatClient } from './openai-chat/client.ts'
import { openaiChatServer } from './openai-chat/server.ts'
import { openaiCompletionsClient } from './openai-completions/client.ts'
import { openaiCompletionsServer } from './openai-completions/server.ts'
import { openaiEmbeddingsClient } from './openai-embeddings/client.ts'
import { openaiEmbeddingsServer } from './openai-embeddings/server.ts'
import { readSseData } from './sse.ts'
import type { ClientEnd, ServerEnd } from './wire.ts'

/** The two ends of a wire test each other: what the client end writes, the server end reads as the same Call. */
function roundTrip(server: ServerEnd, client: ClientEnd, call: Call): Call {
  const { text } = client.writeCall(call, call.deployment)
  const read = server.readCall({ text, body: JSON.parse(text), header: () => null })
  return { ...read, source: undefined, includeUsage: false }
}

const optional = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: undefined })
const number = (min: number, max: number) =>
  fc.double({ min, max, noNaN: true }).map((value) => (Object.is(value, -0) ? 0 : value))
const name = fc.stringMatching(/^[A-Za-z0-9_-]{1,20}$/)

const sampling = {
  temperature: optional(number(0, 2)),
  topP: optional(number(0, 1)),
  frequencyPenalty: optional(number(-2, 2)),
  presencePenalty: optional(number(-2, 2)),
  seed: optional(fc.integer()),
  stop: optional(fc.array(fc.string(), { minLength: 1, maxLength: 4 })),
  logitBias: optional(
    fc.dictionary(fc.nat().map(String), fc.integer({ min: -100, max: 100 }), { maxKeys: 3, noNullPrototype: true }),
  ),
}
const part: fc.Arbitrary<ContentPart> = fc.oneof(
  fc.record({ type: fc.constant('text' as const), text: fc.string() }),
  fc.record({
    type: fc.constant('image' as const),
    url: fc.webUrl(),
    detail: optional(fc.constantFrom('low', 'high')),
  }),
  fc.record({ type: fc.constant('audio' as const), data: fc.base64String(), format: fc.constantFrom('wav', 'mp3') }),
)
const message: fc.Arbitrary<Message> = fc.record({
  role: fc.constantFrom('system', 'developer', 'user', 'assistant', 'tool'),
  content: fc.oneof(fc.string(), fc.array(part, { minLength: 1, maxLength: 3 }), fc.constant(null)),
  name: optional(name),
  toolCalls: optional(fc.array(fc.record({ id: name, name, arguments: fc.json() }), { minLength: 1, maxLength: 2 })),
  toolCallId: optional(name),
  rest: fc.constant(undefined),
})
const base = {
  deployment: name,
  includeUsage: fc.constant(false),
  rest: fc.constant(undefined),
  source: fc.constant(undefined),
}
const chat: fc.Arbitrary<ChatCall> = fc.record({
  ...base,
  ...sampling,
  kind: fc.constant('chat' as const),
  stream: fc.boolean(),
  messages: fc.array(message, { minLength: 1, maxLength: 4 }),
  maxTokens: optional(fc.nat()),
  tools: optional(
    fc.array(
      fc.record({
        name,
        description: optional(fc.string()),
        parameters: optional(fc.constant({ type: 'object' })),
        strict: optional(fc.boolean()),
      }),
      {
        minLength: 1,
        maxLength: 3,
      },
    ),
  ),
  toolChoice: optional(
    fc.oneof(fc.constantFrom('none' as const, 'auto' as const, 'required' as const), fc.record({ name })),
  ),
  parallelToolCalls: optional(fc.boolean()),
  responseFormat: optional(
    fc.oneof(
      fc.record({ type: fc.constantFrom('text' as const, 'json_object' as const) }),
      fc.record({
        type: fc.constant('json_schema' as const),
        name,
        description: optional(fc.string()),
        schema: optional(fc.constant({ type: 'object' })),
        strict: optional(fc.boolean()),
      }),
    ),
  ),
  n: fc.integer({ min: 1, max: 8 }),
  logprobs: optional(fc.record({ top: fc.integer({ min: 0, max: 20 }) })),
})
const inputs = fc.oneof(
  fc.array(fc.string(), { minLength: 1, maxLength: 3 }),
  fc.array(fc.array(fc.nat(), { minLength: 1, maxLength: 4 }), { minLength: 1, maxLength: 3 }),
)
const completion: fc.Arbitrary<CompletionCall> = fc.record({
  ...base,
  ...sampling,
  kind: fc.constant('completion' as const),
  stream: fc.boolean(),
  prompts: inputs,
  maxTokens: fc.nat(),
  suffix: optional(fc.string()),
  echo: optional(fc.boolean()),
  bestOf: fc.constant(undefined),
  n: fc.integer({ min: 1, max: 8 }),
  logprobs: optional(fc.record({ top: fc.integer({ min: 0, max: 5 }) })),
})
const embed: fc.Arbitrary<EmbedCall> = fc.record({
  ...base,
  kind: fc.constant('embed' as const),
  stream: fc.constant(false),
  inputs,
  dimensions: optional(fc.integer({ min: 1, max: 4096 })),
  encoding: fc.constant('float' as const),
  inputType: optional(fc.constantFrom('text', 'query')),
})

describe('a call survives both ends', () => {
  test('chat', () => {
    fc.assert(fc.property(chat, (call) => expect(roundTrip(openaiChatServer, openaiChatClient, call)).toEqual(call)))
  })
  test('completion', () => {
    fc.assert(
      fc.property(completion, (call) =>
        expect(roundTrip(openaiCompletionsServer, openaiCompletionsClient, call)).toEqual(call),
      ),
    )
  })
  test('embeddings', () => {
    fc.assert(
      fc.property(embed, (call) =>
        expect(roundTrip(openaiEmbeddingsServer, openaiEmbeddingsClient, call)).toEqual(call),
      ),
    )
  })
})

const head = { requestId: 'r', servedModel: 'm', created: 1 }
const call = { kind: 'chat', deployment: 'd', stream: true, includeUsage: true, messages: [], n: 1 } as ChatCall

const choiceEvents = (choice: number): fc.Arbitrary<Event[]> =>
  fc
    .tuple(
      fc.array(
        fc.oneof(
          fc.string({ minLength: 1, unit: 'grapheme' }).map((text): Event => ({ type: 'text-delta', choice, text })),
          fc.string({ minLength: 1 }).map((text): Event => ({ type: 'reasoning-delta', choice, text })),
        ),
        { maxLength: 5 },
      ),
      fc.array(fc.record({ id: name, name, arguments: fc.array(fc.string({ minLength: 1 }), { maxLength: 3 }) }), {
        maxLength: 2,
      }),
      fc.constantFrom('stop' as const, 'length' as const, 'tool_calls' as const, 'content_filter' as const),
    )
    .map(([deltas, tools, reason]) => [
      ...deltas,
      ...tools.flatMap((tool, index): Event[] => [
        { type: 'tool-call-start', choice, index, id: tool.id, name: tool.name },
        ...tool.arguments.map((text): Event => ({ type: 'tool-call-delta', choice, index, arguments: text })),
      ]),
      { type: 'choice-end', choice, reason },
    ])

async function* each<T>(items: readonly T[]): AsyncGenerator<T> {
  yield* items
}

test('a stream survives both ends, and says the same as the whole answer', async () => {
  await fc.assert(
    fc.asyncProperty(choiceEvents(0), choiceEvents(1), async (first, second) => {
      const events: Event[] = [
        { type: 'answer-start', id: 'chatcmpl-1', model: 'm', created: 1 },
        ...first,
        ...second,
        { type: 'usage', usage: { promptTokens: 1, completionTokens: 2, cachedTokens: 0, reasoningTokens: 0 } },
      ]
      const writer = openaiChatServer.openStream(call, head)
      const text = events.map((event) => writer.write(event)).join('') + writer.end()
      const read = openaiChatClient.readEvents(readSseData(each([new TextEncoder().encode(text)])), call)
      const streamed = await collectResult('chat', read)
      const whole = await collectResult('chat', each(events))
      expect(streamed).toEqual(whole)
      const written = openaiChatServer.writeResult(whole, call, head)
      const reread = openaiChatClient.readResult(JSON.parse(written), call)
      expect(reread).toEqual({ ...whole, rest: undefined } as typeof reread)
    }),
  )
})
