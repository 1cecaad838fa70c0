import { expect, test } from 'bun:test'
import { formatScores, type ScoredLine, scoreLines } from './score.ts'

const lines: readonly ScoredLine[] = [
  { labels: { violence: 'high' }, found: { violence: 'medium' } },
  { labels: { violence: 'medium' }, found: { violence: 'low' } },
  { labels: { violence: 'low' }, found: { violence: 'medium' } },
  { labels: {}, found: { jailbreak: true } },
  { labels: { violence: 'safe', jailbreak: false }, found: {} },
  { labels: { jailbreak: true }, found: { jailbreak: true } },
]

test('counts from the threshold on, by category and in all', () => {
  expect(scoreLines(lines, 'medium')).toEqual([
    { category: 'violence', positives: 2, filtered: 2, precision: 0.5, recall: 0.5, f1: 0.5, overBlocking: 0 },
    { category: 'jailbreak', positives: 1, filtered: 2, precision: 0.5, recall: 1, f1: 2 / 3, overBlocking: 0.5 },
    { category: 'any', positives: 3, filtered: 4, precision: 0.5, recall: 2 / 3, f1: 4 / 7, overBlocking: 0.5 },
  ])
})

test('a lower threshold makes milder lines positive', () => {
  const [violence] = scoreLines(lines, 'low')
  expect(violence).toMatchObject({ category: 'violence', positives: 3, filtered: 3, recall: 1, precision: 1 })
})

test('a line with a mild label is neither a positive nor a clean one', () => {
  const [, any] = scoreLines([{ labels: { hate: 'low' }, found: { hate: 'high' } }], 'medium')
  expect(any).toMatchObject({ positives: 0, filtered: 1, overBlocking: undefined, recall: undefined, f1: undefined })
})

test('the table has the same columns whatever is in it', () => {
  expect(formatScores(scoreLines(lines, 'medium'))).toBe(
    [
      'category   positives  filtered  precision  recall    F1  over-blocking',
      'violence           2         2       0.50    0.50  0.50          0.0 %',
      'jailbreak          1         2       0.50    1.00  0.67         50.0 %',
      'any                3         4       0.50    0.67  0.57         50.0 %',
    ].join('\n'),
  )
  expect(formatScores(scoreLines([], 'high'))).toContain('any               0         0          -       -')
})
