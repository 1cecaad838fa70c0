import { beforeAll, expect, test } from 'bun:test'
import fc from 'fast-check'
import { type LocateTokens, openCl100k } from '../../../../backend/tokens/locate-cl100k.ts'
import type { Chunking, TextChunk } from '../port.ts'
import { chunkText } from './chunk-text.ts'

let locate: LocateTokens
beforeAll(async () => {
  locate = await openCl100k()
})

const cut = (text: string, chunking: Chunking, breaks: readonly number[] = []): TextChunk[] =>
  chunkText({ text, breaks }, chunking, locate(text, 1_000_000) as Uint32Array)
const join = (chunks: readonly TextChunk[]): string => chunks.map(({ text, repeated }) => text.slice(repeated)).join('')

const sentences = Array.from({ length: 400 }, (_, i) => `This is sentence number ${i} of a text. `).join('')

test('a short text is one piece', () => {
  expect(cut('Hello there.', { maxTokens: 100, overlapTokens: 50 })).toEqual([
    { text: 'Hello there.', repeated: 0, tokens: 3 },
  ])
})

test('pieces end with sentences, and repeat the end of the one before', () => {
  const chunks = cut(sentences, { maxTokens: 200, overlapTokens: 100 })
  expect(chunks.length).toBeGreaterThan(20)
  for (const [i, { text, tokens, repeated }] of chunks.entries()) {
    expect(text).toStartWith('This is sentence')
    expect(text).toEndWith('text. ')
    expect(tokens).toBeLessThanOrEqual(200)
    if (i < chunks.length - 1) expect(tokens).toBeGreaterThan(133)
    if (i > 0) expect((chunks[i - 1] as TextChunk).text).toEndWith(text.slice(0, repeated))
    if (i > 0) expect(locate(text.slice(0, repeated), 1000)?.length).toBeWithin(45, 102)
  }
  expect(join(chunks)).toBe(sentences)
})

test('a paragraph is a better end than a sentence, and the beginning of a page a better one than that', () => {
  const text = `${sentences.slice(0, 1600)}\n\n${sentences.slice(1600, 1800)}\nPage two. ${sentences}`
  const page = text.indexOf('Page two')
  expect(cut(text, { maxTokens: 500, overlapTokens: 0 })[0]?.text).toHaveLength(1602)
  expect(cut(text, { maxTokens: 500, overlapTokens: 0 }, [0, page])[0]?.text).toHaveLength(page)
})

test('code is cut between lines, Japanese after its full stops', () => {
  const code = Array.from({ length: 300 }, (_, i) => `  call(${i}, [value])\n`).join('')
  for (const { text } of cut(code, { maxTokens: 100, overlapTokens: 20 })) expect(text).toMatch(/^ {2}call.*\n$/s)
  const japanese = '吾輩は猫である。名前はまだ無い。'.repeat(100)
  for (const { text } of cut(japanese, { maxTokens: 100, overlapTokens: 20 })) expect(text).toEndWith('。')
})

test('the default of the vendor holds without overlap and with the most that may be', () => {
  for (const overlapTokens of [0, 400, 2048]) {
    const chunks = cut(sentences, { maxTokens: 4096, overlapTokens })
    expect(join(chunks)).toBe(sentences)
  }
})

test('whatever the text: what is not repeated gives it back, no piece is too long, no character is split', () => {
  const piece = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 200 }),
    fc.string({ unit: 'grapheme', maxLength: 400 }),
    fc.constantFrom(sentences, '👩‍👩‍👧'.repeat(300), '\n\n'.repeat(300), 'x'.repeat(3000), '漢'.repeat(900)),
  )
  fc.assert(
    fc.property(
      fc.array(piece, { minLength: 1, maxLength: 5 }),
      fc.integer({ min: 100, max: 400 }),
      fc.double({ min: 0, max: 0.5, noNaN: true }),
      fc.array(fc.nat(2000), { maxLength: 4 }),
      (pieces, maxTokens, share, places) => {
        const text = pieces.join('').toWellFormed()
        const breaks = places.filter((place) => place <= text.length && text.slice(0, place).isWellFormed())
        const chunking = { maxTokens, overlapTokens: Math.floor(maxTokens * share) }
        const chunks = cut(
          text,
          chunking,
          breaks.toSorted((a, b) => a - b),
        )
        expect(join(chunks)).toBe(text)
        for (const { text: part, tokens, repeated } of chunks) {
          expect(part.isWellFormed()).toBe(true)
          expect(repeated).toBeLessThan(part.length)
          expect(tokens).toBeLessThanOrEqual(maxTokens)
        }
        expect(
          cut(
            text,
            chunking,
            breaks.toSorted((a, b) => a - b),
          ),
        ).toEqual(chunks)
      },
    ),
    { seed: 9, numRuns: 120 },
  )
})
