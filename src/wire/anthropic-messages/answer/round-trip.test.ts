import { describe, expect, test } from 'bun:test'
import type { ChatCall } from '../../../core/call.ts'
import type { Event } from '../../../core/event.ts'
import type { JsonObject } from '../../../core/json.ts'
import type { AnswerResult } from '../../../core/result.ts'
import { openaiChatServer } from '../../openai-chat/server.ts'
import { anthropicMessagesClient as client } from '../client.ts'
import { anthropicMessagesServer as server } from '../server.ts'
import { foldStream, signature, streamAnswer, toldAnswers } from './told.fixture.ts'

/** What an upstream of this protocol says reaches a caller of it through the canonical form without a loss. */

const head = { requestId: 'r', servedModel: 'm', created: 1 }
const call = { kind: 'chat', deployment: 'd', stream: true, includeUsage: true, messages: [], n: 1 } as ChatCall

async function readStream(answer: JsonObject, size?: number, asked = call): Promise<Event[]> {
  async function* payloads(): AsyncGenerator<string> {
    for (const event of streamAnswer(answer, size)) yield JSON.stringify(event)
  }
  return Array.fromAsync(client.readEvents(payloads(), asked))
}

function writeStream(events: readonly Event[], end = server): string {
  const writer = end.openStream(call, head)
  return events.map((event) => writer.write(event)).join('') + writer.end()
}

function writeWhole(result: AnswerResult): JsonObject {
  return JSON.parse(server.writeResult(result, call, head))
}

const readWhole = (answer: JsonObject) => client.readResult(answer, call) as AnswerResult
const named = (name: string) => toldAnswers[name] as JsonObject

describe.each(Object.entries(toldAnswers))('%s', (_name, answer) => {
  test('whole', () => expect(writeWhole(readWhole(answer))).toEqual(answer))

  test('streamed', async () => {
    for (const size of [1, 5, 10_000]) {
      expect(foldStream(writeStream(await readStream(answer, size)))).toEqual(answer)
    }
  })

  test('another caller reads the same as if nothing else had been said', async () => {
    const asked = { ...call, source: { wire: 'openai-chat', text: '', body: {} } }
    const bare = await readStream(answer, 5, asked)
    expect(bare.filter(({ type }) => type === 'message-rest')).toEqual([])
    expect(openaiChatServer.writeResult(client.readResult(answer, call), call, head)).toBe(
      openaiChatServer.writeResult(client.readResult(answer, asked), call, head),
    )
    expect(writeStream(await readStream(answer), openaiChatServer)).toBe(writeStream(bare, openaiChatServer))
  })
})

describe('what was changed on the way', () => {
  test('a signature is not that of other words', async () => {
    const answer = named('thoughts before a tool')
    const events = (await readStream(answer)).map(
      (event): Event => (event.type === 'reasoning-delta' ? { ...event, text: event.text.replace('a', 'o') } : event),
    )
    const [thought, ...others] = foldStream(writeStream(events)).content as JsonObject[]
    expect(thought).toMatchObject({ type: 'thinking', signature: '' })
    expect(others).toEqual((answer.content as JsonObject[]).slice(1))
  })

  test('only the thought that was changed loses its signature', () => {
    const result = readWhole(named('thoughts between tools'))
    const [choice] = result.choices
    const change = (text: string) => text.replace('Rome', 'Oslo')
    const written = writeWhole({
      ...result,
      choices: [
        {
          ...choice,
          reasoning: change(choice?.reasoning ?? ''),
          pieces: choice?.pieces?.map((piece) =>
            piece.type === 'reasoning-delta' ? { ...piece, text: change(piece.text) } : piece,
          ),
        } as AnswerResult['choices'][0],
      ],
    })
    const thoughts = (written.content as JsonObject[]).filter(({ type }) => type === 'thinking')
    expect(thoughts).toEqual([
      { type: 'thinking', thinking: 'First Paris.', signature },
      { type: 'thinking', thinking: 'Then Oslo.', signature: '' },
      { type: 'thinking', thinking: 'Both.', signature },
    ])
  })

  test('pieces that say something else than the choice do not go out', () => {
    const result = readWhole(named('thoughts before a tool'))
    const choices = result.choices.map((choice) => ({ ...choice, text: 'Changed.' }))
    expect(writeWhole({ ...result, choices }).content).toMatchObject([
      { type: 'thinking', signature: '' },
      { type: 'text', text: 'Changed.' },
      { type: 'tool_use' },
    ])
  })

  test('a block of which nothing may go out is not begun', async () => {
    const events = await readStream(named('citations'), 10_000)
    const second = events.findIndex((event) => event.type === 'text-delta' && event.text.startsWith('an apple'))
    const cut: Event = { type: 'choice-end', choice: 0, reason: 'content_filter' }
    expect(foldStream(writeStream([...events.slice(0, second), cut]))).toMatchObject({
      content: [{ type: 'text', text: 'As the book says, ' }],
      stop_reason: 'refusal',
    })
  })
})

test('blocks that the upstream did not close, and arguments that are no JSON', async () => {
  const block = { type: 'server_tool_use', id: 's', name: 'n', input: {} }
  async function* payloads(): AsyncGenerator<string> {
    const delta = { type: 'input_json_delta', partial_json: '{"a' }
    yield JSON.stringify({ type: 'content_block_start', index: 0, content_block: block })
    yield JSON.stringify({ type: 'content_block_delta', index: 0, delta })
    yield JSON.stringify({ type: 'message_delta', delta: { stop_reason: 'end_turn' }, usage: {} })
  }
  const written = writeStream(await Array.fromAsync(client.readEvents(payloads(), call)))
  expect(written).toContain(String.raw`"partial_json":"{\"a"`)
})
