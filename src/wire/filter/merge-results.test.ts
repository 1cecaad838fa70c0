import { expect, test } from 'bun:test'
import fc from 'fast-check'
import { severityLevels } from '../../core/filter/categories.ts'
import type { JsonObject } from '../../core/json.ts'
import { mergeFilterResults } from './merge-results.ts'

const severity = (level: string, filtered = false): JsonObject => ({ filtered, severity: level })
const binary = (detected: boolean, filtered = false): JsonObject => ({ filtered, detected })

test.each<[string, JsonObject, JsonObject, JsonObject]>([
  ['the more severe', severity('low'), severity('medium'), severity('medium')],
  ['what is filtered before what is severe', severity('low', true), severity('high'), severity('low', true)],
  ['what is detected', binary(false), binary(true), binary(true)],
  ['what is filtered before what is detected', binary(true), binary(true, true), binary(true, true)],
])('%s wins, whoever says it', (_name, one, other, worse) => {
  expect(mergeFilterResults({ x: one }, { x: other })).toEqual({ x: worse })
  expect(mergeFilterResults({ x: other }, { x: one })).toEqual({ x: worse })
})

test('categories of which only one speaks stay as they are', () => {
  expect(mergeFilterResults({ hate: severity('low') }, { violence: severity('high') })).toEqual({
    hate: severity('low'),
    violence: severity('high'),
  })
  const failed = { error: { code: 'content_filter_error', message: 'The contents are not filtered' } }
  expect(mergeFilterResults({ hate: severity('low') }, failed)).toEqual({ hate: severity('low'), ...failed })
})

test('what is found in lists is joined, in either shape', () => {
  const ours = { custom_blocklists: { filtered: false, details: [{ id: 'a', filtered: false }] } }
  const both = [
    { id: 'a', filtered: false },
    { id: 'b', filtered: true },
  ]
  const merged = { custom_blocklists: { filtered: true, details: both } }
  expect(mergeFilterResults(ours, { custom_blocklists: { filtered: true, details: both } })).toEqual(merged)
  expect(mergeFilterResults(ours, { custom_blocklists: both })).toEqual(merged)
})

test('what an upstream sends is no annotation of ours where it is none', () => {
  expect(mergeFilterResults({ hate: severity('safe') }, { hate: null, sexual: 'x', violence: 3 })).toEqual({
    hate: severity('safe'),
  })
})

test('never milder than either, and neither argument is changed', () => {
  const annotation = fc.oneof(
    fc.record({ filtered: fc.boolean(), severity: fc.constantFrom(...severityLevels) }),
    fc.record({ filtered: fc.boolean(), detected: fc.boolean() }),
  )
  const results = fc.dictionary(fc.constantFrom('hate', 'jailbreak', '__proto__'), annotation)
  fc.assert(
    fc.property(results, results, (ours, theirs) => {
      const before = JSON.stringify([ours, theirs])
      const merged = mergeFilterResults(ours, theirs)
      for (const side of [ours, theirs]) {
        for (const category of Object.keys(side)) {
          const one = side[category] as JsonObject
          const result = merged[category] as JsonObject
          if (one.filtered === true) expect(result.filtered).toBe(true)
        }
      }
      expect(JSON.stringify([ours, theirs])).toBe(before)
    }),
  )
})
