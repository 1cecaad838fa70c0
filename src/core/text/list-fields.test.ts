import { expect, test } from 'bun:test'
import fc from 'fast-check'
import { listFields } from './list-fields.ts'

test('any object that is written has its names listed, in order and as they are written', () => {
  fc.assert(
    fc.property(
      fc.dictionary(fc.string({ minLength: 1 }), fc.jsonValue(), { maxKeys: 20 }),
      fc.constantFrom(0, 2),
      (object, indent) => {
        const names = Object.keys(object).map((name) => JSON.stringify(name).slice(1, -1))
        expect(listFields(JSON.stringify(object, null, indent))).toEqual(names)
      },
    ),
  )
})

test.each([
  ['{"a":"b: {\\"c\\":1}","d":[{"e":1}]}', ['a', 'd']],
  ['{"a":"\\\\","b":1}', ['a', 'b']],
  ['', []],
  ['{"a', []],
  ['["a","b"]', []],
])('%s', (text, fields) => {
  expect(listFields(text)).toEqual(fields)
})

test('what is very long is not read', () => {
  expect(listFields(`{"a":"${'x'.repeat(300_000)}"}`)).toBeUndefined()
})
