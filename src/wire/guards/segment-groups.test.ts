import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import type { FilterCategory, FilterSource } from '../../core/filter/categories.ts'
import type { Question, Segment } from '../../core/filter/engine.ts'
import { codePointSpanIn, groupSegments, spanIn, splitText } from './segment-groups.ts'

const question = (source: FilterSource, ...categories: FilterCategory[]): Question => ({
  categories: new Set(categories),
  source,
  topics: [],
  signal: new AbortController().signal,
})
const all: readonly FilterCategory[] = ['hate', 'jailbreak', 'indirect_attack', 'ungrounded_material']
const segments: Segment[] = [
  { role: 'system', text: 'sys' },
  { role: 'user', text: 'one' },
  { role: 'document', text: 'doc' },
  { role: 'assistant', text: 'two' },
  { role: 'tool', text: 'tool' },
]

describe('groups', () => {
  test('texts lie together by where they come from, and are asked what can come from there', () => {
    expect(
      groupSegments(segments, question('Prompt', ...all), 100).map(({ origin, text, attack, asked }) => [
        origin,
        text,
        attack,
        [...asked],
      ]),
    ).toEqual([
      ['system', 'sys', undefined, ['hate']],
      ['caller', 'one\n\ntwo', 'jailbreak', ['hate', 'jailbreak']],
      ['quoted', 'doc\n\ntool', 'indirect_attack', ['hate', 'indirect_attack']],
    ] as never)
  })

  test('of an answer only the answer is judged', () => {
    expect(
      groupSegments(segments, question('Completion', ...all), 100).map(({ text, asked }) => [text, [...asked]]),
    ).toEqual([['two', ['hate', 'ungrounded_material']]] as never)
  })

  test('what is too much for one goes into more', () => {
    const many = ['aaaa', 'bbbb', 'cccc'].map((text): Segment => ({ role: 'user', text }))
    expect(groupSegments(many, question('Prompt', 'hate'), 10).map(({ text }) => text)).toEqual([
      'aaaa\n\nbbbb',
      'cccc',
    ])
    expect(groupSegments(many, question('Prompt', 'hate'), 2).map(({ text }) => text)).toEqual(['aaaa', 'bbbb', 'cccc'])
  })

  test('every text is in exactly one group', () => {
    const role = fc.constantFrom<Segment['role'][]>('system', 'user', 'assistant', 'tool', 'document')
    fc.assert(
      fc.property(
        fc.array(fc.record({ role, text: fc.string() })),
        fc.integer({ min: 1, max: 40 }),
        (given, maxChars) => {
          const groups = groupSegments(given, question('Prompt', 'hate'), maxChars)
          const placed = groups.flatMap(({ parts, text }) =>
            parts.map(({ segment, start, length }) => [segment, text.slice(start, start + length)] as const),
          )
          const expected = given.flatMap(({ text }, index) => (text.trim() === '' ? [] : [[index, text] as const]))
          expect(placed.toSorted(([a], [b]) => a - b)).toEqual(expected)
        },
      ),
    )
  })
})

test('places are found in the segments', () => {
  const [group] = groupSegments(
    [
      { role: 'user', text: 'ab' },
      { role: 'user', text: '\u{1f600}cd' },
    ],
    question('Prompt', 'hate'),
    100,
  )
  expect(spanIn(group!, 0, 2)).toEqual({ segment: 0, start: 0, end: 2 })
  expect(spanIn(group!, 6, 8)).toEqual({ segment: 1, start: 2, end: 4 })
  expect(codePointSpanIn(group!, 5, 7)).toEqual({ segment: 1, start: 2, end: 4 })
  expect(spanIn(group!, 1, 6)).toBeUndefined()
  expect(spanIn(group!, 3, 3)).toBeUndefined()
  expect(spanIn(group!, Number.NaN, 2)).toBeUndefined()
  expect(codePointSpanIn(group!, 5, 99)).toBeUndefined()
})

test('pieces overlap, leave nothing out and cut no character', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme', maxLength: 200 }), fc.integer({ min: 4, max: 50 }), (text, size) => {
      const pieces = splitText(text, size, 1)
      expect(pieces[0]?.start).toBe(0)
      for (const [index, piece] of pieces.entries()) {
        expect(text.slice(piece.start, piece.start + piece.text.length)).toBe(piece.text)
        expect(piece.text.length).toBeLessThanOrEqual(size)
        expect(piece.text).not.toMatch(/^[\udc00-\udfff]/)
        const next = pieces[index + 1]
        if (next) expect(next.start).toBeLessThanOrEqual(piece.start + piece.text.length)
        else expect(piece.start + piece.text.length).toBe(text.length)
      }
    }),
  )
})
