import { expect, test } from 'bun:test'
import fc from 'fast-check'
import { dropFields } from './drop-fields.ts'

test('only the named fields go, and only at the top', () => {
  expect(
    dropFields('{ "store": true, "a": {"store": 1}, "metadata": {"k": "v"}, "b": [ ] }', ['store', 'metadata']),
  ).toBe('{"a":{"store":1},"b":[]}')
  expect(dropFields('{"store":true}', ['store', 'metadata'])).toBe('{}')
  expect(dropFields('{"a":1}', ['store'])).toBe('{"a":1}')
})

test('numbers keep their spelling', () => {
  const numbers = '{"seed":9007199254740993,"a":[1.0,1e999,-0,0.10]'
  expect(dropFields(`${numbers},"store":true}`, ['store'])).toBe(`${numbers}}`)
})

test('a field named by an escape or twice goes too', () => {
  expect(dropFields('{"st\\u006fre":true,"store":false,"a":1}', ['store'])).toBe('{"a":1}')
})

test('for any object the result is the object without the fields', () => {
  fc.assert(
    fc.property(fc.dictionary(fc.string(), fc.jsonValue()), fc.jsonValue(), (fields, value) => {
      const text = JSON.stringify({ ...fields, store: value })
      const { store: _, ...rest } = JSON.parse(text)
      expect(JSON.parse(dropFields(text, ['store']))).toEqual(rest)
    }),
  )
})
