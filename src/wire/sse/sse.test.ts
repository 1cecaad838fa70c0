import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { openTally } from '../../core/usage/tally.ts'
import { readAnyUsage } from '../anthropic-messages/usage.ts'
import { readAnswerUsage } from '../openai-chat/client.ts'
import type { RelayWatch } from '../wire.ts'
import { readSseData } from './read-sse.ts'
import { relayNamedEvents, relaySse } from './relay-sse.ts'

const encoder = new TextEncoder()

async function* cut(text: string, sizes: readonly number[]): AsyncGenerator<Uint8Array> {
  const bytes = encoder.encode(text)
  let at = 0
  for (let i = 0; at < bytes.length; i++) {
    const size = sizes[i % sizes.length] ?? 1
    yield bytes.subarray(at, at + size)
    at += size
  }
}

async function readAll(text: string, sizes: readonly number[]): Promise<string[]> {
  const data: string[] = []
  for await (const item of readSseData(cut(text, sizes))) data.push(item)
  return data
}

type Relay = (body: AsyncIterable<Uint8Array>, watch: RelayWatch) => AsyncIterable<Uint8Array>

function watchUsage(dropsUsage = false): RelayWatch {
  return { tally: openTally(), readUsage: readAnswerUsage, dropsUsage }
}

async function relayAll(text: string, sizes: readonly number[], relay: Relay = relaySse): Promise<string> {
  const decoder = new TextDecoder()
  let out = ''
  for await (const bytes of relay(cut(text, sizes), watchUsage())) {
    const piece = decoder.decode(bytes)
    expect(piece.endsWith('\n\n')).toBe(true)
    out += piece
  }
  return out
}

const payload = fc
  .record({ text: fc.string({ unit: 'grapheme', maxLength: 12 }) })
  .map((value) => JSON.stringify(value))
const newline = fc.constantFrom('\n', '\r\n')
const noise = fc.constantFrom('', ': comment', 'event: message', 'id: 7', 'retry: 10')
const sizes = fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 8 })

const stream = fc.record({
  bom: fc.boolean(),
  newline,
  space: fc.constantFrom('', ' '),
  events: fc.array(fc.tuple(payload, noise), { maxLength: 8 }),
  done: fc.boolean(),
})

function write(s: { bom: boolean; newline: string; space: string; events: [string, string][]; done: boolean }): string {
  const events = s.events.map(
    ([data, noise]) => `${noise ? noise + s.newline : ''}data:${s.space}${data}${s.newline}${s.newline}`,
  )
  return `${s.bom ? '\uFEFF' : ''}${events.join('')}${s.done ? `data: [DONE]${s.newline}${s.newline}` : ''}`
}

describe('any cutting of the bytes gives the same events', () => {
  test('read', async () => {
    await fc.assert(
      fc.asyncProperty(stream, sizes, async (s, cuts) => {
        expect(await readAll(write(s), cuts)).toEqual(s.events.map(([data]) => data))
      }),
    )
  })

  test('relayed, in the strict form and with one terminator', async () => {
    await fc.assert(
      fc.asyncProperty(stream, sizes, async (s, cuts) => {
        const expected = `${s.events.map(([data]) => `data: ${data}\n\n`).join('')}data: [DONE]\n\n`
        expect(await relayAll(write(s), cuts)).toBe(expected)
      }),
    )
  })

  test('relayed with their names, as they came', async () => {
    const named = fc.array(fc.tuple(fc.constantFrom('ping', 'delta'), payload), { maxLength: 8 })
    await fc.assert(
      fc.asyncProperty(named, fc.constantFrom('end', 'error'), sizes, async (events, last, cuts) => {
        const whole = [...events, [last, '{}']].map(([name, data]) => `event: ${name}\ndata: ${data}\n\n`).join('')
        expect(await relayAll(whole, cuts, (body) => relayNamedEvents(body, ['end', 'error'], watchUsage()))).toBe(
          whole,
        )
      }),
    )
  })
})

test('a text that names the last event does not end the stream, and data alone may', async () => {
  const said = `event: delta\ndata: ${JSON.stringify({ type: 'delta', text: 'data: {"type":"end"}\nevent: end\n' })}\n\n`
  for (const last of ['event: end\ndata: {}\n\n', 'data: {"type": "end"}\n\n']) {
    const whole = said + said + last
    expect(await relayAll(whole, [said.length], (body) => relayNamedEvents(body, ['end'], watchUsage()))).toBe(whole)
  }
})

test('named events that stop before the last one were cut off', async () => {
  const start = 'event: delta\ndata: {}\n\n'
  for (const text of ['', start, `${start}event: en`]) {
    const relayed: string[] = []
    const drain = async () => {
      for await (const bytes of relayNamedEvents(cut(text, [7]), ['end'], watchUsage()))
        relayed.push(new TextDecoder().decode(bytes))
    }
    await expect(drain()).rejects.toThrow('ended before')
    expect(relayed.join('')).toBe(text === '' ? '' : start)
  }
})

test('what is strict already is passed on without a copy', async () => {
  const bytes = encoder.encode('data: {"a":1}\n\ndata: {"b":2}\n\n')
  async function* one(): AsyncGenerator<Uint8Array> {
    yield bytes
  }
  const first = await relaySse(one(), watchUsage()).next()
  expect((first.value as Uint8Array).buffer).toBe(bytes.buffer)
})

test('a top-level error of null is left out, and every other byte kept where there is none', async () => {
  const kept = [
    '{"x": 1.0, "error":{"message":"m"}}',
    '{"x": 1.0, "choices":[{"error":null}]}',
    '{"x": 1.0, "text":"\\"error\\": null"}',
    '{"x": 1.0, "error":',
    '{"x": 1.0}',
  ]
  const sent = ['{ "x": 1, "error" : null }', ...kept]
  const expected = ['{"x":1}', ...kept, '[DONE]']
  const write = (events: string[], newline = '\n') => events.map((data) => `data: ${data}${newline}${newline}`).join('')
  for (const newline of ['\n', '\r\n']) {
    for (const size of [1, 7, 1000]) expect(await relayAll(write(sent, newline), [size])).toBe(write(expected))
  }
  expect(await relayAll('data: {"x":1,"error":null}', [5])).toBe(write(['{"x":1}', '[DONE]']))
})

test('several data lines are one event, and a last event without a blank line counts', async () => {
  expect(await readAll('data: {"a":\ndata: 1}\n\ndata: {"b":2}', [3])).toEqual(['{"a":\n1}', '{"b":2}'])
  expect(await relayAll('data: {"a":\ndata: 1}\n\ndata: {"b":2}', [3])).toBe(
    'data: {"a": 1}\n\ndata: {"b":2}\n\ndata: [DONE]\n\n',
  )
})

test('an endless event is refused', async () => {
  async function* endless(): AsyncGenerator<Uint8Array> {
    for (;;) yield new Uint8Array(1024 * 1024).fill(0x61)
  }
  const drain = async (items: AsyncIterable<unknown>) => {
    for await (const _ of items);
  }
  expect(drain(readSseData(endless()))).rejects.toThrow('more than')
  expect(drain(relaySse(endless(), watchUsage()))).rejects.toThrow('more than')
  expect(drain(relayNamedEvents(endless(), ['end'], watchUsage()))).rejects.toThrow('more than')
})

describe('after the end of a relayed stream', () => {
  const end = 'data: {"a":1}\n\ndata: [DONE]\n\n'

  async function* breaking(text: string): AsyncGenerator<Uint8Array> {
    yield encoder.encode(text)
    throw new Error('the upstream broke off')
  }
  const collect = async (source: AsyncIterable<Uint8Array>): Promise<string> => {
    let out = ''
    for await (const bytes of source) out += new TextDecoder().decode(bytes)
    return out
  }

  test.each([[[1]], [[7]], [[1000]]])('what the upstream still sends is not given out, cut by %j', async (sizes) => {
    expect(await relayAll(`${end}data: {"late":1}\n\ndata: [DONE]\n\n`, sizes)).toBe(end)
  })

  test('an upstream that breaks off then has broken nothing', async () => {
    expect(await collect(relaySse(breaking(end), watchUsage()))).toBe(end)
    const named = 'event: message_stop\ndata: {"type":"message_stop"}\n\n'
    expect(await collect(relayNamedEvents(breaking(named), ['message_stop', 'error'], watchUsage()))).toBe(named)
  })

  test('before it, it has', async () => {
    expect(collect(relaySse(breaking('data: {"a":1}\n\n'), watchUsage()))).rejects.toThrow('broke off')
    expect(
      collect(relayNamedEvents(breaking('event: ping\ndata: {}\n\n'), ['message_stop', 'error'], watchUsage())),
    ).rejects.toThrow('broke off')
  })

  test('blank lines of mixed ends part events', async () => {
    expect(await relayAll('data: {"a":1}\n\r\ndata: {"b":2}\r\n\r\n', [1000])).toBe(
      'data: {"a":1}\n\ndata: {"b":2}\n\ndata: [DONE]\n\n',
    )
  })
})

describe('what a relayed stream tells of its cost', () => {
  const usage = '{"prompt_tokens":7,"completion_tokens":2,"prompt_tokens_details":{"cached_tokens":4}}'
  const words = 'data: {"choices":[{"delta":{"content":"a \\"prompt_tokens\\": 9"}}],"usage":null}\n\n'.repeat(2)
  const bare = `data: {"choices":[],"usage":${usage}}\n\n`
  const withAnswer = `data: {"choices":[{"delta":{}}],"usage":${usage}}\n\n`
  const end = 'data: [DONE]\n\n'
  const told = { promptTokens: 7, completionTokens: 2, cachedTokens: 4 }

  const relay = async (text: string, sizes: readonly number[], dropsUsage: boolean) => {
    const watch = watchUsage(dropsUsage)
    const out = await relayAll(text, sizes, (body) => relaySse(body, watch))
    return { out, tally: watch.tally }
  }

  test.each([[[1]], [[13]], [[10_000]]])(
    'usage that the caller asked for is noted and passed on, cut by %j',
    async (sizes) => {
      const { out, tally } = await relay(words + bare + end, sizes, false)
      expect(out).toBe(words + bare + end)
      expect(tally).toEqual({ usage: told, pieces: 4 })
    },
  )

  test.each([[[1]], [[13]], [[10_000]]])(
    'usage that only we asked for is noted and kept back, cut by %j',
    async (sizes) => {
      const { out, tally } = await relay(words + bare + end, sizes, true)
      expect(out).toBe(words + end)
      expect(tally.usage).toEqual(told)
    },
  )

  test('usage beside a part of the answer stays', async () => {
    const { out, tally } = await relay(words + withAnswer + end, [50], true)
    expect(out).toBe(words + withAnswer + end)
    expect(tally.usage).toEqual(told)
  })

  test('of a stream that breaks off, the events are counted', async () => {
    const watch = watchUsage()
    const source = async function* () {
      yield encoder.encode(words)
      throw new Error('broke off')
    }
    const drain = async () => {
      for await (const _ of relaySse(source(), watch));
    }
    await expect(drain()).rejects.toThrow('broke off')
    expect(watch.tally).toEqual({ usage: undefined, pieces: 2 })
  })

  test('named events tell the prompt at their start and the answer at their end', async () => {
    const watch: RelayWatch = { tally: openTally(), readUsage: readAnyUsage, dropsUsage: false }
    const text = [
      ['message_start', '{"message":{"usage":{"input_tokens":5,"cache_read_input_tokens":3,"output_tokens":1}}}'],
      ['content_block_delta', '{"delta":{"type":"text_delta","text":"x"}}'],
      ['message_delta', '{"delta":{"stop_reason":"end_turn"},"usage":{"output_tokens":12}}'],
      ['message_stop', '{}'],
    ]
      .map(([name, data]) => `event: ${name}\ndata: ${data}\n\n`)
      .join('')
    expect(await relayAll(text, [9], (body) => relayNamedEvents(body, ['message_stop', 'error'], watch))).toBe(text)
    expect(watch.tally.usage).toEqual({ promptTokens: 8, completionTokens: 12, cachedTokens: 3 })
  })
})
