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
  file = join(program.home, 'chats.jsonl')
})
afterAll(() => program.stop())

/** A policy filters for the categories that a text names after its own name: `strict=hate,sexual`. */
function judge(policy: string, { text }: AskedText): AnalyzedLine {
  const categories = (new RegExp(`${policy}=(\\S+)`).exec(text)?.[1] ?? '').split(',').filter(Boolean)
  if (categories.includes('down')) return { error: { code: 'x', message: 'guard is down' } }
  const results = Object.fromEntries(categories.map((category) => [category, { filtered: true }]))
  return { filtered: categories.length > 0, results: { ...results, violence: { filtered: false } }, explanations: [] }
}

function replay(lines: readonly object[], ...args: string[]) {
  writeFileSync(file, lines.map((line) => JSON.stringify(line)).join('\n'))
  program.script(({ body }) => {
    const { policy, lines: asked } = body as { policy: string; lines: AskedText[] }
    return { status: 200, body: { policy, builtin: 'builtin/1', value: asked.map((text) => judge(policy, text)) } }
  })
  return program.run(['filter', 'replay', file, '--policy', 'lax', '--against', 'strict', ...args])
}

const lines = [
  { text: 'nothing' },
  { text: 'strict=hate one', source: 'Completion' },
  { text: 'lax=sexual two' },
  { text: 'lax=hate strict=hate,sexual three' },
  { text: 'lax=hate strict=hate four' },
]

describe('the report', () => {
  test('counts, by category and by line, and does not show texts', async () => {
    const { code, out } = await replay(lines)
    expect(code).toBe(0)
    expect(out).toBe(
      [
        '5 texts: lax filters 3, strict filters 3.',
        'Unchanged 2, now filtered 1, no longer filtered 1, filtered for other reasons 1.',
        '',
        'CATEGORY  LAX  STRICT  ADDED  REMOVED',
        'hate      2    3       1      0',
        'sexual    1    1       1      1',
        '',
        'LINE  SIDE        CHANGE                      BEFORE  AFTER',
        '2     Completion  now filtered                -       hate',
        '3     Prompt      no longer filtered          sexual  -',
        '4     Prompt      filtered for other reasons  hate    hate, sexual',
        '',
      ].join('\n'),
    )
    expect(program.seen).toHaveLength(2)
  })

  test('shows texts when asked, and as many lines as asked', async () => {
    const { out } = await replay(lines, '--show-text', '--lines', '1')
    expect(out).toContain('strict=hate one\n')
    expect(out).toContain('And 2 more: --lines shows more of them.')
    expect(out).not.toContain('lax=sexual two')
  })

  test('as JSON, without texts unless asked', async () => {
    const { out } = await replay(lines, '-o', 'json')
    expect(out).not.toContain('three')
    expect(JSON.parse(out)).toMatchObject({
      policy: 'lax',
      against: 'strict',
      counts: { texts: 5, unchanged: 2, nowFiltered: 1, noLongerFiltered: 1, otherReasons: 1 },
      changed: [{ line: 2, source: 'Completion', change: 'filtered', before: [], after: ['hate'] }, {}, {}],
    })
    expect(JSON.parse((await replay(lines, '-o', 'json', '--show-text')).out).changed[0].text).toBe('strict=hate one')
  })

  test('without a change, and of what nobody could judge', async () => {
    expect((await replay([{ text: 'x' }])).out).toBe(
      '1 text: lax filters 0, strict filters 0.\nUnchanged 1, now filtered 0, no longer filtered 0, filtered for other reasons 0.\n',
    )
    const { out } = await replay([{ text: 'strict=down' }])
    expect(out).toContain('Not every filter of strict could judge 1 text')
    expect(out).toContain('not judged')
  })
})

test('a chat is its newest message of the user and its answer', async () => {
  const content = [{ type: 'text', text: 'b' }, { type: 'image_url' }, { type: 'text', text: 'c' }]
  await replay([
    {
      messages: [
        { role: 'user', content: 'a' },
        { role: 'user', content },
        { role: 'tool', content: 't' },
      ],
      answer: 'd',
    },
    { messages: [{ role: 'user', content: 'only asked' }], answer: null },
    { messages: [], answer: 'only answered' },
  ])
  expect(program.seen[0]?.body).toEqual({
    policy: 'lax',
    lines: [
      { text: 'b\nc', source: 'Prompt' },
      { text: 'd', source: 'Completion', prompt: 'b\nc' },
      { text: 'only asked', source: 'Prompt' },
      { text: 'only answered', source: 'Completion' },
    ],
  })
})

test('bad lines', async () => {
  const { code, err } = await replay([{}, { messages: 'x' }, { messages: [] }, { messages: [], answer: 7 }])
  expect(code).toBe(1)
  expect(err.split('\n').map((line) => line.replace(`error: ${file}:`, ''))).toEqual([
    '1: "text" is missing',
    '2: "messages" is no list',
    '3: "messages" has no text of a user, and there is no "answer"',
    '4: "answer" is 7, not a text',
    '',
  ])
})
