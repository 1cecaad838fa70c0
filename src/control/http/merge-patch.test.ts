import { expect, test } from 'bun:test'
import type { JsonObject } from '../../core/json.ts'
import { mergePatch } from './merge-patch.ts'

// The examples of RFC 7396, appendix A, whose target and patch are objects.
test.each<[JsonObject, JsonObject, JsonObject]>([
  [{ a: 'b' }, { a: 'c' }, { a: 'c' }],
  [{ a: 'b' }, { b: 'c' }, { a: 'b', b: 'c' }],
  [{ a: 'b' }, { a: null }, {}],
  [{ a: 'b', b: 'c' }, { a: null }, { b: 'c' }],
  [{ a: ['b'] }, { a: 'c' }, { a: 'c' }],
  [{ a: 'c' }, { a: ['b'] }, { a: ['b'] }],
  [{ a: { b: 'c' } }, { a: { b: 'd', c: null } }, { a: { b: 'd' } }],
  [{ a: [{ b: 'c' }] }, { a: [1] }, { a: [1] }],
  [{ e: null }, { a: 1 }, { e: null, a: 1 }],
  [{}, { a: { bb: { ccc: null } } }, { a: { bb: {} } }],
])('%j patched by %j', (target, patch, result) => {
  const before = structuredClone(target)
  expect(mergePatch(target, patch)).toEqual(result)
  expect(target).toEqual(before)
})

test('a field named __proto__ is a field', () => {
  const merged = mergePatch({}, JSON.parse('{"__proto__": {"isAdmin": true}}') as JsonObject)
  expect(Object.keys(merged)).toEqual(['__proto__'])
  expect((merged as { isAdmin?: boolean }).isAdmin).toBeUndefined()
})

test('nesting is bounded', () => {
  const deep = JSON.parse(`${'{"a":'.repeat(50_000)}1${'}'.repeat(50_000)}`) as JsonObject
  expect(() => mergePatch({}, deep)).toThrow('The patch is nested deeper than 16 levels.')
})
