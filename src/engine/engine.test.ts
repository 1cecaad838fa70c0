import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import path from 'node:path'
import fc from 'fast-check'
import { byteToken, writeFixtureGguf } from '../../test/support/fixture-gguf.ts'
import type { ChatCall } from '../core/call.ts'
import {
  chat,
  completion,
  drain,
  embedding,
  endless,
  faultOf,
  openBench,
  stream,
  until,
  vectors,
  whole,
} from './engine.fixture.ts'
import type { Engine } from './engine.ts'

const smile = [...Buffer.from('🙂')].map(byteToken)
const toolText = '{"name": "get_weather", "arguments": {"city": "Oslo"}}'
const weather = {
  name: 'get_weather',
  description: 'Weather',
  parameters: { type: 'object', properties: { city: {} } },
}

const bench = openBench()
beforeAll(() => {
  writeFixtureGguf(path.join(bench.folder, 'hello.gguf'), {
    script: ['Hello', ' wor', 'ld', ...smile, '!', '<|im_end|>'],
  })
  writeFixtureGguf(path.join(bench.folder, 'tool.gguf'), {
    script: ['Wait.', '<tool_call>', toolText, '</tool_call>', '<|im_end|>'],
  })
})
afterAll(() => bench.close())

describe('a model that says a known text', () => {
  let engine: Engine
  beforeAll(async () => {
    engine = bench.start('hello.gguf')
    await engine.ready()
  })

  test('whole answer, with exact usage and without the end token', async () => {
    const result = await whole(engine, chat('Hi'))
    expect(result.choices).toEqual([
      expect.objectContaining({ index: 0, text: 'Hello world🙂!', finishReason: 'stop' }),
    ])
    // <|im_start|> u s e r \n H i <|im_end|> \n <|im_start|> a s s i s t a n t \n
    expect(result.usage).toEqual({ promptTokens: 21, completionTokens: 8, cachedTokens: 0 })
  })

  test('stream: starts, says the same, ends, counts', async () => {
    const events = await drain(await stream(engine, chat('Hi')))
    expect(events[0]).toEqual({ type: 'answer-start' })
    expect(events.slice(-2).map((event) => event.type)).toEqual(['choice-end', 'usage'])
    const texts = events.flatMap((event) => (event.type === 'text-delta' ? [event.text] : []))
    expect(texts.join('')).toBe('Hello world🙂!')
    expect(texts.join('')).not.toInclude('\ufffd')
  })

  test('a prompt seen before comes from the cache', async () => {
    await whole(engine, chat('What about caching?'))
    const { usage } = await whole(engine, chat('What about caching?'))
    expect(usage?.cachedTokens).toBe((usage?.promptTokens as number) - 1)
  })

  test('conversations that take turns keep their caches, although all chats begin alike', async () => {
    const talks = ['first talk, quite long', 'second talk, as long', 'third talk, as long too']
    for (const talk of talks) await whole(engine, chat(talk))
    for (const talk of talks) {
      const { usage } = await whole(engine, chat(talk))
      expect(usage?.cachedTokens).toBe((usage?.promptTokens as number) - 1)
    }
  })

  test.each([
    [['world'], 'Hello ', 3],
    [['lo wo', '!'], 'Hel', 2],
    [['\n', '🙂'], 'Hello world', 7],
    [['nowhere'], 'Hello world🙂!', 8],
  ])('stop %p', async (stop, text, completionTokens) => {
    const result = await whole(engine, chat('Hi', { stop }))
    expect(result.choices[0]).toMatchObject({ text, finishReason: 'stop' })
    expect(result.usage?.completionTokens).toBe(completionTokens)
  })

  test('maxTokens ends with length, in the middle of a character without half of it', async () => {
    const result = await whole(engine, chat('Hi', { maxTokens: 5 }))
    expect(result.choices[0]).toMatchObject({ text: 'Hello world', finishReason: 'length' })
    expect(result.usage?.completionTokens).toBe(5)
  })

  test('logit_bias bans a token, also the end of the text', async () => {
    const { contextSize, vocabularySize } = engine.state().model ?? { contextSize: 0, vocabularySize: 0 }
    expect(contextSize).toBe(512)
    const result = await whole(engine, chat('Hi', { logitBias: endless, maxTokens: 12 }))
    expect(result.choices[0]).toMatchObject({ finishReason: 'length' })
    const fault = await faultOf(whole(engine, chat('Hi', { logitBias: { [vocabularySize]: 1 } })))
    expect(fault).toMatchObject({ code: 'invalid-request', detail: { param: 'logit_bias' } })
  })

  test('logprobs: the chosen token is likeliest, and all alternatives are ranked', async () => {
    const result = await whole(engine, chat('Hi', { logprobs: { top: 3 } }))
    expect(result.choices[0]?.text).toBe('Hello world🙂!')
    const logprobs = result.choices[0]?.logprobs ?? []
    expect(logprobs.map((entry) => entry.token).slice(0, 3)).toEqual(['Hello', ' wor', 'ld'])
    expect(logprobs).toHaveLength(8)
    for (const entry of logprobs) {
      expect(entry.logprob).toBeGreaterThan(Math.log(0.5))
      expect(entry.logprob).toBeLessThanOrEqual(0)
      expect(entry.top).toHaveLength(3)
      expect(entry.top[0]?.logprob).toBe(entry.logprob)
    }
  })

  test('completion: echo, several prompts, several choices, token ids', async () => {
    const prompts = ['Say\n', [43, 10]] as const
    const result = await whole(engine, completion(prompts, { n: 2, echo: true, maxTokens: 3 }))
    expect(result.choices.map((choice) => [choice.index, choice.text])).toEqual([
      [0, 'Say\nHello world'],
      [1, 'Say\nHello world'],
      [2, `+\nHello world`],
      [3, `+\nHello world`],
    ])
    expect(result.usage).toMatchObject({ promptTokens: 6, completionTokens: 12 })
    const fault = await faultOf(whole(engine, completion([[1, 99999]])))
    expect(fault).toMatchObject({ code: 'invalid-request', detail: { param: 'prompt' } })
  })

  test('maxTokens 0 with echo gives the prompt back', async () => {
    const result = await whole(engine, completion(['abc'], { echo: true, maxTokens: 0 }))
    expect(result.choices[0]).toMatchObject({ text: 'abc', finishReason: 'length' })
  })
})

describe('a model that calls a tool', () => {
  let engine: Engine
  beforeAll(() => {
    engine = bench.start('tool.gguf')
  })

  test('the call becomes a tool call', async () => {
    const { choices } = await whole(engine, chat('Weather?', { tools: [weather] }))
    expect(choices[0]).toMatchObject({ text: 'Wait.', finishReason: 'tool_calls' })
    expect(choices[0]?.toolCalls).toEqual([
      { id: expect.stringMatching(/^call_[A-Za-z0-9]{24}$/), name: 'get_weather', arguments: '{"city":"Oslo"}' },
    ])
  })

  test('without that tool on offer the same words are text', async () => {
    const text = `Wait.<tool_call>${toolText}</tool_call>`
    const offers: Partial<ChatCall>[] = [
      {},
      { tools: [weather], toolChoice: 'none' },
      { tools: [{ ...weather, name: 'x' }] },
    ]
    for (const offer of offers) {
      const { choices } = await whole(engine, chat('Weather?', offer))
      expect(choices[0]).toMatchObject({ text, finishReason: 'stop', toolCalls: undefined })
    }
  })
})

describe('a random model', () => {
  let engine: Engine
  beforeAll(async () => {
    engine = bench.start('random.gguf')
    await engine.ready()
  })

  test('the same seed gives the same answers, another seed others, and n answers differ', async () => {
    const call = chat('Tell', { temperature: 1, maxTokens: 12, n: 3, seed: 7 })
    const [first, again, other] = [
      await whole(engine, call),
      await whole(engine, call),
      await whole(engine, { ...call, seed: 8 }),
    ]
    const texts = first.choices.map((choice) => choice.text)
    expect(new Set(texts).size).toBe(3)
    expect(again.choices.map((choice) => choice.text)).toEqual(texts)
    expect(other.choices[2]?.text).not.toBe(texts[2] as string)
    expect(first.usage?.completionTokens).toBe(36)
    expect(first.usage?.promptTokens).toBe(22)
  })

  test('logprobs agree with the sampler: greedy tokens are the same with and without', async () => {
    const plain = await whole(engine, chat('Tell', { maxTokens: 20 }))
    const scored = await whole(engine, chat('Tell', { maxTokens: 20, logprobs: { top: 0 } }))
    expect(scored.choices[0]?.text).toBe(plain.choices[0]?.text as string)
  })

  test('json_object makes any model write JSON, a forced tool choice makes it call', async () => {
    const sampling = { temperature: 1, maxTokens: 200 }
    for (let seed = 0; seed < 5; seed++) {
      const call = chat('json', { ...sampling, seed, responseFormat: { type: 'json_object' } })
      const [choice] = (await whole(engine, call)).choices
      if (choice?.finishReason === 'stop') expect(typeof JSON.parse(choice.text ?? '')).toBe('object')
      else expect(choice?.text).toStartWith('{')
    }
    const tools = [weather, { name: 'add' }]
    for (const [toolChoice, names] of [
      ['required', ['add', 'get_weather']],
      [{ name: 'add' }, ['add']],
    ] as const) {
      const called = new Set<string>()
      for (let seed = 0; seed < 12; seed++) {
        const [choice] = (await whole(engine, chat('call', { ...sampling, seed, tools, toolChoice }))).choices
        if (choice?.finishReason === 'length') continue
        expect(choice).toMatchObject({ text: null, finishReason: 'tool_calls' })
        called.add(choice?.toolCalls?.[0]?.name ?? '')
      }
      expect([...called].sort()).toEqual([...names])
    }
  })

  test('a frequency penalty keeps a token from coming back', async () => {
    const count = (text: string | null | undefined) => new Set(text ?? '').size
    const plain = await whole(engine, completion(['aaaa'], { maxTokens: 60 }))
    const varied = await whole(engine, completion(['aaaa'], { maxTokens: 60, frequencyPenalty: 2, presencePenalty: 2 }))
    expect(count(varied.choices[0]?.text)).toBeGreaterThan(count(plain.choices[0]?.text))
  })

  test("callers' text never becomes control tokens", async () => {
    // In this vocabulary plain text has a token per byte but for "ll"; a control token recognised would make it fewer.
    const tokens = async (content: string) =>
      (await whole(engine, chat(content, { maxTokens: 1 }))).usage?.promptTokens ?? 0
    const base = await tokens('')
    const part = fc.constantFrom(
      '<|im_start|>',
      '<|im_end|>',
      '<|bos|>',
      '<tool_call>',
      '</tool_call>',
      '<|im_',
      '<',
      '\n',
      'é',
    )
    await fc.assert(
      fc.asyncProperty(fc.array(part, { maxLength: 12 }), async (parts) => {
        const text = parts.join('')
        expect((await tokens(text)) - base).toBe(Buffer.byteLength(text) - (text.split('ll').length - 1))
      }),
      { numRuns: 200 },
    )
  })

  test('a prompt that leaves no room is refused with the counts, and an answer ends where the room does', async () => {
    const fault = await faultOf(whole(engine, chat('x'.repeat(600))))
    expect(fault.code).toBe('context-length-exceeded')
    expect(fault.message).toBe(
      "This model's maximum context length is 512 tokens. However, your messages resulted in 619 tokens. " +
        'Please reduce the length of the messages.',
    )
    for (const length of [480, 491, 492]) {
      const result = await whole(engine, chat('x'.repeat(length), { logitBias: endless }))
      expect(result.usage).toMatchObject({ promptTokens: length + 19, completionTokens: 512 - 19 - length })
      expect(result.choices[0]?.finishReason).toBe('length')
    }
    expect((await faultOf(whole(engine, chat('x'.repeat(493))))).code).toBe('context-length-exceeded')
  })

  // Not compared with what they are alone: batches of another size add up floating point numbers in another order, which on
  // random weights now and then turns a draw.
  test('24 requests at once over 4 slots are all answered, each on its own', async () => {
    const calls = Array.from({ length: 24 }, (_, i) =>
      chat(`Question ${i}`, { temperature: 1, seed: i, maxTokens: 10 }),
    )
    const together = await Promise.all(calls.map((call) => whole(engine, call)))
    for (const { choices, usage } of together) {
      expect(choices).toHaveLength(1)
      expect(['length', 'stop']).toContain(choices[0]?.finishReason as string)
      expect(usage?.completionTokens).toBeLessThanOrEqual(10)
    }
    expect(new Set(together.map(({ choices }) => choices[0]?.text)).size).toBeGreaterThan(12)
  })

  test('embeddings have length 1, differ, can be cut, and count', async () => {
    const result = await vectors(engine, embedding(['red apple', 'green pear', [104, 105]]))
    const dot = (a?: Float32Array, b?: Float32Array) =>
      [...(a ?? [])].reduce((sum, value, i) => sum + value * (b?.[i] ?? 0), 0)
    expect(result.vectors).toHaveLength(3)
    for (const vector of result.vectors) {
      expect(vector).toBeInstanceOf(Float32Array)
      expect(vector).toHaveLength(64)
      expect(dot(vector, vector)).toBeCloseTo(1, 5)
    }
    expect(dot(result.vectors[0], result.vectors[1])).toBeLessThan(0.99)
    expect(result.usage).toEqual({ promptTokens: 21, completionTokens: 0 })
    const [cut] = (await vectors(engine, embedding(['red apple'], { dimensions: 16 }))).vectors
    expect(cut).toHaveLength(16)
    expect(dot(cut, cut)).toBeCloseTo(1, 5)
    expect(dot(cut, result.vectors[0]?.slice(0, 16))).toBeGreaterThan(0)
    const again = await vectors(engine, embedding(['red apple']))
    expect(dot(again.vectors[0], result.vectors[0])).toBeCloseTo(1, 5)
  })

  test.each([
    [embedding(['a', '']), 'invalid-request', 'input[1]'],
    [embedding(['a'], { dimensions: 65 }), 'unsupported-value', 'dimensions'],
    [embedding(['a', [1, 700]]), 'invalid-request', 'input[1]'],
    [embedding(['b'.repeat(600)]), 'context-length-exceeded', 'input[0]'],
    [embedding(['a'], { inputType: 'query' }), 'unsupported-value', 'input_type'],
  ] as const)('embeddings refuse %#', async (call, code, param) => {
    expect(await faultOf(vectors(engine, call))).toMatchObject({ code, detail: { param } })
  })

  test('an abort ends the stream and frees the slot', async () => {
    const abort = new AbortController()
    const events = await stream(engine, chat('go', { logitBias: endless }), abort.signal)
    await events.next()
    expect(engine.state().running).toBe(1)
    abort.abort()
    expect((await faultOf(drain(events))).code).toBe('client-gone')
    await until(() => engine.state().running === 0)
  })

  test('leaving the stream, or never entering it, frees the slot', async () => {
    const left = await stream(engine, chat('go', { logitBias: endless }))
    await left.next()
    await left.return?.()
    const never = await stream(engine, chat('go', { logitBias: endless }))
    await never.return?.()
    await until(() => engine.state().running === 0)
  })

  test('a stream nobody reads does not hold its slot once the model is done', async () => {
    const events = await stream(engine, chat('go', { logitBias: endless, maxTokens: 50 }))
    await until(() => engine.state().running === 0)
    expect((await drain(events)).at(-1)).toMatchObject({ type: 'usage', usage: { completionTokens: 50 } })
  })
})
