import { expect, test } from 'bun:test'
import fc from 'fast-check'
import type { JsonObject } from '../json.ts'
import { spliceModel } from './splice-model.ts'

const splice = (text: string, model = 'up') => spliceModel(text, JSON.parse(text), model)

test('only the model changes', () => {
  expect(splice('{ "model" : "a",  "x": 1.0 }')).toBe('{ "model" : "up",  "x": 1.0 }')
  expect(splice('{"messages":[{"content":"\\"model\\": 1"}],"model":"a"}')).toContain('"model":"up"')
  expect(splice('{"x":1}')).toBe('{"model":"up","x":1}')
  expect(splice('{}')).toBe('{"model":"up"}')
  expect(splice('{"model":"up","x":1.0}')).toBe('{"model":"up","x":1.0}')
})

test.each([
  '{"model":"a","model":"b"}',
  '{"model":"up","model":"up"}',
  '{"mod\\u0065l":"a"}',
  '{"mod\\u0065l":"a","x":{"model":"b"}}',
  '{"model":null}',
  '{"x":"model","model":"a"}',
  '{"x":["model"],"mod\\u0065l":"a"}',
])('an ambiguous body cannot name another model: %s', (text) => {
  const spliced = splice(text)
  expect(JSON.parse(spliced)).toEqual({ ...JSON.parse(text), model: 'up' })
  expect(spliced.split('"up"').length).toBe(2)
})

test('for any body the result is the body with that model', () => {
  fc.assert(
    fc.property(
      fc.dictionary(fc.string(), fc.jsonValue()),
      fc.option(fc.string()),
      fc.string(),
      (fields, model, wanted) => {
        const body = (model === null ? fields : { ...fields, model }) as JsonObject
        const text = JSON.stringify(body, null, fields.length === undefined ? 1 : 0)
        expect(JSON.parse(spliceModel(text, JSON.parse(text), wanted))).toEqual({ ...JSON.parse(text), model: wanted })
      },
    ),
  )
})
