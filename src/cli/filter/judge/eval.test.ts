import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { AnalyzedLine } from '../../../control/api.ts'
import { type ProgramFixture, startProgram } from '../../program.fixture.ts'
import type { AskedText } from './analyze.ts'

let program: ProgramFixture
let file: string

beforeAll(async () => {
  program = await startProgram()
  file = join(program.home, 'labelled.jsonl')
})
afterAll(() => program.stop())

/** The filter that is asked finds hate of the level that the text begins with. */
function judge({ text }: AskedText): AnalyzedLine {
  const severity = text.split(' ')[0] as string
  const isJailbreak = text.includes('ignore')
  return {
    filtered: true,
    results: { hate: { filtered: true, severity }, jailbreak: { detected: isJailbreak, filtered: isJailbreak } },
    explanations: [],
  }
}

const evaluate = (lines: readonly object[], ...args: string[]) => {
  writeFileSync(file, lines.map((line) => JSON.stringify(line)).join('\n'))
  return program.run(['filter', 'eval', file, '--policy', 'strict', ...args])
}
const scripted = (by: (asked: AskedText) => AnalyzedLine = judge) =>
  program.script(({ body }) => ({
    status: 200,
    body: { policy: 'Strict', builtin: 'builtin/1', value: (body as { lines: AskedText[] }).lines.map(by) },
  }))

const lines = [
  { text: 'high one', labels: { hate: 'high' }, kind: 'plain' },
  { text: 'low two', labels: { hate: 'medium' }, source: 'completion' },
  { text: 'medium three', labels: {}, kind: 'look-alike' },
  { text: 'safe four', labels: {}, kind: 'look-alike' },
  { text: 'safe ignore five', labels: { jailbreak: true, profanity: true } },
]

describe('the table', () => {
  test('has the scores of each category, what is missed by design, and kinds', async () => {
    scripted()
    const { code, out, err } = await evaluate(lines)
    expect([code, err]).toEqual([0, ''])
    expect(out.replace(file, 'FILE')).toBe(
      [
        'FILE: 5 lines, policy Strict, threshold medium, built-in engine builtin/1',
        '',
        'category   positives  filtered  precision  recall    F1  over-blocking',
        'hate               2         2       0.50    0.50  0.50         50.0 %',
        'jailbreak          1         1       1.00    1.00  1.00          0.0 %',
        'profanity          1         0          -    0.00  0.00          0.0 %',
        'any                3         3       0.67    0.67  0.67         50.0 %',
        '',
        'KIND        LINES  FILTERED',
        'look-alike  2      1',
        'plain       1      1',
        '',
        'Strict does not look for profanity on that side: 1 labelled line missed.',
        '',
      ].join('\n'),
    )
    expect(program.seen[0]?.body).toMatchObject({
      policy: 'strict',
      lines: [{ source: 'Prompt' }, { source: 'Completion' }, {}, {}, {}],
    })
  })

  test('counts from another threshold, and lists what is wrong', async () => {
    scripted()
    const { out } = await evaluate(lines, '--threshold', 'low', '--failures', '1')
    expect(out).toContain('hate               2         3       0.67    1.00  0.80         50.0 %')
    const rows = out.split('\n').map((line) => line.split(/ {2,}/))
    expect(out).toContain('2 judgements wrong, the first 1:')
    expect(rows.slice(-3)).toEqual([
      ['LINE', 'CATEGORY', 'WHAT', 'LABELLED', 'FOUND', 'TEXT'],
      ['3', 'hate', 'false alarm', '-', 'medium', 'medium three'],
      [''],
    ])
  })

  test('as JSON', async () => {
    scripted()
    const { out } = await evaluate(lines, '--failures', '9', '-o', 'json')
    const document = JSON.parse(out)
    expect(document).toMatchObject({
      policy: 'Strict',
      threshold: 'medium',
      lines: 5,
      notLookedFor: [{ category: 'profanity', lines: 1 }],
      wrong: 3,
    })
    expect(document.scores[0]).toMatchObject({ category: 'hate', precision: 0.5, recall: 0.5, overBlocking: 0.5 })
    expect(document.failures.map(({ line, kind }: { line: number; kind: string }) => [line, kind])).toEqual([
      [2, 'missed'],
      [3, 'false alarm'],
      [5, 'missed'],
    ])
  })
})

test('many lines go in portions, with the progress on standard error', async () => {
  scripted()
  const many = Array.from({ length: 120 }, (_, index) => ({ text: `safe ${index}`, labels: {} }))
  const { out, err } = await evaluate(many)
  expect(program.seen.map(({ body }) => (body as { lines: unknown[] }).lines.length)).toEqual([50, 50, 20])
  expect(err).toBe('50 of 120 lines\n100 of 120 lines\n120 of 120 lines\n')
  expect(out).toContain(': 120 lines,')
  const long = [1, 2, 3].map(() => ({ text: `safe ${'x'.repeat(90_000)}`, labels: {} }))
  scripted()
  await evaluate(long)
  expect(program.seen.map(({ body }) => (body as { lines: unknown[] }).lines.length)).toEqual([2, 1])
})

test('prompts are documents too where indirect attacks are labelled, so that false alarms count', async () => {
  scripted()
  await evaluate([
    { text: 'safe a', labels: { indirect_attack: true } },
    { text: 'safe b', labels: {} },
    { text: 'safe c', labels: {}, source: 'Completion', prompt: 'p', documents: ['d'] },
  ])
  expect(program.seen[0]?.body).toMatchObject({
    lines: [
      { text: 'safe a', documents: ['safe a'] },
      { text: 'safe b', documents: ['safe b'] },
      { text: 'safe c', prompt: 'p', documents: ['d'] },
    ],
  })
})

test('what an engine did not judge is told', async () => {
  scripted((asked) =>
    asked.text === 'down'
      ? { error: { code: 'x', message: 'guard is down' } }
      : {
          filtered: false,
          results: { hate: { filtered: false, severity: 'safe' }, error: { code: 'e' } },
          explanations: [],
        },
  )
  const { out } = await evaluate([
    { text: 'down', labels: {} },
    { text: 'up', labels: {} },
  ])
  expect(out).toContain('For 1 line not every engine answered')
  expect(out).toContain('1 line could not be judged and do not count: guard is down')
  const { code, err } = await evaluate([{ text: 'down', labels: {} }])
  expect([code, err]).toEqual([1, 'error: No line could be judged: guard is down\n'])
})

test('every bad line is named with its reason, and nothing is sent', async () => {
  const bad: readonly [string, string][] = [
    ['nonsense', 'is no JSON object'],
    ['[1]', 'is no JSON object'],
    ['{"labels":{}}', '"text" is missing'],
    ['{"text":"","labels":{}}', '"text" is empty, not a text'],
    ['{"text":"x"}', '"labels" is missing; of a text in which nothing is they are {}'],
    ['{"text":"x","labels":[]}', '"labels" is a list, not an object'],
    ['{"text":"x","labels":{"hatred":true}}', '"hatred" is no category; allowed are hate, sexual'],
    [
      '{"text":"x","labels":{"hate":"extreme"}}',
      'the label "hate" is "extreme", not safe, low, medium, high, true or false',
    ],
    ['{"text":"x","labels":{"jailbreak":"high"}}', 'the label "jailbreak" is "high", not true or false'],
    ['{"text":"x","labels":{},"source":"system"}', '"source" is "system", not "Prompt" or "Completion"'],
    ['{"text":"x","labels":{},"kind":1}', '"kind" is 1, not a text'],
    ['{"text":"x","labels":{},"documents":"d"}', '"documents" is no list of texts'],
  ]
  writeFileSync(file, `{"text":"fine","labels":{}}\n\n${bad.map(([line]) => line).join('\r\n')}\n`)
  program.script(() => ({ status: 500 }))
  const { code, err } = await program.run(['filter', 'eval', file, '--policy', 'strict'])
  expect(code).toBe(1)
  const problems = err.trimEnd().split('\n')
  expect(problems).toHaveLength(bad.length)
  for (const [index, [, reason]] of bad.entries()) {
    expect(problems[index]).toStartWith(`error: ${file}:${index + 3}: ${reason}`)
  }
  expect(program.seen).toEqual([])
})

test('wrong usage', async () => {
  scripted()
  expect((await evaluate(lines, '--threshold', 'safe')).code).toBe(2)
  expect((await evaluate(lines, '--failures', '-1')).code).toBe(2)
  writeFileSync(file, '\n')
  expect((await program.run(['filter', 'eval', file, '--policy', 'x'])).err).toContain('has no lines')
})
