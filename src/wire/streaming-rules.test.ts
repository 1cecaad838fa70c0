import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import type { Call } from '../core/call.ts'
import type { Event } from '../core/event.ts'
import { Fault } from '../core/fault.ts'
import { type FaultCode, faultCodes } from '../core/fault-codes.ts'
import type { Explanation, FilterResults } from '../core/filter/results.ts'
import type { Json, JsonObject } from '../core/json.ts'
import { serverEnds } from './index.ts'
import type { ServerEnd } from './wire.ts'

/**
 * What every client can read, held for every end whose streams are plain `data:` lines. Some clients throw on a comment, an `event:`
 * line or a CR, some take any `error` key for an error, some want the role first or cannot do without a finish reason.
 */

/** Protocols whose events have names. */
const namedEvents: ReadonlySet<string> = new Set(['anthropic-messages', 'openai-responses'])

const ends = serverEnds.filter(({ kind, wire }) => (kind === 'chat' || kind === 'completion') && !namedEvents.has(wire))
const isInference = (end: ServerEnd): boolean => end.wire.startsWith('azure-inference')

function readCall(end: ServerEnd, change: JsonObject): Call {
  const content: JsonObject = end.kind === 'chat' ? { messages: [{ role: 'user', content: 'hi' }] } : { prompt: 'hi' }
  const body = { model: 'd', stream: true, ...content, ...change }
  return end.readCall({ text: JSON.stringify(body), body, header: () => 'pass-through' })
}

const text = fc.oneof(
  fc.string({ minLength: 1, unit: 'grapheme' }),
  fc.constantFrom('\r\n', '\n\n', '\u2028', 'data: x\n\n'),
)
const rest = fc.option(
  fc.constantFrom(
    { wire: 'openai-chat', fields: { content_filter_results: { hate: { filtered: false } } } as JsonObject },
    { wire: 'other', fields: { error: null } as JsonObject },
  ),
  { nil: undefined },
)
const logprobs = fc.option(fc.constant([{ token: 'a', logprob: -1, bytes: [97], top: [] }]), { nil: undefined })

const results: FilterResults = { hate: { filtered: false, severity: 'safe' } }
const filter = fc.option(fc.constant(results), { nil: undefined })
const explanations = fc.option(
  fc.constant<Explanation[]>([
    { source: 'Prompt', category: 'hate', filtered: false, severity: 'low', policy: 'p', engine: 'e' },
  ]),
  { nil: undefined },
)

function choiceEvents(choice: number, kind: string): fc.Arbitrary<Event[]> {
  const said = fc.record({
    type: fc.constant('text-delta' as const),
    choice: fc.constant(choice),
    text,
    rest,
    logprobs,
    filter,
  })
  const judged = fc.boolean().map<Event>((isStrict) => ({
    type: 'choice-filter',
    choice,
    results,
    offsets: { check: 1, start: 0, end: 1 },
    isStrict,
  }))
  const others = fc.oneof(
    fc.record({
      type: fc.constantFrom('reasoning-delta' as const, 'refusal-delta'),
      choice: fc.constant(choice),
      text,
      filter,
    }),
    fc.constant<Event>({ type: 'message-rest', choice, rest: { wire: 'openai-chat', fields: { annotations: [] } } }),
  )
  const tool = (index: number): Event[] => [
    { type: 'tool-call-start', choice, index, id: `call_${choice}_${index}`, name: 'f' },
    { type: 'tool-call-delta', choice, index, arguments: '{"a":' },
    { type: 'tool-call-delta', choice, index, arguments: '1}' },
  ]
  const reason = fc.constantFrom('stop' as const, 'length' as const, 'tool_calls' as const, 'content_filter' as const)
  const deltas = fc.array(kind === 'chat' ? fc.oneof(said, judged, others) : fc.oneof(said, judged), { maxLength: 4 })
  return fc
    .tuple(deltas, fc.nat(kind === 'chat' ? 2 : 0), reason, rest, filter, explanations)
    .map(([events, tools, why, last, filter, explanations]) => [
      ...events,
      ...Array.from({ length: tools }, (_, index) => tool(index)).flat(),
      { type: 'choice-end', choice, reason: why, rest: last, filter, explanations },
    ])
}

/** Choices one after the other or interleaved, with and without a start that says something, and usage or not. */
function streamEvents(kind: string): fc.Arbitrary<{ events: Event[]; choices: number; hasUsage: boolean }> {
  return fc
    .record({
      choices: fc
        .integer({ min: 1, max: 3 })
        .chain((n) => fc.tuple(...Array.from({ length: n }, (_, i) => choiceEvents(i, kind)))),
      isMixed: fc.boolean(),
      start: fc.constantFrom<Event>(
        { type: 'answer-start' },
        { type: 'answer-start', id: 'x', model: 'm', created: 7, systemFingerprint: 'fp' },
      ),
      filtered: fc.option(
        explanations.map<Event>((explanations) => ({ type: 'prompt-filter', results, explanations })),
      ),
      note: fc.option(
        fc.constant<Event>({
          type: 'answer-rest',
          rest: { wire: 'openai-chat', fields: { prompt_filter_results: [] } },
        }),
      ),
      hasUsage: fc.boolean(),
    })
    .map(({ choices, isMixed, start, filtered, note, hasUsage }) => {
      const body: Event[] = []
      const queues = choices.map((events) => [...events])
      while (queues.some((queue) => queue.length > 0)) {
        for (const queue of queues) body.push(...queue.splice(0, isMixed ? 1 : queue.length))
      }
      const usage: Event[] = hasUsage ? [{ type: 'usage', usage: { promptTokens: 1, completionTokens: 2 } }] : []
      return {
        events: [...(filtered ? [filtered] : []), ...(note ? [note] : []), start, ...body, ...usage],
        choices: choices.length,
        hasUsage,
      }
    })
}

type Choice = { index: number; delta?: Delta; finish_reason: string | null }
type Delta = {
  role?: string
  tool_calls?: { index: number; id?: string; type?: string; function: { name?: string } }[]
}
type Chunk = { id: string; object: string; created: number; model: string; choices: Choice[]; usage?: Json }

function readChunks(written: string): Chunk[] {
  expect(written).toMatch(/^(data: [^\r\n]+\n\n)+$/)
  const payloads = written
    .split('\n\n')
    .slice(0, -1)
    .map((line) => line.slice('data: '.length))
  expect(payloads.pop()).toBe('[DONE]')
  expect(payloads).not.toContain('[DONE]')
  return payloads.map((payload) => JSON.parse(payload))
}

describe.each(ends.map((end) => [`${end.wire} (${end.routes[0]?.path})`, end] as const))('%s', (_name, end) => {
  test.each([true, false])('every stream can be read by every client; usage asked for: %p', (includeUsage) => {
    const call = readCall(end, includeUsage ? { stream_options: { include_usage: true } } : {})
    fc.assert(
      fc.property(streamEvents(end.kind), ({ events, choices, hasUsage }) => {
        const writer = end.openStream(call, { requestId: 'r', servedModel: 'm', created: 1 })
        const chunks = readChunks(events.map((event) => writer.write(event)).join('') + writer.end())
        for (const chunk of chunks) expect(chunk).not.toHaveProperty('error')
        for (let index = 0; index < choices; index++) checkChoice(end, chunks, index)
        checkIds(end, chunks)
        checkPromptResults(end, chunks, events)
        if (isInference(end)) checkInferenceUsage(chunks, hasUsage)
        else checkAskedUsage(chunks, hasUsage && includeUsage, includeUsage)
      }),
    )
  })

  test('an error after the first byte is one typed event, whatever it is', () => {
    for (const code of Object.keys(faultCodes) as FaultCode[]) {
      const written = end.writeStreamFault(new Fault(code, 'what\r\nhappened', { param: 'x' }), 'r')
      expect(written).toMatch(/^data: [^\r\n]+\n\n$/)
      const { error } = JSON.parse(written.slice('data: '.length))
      expect(error.message).toBeString()
      expect(error).toHaveProperty('code')
    }
  })
})

/** Role first, one finish reason and nothing after it, and calls that say what they are when they begin. */
function checkChoice(end: ServerEnd, chunks: readonly Chunk[], index: number): void {
  const own = chunks.flatMap((chunk) => chunk.choices).filter((choice) => choice.index === index)
  const reasons = own.map((choice) => choice.finish_reason)
  expect(reasons.slice(0, -1).every((reason) => reason === null)).toBe(true)
  expect(reasons.at(-1)).toBeString()
  if (end.kind !== 'chat') return
  expect(own[0]?.delta?.role).toBe('assistant')
  const begun = new Set<number>()
  for (const call of own.flatMap(({ delta }) => delta?.tool_calls ?? [])) {
    expect(Number.isInteger(call.index)).toBe(true)
    if (begun.has(call.index)) continue
    begun.add(call.index)
    expect(call).toMatchObject({ id: expect.any(String), type: 'function', function: { name: 'f' } })
  }
}

/** A chunk has an id and choices, or neither; only usage on the Azure OpenAI surface stands alone with an id. */
function checkIds(end: ServerEnd, chunks: readonly Chunk[]): void {
  const ids = new Set<string>()
  for (const { id, choices, usage, object } of chunks) {
    if (choices.length === 0) expect(id === '' || (!isInference(end) && Boolean(usage))).toBe(true)
    if (id === '') continue
    ids.add(id)
    expect(object).toBe(end.kind === 'chat' ? 'chat.completion.chunk' : 'text_completion')
  }
  expect(ids.size).toBe(1)
}

/** What filters say of the prompt comes once and first, whoever else says something of it. */
function checkPromptResults(end: ServerEnd, chunks: readonly Chunk[], events: readonly Event[]): void {
  if (events[0]?.type !== 'prompt-filter') return
  const told = chunks.filter((chunk) => 'prompt_filter_results' in chunk)
  // The inference API has no chunk without a choice at the start: there the role comes with it.
  if (isInference(end)) expect(told).toMatchObject([{ choices: [{ delta: { role: 'assistant' } }] }])
  else expect(told).toEqual([expect.objectContaining({ id: '', choices: [] })])
  expect(chunks[0]).toEqual(told[0] as Chunk)
}

/** Within the last chunk, which ends a choice, unasked. */
function checkInferenceUsage(chunks: readonly Chunk[], hasUsage: boolean): void {
  const last = chunks.at(-1)
  expect(last?.choices[0]?.finish_reason).toBeString()
  expect(Boolean(last?.usage)).toBe(hasUsage)
  expect(chunks.slice(0, -1).some(({ usage }) => usage)).toBe(false)
}

/** In a chunk of its own at the end when asked for, all others saying null; otherwise nowhere. */
function checkAskedUsage(chunks: readonly Chunk[], isThere: boolean, isAsked: boolean): void {
  const told = chunks.filter(({ usage }) => usage)
  expect(told.length).toBe(isThere ? 1 : 0)
  if (isThere) expect(chunks.at(-1)).toMatchObject({ choices: [], usage: { total_tokens: 3 } })
  for (const chunk of chunks) {
    if (chunk.choices.length > 0) expect('usage' in chunk).toBe(isAsked)
  }
}
