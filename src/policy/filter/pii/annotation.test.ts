import { expect, test } from 'bun:test'
import { writePiiAnnotation } from './annotation.ts'

test('one sub-category per type, and filtered where one of them blocks', () => {
  const found = [
    { type: 'Email', action: 'redact' },
    { type: 'CreditCardNumber', action: 'block' },
    { type: 'Email', action: 'redact' },
    { type: 'PhoneNumber', action: 'annotate' },
  ] as const
  expect(writePiiAnnotation(found)).toEqual({
    filtered: true,
    detected: true,
    sub_categories: [
      { sub_category: 'Email', filtered: false, detected: true, redacted: true },
      { sub_category: 'CreditCardNumber', filtered: true, detected: true, redacted: false },
      { sub_category: 'PhoneNumber', filtered: false, detected: true, redacted: false },
    ],
  })
})

test('nothing found', () => {
  expect(writePiiAnnotation([])).toEqual({ filtered: false, detected: false, sub_categories: [] })
})
