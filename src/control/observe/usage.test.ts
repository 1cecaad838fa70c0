import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { makeDeployment, makeExchange, makeTriedRecord } from '../../core/exchange.fixture.ts'
import { type Meter, openMeter } from '../../policy/meter/meter.ts'
import type { UsageRow, UsageTable } from '../../port/tables/usage/port.ts'
import type { NamedKey } from '../../snapshot/keys/named-key.ts'
import type { BudgetView, ErrorBody, UsageView } from '../api.ts'
import { type ControlFixture, credential, startControl } from '../control.fixture.ts'

const now = Date.UTC(2026, 10, 24, 12, 30)
const hour = Math.floor(now / 3_600_000)

/** Rows as a store has them; sums are the real table's affair, which its contract test holds. */
const rows: UsageRow[] = []
const table: UsageTable = {
  add: async (more) => void rows.push(...more),
  read: async ({ fromHour, toHour }) => rows.filter((row) => row.hour >= fromHour && row.hour < toHour),
}
const row = (more: Partial<UsageRow>): UsageRow => ({
  hour,
  resource: '',
  deployment: 'gpt',
  model: 'gpt-4o',
  keyName: 'key1',
  requests: 1,
  failed: 0,
  refused: 0,
  estimated: 0,
  promptTokens: 0,
  cachedTokens: 0,
  completionTokens: 0,
  reasoningTokens: 0,
  costMicros: 0,
  ...more,
})
const named = { name: 'ci', spec: { budgets: [{ unit: 'tokens', period: 'day', limit: 100 }] } } as unknown as NamedKey

let control: ControlFixture
let meter: Meter

beforeAll(async () => {
  rows.push(
    row({ hour: hour - 30, promptTokens: 1 }),
    row({ hour: hour - 2, promptTokens: 2 }),
    row({ promptTokens: 4, costMicros: 1_500_000 }),
  )
  meter = await openMeter({ table, now: () => now, onProblem: () => {} })
  control = await startControl({
    now: () => now,
    usage: { table, meter, namedKeys: () => [named], resource: '', hourlyDays: 10 },
  })
})
afterAll(async () => {
  await control.stop()
  await meter.close()
})

async function get<T>(path: string): Promise<{ status: number; body: T & ErrorBody }> {
  const response = await fetch(`${control.base}/management${path}`, {
    headers: { authorization: `Bearer ${credential}` },
  })
  return { status: response.status, body: await response.json() }
}
type Usage = { from: string; to: string; value: UsageView[] }

describe('usage', () => {
  test('is that of the last day when nothing else is asked, in whole hours', async () => {
    const { body } = await get<Usage>('/usage')
    expect(body.from).toBe('2026-11-23T12:00:00.000Z')
    expect(body.to).toBe('2026-11-24T13:00:00.000Z')
    expect(body.value).toMatchObject([{ requests: 2, promptTokens: 6, cost: 1.5 }])
  })

  test('is told by what is asked for', async () => {
    const { body } = await get<Usage>('/usage?from=2026-11-01&groupBy=day,key')
    expect(body.value.map(({ day, key, promptTokens }) => [day, key, promptTokens])).toEqual([
      ['2026-11-23', 'key1', 1],
      ['2026-11-24', 'key1', 6],
    ])
  })

  test('whole days are told where hours are kept no more, before and after they are put together', async () => {
    const { body } = await get<Usage>('/usage?from=2026-11-10T15:00:00Z&to=2026-11-11T07:30:00Z')
    expect([body.from, body.to]).toEqual(['2026-11-10T00:00:00.000Z', '2026-11-12T00:00:00.000Z'])
    const { body: mixed } = await get<Usage>('/usage?from=2026-11-10T15:00:00Z&to=2026-11-20T07:30:00Z')
    expect([mixed.from, mixed.to]).toEqual(['2026-11-10T00:00:00.000Z', '2026-11-20T08:00:00.000Z'])
  })

  test('groups may be separated by commas or come one by one', async () => {
    const [one, other] = [
      await get<Usage>('/usage?groupBy=month,key'),
      await get<Usage>('/usage?groupBy=month&groupBy=key'),
    ]
    expect(one.body.value).toMatchObject([{ month: '2026-11', key: 'key1' }])
    expect(other.body).toEqual(one.body)
  })

  test('holds what has only just been counted', async () => {
    const caller = { keyName: 'ci', grant: undefined, expiresAt: undefined }
    const tally = { usage: { promptTokens: 30, completionTokens: 5 }, pieces: 0 }
    meter.listener(
      makeExchange({ caller, tally, deployment: makeDeployment({ name: 'small' }), record: makeTriedRecord('b') }),
      'done',
      undefined,
    )
    const { body } = await get<Usage>('/usage?groupBy=deployment')
    expect(body.value.find(({ deployment }) => deployment === 'small')).toMatchObject({
      promptTokens: 30,
      completionTokens: 5,
    })
    const { body: budgets } = await get<{ value: BudgetView[] }>('/budgets')
    expect(budgets.value).toEqual([
      { key: 'ci', unit: 'tokens', period: 'day', limit: 100, spent: 35, resetsAt: '2026-11-25T00:00:00.000Z' },
    ])
  })

  test.each([
    ['/usage?from=yesterday', 'from: got "yesterday", expected a time in ISO 8601'],
    ['/usage?key=a&key=b', 'key: got a list, expected a string'],
    ['/usage?from=2026-12-01', 'expected a time before "to"'],
    [
      '/usage?groupBy=week',
      'groupBy[0]: got "week", expected one of "hour", "day", "month", "deployment", "model", "key"',
    ],
    ['/usage?since=1', 'since: unknown field, allowed are from, to, groupBy, deployment, key'],
  ])('%s is refused', async (path, text) => {
    const { status, body } = await get<Usage>(path)
    expect([status, body.error.message]).toEqual([400, expect.stringContaining(text)])
  })
})
