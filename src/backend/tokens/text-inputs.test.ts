import { expect, test } from 'bun:test'
import type { Call, EmbedCall } from '../../core/call.ts'
import type { Backend } from '../../core/reply.ts'
import { openTally } from '../../core/usage/tally.ts'
import { decodeCl100k } from './decode-cl100k.ts'
import { takesTokenIds, withTextInputs } from './text-inputs.ts'

// "tiktoken is great!", "Hello ü 漢字" and "<|endoftext|>" in cl100k_base.
const great = [83, 1609, 5963, 374, 2294, 0]
const hello = [9906, 10709, 6704, 120, 95, 19113]

test('ids become the texts they stand for', async () => {
  expect(await decodeCl100k([great, hello, [100257]])).toEqual(['tiktoken is great!', 'Hello ü 漢字', '<|endoftext|>'])
})

test('half a character is replaced, and no call leaves anything behind for the next', async () => {
  const half = hello.slice(2, 4)
  expect(await decodeCl100k([half, great])).toEqual([expect.stringContaining('\ufffd'), 'tiktoken is great!'])
})

test.each([100256, 100277, 5_000_000, 2 ** 40])('the id %d is refused by the place of its input', async (id) => {
  const answer = decodeCl100k([great, [...hello, id]])
  expect(answer).rejects.toMatchObject({ code: 'invalid-request', status: 400, detail: { param: 'input[1]' } })
})

test('many at once each get their own', async () => {
  const answers = await Promise.all(Array.from({ length: 50 }, (_, i) => decodeCl100k([i % 2 ? great : hello])))
  expect(answers.map(([text]) => text)).toEqual(answers.map((_, i) => (i % 2 ? 'tiktoken is great!' : 'Hello ü 漢字')))
})

test.each([
  ['azure-openai', ['anything'], true],
  ['openai', ['text-embedding-3-small'], true],
  ['openai', ['Text-Embedding-Ada-002-2'], true],
  ['openai', ['openai/text-embedding-3-large'], true],
  ['openai', ['my-alias', 'text-embedding-3-large'], true],
  ['openai', ['text-embedding-nomic-embed-text-v1.5'], false],
  ['openai', ['bge-m3', 'text-embedding-004'], false],
  ['foundry', ['text-embedding-3-small'], false],
] as const)('%s with %j: takes ids: %p', (protocol, models, takes) => {
  expect(takesTokenIds(protocol, ...models)).toBe(takes)
})

test('only calls with ids are changed, and those are not relayed any more', async () => {
  const seen: Call[] = []
  const backend: Backend = {
    id: 'b',
    kinds: new Set(['embed']),
    async send(call) {
      seen.push(call)
      return { kind: 'whole', result: { kind: 'embed', vectors: [] } }
    },
    probe: async () => ({ ok: true, detail: '' }),
  }
  const call: EmbedCall = {
    kind: 'embed',
    deployment: 'd',
    stream: false,
    includeUsage: false,
    encoding: 'base64',
    inputs: ['text'],
    source: { wire: 'openai-embeddings', text: '{}', body: {} },
  }
  const { send } = withTextInputs(backend)
  const { signal } = new AbortController()
  await send(call, signal, openTally())
  await send({ ...call, inputs: [great, hello] }, signal, openTally())
  expect(seen[0]).toBe(call)
  expect(seen[1]).toEqual({ ...call, inputs: ['tiktoken is great!', 'Hello ü 漢字'], source: undefined })
})
