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
import { readSseData } from './sse/read-sse.ts'
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
const plain = { name: optional(name), toolCalls: fc.constant(undefined), toolCallId: fc.constant(undefined) }
const text = fc.oneof(
  fc.string(),
  fc.array(fc.record({ type: fc.constant('text' as const), text: fc.string() }), { minLength: 1, maxLength: 2 }),
)
const rest = fc.constant(undefined)

/** What is said in one go: a message, or an assistant's calls and the answers to all of them. */
const turn: fc.Arbitrary<Message[]> = fc.oneof(
  fc
    .record({ role: fc.constantFrom('system' as const, 'developer', 'assistant'), content: text, ...plain, rest })
    .map((message) => [message]),
  fc
    .record({
      role: fc.constant('user' as const),
      content: fc.oneof(text, fc.array(part, { minLength: 1, maxLength: 3 })),
      ...plain,
      rest,
    })
    .map((message) => [message]),
  fc
    .record({
      content: fc.oneof(text, fc.constant(null)),
      calls: fc.uniqueArray(fc.record({ id: name, name, arguments: fc.json() }), {
        minLength: 1,
        maxLength: 2,
        selector: ({ id }) => id,
      }),
      answer: text,
    })
    .map(({ content, calls, answer }): Message[] => [
      { role: 'assistant', content, name: undefined, toolCalls: calls, toolCallId: undefined, rest: undefined },
      ...calls.map(
        ({ id }): Message => ({
          role: 'tool',
          content: answer,
          name: undefined,
          toolCalls: undefined,
          toolCallId: id,
          rest: undefined,
        }),
      ),
    ]),
)
/** The word that a JSON object as the form of the answer asks for. */
const json: Message = { ...emptyMessage(), role: 'system', content: 'Answer in JSON.' }

function emptyMessage(): Omit<Message, 'role' | 'content'> {
  return { name: undefined, toolCalls: undefined, toolCallId: undefined, rest: undefined }
}

const base = {
  deployment: name,
  includeUsage: fc.constant(false),
  rest: fc.constant(undefined),
  source: fc.constant(undefined),
}
type ToolFields = Pick<ChatCall, 'tools' | 'toolChoice' | 'parallelToolCalls'>

const tools: fc.Arbitrary<ToolFields> = fc
  .record({
    tools: fc.array(
      fc.record({
        name,
        description: optional(fc.string()),
        parameters: optional(fc.constant({ type: 'object' })),
        strict: optional(fc.boolean()),
      }),
      { minLength: 1, maxLength: 3 },
    ),
    choice: fc.constantFrom(undefined, 'none' as const, 'auto' as const, 'required' as const, 'named' as const),
    parallelToolCalls: optional(fc.boolean()),
  })
  .map(({ tools: list, choice, parallelToolCalls }) => ({
    tools: list,
    toolChoice: choice === 'named' ? { name: (list[0] as { name: string }).name } : choice,
    parallelToolCalls,
  }))
const noTools: ToolFields = { tools: undefined, toolChoice: undefined, parallelToolCalls: undefined }

const chat: fc.Arbitrary<ChatCall> = fc
  .tuple(chatWithoutTools(), fc.oneof(tools, fc.constant(noTools)))
  .map(([call, fields]) => ({ ...call, ...fields }))

function chatWithoutTools(): fc.Arbitrary<Omit<ChatCall, keyof ToolFields>> {
  return fc.record({
    ...base,
    ...sampling,
    kind: fc.constant('chat' as const),
    stream: fc.boolean(),
    messages: fc.array(turn, { minLength: 1, maxLength: 3 }).map((turns) => [json, ...turns.flat()]),
    maxTokens: optional(fc.integer({ min: 1 })),
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
}
const inputs = (minLength: number) =>
  fc.oneof(
    fc.array(fc.string({ minLength }), { minLength: 1, maxLength: 3 }),
    fc.array(fc.array(fc.nat(), { minLength: 1, maxLength: 4 }), { minLength: 1, maxLength: 3 }),
  )
const completion: fc.Arbitrary<CompletionCall> = fc.record({
  ...base,
  ...sampling,
  kind: fc.constant('completion' as const),
  stream: fc.boolean(),
  prompts: inputs(0),
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
  inputs: inputs(1),
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
