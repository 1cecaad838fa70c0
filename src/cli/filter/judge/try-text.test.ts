import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import type { AnalyzedLine } from '../../../control/api.ts'
import type { Input } from '../../context.ts'
import { type ProgramFixture, startProgram } from '../../program.fixture.ts'
import type { ProgramParts } from '../../program.ts'
import { clean, hateful, makeExplanation } from '../views.fixture.ts'

let program: ProgramFixture
const run = (args: string[], parts?: Partial<ProgramParts>) =>
  program.run(['filter', 'test', ...args, '--policy', 'strict'], parts)
const answer = (value: AnalyzedLine) =>
  program.script(() => ({ status: 200, body: { policy: 'Strict', builtin: 'builtin/1', value: [value] } }))

beforeAll(async () => {
  program = await startProgram()
})
afterAll(() => program.stop())

describe('the exit code', () => {
  test('is 0 for what passes', async () => {
    answer(clean)
    const { code, out } = await run(['hello'])
    expect(code).toBe(0)
    expect(out.split('\n').map((line) => line.split(/ {2,}/))).toEqual([
      ['Verdict', 'not filtered'],
      ['Policy', 'Strict'],
      ['Judged as', 'prompt'],
      [''],
      ['CATEGORY', 'FOUND', 'FILTERED'],
      ['hate', 'safe', 'no'],
      ['jailbreak', 'no', 'no'],
      [''],
    ])
    expect(program.seen[0]).toMatchObject({ method: 'POST', path: '/management/filters/analyze' })
    expect(program.seen[0]?.body).toEqual({ policy: 'strict', lines: [{ text: 'hello', source: 'Prompt' }] })
  })

  test('is 3 for what is filtered, also where JSON is wanted', async () => {
    answer(hateful)
    expect((await run(['bad'])).code).toBe(3)
    const { code, out } = await run(['bad', '-o', 'json'])
    expect(code).toBe(3)
    expect(JSON.parse(out)).toEqual({ policy: 'Strict', source: 'Prompt', ...hateful })
  })

  test('is 1 for a policy that is none, whose name is told once', async () => {
    const error = { code: 'x', target: 'policy', message: 'policy: got "strict", expected "other"' }
    program.script(() => ({ status: 400, body: { error } }))
    expect(await run(['x'])).toEqual({ code: 1, out: '', err: 'error: policy: got "strict", expected "other"\n' })
  })

  test('is 1 for what nobody could judge', async () => {
    answer({ error: { code: 'x', message: 'The engine "guard" did not answer.' } })
    expect(await run(['x'])).toEqual({ code: 1, out: '', err: 'error: The engine "guard" did not answer.\n' })
  })
})

describe('what was found', () => {
  const text = `${'before '.repeat(20)}\u001b[31mall of them \u{1f600}are vermin${' after'.repeat(30)}`
  const start = text.indexOf('all')
  const span = { at: 'text', start, end: text.indexOf('vermin') + 6 }

  test('is told with engine, rule, threshold and the place in the text', async () => {
    answer({ ...hateful, explanations: [makeExplanation({ span, score: 0.934 })] } as AnalyzedLine)
    const { out } = await run([text])
    expect(out).toContain('Hate: high (threshold medium); filtered; engine builtin/1; rule hate-3; score 0.93\n')
    const line = out.split('\n').find((one) => one.includes('\u00bb')) as string
    expect(line).toStartWith(`  characters ${span.start} to ${span.end}: \u2026`)
    expect(line).toContain('before \u00b7[31m\u00bball of them \u{1f600}are vermin\u00ab after')
    expect(line).toEndWith(' after\u2026')
    expect(out).not.toContain('\u001b')
  })

  test('is marked with colour at a terminal', async () => {
    answer({ ...hateful, explanations: [makeExplanation({ span: { at: 'text', start: 0, end: 3 } })] } as AnalyzedLine)
    let out = ''
    await run(['bad text'], { stdout: { isTTY: true, write: (part) => (out += part) } })
    expect(out).toContain('\u001b[7mbad\u001b[27m text')
  })

  test('is told of lists, personal data, and filters that only annotate', async () => {
    answer({
      filtered: false,
      results: {
        custom_blocklists: { filtered: false, details: [{ id: 'offices', filtered: false }] },
        personally_identifiable_information: {
          detected: true,
          filtered: false,
          sub_categories: [{ sub_category: 'Email', detected: true, filtered: false, redacted: true }],
        },
      },
      explanations: [
        makeExplanation({ filtered: false, severity: 'low', threshold: undefined }),
        makeExplanation({
          category: 'personally_identifiable_information',
          id: 'Email',
          rule: undefined,
          filtered: false,
          threshold: undefined,
        }),
        makeExplanation({
          category: 'custom_blocklists',
          id: 'offices',
          rule: 'a1',
          filtered: false,
          threshold: undefined,
        }),
      ],
    })
    const { code, out } = await run(['x'])
    expect(code).toBe(0)
    expect(out).toContain('Personally Identifiable Information: redacted; Email; engine builtin/1\n')
    const rows = out.split('\n').map((line) => line.split(/ {2,}/))
    expect(rows).toContainEqual(['custom_blocklists', 'offices', 'no'])
    expect(rows).toContainEqual(['personally_identifiable_information', 'Email', 'redacted'])
    expect(out).toContain('Hate: low; only annotated; engine builtin/1; rule hate-3\n')
    expect(out).toContain('Custom Blocklists: not filtered; offices; engine builtin/1; rule a1\n')
  })

  test('a filter that could not run does not look like one that found nothing', async () => {
    const error = { code: 'content_filter_error', message: 'The contents are not filtered' }
    answer({ ...clean, results: { error } } as AnalyzedLine)
    expect((await run(['x'])).out).toMatch(/^Engines +not all of them answered \(content_filter_error\)$/m)
  })
})

test('an answer comes with its prompt and documents, the text may come on standard input', async () => {
  answer({
    ...hateful,
    explanations: [
      makeExplanation({ span: { at: 'choices[0].text', start: 0, end: 5 } }),
      makeExplanation({ span: { at: 'documents', start: 4, end: 9 } }),
    ],
  } as AnalyzedLine)
  const file = join(program.home, 'facts.txt')
  writeFileSync(file, 'The facts.')
  const stdin = Readable.from([Buffer.from('Paris is big')]) as unknown as Input
  const { out } = await run(['-', '--completion', '--prompt', 'How big?', '--document', file], { stdin })
  expect(program.seen[0]?.body).toMatchObject({
    lines: [{ text: 'Paris is big', source: 'Completion', prompt: 'How big?', documents: ['The facts.'] }],
  })
  expect(out).toContain('answer of a model')
  expect(out).toContain('characters 0 to 5: \u00bbParis\u00ab is big')
  expect(out).toContain('documents, characters 4 to 9: The \u00bbfacts\u00ab.')
})

test.each([
  [['x', '--prompt', 'y'], '--completion is missing'],
  [['-', '--document', '-'], 'standard input can be read once'],
  [[''], 'the text is empty'],
])('%p is wrong usage', async (args, message) => {
  program.script(() => ({ status: 500 }))
  const { code, err } = await run(args)
  expect([code, err.includes(message)]).toEqual([2, true])
  expect(program.seen).toEqual([])
})

test('the policy must be named, and the help says the exit codes', async () => {
  expect((await program.run(['filter', 'test', 'x'])).code).toBe(2)
  expect((await program.run(['filter', 'test', '--help'])).out).toContain(
    '0 when the text passes and 3 when it is filtered',
  )
})
