import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import type { Call, ChatCall, ContentPart, Message, Rest } from '../../core/call.ts'
import type { Event } from '../../core/event.ts'
import { type AnswerResult, collectResult } from '../../core/result.ts'
import { readSseData } from '../sse/read-sse.ts'
import { anthropicMessagesClient as client } from './client.ts'
import { anthropicMessagesServer as server } from './server.ts'

/** The two ends test each other, over what the protocol can say: one answer, results of tools before a user's own words. */

function roundTrip(call: Call): Call {
  const { text } = client.writeCall(call, call.deployment)
  return { ...server.readCall({ text, body: JSON.parse(text), header: () => null }), source: undefined }
}

const optional = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: undefined })
const fraction = fc.double({ min: 0, max: 1, noNaN: true }).map((value) => (Object.is(value, -0) ? 0 : value))
const name = fc.stringMatching(/^[A-Za-z0-9_-]{1,20}$/)
const key = fc.stringMatching(/^[a-z]{1,8}$/)
const words = fc.string({ minLength: 1, unit: 'grapheme' })

const text = fc.record({ type: fc.constant('text' as const), text: words })
const image = fc.record({
  type: fc.constant('image' as const),
  url: fc.oneof(
    fc.webUrl(),
    fc.base64String().map((data) => `data:image/png;base64,${data}`),
  ),
  detail: fc.constant(undefined),
})
const document = fc.base64String().map(
  (data): ContentPart => ({
    type: 'other',
    wire: 'anthropic-messages',
    fields: { type: 'document', source: { type: 'base64', media_type: 'application/pdf', data } },
  }),
)
const part: fc.Arbitrary<ContentPart> = fc.oneof(text, image, document)
const parts = fc.array(part, { minLength: 1, maxLength: 3 })

/** Arguments as models write them: an object, or a text that is none. */
const toolArguments = fc.oneof(
  fc.dictionary(key, fc.jsonValue(), { noNullPrototype: true }).map((value) => JSON.stringify(value)),
  fc.string({ minLength: 1 }).filter((value) => value.trim() !== '' && !value.trim().startsWith('{')),
)
const thoughts = fc.array(
  fc.oneof(
    fc.record({ type: fc.constant('thinking'), thinking: words, signature: words }),
    fc.record({ type: fc.constant('redacted_thinking'), data: words }),
  ),
  { minLength: 1, maxLength: 2 },
)

const user = fc.oneof(fc.string(), parts).map((content): Message[] => [{ role: 'user', content }])
const assistant = fc
  .record({
    content: fc.oneof(fc.array(text, { minLength: 1, maxLength: 2 }), fc.constant(null)),
    toolCalls: fc.array(fc.record({ id: name, name, arguments: toolArguments }), { minLength: 1, maxLength: 2 }),
    hints: optional(thoughts.map((blocks) => ({ wire: 'anthropic-messages', fields: { thoughts: blocks } }))),
  })
  .map((fields): Message[] => [{ role: 'assistant', ...fields }])
const said = fc.string().map((content): Message[] => [{ role: 'assistant', content }])
const results = fc
  .tuple(
    fc.array(fc.record({ toolCallId: name, content: fc.oneof(fc.string(), parts) }), { minLength: 1, maxLength: 3 }),
    optional(parts),
  )
  .map(([items, more]): Message[] => [
    ...items.map((item): Message => ({ role: 'tool', ...item })),
    // Another user's turn after results would become part of theirs, so it is always followed by the assistant's.
    ...(more ? [{ role: 'user', content: more } as const] : []),
    { role: 'assistant', content: 'So.' },
  ])
const system = fc
  .oneof(words, fc.array(text, { minLength: 2, maxLength: 3 }))
  .map((content): Message[] => [{ role: 'system', content }])
const conversation = fc
  .tuple(
    fc.oneof(fc.constant([]), system),
    fc.array(fc.oneof(user, assistant, said, results), { minLength: 1, maxLength: 4 }),
  )
  .map(([first, turns]) => [...first, ...turns.flat()])

const tool = fc.record({
  name,
  description: optional(fc.string()),
  parameters: fc.constant({ type: 'object', properties: { a: { type: 'string' } } }),
  strict: optional(fc.boolean()),
})

const chat: fc.Arbitrary<ChatCall> = fc
  .record({
    kind: fc.constant('chat' as const),
    deployment: name,
    stream: fc.boolean(),
    includeUsage: fc.constant(true),
    messages: conversation,
    maxTokens: fc.nat(),
    temperature: optional(fraction),
    topP: optional(fraction),
    stop: optional(fc.array(fc.string(), { minLength: 1, maxLength: 6 })),
    tools: optional(fc.array(tool, { minLength: 1, maxLength: 3 })),
    responseFormat: optional(
      fc.constant({ type: 'json_schema' as const, name: 'answer', schema: { type: 'object' }, strict: true }),
    ),
    n: fc.constant(1),
    hints: optional(fc.constant({ wire: 'anthropic-messages', fields: { thinking: { type: 'adaptive' } } })),
    rest: optional(
      fc.constantFrom<Rest[]>(
        { wire: 'openai-chat', fields: { user: 'u', reasoning_effort: 'high' } },
        { wire: 'anthropic-messages', fields: { top_k: 5, metadata: { user_id: 'u' } } },
        { wire: 'anthropic-messages', fields: { 'tools[0]': { type: 'web_search_20250305', name: 'web_search' } } },
      ),
    ),
  })
  .chain((call) => {
    if (!call.tools) return fc.constant(call)
    const choice = fc.oneof(
      fc.record({ toolChoice: fc.constant('none' as const), parallelToolCalls: fc.constant(undefined) }),
      fc.record({
        toolChoice: fc.oneof(fc.constantFrom('auto' as const, 'required' as const), fc.record({ name })),
        parallelToolCalls: optional(fc.constant(false)),
      }),
    )
    return choice.map((chosen) => ({ ...call, ...chosen }))
  })

describe('a call survives both ends', () => {
  test('messages', () => {
    fc.assert(
      fc.property(chat, (call) => {
        const read = roundTrip(call)
        // Tools of this protocol alone are counted behind the others.
        const [place] = Object.keys(read.rest?.fields ?? {}).filter((key) => key.startsWith('tools['))
        if (place && read.rest) {
          expect(place).toBe(`tools[${call.tools?.length ?? 0}]`)
          const fields = { 'tools[0]': read.rest.fields[place] as never }
          expect<Call>({ ...read, rest: { wire: read.rest.wire, fields } }).toEqual(call)
        } else expect(read).toEqual(call)
      }),
    )
  })
})

const head = { requestId: 'r', servedModel: 'm', created: 1 }
const call = { kind: 'chat', deployment: 'd', stream: true, includeUsage: true, messages: [], n: 1 } as ChatCall

const answer: fc.Arbitrary<Event[]> = fc
  .record({
    thoughts: fc.array(words, { maxLength: 3 }),
    texts: fc.array(words, { maxLength: 5 }),
    tools: fc.array(
      fc.record({ id: name, name, value: fc.dictionary(key, fc.jsonValue(), { noNullPrototype: true }) }),
      { maxLength: 3 },
    ),
    cuts: fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 5 }),
    isInterleaved: fc.boolean(),
    reason: fc.constantFrom('stop' as const, 'length' as const, 'content_filter' as const),
    sequence: optional(words),
  })
  .map(({ thoughts, texts, tools, cuts, isInterleaved, reason, sequence }) => {
    const starts = tools.map(({ id, name }, index): Event => ({ type: 'tool-call-start', choice: 0, index, id, name }))
    const deltas = tools.map(({ value }, index) =>
      cut(JSON.stringify(value), cuts).map(
        (piece): Event => ({ type: 'tool-call-delta', choice: 0, index, arguments: piece }),
      ),
    )
    const isStop = reason === 'stop'
    return [
      { type: 'answer-start', id: 'msg_1', model: 'm' },
      ...thoughts.map((text): Event => ({ type: 'reasoning-delta', choice: 0, text })),
      ...texts.map((text): Event => ({ type: 'text-delta', choice: 0, text })),
      ...(isInterleaved
        ? [...starts, ...takeInTurn(deltas)]
        : starts.flatMap((start, i) => [start, ...(deltas[i] ?? [])])),
      {
        type: 'choice-end',
        choice: 0,
        reason: isStop && tools.length > 0 ? 'tool_calls' : reason,
        rest:
          isStop && tools.length === 0 && sequence !== undefined
            ? { wire: 'anthropic-messages', fields: { stop_sequence: sequence } }
            : undefined,
      },
      { type: 'usage', usage: { promptTokens: 9, completionTokens: 2, cachedTokens: 4, reasoningTokens: 1 } },
    ]
  })

function cut(value: string, sizes: readonly number[]): string[] {
  const pieces: string[] = []
  for (let at = 0, i = 0; at < value.length; i++) {
    const size = sizes[i % sizes.length] ?? 1
    pieces.push(value.slice(at, at + size))
    at += size
  }
  return pieces
}

function takeInTurn<T>(lists: readonly (readonly T[])[]): T[] {
  const longest = Math.max(0, ...lists.map(({ length }) => length))
  return Array.from({ length: longest }, (_, i) => lists.flatMap((list) => list.slice(i, i + 1))).flat()
}

async function* each<T>(items: readonly T[]): AsyncGenerator<T> {
  yield* items
}

function writeStream(events: readonly Event[]): string {
  const writer = server.openStream(call, head)
  return events.map((event) => writer.write(event)).join('') + writer.end()
}

/** What every client relies on: one block at a time, in order, each named event with the name its data says. */
function checkOrder(stream: string): void {
  let next = 0
  let open: number | undefined
  const types = stream
    .split('\n\n')
    .filter(Boolean)
    .map((event) => {
      const [first, second, ...more] = event.split('\n')
      expect(more).toEqual([])
      const data = JSON.parse((second as string).slice('data: '.length))
      expect(first).toBe(`event: ${data.type}`)
      if (data.type === 'content_block_start') {
        expect(open).toBeUndefined()
        expect(data.index).toBe(next++)
        open = data.index
      } else if (data.type === 'content_block_delta') expect(data.index).toBe(open)
      else if (data.type === 'content_block_stop') {
        expect(data.index).toBe(open)
        open = undefined
      }
      return data.type
    })
  expect(open).toBeUndefined()
  expect(types[0]).toBe('message_start')
  expect(types.slice(-2)).toEqual(['message_delta', 'message_stop'])
}

/** Without what goes along for callers of this protocol, but for the stop sequence, which anybody may have set. */
function inCanonicalForm(result: AnswerResult): AnswerResult {
  return {
    ...result,
    rest: undefined,
    choices: result.choices.map(({ pieces: _, messageRest: __, rest, ...choice }) => {
      const sequence = rest?.fields.stop_sequence
      return {
        ...choice,
        ...(typeof sequence === 'string' && {
          rest: { wire: 'anthropic-messages', fields: { stop_sequence: sequence } },
        }),
      }
    }),
  }
}

test('a stream survives both ends in good order, and says the same as the whole answer', async () => {
  await fc.assert(
    fc.asyncProperty(answer, async (events) => {
      const stream = writeStream(events)
      checkOrder(stream)
      const read = client.readEvents(readSseData(each([new TextEncoder().encode(stream)])), call)
      const streamed = await collectResult('chat', read)
      const whole = await collectResult('chat', each(events))
      expect(inCanonicalForm(streamed)).toEqual(inCanonicalForm(whole))
      const written = JSON.parse(server.writeResult(whole, call, head))
      const readAgain = client.readResult(written, call) as AnswerResult
      expect(inCanonicalForm(readAgain)).toEqual(inCanonicalForm(whole))
      expect(JSON.parse(server.writeResult(readAgain, call, head))).toEqual(written)
    }),
  )
})

describe('blocks of a stream', () => {
  const start = (index: number): Event => ({ type: 'tool-call-start', choice: 0, index, id: `t${index}`, name: 'f' })
  const more = (index: number, text: string): Event => {
    return { type: 'tool-call-delta', choice: 0, index, arguments: text }
  }
  const says = (text: string): Event => ({ type: 'text-delta', choice: 0, text })
  const end: Event = { type: 'choice-end', choice: 0, reason: 'tool_calls' }

  function listBlocks(events: readonly Event[]): string[] {
    const stream = writeStream(events)
    checkOrder(stream)
    const blocks: string[] = []
    for (const [, line] of stream.matchAll(/^data: (.*)$/gm)) {
      const { type, index, content_block: block, delta } = JSON.parse(line as string)
      if (type === 'content_block_start') blocks[index] = `${block.id ?? block.type}:`
      else if (type === 'content_block_delta') blocks[index] += delta.text ?? delta.thinking ?? delta.partial_json
    }
    return blocks
  }

  test('text between tool calls is a block of its own', () => {
    const events = [
      says('a'),
      says('b'),
      start(0),
      more(0, '{}'),
      says('c'),
      start(1),
      more(1, '{"x":'),
      more(1, '1}'),
      end,
    ]
    expect(listBlocks(events)).toEqual(['text:ab', 't0:{}', 'text:c', 't1:{"x":1}'])
  })

  test('calls that grow in turn are written one after the other', () => {
    const events = [
      start(0),
      start(1),
      more(1, '{"b"'),
      more(0, '{"a"'),
      says('t'),
      more(1, ':1}'),
      more(0, ':1}'),
      end,
    ]
    expect(listBlocks(events)).toEqual(['t0:{"a":1}', 't1:{"b":1}', 'text:t'])
  })

  test('a complete block is passed on at once, an incomplete one holds the next back', () => {
    const writer = server.openStream(call, head)
    writer.write(start(0))
    expect(writer.write(more(0, '{"a":1'))).toContain('input_json_delta')
    expect(writer.write(says('t'))).toBe('')
    const released = writer.write(more(0, '}'))
    expect(released).toContain('content_block_stop')
    expect(released).toContain('text_delta')
  })

  test('a call without arguments, and an answer without anything', () => {
    expect(listBlocks([start(0), end])).toEqual(['t0:'])
    expect(listBlocks([end])).toEqual([])
    expect(listBlocks([])).toEqual([])
  })

  test('other choices than the first are not of this wire', () => {
    expect(listBlocks([says('a'), { type: 'text-delta', choice: 1, text: 'b' }, end])).toEqual(['text:a'])
  })
})
