import { afterEach, beforeEach, describe, expect, test } from 'bun:test'
import type { TablesFixture } from '../contract.ts'
import { noUsage, type UsageCounts, type UsageGroup, type UsageRow, type UsageStore } from './port.ts'

function make(more: Partial<UsageRow>): UsageRow {
  return {
    ...noUsage,
    hour: 500_000,
    resource: '',
    deployment: 'gpt',
    model: 'gpt-4o',
    keyName: 'key1',
    requests: 1,
    ...more,
  }
}

/** What every adapter does with usage. `open` makes an empty store. */
export function describeUsageContract(adapter: string, open: () => Promise<TablesFixture>): void {
  describe(`tables port, usage: ${adapter}`, () => {
    let fixture: TablesFixture
    let table: UsageStore
    const all = { fromHour: 0, toHour: 1e9 }

    beforeEach(async () => {
      fixture = await open()
      table = fixture.tables.usage
    })
    afterEach(() => fixture.remove())

    test('begins empty', async () => {
      await table.add([])
      expect(await table.read({ ...all, groupBy: [] })).toEqual([])
      expect(await table.read({ ...all, groupBy: ['hour'] })).toEqual([])
    })

    test('adds to what is there', async () => {
      const counts: UsageCounts = {
        requests: 2,
        failed: 1,
        refused: 1,
        estimated: 1,
        promptTokens: 1e12,
        cachedTokens: 3,
        completionTokens: 5,
        reasoningTokens: 2,
        costMicros: 7,
      }
      await table.add([make(counts)])
      await table.add([make(counts), make({ ...counts, keyName: 'other' })])
      const [own] = await table.read({ ...all, keyName: 'KEY1', groupBy: [] })
      expect(own).toEqual(
        Object.fromEntries(Object.entries(counts).map(([name, value]) => [name, 2 * value])) as UsageCounts,
      )
    })

    test('sums by what is asked for, in its order', async () => {
      await table.add([
        make({ hour: 10, deployment: 'b', promptTokens: 1 }),
        make({ hour: 10, deployment: 'a', promptTokens: 2 }),
        make({ hour: 11, deployment: 'a', keyName: 'ci', model: 'other', promptTokens: 4 }),
        make({ hour: 12, deployment: 'a', promptTokens: 8 }),
      ])
      const read = async (...groupBy: UsageGroup[]) =>
        (await table.read({ fromHour: 10, toHour: 12, groupBy })).map((row) => [
          ...groupBy.map((group) => row[group]),
          row.promptTokens,
        ])
      expect(await read()).toEqual([[7]])
      expect(await read('hour')).toEqual([
        [10, 3],
        [11, 4],
      ])
      expect(await read('deployment', 'hour')).toEqual([
        ['a', 10, 2],
        ['a', 11, 4],
        ['b', 10, 1],
      ])
      expect(await read('keyName', 'model')).toEqual([
        ['ci', 'other', 4],
        ['key1', 'gpt-4o', 3],
      ])
      expect(await table.read({ ...all, deployment: 'B', groupBy: ['deployment'] })).toHaveLength(1)
    })

    test('sums by the day, of any time of it', async () => {
      await table.add([47, 48, 60, 71, 72].map((hour, i) => make({ hour, promptTokens: 2 ** i })))
      const days = await table.read({ ...all, groupBy: ['day', 'deployment'] })
      expect(days.map(({ day, deployment, promptTokens }) => [day, deployment, promptTokens])).toEqual([
        [1, 'gpt', 1],
        [2, 'gpt', 2 + 4 + 8],
        [3, 'gpt', 16],
      ])
    })

    test('gives no more rows than are wanted, the first ones', async () => {
      await table.add([3, 1, 2].map((hour) => make({ hour })))
      const rows = await table.read({ ...all, groupBy: ['hour'], limit: 2 })
      expect(rows.map(({ hour }) => hour)).toEqual([1, 2])
    })

    describe('rolled up', () => {
      const day = 20_000
      const hourOf = (days: number, hour: number) => (day + days) * 24 + hour
      const sums = (groupBy: readonly UsageGroup[], fromDay = 0, toDay = 4) =>
        table.read({ fromHour: hourOf(fromDay, 0), toHour: hourOf(toDay, 0), groupBy })
      /** Every hour of three days, of two deployments and keys, no two alike. */
      const rows = Array.from({ length: 72 * 4 }, (_, i) =>
        make({
          hour: hourOf(0, i >> 2),
          deployment: i & 2 ? 'b' : 'a',
          keyName: i % 2 === 0 ? 'key1' : 'ci',
          promptTokens: 1e9 + i * 17,
          cachedTokens: i,
          costMicros: i * 3,
          failed: i % 5,
        }),
      )

      test('sums over days stay what they were, by whatever they are asked for', async () => {
        await table.add(rows)
        const groups: UsageGroup[][] = [
          [],
          ['day'],
          ['day', 'deployment', 'model', 'keyName'],
          ['keyName'],
          ['deployment'],
        ]
        const before = await Promise.all(groups.map((group) => sums(group)))
        const oneDay = await sums(['deployment', 'keyName'], 1, 2)
        expect(await table.rollUp(hourOf(2, 7), 1_000)).toBe(46)
        expect(await Promise.all(groups.map((group) => sums(group)))).toEqual(before)
        expect(await sums(['deployment', 'keyName'], 1, 2)).toEqual(oneDay)
        expect((await sums(['hour'])).map(({ hour }) => hour)).toEqual(
          [hourOf(0, 0), hourOf(1, 0), Array.from({ length: 24 }, (_, hour) => hourOf(2, hour))].flat(),
        )
        expect(await table.rollUp(hourOf(2, 23), 1_000)).toBe(0)
      })

      test('a few hours at a time, the oldest first; what comes late counts with its day', async () => {
        await table.add(rows)
        const before = await sums(['day'])
        expect(await table.rollUp(hourOf(3, 0), 10)).toBe(10)
        expect((await sums(['hour'])).map(({ hour }) => hour)[1]).toBe(hourOf(0, 11))
        expect(await sums(['day'])).toEqual(before)
        expect(await table.rollUp(hourOf(3, 0), 1_000)).toBe(59)
        await table.add([make({ hour: hourOf(0, 5), deployment: 'a', promptTokens: 7 })])
        const [late] = await sums(['day'])
        expect(late?.promptTokens).toBe((before[0]?.promptTokens ?? 0) + 7)
        expect(await table.rollUp(hourOf(3, 0), 1_000)).toBe(1)
        expect((await sums(['day']))[0]).toEqual(late)
      })

      test('by two at once: nothing counts twice, and nothing is lost', async () => {
        await table.add(rows)
        const before = await sums(['day', 'deployment', 'keyName'])
        await Promise.all([1, 2, 3].map(() => table.rollUp(hourOf(3, 0), 1_000)))
        expect(await sums(['day', 'deployment', 'keyName'])).toEqual(before)
      })

      test('forgotten, the oldest first', async () => {
        await table.add(rows)
        await table.rollUp(hourOf(1, 0), 1_000)
        expect(await table.drop(hourOf(1, 2), 2)).toBe(2)
        expect((await sums(['hour'])).map(({ hour }) => hour)[0]).toBe(hourOf(1, 1))
        expect(await table.drop(hourOf(1, 2), 9)).toBe(1)
        expect(await table.drop(hourOf(1, 2), 9)).toBe(0)
        expect((await sums(['hour'])).map(({ hour }) => hour)[0]).toBe(hourOf(1, 2))
      })
    })

    test('many rows at once', async () => {
      await table.add(Array.from({ length: 1_000 }, (_, i) => make({ deployment: `d${i}` })))
      expect(await table.read({ ...all, groupBy: [] })).toMatchObject([{ requests: 1_000 }])
    })

    test('is there after reopening', async () => {
      await table.add([make({ promptTokens: 3 })])
      table = (await fixture.reopen()).usage
      expect(await table.read({ ...all, groupBy: ['keyName'] })).toEqual([
        { ...noUsage, keyName: 'key1', requests: 1, promptTokens: 3 },
      ])
    })
  })
}
