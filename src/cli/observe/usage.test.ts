import { afterAll, beforeAll, expect, test } from 'bun:test'
import type { UsageView } from '../../control/api.ts'
import { type ProgramFixture, startProgram } from '../program.fixture.ts'

let program: ProgramFixture
beforeAll(async () => {
  program = await startProgram()
})
afterAll(() => program.stop())

const row = (more: Partial<UsageView>): UsageView => ({
  requests: 1,
  failed: 0,
  refused: 0,
  estimated: 0,
  promptTokens: 0,
  cachedTokens: 0,
  completionTokens: 0,
  reasoningTokens: 0,
  cost: 0,
  ...more,
})
const answer = (value: unknown[]) =>
  program.script(() => ({
    status: 200,
    body: { from: '2026-11-23T12:00:00.000Z', to: '2026-11-24T12:00:00.000Z', value },
  }))

test('a table with what there is, and the sum', async () => {
  answer([
    row({ deployment: 'gpt', requests: 1_200, promptTokens: 34_567, completionTokens: 10, cost: 1.5 }),
    row({ deployment: 'tiny', promptTokens: 3 }),
  ])
  const { code, out } = await program.run(['usage'])
  expect(code).toBe(0)
  expect(out).toBe(
    [
      'DEPLOYMENT  REQUESTS  PROMPT TOKENS  COMPLETION TOKENS  COST',
      'gpt         1,200     34,567         10                 1.5000',
      'tiny        1         3              0',
      '',
      'In all 1,201 requests, 34,580 tokens, from 2026-11-23T12:00:00.000Z to 2026-11-24T12:00:00.000Z.',
      '',
    ].join('\n'),
  )
})

test('asks for what the flags say', async () => {
  answer([])
  const { out } = await program.run([
    'usage',
    '--since',
    '2026-11-01',
    '--by',
    'day,key',
    '--by',
    'model',
    '--key',
    'ci',
  ])
  expect(program.seen[0]?.path).toBe(
    '/management/usage?groupBy=day%2Ckey%2Cmodel&from=2026-11-01T00%3A00%3A00.000Z&key=ci',
  )
  expect(out).toContain('Nothing was used')
})

test.each([
  [['--by', 'week'], '"week" is no group; allowed are hour, day, month, deployment, model, key.'],
  [['--since', 'yesterday'], 'It must be a date (2026-11-01), a time with its zone, or how long ago: 90m, 24h, 7d.'],
])('usage %j is refused', async (flags, text) => {
  const { code, err } = await program.run(['usage', ...flags])
  expect(code).toBe(2)
  expect(err).toContain(text)
})

test('budgets', async () => {
  program.script(() => ({
    status: 200,
    body: {
      value: [
        { key: 'ci', unit: 'cost', period: 'month', limit: 50, spent: 12.5, resetsAt: '2026-12-01T00:00:00.000Z' },
      ],
    },
  }))
  const { out } = await program.run(['usage', 'budgets'])
  expect(program.seen[0]?.path).toBe('/management/budgets')
  expect(out).toContain('ci   cost a month  50     12.5   25.0 %  2026-12-01T00:00:00.000Z')
})
