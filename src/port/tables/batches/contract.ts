import { afterEach, beforeEach, describe, expect, test } from 'bun:test'
import type { Job } from '../../jobs/port.ts'
import type { TablesFixture } from '../contract.ts'
import type { BatchesTable, BatchRow, LineResult, NewLine, WaitingKeys } from './port.ts'

const noTokens = { input: 0, cached: 0, output: 0, reasoning: 0 }

const make = (id: string, some: Partial<BatchRow> = {}): BatchRow => ({
  id,
  owner: '',
  endpoint: '/chat/completions',
  inputFileId: 'file-1',
  completionWindow: '24h',
  status: 'validating',
  total: 0,
  completed: 0,
  failed: 0,
  tokens: noTokens,
  enqueuedTokens: 0,
  createdAt: 1_790_000_000_000,
  expiresAt: 1_790_086_400_000,
  ...some,
})

const line = (number: number, customId = `task-${number}`): NewLine => ({
  line: number,
  customId,
  start: number * 5_000_000_000,
  bytes: 100 + number,
})

const result = (number: number, state: LineResult['state'] = 'done', record = `{"n":${number}}`): LineResult => ({
  line: number,
  state,
  record,
})

const sums = (input = 0, output = 0, releasedTokens = 0) => ({
  tokens: { input, cached: Math.floor(input / 2), output, reasoning: Math.floor(output / 2) },
  releasedTokens,
})

const range = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, i) => from + i)

/** What every adapter does with batches, their lines and what comes of them. `open` makes an empty store. */
export function describeBatchesContract(adapter: string, open: () => Promise<TablesFixture>): void {
  describe(`batches table: ${adapter}`, () => {
    let fixture: TablesFixture
    let table: BatchesTable
    let job: Job

    beforeEach(async () => {
      fixture = await open()
      table = fixture.tables.batches
      job = await take('b')
    })
    afterEach(() => fixture.remove())

    async function take(id: string, leaseMs = 60_000): Promise<Job> {
      const { jobs } = fixture.tables
      await jobs.add({ kind: 'batch', id, state: {}, runAt: 0 })
      return (await jobs.claim(['batch'], 'worker', leaseMs)) as Job
    }
    const listIds = async (owner: string | undefined, after?: string, limit = 10, order: 'asc' | 'desc' = 'desc') =>
      (await table.list(owner, { limit, order, after })).map(({ id }) => id)
    const findWaiting = async (by: WaitingKeys) => (await table.findWaiting('b', by)).map((waiting) => waiting.line)
    const listWaiting = async (after = 0, limit = 1_000) =>
      (await table.listWaiting('b', after, limit)).map((waiting) => waiting.line)

    test('begins empty', async () => {
      expect(await table.get('b')).toBeUndefined()
      expect(await table.list(undefined, { limit: 5, order: 'desc' })).toEqual([])
      expect(await table.listWaiting('b', 0, 10)).toEqual([])
      expect(await table.listResults('b', 'done', 0, 10)).toEqual([])
      expect(await table.sumEnqueued({ name: 'gpt' })).toBe(0)
      expect(await table.update('b', ['validating'], { status: 'failed' })).toBe(false)
      expect(await table.delete('b')).toBe(false)
      await table.deleteLines('b')
    })

    test('a batch comes back as it was, with everything and with nothing more than it needs', async () => {
      const full = make('full', {
        owner: 'team',
        status: 'completed',
        deployment: 'GPT-Batch',
        outputFileId: 'file-2',
        errorFileId: 'file-3',
        errors: [{ code: 'x', message: `Größe 🙂 "'\\`, param: null, line: 3 }],
        metadata: { of: 'Zoë', __proto: 'x' },
        total: 100_000,
        completed: 99_999,
        failed: 1,
        tokens: { input: 9_000_000_000, cached: 8_000_000_000, output: 7_000_000_000, reasoning: 6_000_000_000 },
        enqueuedTokens: 5_000_000_000,
        inProgressAt: 1_790_000_000_001,
        finalizingAt: 1_790_000_000_002,
        completedAt: 1_790_000_000_003,
        failedAt: 1_790_000_000_004,
        expiredAt: 1_790_000_000_005,
        cancellingAt: 1_790_000_000_006,
        cancelledAt: 1_790_000_000_007,
        outputExpiresAfter: 1_209_600,
      })
      await table.add(full)
      await table.add(make('bare'))
      expect(await table.get('full')).toEqual(full)
      expect(await table.get('bare')).toEqual(make('bare'))
    })

    test('an owner finds his own; nobody in particular finds all; the newest come first', async () => {
      const owners = ['', 'team', '', 'team', '']
      for (const [i, owner] of owners.entries()) await table.add(make(`b${i}`, { owner, createdAt: 1000 + i }))
      expect(await listIds('')).toEqual(['b4', 'b2', 'b0'])
      expect(await listIds('team')).toEqual(['b3', 'b1'])
      expect(await listIds('nobody')).toEqual([])
      expect(await listIds(undefined)).toEqual(['b4', 'b3', 'b2', 'b1', 'b0'])
      expect(await listIds(undefined, undefined, 10, 'asc')).toEqual(['b0', 'b1', 'b2', 'b3', 'b4'])
    })

    test('pages follow each other without a gap where many were made at the same time', async () => {
      for (const i of range(0, 6)) await table.add(make(`b${i}`, { createdAt: 1000 + Math.floor(i / 4) }))
      expect(await listIds('', undefined, 2)).toEqual(['b6', 'b5', 'b4'])
      expect(await listIds('', 'b5', 2)).toEqual(['b4', 'b3', 'b2'])
      expect(await listIds('', 'b3', 2)).toEqual(['b2', 'b1', 'b0'])
      expect(await listIds('', 'b1', 2)).toEqual(['b0'])
      expect(await listIds('', 'b0', 2)).toEqual([])
      expect(await listIds('', 'b2', 9, 'asc')).toEqual(['b3', 'b4', 'b5', 'b6'])
    })

    test('after what is not there, or not his, there is nothing', async () => {
      await table.add(make('a'))
      await table.add(make('c', { owner: 'team' }))
      expect(await listIds('', 'none')).toEqual([])
      expect(await listIds('', 'c')).toEqual([])
    })

    test('a change is made in the states that are given, and of the rest nothing changes', async () => {
      await table.add(make('b', { metadata: { k: 'v' } }))
      expect(await table.update('b', ['in_progress', 'finalizing'], { status: 'completed' })).toBe(false)
      expect((await table.get('b'))?.status).toBe('validating')
      const change = { status: 'failed', failedAt: 5, errors: [{ code: 'empty_file' }], enqueuedTokens: 0 } as const
      expect(await table.update('b', ['in_progress', 'validating'], { ...change, errors: [...change.errors] })).toBe(
        true,
      )
      expect(await table.get('b')).toEqual(make('b', { ...change, errors: [...change.errors], metadata: { k: 'v' } }))
    })

    test('of changes that race from one state, one is made', async () => {
      await table.add(make('b'))
      const racers = range(1, 10).map((i) => table.update('b', ['validating'], { status: 'in_progress', total: i }))
      expect((await Promise.all(racers)).filter(Boolean)).toHaveLength(1)
    })

    test('tokens are held up to the limit of the deployment, whatever the case of its name', async () => {
      for (const id of ['a', 'b', 'c']) await table.add(make(id))
      expect(await table.enqueue('a', { name: 'GPT' }, 60, 100)).toBe(true)
      expect(await table.enqueue('b', { name: 'gpt' }, 41, 100)).toBe(false)
      expect(await table.get('b')).toEqual(make('b'))
      expect(await table.enqueue('b', { name: 'gpt' }, 40, 100)).toBe(true)
      expect(await table.enqueue('c', { name: 'other' }, 90, 100)).toBe(true)
      expect(await table.sumEnqueued({ name: 'Gpt' })).toBe(100)
      expect(await table.sumEnqueued({ name: 'other' })).toBe(90)
      expect(await table.get('a')).toMatchObject({ deployment: 'GPT', enqueuedTokens: 60 })
    })

    test('those that have not ended are counted by their state, with their lines', async () => {
      expect(await table.sumRunning()).toEqual([])
      await table.add(make('a', { status: 'in_progress', total: 10, completed: 3, failed: 1 }))
      await table.add(make('b', { status: 'in_progress', total: 5, completed: 5, owner: 'other' }))
      await table.add(make('c', { status: 'validating' }))
      await table.add(make('d', { status: 'completed', total: 7, completed: 7 }))
      expect(await table.sumRunning()).toEqual([
        { status: 'in_progress', batches: 2, lines: 15, completed: 8, failed: 1 },
        { status: 'validating', batches: 1, lines: 0, completed: 0, failed: 0 },
      ])
    })

    test('holding again is in place of what was held, and only while the batch is validated', async () => {
      await table.add(make('b'))
      expect(await table.enqueue('b', { name: 'gpt' }, 60, 100)).toBe(true)
      expect(await table.enqueue('b', { name: 'gpt' }, 70, 100)).toBe(true)
      expect(await table.sumEnqueued({ name: 'gpt' })).toBe(70)
      await table.update('b', ['validating'], { status: 'failed', enqueuedTokens: 0 })
      expect(await table.sumEnqueued({ name: 'gpt' })).toBe(0)
      expect(await table.enqueue('b', { name: 'gpt' }, 10, 100)).toBe(false)
      expect(await table.sumEnqueued({ name: 'gpt' })).toBe(0)
    })

    test('those who ask for tokens at once get no more than there are', async () => {
      const ids = range(1, 20).map((i) => `b${i}`)
      for (const id of ids) await table.add(make(id))
      const held = await Promise.all(ids.map((id) => table.enqueue(id, { name: 'gpt' }, 30, 100)))
      expect(held.filter(Boolean)).toHaveLength(3)
      expect(await table.sumEnqueued({ name: 'gpt' })).toBe(90)
    })

    test('lines wait in their order, and are read on from a place', async () => {
      await table.add(make('b'))
      await table.addLines(job, 'b', [line(3), line(1)])
      await table.addLines(job, 'b', [line(2), line(7)])
      expect(await table.listWaiting('b', 0, 2)).toEqual([line(1), line(2)])
      expect(await table.listWaiting('b', 2, 9)).toEqual([line(3), line(7)])
      expect(await table.listWaiting('b', 7, 9)).toEqual([])
      expect(await table.listWaiting('other', 0, 9)).toEqual([])
    })

    test('lines that are there already stay as they are', async () => {
      await table.addLines(
        job,
        'b',
        range(1, 400).map((n) => line(n)),
      )
      await table.addResults(job, 'b', [result(5)], sums())
      expect(
        await table.addLines(
          job,
          'b',
          range(300, 900).map((n) => line(n)),
        ),
      ).toEqual([])
      expect(
        await table.addLines(
          job,
          'b',
          range(1, 10).map((n) => line(n)),
        ),
      ).toEqual([])
      expect(await listWaiting()).toEqual(range(1, 900).filter((n) => n !== 5))
    })

    test('a custom id that another line has is told: in one portion, in another, and when the portion comes again', async () => {
      const first = [line(1, 'a'), line(2, 'b'), line(3, 'a'), line(4, 'A')]
      expect(await table.addLines(job, 'b', first)).toEqual([{ line: 3, customId: 'a' }])
      expect(await table.addLines(job, 'b', first)).toEqual([{ line: 3, customId: 'a' }])
      const more = [line(5, 'b'), line(6, 'c'), line(7, 'c')]
      expect(await table.addLines(job, 'b', more)).toEqual([
        { line: 5, customId: 'b' },
        { line: 7, customId: 'c' },
      ])
      expect(await listWaiting()).toEqual([1, 2, 4, 6])
      expect(await table.addLines(await take('other'), 'other', [line(1, 'a')])).toEqual([])
    })

    test('custom ids are data, not SQL, in any script', async () => {
      const odd = ["x'); drop table batch_line; --", 'Größe 東京 🙂', '"', '%', ' ']
      expect(
        await table.addLines(
          job,
          'b',
          odd.map((id, i) => line(i + 1, id)),
        ),
      ).toEqual([])
      expect((await table.listWaiting('b', 0, 9)).map(({ customId }) => customId)).toEqual(odd)
    })

    test('lines that wait are found by what they are told by, however many are asked for', async () => {
      const lines = range(1, 1_200).map((n) => line(n))
      await table.addLines(job, 'b', lines)
      await table.addLines(await take('other'), 'other', [line(9_000)])
      await table.addResults(job, 'b', [result(2), result(1_100, 'failed')], sums())
      expect(await table.findWaiting('b', { customIds: ['task-3', 'task-2', 'nobody', "';--", 'task-1'] })).toEqual([
        line(1),
        line(3),
      ])
      expect(await findWaiting({ lines: [7, 1_100, 9_000, 5, 7, -1] })).toEqual([5, 7])
      const left = range(1, 1_200).filter((n) => n !== 2 && n !== 1_100)
      expect(await findWaiting({ lines: range(1, 1_300) })).toEqual(left)
      expect(await findWaiting({ customIds: lines.map(({ customId }) => customId) })).toEqual(left)
      expect(await findWaiting({ customIds: [] })).toEqual([])
    })

    test('results are noted, counted and read in the order of their lines; other lines go on waiting', async () => {
      await table.add(make('b', { status: 'in_progress', enqueuedTokens: 1_000 }))
      await table.addLines(
        job,
        'b',
        range(1, 6).map((n) => line(n)),
      )
      expect(await table.addResults(job, 'b', [result(5), result(2, 'failed'), result(1)], sums(30, 12, 300))).toBe(
        true,
      )
      expect(await table.addResults(job, 'b', [result(4), result(3, 'failed')], sums(4, 2, 100))).toBe(true)
      expect(await listWaiting()).toEqual([6])
      expect(await table.listResults('b', 'done', 0, 9)).toEqual([result(1), result(4), result(5)])
      expect(await table.listResults('b', 'done', 1, 1)).toEqual([result(4)])
      expect(await table.listResults('b', 'failed', 0, 9)).toEqual([result(2, 'failed'), result(3, 'failed')])
      expect(await table.get('b')).toMatchObject({
        completed: 3,
        failed: 2,
        tokens: { input: 34, cached: 17, output: 14, reasoning: 7 },
        enqueuedTokens: 600,
      })
    })

    test('of a line the first result counts, also when the same ones are noted again', async () => {
      await table.add(make('b', { status: 'in_progress', enqueuedTokens: 100 }))
      await table.addLines(
        job,
        'b',
        range(1, 3).map((n) => line(n)),
      )
      const some = [result(1), result(2, 'failed'), result(1, 'failed', 'again')]
      expect(await table.addResults(job, 'b', some, sums(8, 4, 40))).toBe(true)
      expect(await table.addResults(job, 'b', some, sums(8, 4, 40))).toBe(true)
      expect(await table.addResults(job, 'b', [result(2), result(9)], sums(8, 4, 40))).toBe(true)
      expect(await table.listResults('b', 'done', 0, 9)).toEqual([result(1)])
      expect(await table.listResults('b', 'failed', 0, 9)).toEqual([result(2, 'failed')])
      expect(await table.get('b')).toMatchObject({ completed: 1, failed: 1, enqueuedTokens: 60 })
      expect((await table.get('b'))?.tokens.input).toBe(8)
    })

    test('no more is let go of than was held', async () => {
      await table.add(make('b', { status: 'in_progress', enqueuedTokens: 10 }))
      await table.addLines(job, 'b', [line(1)])
      await table.addResults(job, 'b', [result(1)], sums(0, 0, 11))
      expect((await table.get('b'))?.enqueuedTokens).toBe(0)
    })

    test('many results at once, large ones among them', async () => {
      await table.add(make('b', { status: 'in_progress' }))
      await table.addLines(
        job,
        'b',
        range(1, 1_300).map((n) => line(n)),
      )
      const record = (n: number) => (n % 400 === 0 ? 'x'.repeat(3 * 1024 * 1024) : `{"n":${n}}`)
      const results = range(1, 1_300).map((n) => result(n, n % 3 === 0 ? 'failed' : 'done', record(n)))
      expect(await table.addResults(job, 'b', results, sums())).toBe(true)
      expect(await listWaiting()).toEqual([])
      expect(await table.get('b')).toMatchObject({ completed: 867, failed: 433 })
      expect(await table.listResults('b', 'done', 398, 2)).toEqual(results.slice(399, 401))
    })

    test('who holds the job no more writes nothing', async () => {
      await table.add(make('b', { status: 'in_progress', enqueuedTokens: 10 }))
      await table.addLines(job, 'b', [line(1), line(2)])
      expect(await fixture.tables.jobs.release(job, {}, 0)).toBe(true)
      const next = (await fixture.tables.jobs.claim(['batch'], 'another', 60_000)) as Job
      expect(await table.addLines(job, 'b', [line(3)])).toBeUndefined()
      expect(await table.addResults(job, 'b', [result(1)], sums(1, 1, 1))).toBe(false)
      expect(await listWaiting()).toEqual([1, 2])
      expect(await table.get('b')).toMatchObject({ completed: 0, tokens: noTokens, enqueuedTokens: 10 })
      expect(await table.addResults(next, 'b', [result(1)], sums(1, 1, 1))).toBe(true)
      await fixture.tables.jobs.finish(next)
      expect(await table.addResults(next, 'b', [result(2)], sums(1, 1, 1))).toBe(false)
      expect(await table.addLines(next, 'b', [line(4)])).toBeUndefined()
    })

    test('lines go with their results, and those of others stay', async () => {
      const other = await take('other')
      for (const [holder, id] of [
        [job, 'b'],
        [other, 'other'],
      ] as const) {
        await table.add(make(id, { status: 'in_progress' }))
        await table.addLines(
          holder,
          id,
          range(1, 2_500).map((n) => line(n)),
        )
        await table.addResults(
          holder,
          id,
          range(1, 2_200).map((n) => result(n)),
          sums(),
        )
      }
      await table.deleteLines('b')
      expect(await listWaiting()).toEqual([])
      expect(await table.listResults('b', 'done', 0, 9)).toEqual([])
      expect(await table.get('b')).toMatchObject({ completed: 2_200 })
      expect(await table.listWaiting('other', 0, 1)).toEqual([line(2_201)])
      expect(await table.delete('other')).toBe(true)
      expect(await table.get('other')).toBeUndefined()
      expect(await table.listWaiting('other', 0, 1)).toEqual([])
    })

    test('everything is there after reopening', async () => {
      await table.add(make('b', { status: 'in_progress' }))
      await table.addLines(job, 'b', [line(1), line(2)])
      await table.addResults(job, 'b', [result(1)], sums(2, 2))
      table = (await fixture.reopen()).batches
      expect(await listWaiting()).toEqual([2])
      expect(await table.listResults('b', 'done', 0, 9)).toEqual([result(1)])
      expect(await table.get('b')).toMatchObject({ completed: 1 })
    })
  })
}
