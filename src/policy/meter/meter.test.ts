import { afterEach, beforeEach, describe, expect, jest, test } from 'bun:test'
import fc from 'fast-check'
import { makeChatCall, makeDeployment, makeExchange, makeTriedRecord } from '../../core/exchange.fixture.ts'
import type { Budget, Caller, Exchange } from '../../core/exchange.ts'
import { releaseHolds } from '../../core/exchange.ts'
import { Fault } from '../../core/fault.ts'
import type { Reply } from '../../core/reply.ts'
import { openTally } from '../../core/usage/tally.ts'
import type { UsageQuery, UsageRow, UsageTable, UsageTotals } from '../../port/tables/usage/port.ts'
import { hourMs } from './budgets.ts'
import { createLedger, otherKeys } from './ledger.ts'
import { type Meter, openMeter } from './meter.ts'

/** A store in memory that does what it is told. */
function createStore() {
  const rows: UsageRow[] = []
  const store = {
    rows,
    failing: false,
    /** Calls that succeed before it fails. */
    sound: Number.POSITIVE_INFINITY,
    gate: undefined as Promise<void> | undefined,
    add: async (more: readonly UsageRow[]) => {
      await store.gate
      if (store.failing || store.sound-- <= 0) throw new Error('the disk is full')
      rows.push(...more)
    },
    read: async ({ fromHour, toHour }: UsageQuery): Promise<UsageTotals[]> =>
      rows
        .filter(({ hour }) => hour >= fromHour && hour < toHour)
        .map(({ hour: _, deployment: __, model: ___, ...row }) => row),
  }
  return store satisfies UsageTable
}

const start = Date.UTC(2026, 10, 24, 12)
const reply: Reply = { kind: 'whole', result: { kind: 'chat', choices: [] } }
let now: number
let store: ReturnType<typeof createStore>
let problems: unknown[]
let meter: Meter

const open = async (maxRows?: number) => {
  meter = await openMeter({
    table: store,
    now: () => now,
    onProblem: (error) => problems.push(error),
    ...(maxRows && { maxRows }),
  })
}

beforeEach(async () => {
  jest.useFakeTimers()
  now = start
  store = createStore()
  problems = []
  await open()
})
afterEach(async () => {
  store.failing = false
  store.gate = undefined
  await meter.close()
  jest.useRealTimers()
})

const price = { inputPerMillion: 2, cachedInputPerMillion: 1, outputPerMillion: 10, perRequest: 0.001 }
const used = (promptTokens: number, completionTokens: number, cachedTokens = 0) => ({
  tally: { ...openTally(), usage: { promptTokens, completionTokens, cachedTokens } },
})
const call = (more: Partial<Exchange> = {}) =>
  makeExchange({ deployment: makeDeployment({ price }), record: makeTriedRecord('b'), ...more })
const sum = (name: keyof Pick<UsageRow, 'requests' | 'promptTokens' | 'costMicros'>) =>
  [...store.rows, ...meter.pending()].reduce((total, row) => total + row[name], 0)

describe('what is counted', () => {
  test('tokens and cost, once a second', async () => {
    meter.listener(call(used(100, 10, 40)), 'done', undefined)
    meter.listener(call(used(1, 1)), 'done', undefined)
    expect(store.rows).toEqual([])
    jest.advanceTimersByTime(1_000)
    await meter.flush()
    expect(store.rows).toEqual([
      {
        hour: start / hourMs,
        resource: '',
        deployment: 'd',
        model: 'm',
        keyName: 'key1',
        requests: 2,
        failed: 0,
        refused: 0,
        estimated: 0,
        promptTokens: 101,
        cachedTokens: 40,
        completionTokens: 11,
        reasoningTokens: 0,
        // 60 at 2, 40 at 1, 10 at 10, and 1 at 2, 1 at 10; a thousandth for each request.
        costMicros: 260 + 12 + 2_000,
      },
    ])
  })

  test.each<[string, Partial<Exchange>, Parameters<Meter['listener']>[1], Fault | undefined, Partial<UsageRow>]>([
    [
      'a refusal of a limit',
      { record: makeTriedRecord() },
      'failed',
      new Fault('rate-limited', ''),
      { refused: 1, failed: 0, costMicros: 0 },
    ],
    ["an upstream's refusal", {}, 'failed', new Fault('rate-limited', ''), { refused: 0, failed: 1, costMicros: 0 }],
    [
      'a stream that broke off',
      { tally: { ...openTally(), pieces: 7 } },
      'failed',
      new Fault('upstream-failed', ''),
      { failed: 1, estimated: 1, completionTokens: 7 },
    ],
    [
      'a stream that the caller left',
      { tally: { ...openTally(), pieces: 7 } },
      'aborted',
      undefined,
      { failed: 0, estimated: 1, completionTokens: 7 },
    ],
    [
      'a caller who left before an answer',
      {},
      'aborted',
      undefined,
      { requests: 1, estimated: 0, promptTokens: 0, costMicros: 0 },
    ],
    ['a whole answer without usage', {}, 'done', undefined, { estimated: 1, completionTokens: 0 }],
  ])('%s', async (_what, more, outcome, fault, counted) => {
    meter.listener(call(more), outcome, fault)
    expect(meter.pending()).toEqual([expect.objectContaining({ requests: 1, ...counted })])
  })

  test('short calls to a cheap model are not free', () => {
    const cheap = makeDeployment({ price: { ...price, inputPerMillion: 0.02, perRequest: 0 } })
    for (let i = 0; i < 1_000; i++) meter.listener(call({ ...used(10, 0), deployment: cheap }), 'done', undefined)
    // 0.2 millionths each.
    expect(sum('costMicros')).toBe(200)
  })

  test('a call that spilled over counts where it was answered', () => {
    meter.listener(
      call({ ...used(1, 1), deployment: makeDeployment({ name: 'second' }), spilledFrom: makeDeployment() }),
      'done',
      undefined,
    )
    expect(meter.pending()).toMatchObject([{ deployment: 'second' }])
  })
})

describe('a store', () => {
  /** Closes while time goes on. */
  async function closeInTime(): Promise<void> {
    let isClosed = false
    void meter.close().then(() => {
      isClosed = true
    })
    while (!isClosed) {
      jest.advanceTimersByTime(100)
      await Promise.resolve()
    }
  }

  test('that fails loses nothing, is told of once, and is tried again', async () => {
    store.failing = true
    for (let i = 0; i < 5; i++) {
      meter.listener(call(used(10, 0)), 'done', undefined)
      await meter.flush()
    }
    expect(problems).toHaveLength(1)
    expect(sum('promptTokens')).toBe(50)
    store.failing = false
    jest.advanceTimersByTime(60_000)
    await meter.flush()
    expect(store.rows).toMatchObject([{ requests: 5, promptTokens: 50 }])
  })

  test('that is slow holds nobody up, and what comes meanwhile goes after it', async () => {
    const slow = Promise.withResolvers<void>()
    store.gate = slow.promise
    meter.listener(call(used(1, 0)), 'done', undefined)
    const first = meter.flush()
    meter.listener(call(used(2, 0)), 'done', undefined)
    expect(sum('promptTokens')).toBe(3)
    slow.resolve()
    await first
    await meter.flush()
    expect(store.rows.map(({ promptTokens }) => promptTokens)).toEqual([1, 2])
  })

  test('that is full for long takes bounded memory: keys are put together', async () => {
    await open(100)
    store.failing = true
    for (let i = 0; i < 5_000; i++) {
      const caller: Caller = { keyName: `key ${i}`, grant: undefined, expiresAt: undefined }
      meter.listener(call({ ...used(1, 0), caller }), 'done', undefined)
      if (i % 500 === 0) await meter.flush()
    }
    expect(meter.pending().length).toBeLessThanOrEqual(101)
    expect(meter.pending().find(({ keyName }) => keyName === otherKeys)?.requests).toBe(4_900)
    expect(sum('requests')).toBe(5_000)
  })

  test('that has no room left for keys is told of, once', async () => {
    await open(2)
    store.failing = true
    for (let i = 0; i < 5; i++) {
      const caller: Caller = { keyName: `key ${i}`, grant: undefined, expiresAt: undefined }
      meter.listener(call({ ...used(1, 0), caller }), 'done', undefined)
      await meter.flush()
    }
    const folding = problems.filter((problem) => String(problem).includes("counted as '(other keys)'"))
    expect([problems.length, folding.length]).toEqual([2, 1])
  })

  test('that fails amid what has gathered is not given the same twice', async () => {
    for (let i = 0; i < 1_200; i++) {
      const caller: Caller = { keyName: `key ${i}`, grant: undefined, expiresAt: undefined }
      meter.listener(call({ ...used(1, 0), caller }), 'done', undefined)
    }
    store.sound = 1
    await meter.flush()
    expect([problems.length, store.rows.length, meter.pending().length]).toEqual([1, 500, 700])
    store.sound = Number.POSITIVE_INFINITY
    await meter.flush()
    expect(store.rows).toHaveLength(1_200)
    expect(sum('requests')).toBe(1_200)
  })

  test('that fails to the end: what is lost is told', async () => {
    store.failing = true
    meter.listener(call(used(1, 0)), 'done', undefined)
    meter.listener(call(used(1, 0)), 'done', undefined)
    await closeInTime()
    expect(problems.map(String)).toEqual([
      'Error: the disk is full',
      'Error: the usage of 2 calls could not be stored and is lost',
    ])
  })

  test('that comes back at the end gets everything', async () => {
    store.sound = 0
    meter.listener(call(used(1, 0)), 'done', undefined)
    await meter.flush()
    const closed = closeInTime()
    store.sound = 1
    await closed
    expect([problems.length, store.rows.length, meter.pending().length]).toEqual([1, 1, 0])
  })

  test('and memory are together always all that was counted', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.oneof(fc.nat(50), fc.constantFrom('flush', 'fail', 'mend', 'hour', 'stick', 'go')), {
          maxLength: 100,
        }),
        async (steps) => {
          store = createStore()
          await open(20)
          let counted = 0
          let stuck = Promise.withResolvers<void>()
          for (const step of steps) {
            if (step === 'flush') {
              const flushed = meter.flush()
              if (!store.gate) await flushed
            } else if (step === 'stick') {
              stuck.resolve()
              stuck = Promise.withResolvers()
              store.gate = stuck.promise
            } else if (step === 'go') {
              store.gate = undefined
              stuck.resolve()
            } else if (step === 'fail') store.failing = true
            else if (step === 'mend') store.failing = false
            else if (step === 'hour') now += hourMs
            else if (typeof step === 'number') {
              counted += step
              const caller: Caller = { keyName: `k${step}`, grant: undefined, expiresAt: undefined }
              meter.listener(call({ ...used(step, 0), caller }), 'done', undefined)
            }
            expect(sum('promptTokens')).toBe(counted)
          }
          store.failing = false
          store.gate = undefined
          stuck.resolve()
          await meter.close()
          expect(meter.pending()).toEqual([])
          expect(store.rows.reduce((total, row) => total + row.promptTokens, 0)).toBe(counted)
        },
      ),
      { numRuns: 200 },
    )
  })
})

test('a ledger that is full of deployments puts these together too', () => {
  const ledger = createLedger(3)
  for (let i = 0; i < 100; i++)
    ledger.open({ hour: 1, resource: '', deployment: `d${i}`, model: 'm', keyName: 'k' }).requests++
  expect(ledger.size).toBeLessThanOrEqual(8)
  expect(ledger.rows().reduce((total, { requests }) => total + requests, 0)).toBe(100)
})

describe('a budget', () => {
  const withBudgets = (...budgets: Budget[]): Caller => ({
    keyName: 'ci',
    grant: { deployments: undefined, tokensPerMinute: undefined, requestsPerMinute: undefined, budgets },
    expiresAt: undefined,
  })
  const tokens = (limit: number, period: Budget['period'] = 'day'): Budget => ({ unit: 'tokens', period, limit })

  const begin = (caller: Caller, maxTokens: number) => {
    const exchange = call({ caller, call: makeChatCall({ maxTokens }), tally: openTally() })
    void meter.policy(exchange, async () => reply)
    return exchange
  }
  const end = (exchange: Exchange, promptTokens: number, completionTokens: number) => {
    exchange.tally.usage = { promptTokens, completionTokens }
    releaseHolds(exchange, 'done')
    meter.listener(exchange, 'done', undefined)
  }

  test('lets in what fits beside what is spent and what is under way', () => {
    const caller = withBudgets(tokens(1_000))
    const first = begin(caller, 600)
    expect(() => begin(caller, 600)).toThrow("The key 'ci' may use 1000 tokens a day")
    end(first, 10, 90)
    const second = begin(caller, 600)
    end(second, 100, 700)
    expect(() => begin(caller, 100)).toThrow('The day ends at 2026-11-25T00:00:00.000Z.')
    expect(meter.budgets.status('CI', caller.grant?.budgets ?? [])).toEqual([
      { unit: 'tokens', period: 'day', limit: 1_000, spent: 900, resetsAt: '2026-11-25T00:00:00.000Z' },
    ])
  })

  test('begins anew with its period', () => {
    const caller = withBudgets(tokens(100), tokens(250, 'month'))
    end(begin(caller, 50), 50, 50)
    expect(() => begin(caller, 50)).toThrow('a day')
    now += 12 * hourMs
    end(begin(caller, 50), 50, 50)
    now += 24 * hourMs
    expect(() => begin(caller, 50)).toThrow('a month')
    now = Date.UTC(2026, 11, 1)
    end(begin(caller, 50), 50, 50)
  })

  test('that is changed is judged by what was spent before', () => {
    end(begin(withBudgets(), 50), 50, 50)
    expect(() => begin(withBudgets(tokens(100)), 50)).toThrow('100 tokens are used or held')
    end(begin(withBudgets(tokens(1_000)), 50), 50, 50)
    expect(() => begin(withBudgets(tokens(200, 'month')), 50)).toThrow('200 tokens a month')
  })

  test('of a key that was deleted and made again goes on under its name, also after a restart', async () => {
    end(begin(withBudgets(tokens(100)), 50), 50, 50)
    const again: Caller = { ...withBudgets(tokens(100)), keyName: 'CI' }
    expect(() => begin(again, 50)).toThrow("The key 'CI'")
    await meter.flush()
    await open()
    expect(() => begin(again, 50)).toThrow("The key 'CI'")
    begin({ ...again, keyName: 'another' }, 10)
  })

  test('of money', () => {
    const caller = withBudgets({ unit: 'cost', period: 'month', limit: 0.01 })
    end(begin(caller, 100), 1_000, 100)
    expect(meter.budgets.status('ci', caller.grant?.budgets ?? [])).toMatchObject([{ spent: 0.004 }])
    expect(() => begin(caller, 1_000)).toThrow('may use 0.01 of cost a month. 0.004 of cost are used')
  })

  test('knows after a restart what was stored', async () => {
    const caller = withBudgets(tokens(1_000), tokens(5_000, 'month'))
    now = Date.UTC(2026, 10, 3)
    end(begin(caller, 100), 500, 100)
    now = start
    end(begin(caller, 100), 300, 100)
    await meter.flush()
    await open()
    expect(meter.budgets.status('ci', caller.grant?.budgets ?? [])).toMatchObject([{ spent: 400 }, { spent: 1_000 }])
  })

  test('does not hold those up who have none', () => {
    begin({ keyName: 'key1', grant: undefined, expiresAt: undefined }, 1e9)
  })
})
