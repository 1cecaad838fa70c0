import { describe, expect, test } from 'bun:test'
import { isTooDeep, maxJsonDepth, parseJsonObject, pickUnknown } from './json.ts'

describe('fields of outside objects', () => {
  test('one named __proto__ is a field like any other', () => {
    const rest = pickUnknown(JSON.parse('{"a":1,"__proto__":{"b":2},"toString":3}'), new Set(['a']))
    expect(JSON.stringify(rest)).toBe('{"__proto__":{"b":2},"toString":3}')
    expect(Object.getPrototypeOf(rest)).toBe(Object.prototype)
  })

  test('nothing unknown gives nothing', () => {
    expect(pickUnknown({ a: 1 }, new Set(['a']))).toBeUndefined()
  })
})

describe('depth', () => {
  const nested = (depth: number): string => `${'{"a":['.repeat(depth / 2)}1${']}'.repeat(depth / 2)}`

  test.each([
    [maxJsonDepth, true],
    [maxJsonDepth + 2, false],
    [200_000, false],
  ])('%d levels: taken %p', (depth, isTaken) => {
    expect(parseJsonObject(nested(depth)) !== undefined).toBe(isTaken)
  })

  test('many brackets beside each other, and in a text, are not deep', () => {
    const text = JSON.stringify({ list: Array.from({ length: 5000 }, () => [{}]), text: '['.repeat(5000) })
    expect(isTooDeep(JSON.parse(text), text.length)).toBe(false)
  })

  test('what is no object, or no JSON', () => {
    for (const text of ['[]', 'null', '5', '"x"', '{', '']) expect(parseJsonObject(text)).toBeUndefined()
  })
})
