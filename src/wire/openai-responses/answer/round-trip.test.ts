import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import type { ChatCall } from '../../../core/call.ts'
import type { Event, TokenLogprob } from '../../../core/event.ts'
import { Fault } from '../../../core/fault.ts'
import { type FaultCode, faultCodes } from '../../../core/fault-codes.ts'
import type { JsonObject } from '../../../core/json.ts'
import { type AnswerResult, collectResult } from '../../../core/result.ts'
import { readSseData } from '../../sse/read-sse.ts'
import { openaiResponsesClient } from '../client.ts'
import { openaiResponsesServer } from '../server.ts'

const head = { requestId: 'r', servedModel: 'm', created: 1 }

function readCall(more: JsonObject = {}): ChatCall {
  const body: JsonObject = { model: 'd', input: 'hi', stream: true, ...more }
  return openaiResponsesServer.readCall({ text: '', body, header: () => null }) as ChatCall
}

const call = readCall()

const text = fc.oneof(
  fc.string({ minLength: 1, unit: 'grapheme' }),
  fc.constantFrom('\r\n', '\n\n', '\u2028', 'event: response.completed\ndata: {"type":"response.completed"}\n\n'),
)
const logprobs: readonly TokenLogprob[] = [{ token: 'a', logprob: -1, bytes: [97], top: [] }]
const delta: fc.Arbitrary<Event> = fc.oneof(
  fc.record({ type: fc.constantFrom('text-delta' as const, 'reasoning-delta'), choice: fc.constant(0), text }),
  fc.record({ type: fc.constant('refusal-delta' as const), choice: fc.constant(0), text }),
  fc.record({
    type: fc.constant('text-delta' as const),
    choice: fc.constant(0),
    text,
    logprobs: fc.constant(logprobs),
  }),
)

/** Calls told one after the other, or in turns as some servers do. */
const calls: fc.Arbitrary<Event[]> = fc
  .tuple(
    fc.array(fc.tuple(fc.stringMatching(/^[a-z]{1,8}$/), fc.jsonValue()), { maxLength: 3 }),
    fc.boolean(),
    fc.integer({ min: 1, max: 5 }),
  )
  .map(([list, isMixed, size]) => {
    const own = list.map(([name, value], index): Event[] => {
      const said = JSON.stringify({ value })
      const pieces = Array.from({ length: Math.ceil(said.length / size) }, (_, at) =>
        said.slice(at * size, (at + 1) * size),
      )
      return [
        { type: 'tool-call-start', choice: 0, index, id: `call_${index}`, name },
        ...pieces.map((piece): Event => ({ type: 'tool-call-delta', choice: 0, index, arguments: piece })),
      ]
    })
    if (!isMixed) return own.flat()
    const starts = own.map((events) => events.shift() as Event)
    const turns: Event[] = []
    while (own.some((events) => events.length > 0)) for (const events of own) turns.push(...events.splice(0, 1))
    return [...starts, ...turns]
  })

const ending = fc.constantFrom('stop' as const, 'length' as const, 'content_filter' as const)
const answer: fc.Arbitrary<Event[]> = fc
  .tuple(fc.array(delta, { maxLength: 6 }), calls, fc.array(delta, { maxLength: 2 }), ending, fc.boolean())
  .map(([before, tools, after, reason, hasUsage]): Event[] => [
    { type: 'answer-start', id: 'x', model: 'm', created: 7 },
    ...before,
    ...tools,
    ...after,
    { type: 'choice-end', choice: 0, reason: reason === 'stop' && tools.length > 0 ? 'tool_calls' : reason },
    ...(hasUsage
      ? [
          {
            type: 'usage' as const,
            usage: { promptTokens: 1, completionTokens: 2, cachedTokens: 0, reasoningTokens: 0 },
          },
        ]
      : []),
  ])

async function* each<T>(items: readonly T[]): AsyncGenerator<T> {
  yield* items
}

function writeStream(events: readonly Event[], own = call): string {
  const writer = openaiResponsesServer.openStream(own, head)
  return events.map((event) => writer.write(event)).join('') + writer.end()
}

async function* cut(whole: string, sizes: readonly number[]): AsyncGenerator<Uint8Array> {
  const bytes = new TextEncoder().encode(whole)
  for (let at = 0, i = 0; at < bytes.length; i++) {
    const size = sizes[i % sizes.length] as number
    yield bytes.subarray(at, at + size)
    at += size
  }
}

type Payload = JsonObject & { type: string; sequence_number: number }

function readPayloads(written: string): Payload[] {
  expect(written).toMatch(/^(event: [a-z_.]+\ndata: [^\r\n]+\n\n)+$/)
  return written
    .split('\n\n')
    .slice(0, -1)
    .map((event) => {
      const [, name, data] = /^event: ([a-z_.]+)\ndata: ([^\n]*)$/.exec(event) as unknown as [string, string, string]
      const payload = JSON.parse(data) as Payload
      expect(payload.type).toBe(name)
      return payload
    })
}

/** What the events of a stream add up to, as clients add them up, by the rules of the protocol. */
function foldEvents(payloads: readonly Payload[]): JsonObject[] {
  const output: JsonObject[] = []
  const open = new Map<number, { item: JsonObject; texts: Map<string, string> }>()
  for (const payload of payloads) {
    const { type, item_id: id, delta: said, item } = payload
    const index = payload.output_index as number
    if (type === 'response.output_item.added') {
      expect(index).toBe(open.size + output.filter(Boolean).length)
      open.set(index, { item: item as JsonObject, texts: new Map() })
      continue
    }
    if (index === undefined) continue
    const known = open.get(index)
    if (!known) throw new Error(`${type} of an item that is not open`)
    if (type === 'response.output_item.done') {
      const { id: doneId, status } = item as JsonObject
      expect(doneId).toBe(known.item.id as string)
      if (status !== undefined) expect(['completed', 'incomplete']).toContain(status as string)
      expect(textsOf(item as JsonObject)).toEqual([...known.texts.values()])
      output[index] = item as JsonObject
      open.delete(index)
      continue
    }
    expect(id).toBe(known.item.id as string)
    const place = `${payload.content_index ?? payload.summary_index ?? ''}`
    if (String(type).endsWith('part.added')) known.texts.set(place, '')
    if (String(type).endsWith('.delta')) known.texts.set(place, (known.texts.get(place) ?? '') + said)
    for (const field of ['text', 'refusal', 'arguments']) {
      if (String(type).endsWith('.done') && typeof payload[field] === 'string') {
        expect(payload[field] as string).toBe(known.texts.get(place) ?? '')
      }
    }
  }
  expect(open.size).toBe(0)
  return output
}

function textsOf(item: JsonObject): string[] {
  if (item.type === 'function_call') return item.arguments === '' ? [] : [item.arguments as string]
  const parts = [...((item.content ?? []) as JsonObject[]), ...((item.summary ?? []) as JsonObject[])]
  return parts.map((part) => (part.text ?? part.refusal) as string)
}

describe('any answer', () => {
  test('a stream says the same as the whole answer, however it is cut', async () => {
    const sizes = fc.array(fc.integer({ min: 1, max: 60 }), { minLength: 1, maxLength: 6 })
    await fc.assert(
      fc.asyncProperty(answer, sizes, async (events, cuts) => {
        const written = writeStream(events)
        const read = openaiResponsesClient.readEvents(readSseData(cut(written, cuts)), call)
        const streamed = plain(await collectResult('chat', read))
        const whole = plain(await collectResult('chat', each(events)))
        expect(streamed).toEqual({ ...whole, ...emptyText(whole) })
        const body = JSON.parse(openaiResponsesServer.writeResult(whole, call, head))
        expect(plain(openaiResponsesClient.readResult(body, call) as AnswerResult)).toEqual({
          ...whole,
          ...emptyText(whole),
        })
      }),
    )
  })

  test('the events of a stream are in the order of the protocol and add up to its response', () => {
    fc.assert(
      fc.property(answer, fc.constantFrom(undefined, 'auto'), (events, summary) => {
        const payloads = readPayloads(writeStream(events, readCall(summary ? { reasoning: { summary } } : {})))
        expect(payloads.map(({ sequence_number }) => sequence_number)).toEqual(payloads.map((_, at) => at))
        expect(payloads.slice(0, 2).map(({ type }) => type)).toEqual(['response.created', 'response.in_progress'])
        const last = payloads.at(-1) as Payload
        const response = last.response as JsonObject
        expect(last.type).toBe(`response.${response.status}`)
        expect(foldEvents(payloads)).toEqual(response.output as JsonObject[])
        expect(payloads.slice(0, -1).some(({ type }) => /completed|incomplete|failed/.test(type))).toBe(false)
      }),
    )
  })
})

/** Without what an answer of a chat has no place for, and its id, which is another one here. */
function plain(result: AnswerResult): AnswerResult {
  return {
    ...result,
    id: undefined,
    model: undefined,
    rest: undefined,
    choices: result.choices.map(({ messageRest: _, pieces: __, ...choice }) => ({ ...choice, messageRest: undefined })),
  }
}

/** An answer that says nothing is an empty text here, but for one that was kept back. */
function emptyText({ choices: [choice] }: AnswerResult): Partial<AnswerResult> {
  if (!choice) return {}
  const { text, reasoning, refusal, toolCalls } = choice
  return text || refusal || toolCalls || reasoning ? {} : { choices: [{ ...choice, text: '' }] }
}

describe('a stream that fails', () => {
  test('says so twice: for clients that throw, and for those that wait for a response', () => {
    for (const code of Object.keys(faultCodes) as FaultCode[]) {
      const writer = openaiResponsesServer.openStream(call, head)
      const begun = writer.write({ type: 'text-delta', choice: 0, text: 'Hel' })
      const written = begun + writer.fail?.(new Fault(code, 'what\r\nhappened', { param: 'x' }), 'r')
      const payloads = readPayloads(written)
      expect(payloads.map(({ sequence_number }) => sequence_number)).toEqual(payloads.map((_, at) => at))
      const [error, failed] = payloads.slice(-2) as [Payload, Payload]
      expect(error).toMatchObject({ type: 'error', message: expect.any(String), error: { message: error.message } })
      expect(failed).toMatchObject({ type: 'response.failed', response: { status: 'failed' } })
      expect(failed.response).toHaveProperty('error.code', expect.any(String))
    }
  })

  test.each<[string, JsonObject, object]>([
    ['flat', { type: 'error', code: 'rate_limit_exceeded', message: 'Slow.', param: null }, { code: 'rate-limited' }],
    [
      'nested',
      { type: 'error', error: { type: 'server_error', code: 'x', message: 'Oh.' } },
      { code: 'upstream-failed' },
    ],
    [
      'the prompt',
      { type: 'response.failed', response: { status: 'failed', error: { code: 'invalid_prompt', message: 'No.' } } },
      { code: 'upstream-rejected', status: 400, message: 'No.' },
    ],
    ['not over', { type: 'response.created', response: { id: 'resp_1' } }, { code: 'upstream-failed' }],
  ])('is a fault when it is read: %s', async (_name, event, expected) => {
    const written = `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`
    const read = collectResult('chat', openaiResponsesClient.readEvents(readSseData(cut(written, [9])), call))
    await expect(read).rejects.toMatchObject(expected)
  })
})
