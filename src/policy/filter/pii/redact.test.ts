import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import type { PiiMatch } from '../plan.ts'
import { escapeJson, openRestorer, redactTexts } from './redact.ts'
import { openRedactionBook, type RedactionBook } from './redaction-book.ts'

const email = (text: string, value: string): PiiMatch => {
  const start = text.indexOf(value)
  return { start, end: start + value.length, type: 'Email' }
}

const redactText = (text: string, matches: readonly PiiMatch[], book: RedactionBook): string =>
  redactTexts([text], matches, book)[0] as string

function restore(book: RedactionBook, pieces: readonly string[]): string {
  const restorer = openRestorer(book)
  return pieces.map((piece) => restorer.feed(piece)).join('') + restorer.end()
}

describe('redaction', () => {
  test('numbers values by type, the same value the same in all messages', () => {
    const book = openRedactionBook([])
    const first = 'a@x.pt and b@x.pt'
    expect(redactText(first, [email(first, 'a@x.pt'), email(first, 'b@x.pt')], book)).toBe('[EMAIL_1] and [EMAIL_2]')
    expect(redactText('b@x.pt', [email('b@x.pt', 'b@x.pt')], book)).toBe('[EMAIL_2]')
    expect(book.placeholderOf('USSocialSecurityNumber', 'b@x.pt')).toBe('[US_SOCIAL_SECURITY_NUMBER_1]')
    expect(book.placeholderOf('AWSAccessKey', 'x')).toBe('[AWS_ACCESS_KEY_1]')
  })

  test('leaves a text alone in which nothing was found', () => {
    expect(redactText('hello', [], openRedactionBook([]))).toBe('hello')
  })

  test('does not take numbers that the caller has typed', () => {
    const prompt = 'Say [EMAIL_1] and [EMAIL_3] to a@x.pt, b@x.pt'
    const book = openRedactionBook([prompt])
    const redacted = redactText(prompt, [email(prompt, 'a@x.pt'), email(prompt, 'b@x.pt')], book)
    expect(redacted).toBe('Say [EMAIL_1] and [EMAIL_3] to [EMAIL_2], [EMAIL_4]')
    expect(restore(book, [redacted])).toBe(prompt)
  })
})

describe('restoring', () => {
  const book = openRedactionBook([])
  for (let i = 1; i <= 12; i++) book.placeholderOf('Email', `user${i}@example.com`)

  test('puts originals back, and leaves what it does not know', () => {
    expect(restore(book, ['To [EMAIL_1], [EMAIL_12] and [EMAIL_13] [x] [[EMAIL_2]]'])).toBe(
      'To user1@example.com, user12@example.com and [EMAIL_13] [x] [user2@example.com]',
    )
  })

  test('holds back only what can become a placeholder', () => {
    const restorer = openRestorer(book)
    expect(restorer.feed('a [EM')).toBe('a ')
    expect(restorer.feed('AIL_1')).toBe('')
    expect(restorer.feed('] b [note')).toBe('user1@example.com b [note')
    expect(restorer.feed(' [EMAIL_1')).toBe(' ')
    expect(restorer.end()).toBe('[EMAIL_1')
    expect(restorer.end()).toBe('')
  })

  test('is free where nothing was redacted', () => {
    expect(restore(openRedactionBook([]), ['[EMAIL', '_1]'])).toBe('[EMAIL_1]')
  })

  test('escapes what goes into JSON', () => {
    const keys = openRedactionBook([])
    keys.placeholderOf('PrivateKey', 'line "1"\nline 2')
    const restorer = openRestorer(keys, escapeJson)
    const restored = restorer.feed('{"key":"[PRIVATE_KEY_1]"}') + restorer.end()
    expect(JSON.parse(restored)).toEqual({ key: 'line "1"\nline 2' })
  })

  test('is the inverse of redaction, however the answer is cut', () => {
    const part = fc.oneof(
      fc.constantFrom('a@x.pt', 'bb@yy.com', '[EMAIL_1]', '[EMAIL_2', '[', ']', '[[', 'EMAIL_1]', '[PHONE_NUMBER_1]'),
      fc.string({ maxLength: 6 }),
    )
    fc.assert(
      fc.property(
        fc.array(part, { maxLength: 12 }),
        fc.array(fc.integer({ min: 1, max: 5 }), { minLength: 1 }),
        (parts, sizes) => {
          let text = ''
          const matches: PiiMatch[] = []
          for (const value of parts) {
            if (value.includes('@x.pt') || value.includes('@yy')) {
              matches.push({ start: text.length, end: text.length + value.length, type: 'Email' })
            }
            text += value
          }
          const cut = openRedactionBook([text])
          const redacted = redactText(text, matches, cut)
          for (const { start, end } of matches) expect(redacted).not.toContain(text.slice(start, end))
          const pieces: string[] = []
          for (let from = 0, at = 0; from < redacted.length; at++) {
            const size = sizes[at % sizes.length] as number
            pieces.push(redacted.slice(from, from + size))
            from += size
          }
          expect(restore(cut, pieces)).toBe(text)
        },
      ),
      { numRuns: 500 },
    )
  })

  test('many brackets take no longer than other text', () => {
    const text = '['.repeat(200_000)
    expect(restore(book, [text])).toBe(text)
    expect(restore(book, [...'['.repeat(20_000)])).toBe('['.repeat(20_000))
  })
})
