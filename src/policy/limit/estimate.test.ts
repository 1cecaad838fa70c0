import { describe, expect, test } from 'bun:test'
import type { Call, CompletionCall, ContentPart, EmbedCall, PassCall } from '../../core/call.ts'
import { makeChatCall } from '../../core/exchange.fixture.ts'
import { type EstimateBounds, estimateCall, estimatePrompt } from './estimate.ts'

const chat = (content: string | ContentPart[]) => makeChatCall({ messages: [{ role: 'user', content }] })
const base = { deployment: 'd', stream: false, includeUsage: false } as const
const completion = (more: Partial<CompletionCall>): CompletionCall => ({
  ...base,
  kind: 'completion',
  prompts: ['x'.repeat(40)],
  n: 1,
  maxTokens: 16,
  ...more,
})
const embed = (inputs: EmbedCall['inputs']): EmbedCall => ({ ...base, kind: 'embed', inputs, encoding: 'float' })
const image = (detail?: string): ContentPart => ({
  type: 'image',
  url: `data:image/png;base64,${'A'.repeat(9e5)}`,
  detail,
})
const other = (fields: ContentPart & { type: 'other' } extends { fields: infer F } ? F : never): ContentPart => ({
  type: 'other',
  wire: 'w',
  fields,
})

const prompts: [string, Call, number][] = [
  ['four characters to a token, and what stands around a message', chat('x'.repeat(400)), 100 + 7],
  ['characters of three bytes as more', chat('语'.repeat(400)), 300 + 7],
  ['every message', makeChatCall({ messages: Array(10).fill({ role: 'user', content: 'abcd' }) }), 10 * 5 + 3],
  ['an image, however large the file', chat([image()]), 765 + 7],
  ['an image of low detail', chat([image('low')]), 85 + 7],
  ['parts together', chat([{ type: 'text', text: 'x'.repeat(40) }, image('low'), image('low')]), 10 + 170 + 7],
  ['sound, however large', chat([{ type: 'audio', data: 'A'.repeat(1e6), format: 'wav' }]), 300 + 7],
  ['a file in a part of one protocol as an image', chat([other({ data: 'JVBERi0x'.repeat(1e5) })]), 765 + 7 + 2],
  ['text in such a part as text', chat([other({ data: 'some words '.repeat(400) })]), 1_100 + 7 + 2],
  ['a message without content', makeChatCall({ messages: [{ role: 'assistant', content: null }] }), 7],
  [
    'calls of tools and their arguments',
    makeChatCall({
      messages: [
        { role: 'assistant', content: null, toolCalls: [{ id: 'i', name: 'find', arguments: 'x'.repeat(36) }] },
      ],
    }),
    4 + 10 + 7,
  ],
  ['embeddings: all texts', embed(['x'.repeat(40), 'x'.repeat(41)]), 10 + 11],
  ['embeddings: token ids as they are', embed([[1, 2, 3], Array(500).fill(7)]), 503],
  ['completions: prompts and suffix', completion({ prompts: ['x'.repeat(40), [1, 2]], suffix: 'x'.repeat(8) }), 14],
]

describe('prompt', () => {
  test.each(prompts)('%s', (_, call, tokens) => {
    expect(estimatePrompt(call)).toBe(tokens)
  })

  test('tools with their schemas', () => {
    const parameters = { type: 'object', properties: { city: { type: 'string', description: 'x'.repeat(400) } } }
    const bare = estimatePrompt(chat('hello'))
    const tools = [{ name: 'weather', description: 'x'.repeat(40), parameters }]
    const more = estimatePrompt(makeChatCall({ messages: [{ role: 'user', content: 'hello' }], tools })) - bare
    expect(more).toBeGreaterThan(110)
    expect(more).toBeLessThan(150)
  })

  test('calls that are passed on: their body, but not the files in it', () => {
    const body = { input: 'x'.repeat(400), picture: 'A'.repeat(1e6), model: 'm' }
    const call: PassCall = { ...base, kind: 'moderate', source: { wire: 'w', text: '', body } }
    expect(estimatePrompt(call)).toBeGreaterThan(100 + 765)
    expect(estimatePrompt(call)).toBeLessThan(100 + 765 + 20)
    expect(estimatePrompt({ ...base, kind: 'transcribe' })).toBe(0)
  })
})

const loose: EstimateBounds = {
  guessTokens: () => 200,
  mostGuessed: Number.POSITIVE_INFINITY,
  mostTokens: Number.POSITIVE_INFINITY,
  maxOutputTokens: undefined,
}

const answers: [string, Call, Partial<EstimateBounds>, number, boolean][] = [
  ['the most the caller asks for', makeChatCall({ maxTokens: 50 }), {}, 50, false],
  ['for each of the answers', makeChatCall({ maxTokens: 50, n: 3 }), {}, 150, false],
  ['for those of which the best are shown', completion({ bestOf: 5, n: 2 }), {}, 80, false],
  ['for each prompt', completion({ prompts: ['a', 'b', 'c'], n: 2 }), {}, 96, false],
  ['no more than the model can', makeChatCall({ maxTokens: 1e6 }), { maxOutputTokens: 4096 }, 4096, false],
  [
    'what is asked for is not bound by half the limit',
    makeChatCall({ maxTokens: 900 }),
    { mostGuessed: 500 },
    900,
    false,
  ],
  ['what answers usually have', makeChatCall(), {}, 200, true],
  ['which counts for each answer', makeChatCall({ n: 3 }), {}, 600, true],
  ['a guess is at most half the limit', makeChatCall({ n: 3 }), { mostGuessed: 250 }, 250, true],
  ['a guess leaves room for the prompt', chat('x'.repeat(3_600)), { mostTokens: 1_000 }, 93, true],
  ['and is at least one token', chat('x'.repeat(8_000)), { mostTokens: 1_000 }, 1, true],
  ['whole tokens', makeChatCall(), { mostGuessed: 10.4 }, 10, true],
  ['embeddings have none', embed(['text']), {}, 0, false],
]

describe('answers', () => {
  test.each(answers)('%s', (_, call, bounds, completionTokens, isGuess) => {
    expect(estimateCall(call, { ...loose, ...bounds })).toMatchObject({ completionTokens, isGuess })
  })
})
